"""Managed policies attached to users, groups and roles."""

from __future__ import annotations

from typing import Protocol

from instep.api.errors import LimitExceeded, NoSuchEntity
from instep.api.iam import (
    AttachedPolicy,
    AttachGroupPolicyRequest,
    AttachRolePolicyRequest,
    AttachUserPolicyRequest,
    DetachGroupPolicyRequest,
    DetachRolePolicyRequest,
    DetachUserPolicyRequest,
    ListAttachedGroupPoliciesRequest,
    ListAttachedGroupPoliciesResponse,
    ListAttachedRolePoliciesRequest,
    ListAttachedRolePoliciesResponse,
    ListAttachedUserPoliciesRequest,
    ListAttachedUserPoliciesResponse,
)
from instep.services import paging
from instep.services.iam import policy_arns
from instep.services.iam.owners import Owner, OwnerKind, group_owner, on_group, on_role, role_owner, user_owner
from instep.services.iam.targets import on_user
from instep.services.operation import Call, operation


class PagedByPath(paging.Paged, Protocol):
    @property
    def path_prefix(self) -> str | None: ...


@operation("iam:AttachUserPolicy", on=on_user, writes=True)
def attach_user_policy(call: Call, request: AttachUserPolicyRequest) -> None:
    _attach(call, user_owner(call, request.user_name), request.policy_arn)


@operation("iam:AttachGroupPolicy", on=on_group, writes=True)
def attach_group_policy(call: Call, request: AttachGroupPolicyRequest) -> None:
    _attach(call, group_owner(call, request.group_name), request.policy_arn)


@operation("iam:AttachRolePolicy", on=on_role, writes=True)
def attach_role_policy(call: Call, request: AttachRolePolicyRequest) -> None:
    _attach(call, role_owner(call, request.role_name), request.policy_arn)


def _attach(call: Call, owner: Owner, policy_arn: str) -> None:
    """Succeeds for one that is attached, also with as many as there may be."""
    policy_arns.check_attachable(call, policy_arn)
    owner.touch(call)
    attached = {each for _, each in call.tx.managed_policies.attached_to(call.account_id, [owner.owner_id])}
    name, quota = _quota(call, owner.kind)
    if policy_arn not in attached and len(attached) >= quota:
        raise LimitExceeded(f"Cannot exceed quota for {name}: {quota}")
    call.tx.managed_policies.attach(call.account_id, owner.owner_id, policy_arn)


def _quota(call: Call, kind: OwnerKind) -> tuple[str, int]:
    quotas = call.settings.quotas
    match kind:
        case OwnerKind.USER:
            return "PoliciesPerUser", quotas.policies_per_user
        case OwnerKind.GROUP:
            return "PoliciesPerGroup", quotas.policies_per_group
        case OwnerKind.ROLE:
            return "PoliciesPerRole", quotas.policies_per_role


@operation("iam:DetachUserPolicy", on=on_user, writes=True)
def detach_user_policy(call: Call, request: DetachUserPolicyRequest) -> None:
    _detach(call, user_owner(call, request.user_name), request.policy_arn)


@operation("iam:DetachGroupPolicy", on=on_group, writes=True)
def detach_group_policy(call: Call, request: DetachGroupPolicyRequest) -> None:
    _detach(call, group_owner(call, request.group_name), request.policy_arn)


@operation("iam:DetachRolePolicy", on=on_role, writes=True)
def detach_role_policy(call: Call, request: DetachRolePolicyRequest) -> None:
    _detach(call, role_owner(call, request.role_name), request.policy_arn)


def _detach(call: Call, owner: Owner, policy_arn: str) -> None:
    policy_arns.read(policy_arn)
    if not call.tx.managed_policies.detach(call.account_id, owner.owner_id, policy_arn):
        raise NoSuchEntity(f"Policy {policy_arn} was not found.")


@operation("iam:ListAttachedUserPolicies", on=on_user, writes=False)
def list_attached_user_policies(call: Call, request: ListAttachedUserPoliciesRequest) -> ListAttachedUserPoliciesResponse:
    page = _list(call, user_owner(call, request.user_name), request)
    return ListAttachedUserPoliciesResponse(
        attached_policies=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker
    )


@operation("iam:ListAttachedGroupPolicies", on=on_group, writes=False)
def list_attached_group_policies(call: Call, request: ListAttachedGroupPoliciesRequest) -> ListAttachedGroupPoliciesResponse:
    page = _list(call, group_owner(call, request.group_name), request)
    return ListAttachedGroupPoliciesResponse(
        attached_policies=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker
    )


@operation("iam:ListAttachedRolePolicies", on=on_role, writes=False)
def list_attached_role_policies(call: Call, request: ListAttachedRolePoliciesRequest) -> ListAttachedRolePoliciesResponse:
    page = _list(call, role_owner(call, request.role_name), request)
    return ListAttachedRolePoliciesResponse(
        attached_policies=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker
    )


def _list(call: Call, owner: Owner, request: PagedByPath) -> paging.Page[AttachedPolicy]:
    """By name ignoring case, of two with one name the account's own first."""
    listing = f"attached-policies/{owner.owner_id}"
    after = paging.after(call, listing, request) or ""
    attached = [arn for _, arn in call.tx.managed_policies.attached_to(call.account_id, [owner.owner_id])]
    within = [arn for arn in attached if policy_arns.read(arn).path.startswith(request.path_prefix or "/")]
    rows = [arn for arn in sorted(within, key=_key) if _key(arn) > after]
    page = paging.page(call, listing, request, rows, _key)
    return paging.Page([as_attached(arn) for arn in page.items], page.is_truncated, page.marker)


def as_attached(policy_arn: str) -> AttachedPolicy:
    """An attached policy as the wire shows it."""
    return AttachedPolicy(policy_name=policy_arns.read(policy_arn).policy_name, policy_arn=policy_arn)


def _key(policy_arn: str) -> str:
    """Short enough for a marker, as an ARN with a long path is not; a space comes before everything that names are made of."""
    policy = policy_arns.read(policy_arn)
    return f"{policy.policy_name.casefold()} {policy.account_id}"
