"""Permissions boundaries: the managed policy that is the most a user or role may be allowed."""

from __future__ import annotations

from instep.api.iam import (
    AttachedPermissionsBoundary,
    DeleteRolePermissionsBoundaryRequest,
    DeleteUserPermissionsBoundaryRequest,
    PermissionsBoundaryAttachmentType,
    PutRolePermissionsBoundaryRequest,
    PutUserPermissionsBoundaryRequest,
)
from instep.services.iam import policy_arns
from instep.services.iam.owners import on_role, role_named
from instep.services.iam.targets import on_user, user_named
from instep.services.operation import Call, operation


def as_boundary(policy_arn: str | None) -> AttachedPermissionsBoundary | None:
    """As the wire shows it on its user or role; None when there is none, since AWS then leaves the element out."""
    if policy_arn is None:
        return None
    return AttachedPermissionsBoundary(
        permissions_boundary_type=PermissionsBoundaryAttachmentType.POLICY, permissions_boundary_arn=policy_arn
    )


@operation("iam:PutUserPermissionsBoundary", on=on_user, writes=True)
def put_user_permissions_boundary(call: Call, request: PutUserPermissionsBoundaryRequest) -> None:
    user = user_named(call, request.user_name)
    policy_arns.check_boundary(call, request.permissions_boundary)
    call.tx.users.set_permissions_boundary(user, request.permissions_boundary)


@operation("iam:PutRolePermissionsBoundary", on=on_role, writes=True)
def put_role_permissions_boundary(call: Call, request: PutRolePermissionsBoundaryRequest) -> None:
    role = role_named(call, request.role_name)
    policy_arns.check_boundary(call, request.permissions_boundary)
    call.tx.roles.set_permissions_boundary(role, request.permissions_boundary)


@operation("iam:DeleteUserPermissionsBoundary", on=on_user, writes=True)
def delete_user_permissions_boundary(call: Call, request: DeleteUserPermissionsBoundaryRequest) -> None:
    """Succeeds for a user who has none."""
    call.tx.users.set_permissions_boundary(user_named(call, request.user_name), None)


@operation("iam:DeleteRolePermissionsBoundary", on=on_role, writes=True)
def delete_role_permissions_boundary(call: Call, request: DeleteRolePermissionsBoundaryRequest) -> None:
    """Succeeds for a role that has none."""
    call.tx.roles.set_permissions_boundary(role_named(call, request.role_name), None)
