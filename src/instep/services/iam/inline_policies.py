"""Policies that are part of one user, group or role."""

from __future__ import annotations

from typing import Protocol

from instep.api.errors import NoSuchEntity
from instep.api.iam import (
    DeleteGroupPolicyRequest,
    DeleteRolePolicyRequest,
    DeleteUserPolicyRequest,
    GetGroupPolicyRequest,
    GetGroupPolicyResponse,
    GetRolePolicyRequest,
    GetRolePolicyResponse,
    GetUserPolicyRequest,
    GetUserPolicyResponse,
    ListGroupPoliciesRequest,
    ListGroupPoliciesResponse,
    ListRolePoliciesRequest,
    ListRolePoliciesResponse,
    ListUserPoliciesRequest,
    ListUserPoliciesResponse,
    PutGroupPolicyRequest,
    PutRolePolicyRequest,
    PutUserPolicyRequest,
)
from instep.domain.managed_policy import InlinePolicy
from instep.domain.policy.reading import DocumentKind
from instep.services import paging
from instep.services.iam import policy_documents
from instep.services.iam.owners import Owner, OwnerKind, group_owner, on_group, on_role, role_owner, user_owner
from instep.services.iam.targets import on_user
from instep.services.operation import Call, operation


class NamesPolicy(Protocol):
    @property
    def policy_name(self) -> str: ...


class BringsPolicy(NamesPolicy, Protocol):
    @property
    def policy_document(self) -> str: ...


@operation("iam:PutUserPolicy", on=on_user, writes=True)
def put_user_policy(call: Call, request: PutUserPolicyRequest) -> None:
    _put(call, user_owner(call, request.user_name), request)


@operation("iam:PutGroupPolicy", on=on_group, writes=True)
def put_group_policy(call: Call, request: PutGroupPolicyRequest) -> None:
    _put(call, group_owner(call, request.group_name), request)


@operation("iam:PutRolePolicy", on=on_role, writes=True)
def put_role_policy(call: Call, request: PutRolePolicyRequest) -> None:
    _put(call, role_owner(call, request.role_name), request)


def _put(call: Call, owner: Owner, request: BringsPolicy) -> None:
    owner.touch(call)
    others = sum(
        policy_documents.size(policy.document)
        for policy in call.tx.inline_policies.of(call.account_id, [owner.owner_id])
        if policy.policy_name != request.policy_name
    )
    document = policy_documents.checked(
        request.policy_document,
        DocumentKind.IDENTITY,
        quota=_quota(call, owner.kind),
        what=f"{owner.kind} {owner.name}",
        besides=others,
    )
    call.tx.inline_policies.put(call.account_id, InlinePolicy(owner.owner_id, request.policy_name, document))


def _quota(call: Call, kind: OwnerKind) -> int:
    """How long all the inline policies of one owner may be together."""
    quotas = call.settings.quotas
    match kind:
        case OwnerKind.USER:
            return quotas.user_policy_size
        case OwnerKind.GROUP:
            return quotas.group_policy_size
        case OwnerKind.ROLE:
            return quotas.role_policy_size


@operation("iam:GetUserPolicy", on=on_user, writes=False)
def get_user_policy(call: Call, request: GetUserPolicyRequest) -> GetUserPolicyResponse:
    owner = user_owner(call, request.user_name)
    name, document = _get(call, owner, request)
    return GetUserPolicyResponse(user_name=owner.name, policy_name=name, policy_document=document)


@operation("iam:GetGroupPolicy", on=on_group, writes=False)
def get_group_policy(call: Call, request: GetGroupPolicyRequest) -> GetGroupPolicyResponse:
    owner = group_owner(call, request.group_name)
    name, document = _get(call, owner, request)
    return GetGroupPolicyResponse(group_name=owner.name, policy_name=name, policy_document=document)


@operation("iam:GetRolePolicy", on=on_role, writes=False)
def get_role_policy(call: Call, request: GetRolePolicyRequest) -> GetRolePolicyResponse:
    owner = role_owner(call, request.role_name)
    name, document = _get(call, owner, request)
    return GetRolePolicyResponse(role_name=owner.name, policy_name=name, policy_document=document)


def _get(call: Call, owner: Owner, request: NamesPolicy) -> tuple[str, str]:
    """Name and URL-encoded document."""
    policy = call.tx.inline_policies.find(call.account_id, owner.owner_id, request.policy_name)
    if policy is None:
        raise _not_found(owner, request)
    return policy.policy_name, policy_documents.encoded(policy.document)


@operation("iam:DeleteUserPolicy", on=on_user, writes=True)
def delete_user_policy(call: Call, request: DeleteUserPolicyRequest) -> None:
    _delete(call, user_owner(call, request.user_name), request)


@operation("iam:DeleteGroupPolicy", on=on_group, writes=True)
def delete_group_policy(call: Call, request: DeleteGroupPolicyRequest) -> None:
    _delete(call, group_owner(call, request.group_name), request)


@operation("iam:DeleteRolePolicy", on=on_role, writes=True)
def delete_role_policy(call: Call, request: DeleteRolePolicyRequest) -> None:
    _delete(call, role_owner(call, request.role_name), request)


def _delete(call: Call, owner: Owner, request: NamesPolicy) -> None:
    if not call.tx.inline_policies.delete(call.account_id, owner.owner_id, request.policy_name):
        raise _not_found(owner, request)


def _not_found(owner: Owner, request: NamesPolicy) -> NoSuchEntity:
    return NoSuchEntity(f"The {owner.kind} policy with name {request.policy_name} cannot be found.")


@operation("iam:ListUserPolicies", on=on_user, writes=False)
def list_user_policies(call: Call, request: ListUserPoliciesRequest) -> ListUserPoliciesResponse:
    page = _list(call, user_owner(call, request.user_name), request)
    return ListUserPoliciesResponse(policy_names=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)


@operation("iam:ListGroupPolicies", on=on_group, writes=False)
def list_group_policies(call: Call, request: ListGroupPoliciesRequest) -> ListGroupPoliciesResponse:
    page = _list(call, group_owner(call, request.group_name), request)
    return ListGroupPoliciesResponse(policy_names=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)


@operation("iam:ListRolePolicies", on=on_role, writes=False)
def list_role_policies(call: Call, request: ListRolePoliciesRequest) -> ListRolePoliciesResponse:
    page = _list(call, role_owner(call, request.role_name), request)
    return ListRolePoliciesResponse(policy_names=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)


def _list(call: Call, owner: Owner, request: paging.Paged) -> paging.Page[str]:
    listing = f"inline-policies/{owner.owner_id}"
    after = paging.after(call, listing, request) or ""
    names = sorted(policy.policy_name for policy in call.tx.inline_policies.of(call.account_id, [owner.owner_id]))
    rows = [name for name in names if name > after]
    return paging.page(call, listing, request, rows, str)
