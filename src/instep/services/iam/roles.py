"""Roles, their trust policies and their tags."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from instep.api.errors import DeleteConflict, LimitExceeded
from instep.api.iam import (
    CreateRoleRequest,
    CreateRoleResponse,
    DeleteRoleRequest,
    GetRoleRequest,
    GetRoleResponse,
    ListRolesRequest,
    ListRolesResponse,
    ListRoleTagsRequest,
    ListRoleTagsResponse,
    Role,
    RoleLastUsed,
    TagRoleRequest,
    UntagRoleRequest,
    UpdateAssumeRolePolicyRequest,
    UpdateRoleDescriptionRequest,
    UpdateRoleDescriptionResponse,
    UpdateRoleRequest,
    UpdateRoleResponse,
)
from instep.domain import arn, identity, ids
from instep.services import paging
from instep.services.iam import policy_arns, trust_policies
from instep.services.iam.boundaries import as_boundary
from instep.services.iam.owners import on_role, role_named
from instep.services.iam.policy_documents import encoded
from instep.services.iam.tags import as_tags, role_tags, tagged_as, untagged
from instep.services.operation import Call, Resource, operation

_SECOND = timedelta(seconds=1)
_DEFAULT_SESSION = timedelta(hours=1)


def _on_new_role(call: Call, request: CreateRoleRequest) -> Resource:
    # Without its tags to be: they are the caller's own words, aws:RequestTag.
    return Resource(arn.role_arn(call.account_id, request.path or "/", request.role_name))


def _on_roles(call: Call, request: ListRolesRequest) -> Resource:
    return Resource(arn.role_arn(call.account_id, request.path_prefix or "/", ""))


@operation("iam:CreateRole", on=_on_new_role, check=tagged_as("iam:TagRole", _on_new_role), writes=True)
def create_role(call: Call, request: CreateRoleRequest) -> CreateRoleResponse:
    call.tx.accounts.touch(call.account_id)
    quota = call.settings.quotas.roles
    if call.tx.roles.count(call.account_id) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for RolesPerAccount: {quota}")
    if request.permissions_boundary is not None:
        policy_arns.check_boundary(call, request.permissions_boundary)
    role = identity.Role(
        account_id=call.account_id,
        role_id=ids.role_id(call.random),
        role_name=request.role_name,
        path=request.path or "/",
        created_at=call.now,
        trust_policy=trust_policies.to_keep(call, request.assume_role_policy_document),
        max_session_duration=_seconds(request.max_session_duration) or _DEFAULT_SESSION,
        description=request.description or None,
        tags=role_tags(request.tags or ()),
        permissions_boundary=request.permissions_boundary,
    )
    call.tx.roles.add(role)
    return CreateRoleResponse(role=_as_created(call, role))


@operation("iam:GetRole", on=on_role, writes=False)
def get_role(call: Call, request: GetRoleRequest) -> GetRoleResponse:
    return GetRoleResponse(role=_as_got(call, role_named(call, request.role_name)))


@operation("iam:ListRoles", on=_on_roles, writes=False)
def list_roles(call: Call, request: ListRolesRequest) -> ListRolesResponse:
    rows = call.tx.roles.list(
        call.account_id,
        path_prefix=request.path_prefix or "/",
        after=paging.after(call, "roles", request),
        limit=paging.limit(request),
    )
    page = paging.page(call, "roles", request, rows, lambda role: role.role_name)
    trust = trust_policies.as_shown(call.tx, page.items)
    return ListRolesResponse(
        roles=tuple(_as_listed(role, trust[role.role_id]) for role in page.items),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


@operation("iam:UpdateRole", on=on_role, writes=True)
def update_role(call: Call, request: UpdateRoleRequest) -> UpdateRoleResponse:
    """What is left out stays; an empty description takes it away."""
    role = role_named(call, request.role_name)
    call.tx.roles.describe(
        role,
        description=role.description if request.description is None else request.description or None,
        max_session_duration=_seconds(request.max_session_duration) or role.max_session_duration,
    )
    return UpdateRoleResponse()


@operation("iam:UpdateRoleDescription", on=on_role, writes=True)
def update_role_description(call: Call, request: UpdateRoleDescriptionRequest) -> UpdateRoleDescriptionResponse:
    role = role_named(call, request.role_name)
    described = replace(role, description=request.description or None)
    call.tx.roles.describe(role, description=described.description, max_session_duration=role.max_session_duration)
    trust = trust_policies.as_shown(call.tx, [role])[role.role_id]
    # AWS leaves the duration out here.
    return UpdateRoleDescriptionResponse(role=replace(_as_listed(described, trust), max_session_duration=None))


@operation("iam:DeleteRole", on=on_role, writes=True)
def delete_role(call: Call, request: DeleteRoleRequest) -> None:
    role = role_named(call, request.role_name)
    call.tx.roles.touch(role)
    if call.tx.managed_policies.attached_to(call.account_id, [role.role_id]):
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if call.tx.inline_policies.of(call.account_id, [role.role_id]):
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    call.tx.roles.delete(role)


@operation("iam:UpdateAssumeRolePolicy", on=on_role, writes=True)
def update_assume_role_policy(call: Call, request: UpdateAssumeRolePolicyRequest) -> None:
    role = role_named(call, request.role_name)
    call.tx.roles.set_trust_policy(role, trust_policies.to_keep(call, request.policy_document))


@operation("iam:TagRole", on=on_role, writes=True)
def tag_role(call: Call, request: TagRoleRequest) -> None:
    role = role_named(call, request.role_name)
    call.tx.roles.set_tags(role, role_tags(request.tags, role.tags))


@operation("iam:UntagRole", on=on_role, writes=True)
def untag_role(call: Call, request: UntagRoleRequest) -> None:
    role = role_named(call, request.role_name)
    call.tx.roles.set_tags(role, untagged(role.tags, request.tag_keys))


@operation("iam:ListRoleTags", on=on_role, writes=False)
def list_role_tags(call: Call, request: ListRoleTagsRequest) -> ListRoleTagsResponse:
    role = role_named(call, request.role_name)
    page = paging.tag_page(call, f"role-tags/{role.role_id}", request, as_tags(role.tags) or ())
    return ListRoleTagsResponse(tags=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)


def _seconds(given: int | None) -> timedelta | None:
    return None if given is None else given * _SECOND


def _as_listed(role: identity.Role, trust_policy: str) -> Role:
    """A role as lists show it: without tags, boundary and last use."""
    return Role(
        path=role.path,
        role_name=role.role_name,
        role_id=role.role_id,
        arn=role.arn,
        create_date=role.created_at,
        assume_role_policy_document=encoded(trust_policy),
        description=role.description,
        max_session_duration=role.max_session_duration // _SECOND,
    )


def _as_got(call: Call, role: identity.Role) -> Role:
    """With everything there is."""
    used = role.last_use
    return replace(
        _as_listed(role, trust_policies.as_shown(call.tx, [role])[role.role_id]),
        permissions_boundary=as_boundary(role.permissions_boundary),
        tags=as_tags(role.tags),
        # There, and empty, for a role that nobody has been.
        role_last_used=RoleLastUsed(last_used_date=used.at, region=used.region) if used else RoleLastUsed(),
    )


def _as_created(call: Call, role: identity.Role) -> Role:
    """AWS leaves out what a new role cannot have had yet, and description and duration as well."""
    return replace(_as_got(call, role), description=None, max_session_duration=None, role_last_used=None)
