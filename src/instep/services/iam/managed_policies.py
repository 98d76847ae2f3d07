"""Managed policies: made, shown, listed, tagged, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from instep.api.errors import DeleteConflict, LimitExceeded
from instep.api.iam import (
    CreatePolicyRequest,
    CreatePolicyResponse,
    DeletePolicyRequest,
    GetPolicyRequest,
    GetPolicyResponse,
    ListPoliciesRequest,
    ListPoliciesResponse,
    ListPolicyTagsRequest,
    ListPolicyTagsResponse,
    Policy,
    PolicyScopeType,
    PolicyUsageType,
    TagPolicyRequest,
    UntagPolicyRequest,
)
from instep.domain import arn, aws_policies, ids
from instep.domain.managed_policy import AWS, ManagedPolicy
from instep.domain.policy.reading import DocumentKind
from instep.services import paging
from instep.services.iam import policy_documents
from instep.services.iam.policy_targets import check_own, on_policy, policy_named
from instep.services.iam.tags import as_tags, policy_tags, tagged_as, untagged
from instep.services.operation import Call, Resource, operation

# Read at a time, when most of what is read may turn out not to be asked for.
_BATCH = 200


def _on_new_policy(call: Call, request: CreatePolicyRequest) -> Resource:
    return Resource(arn.policy_arn(call.account_id, request.path or "/", request.policy_name))


def _on_policies(call: Call, request: ListPoliciesRequest) -> Resource:
    return Resource(arn.policy_arn(call.account_id, request.path_prefix or "/", ""))


@dataclass(frozen=True, slots=True)
class Usage:
    """By policy ARN, how many in the account it is attached to, and whose permissions boundary it is."""

    attached: Mapping[str, int]
    boundary: Mapping[str, int]

    @classmethod
    def of(cls, call: Call) -> Usage:
        policies = call.tx.managed_policies
        return cls(policies.attachment_counts(call.account_id), policies.boundary_counts(call.account_id))


def as_policy(policy: ManagedPolicy, usage: Usage) -> Policy:
    """A managed policy as the wire shows it; AWS tells its description and tags to GetPolicy alone."""
    return Policy(
        policy_name=policy.policy_name,
        policy_id=policy.policy_id,
        arn=policy.arn,
        path=policy.path,
        default_version_id=f"v{policy.default_version}",
        attachment_count=usage.attached.get(policy.arn, 0),
        permissions_boundary_usage_count=usage.boundary.get(policy.arn, 0),
        is_attachable=True,
        create_date=policy.created_at,
        update_date=policy.updated_at,
    )


@operation("iam:CreatePolicy", on=_on_new_policy, check=tagged_as("iam:TagPolicy", _on_new_policy), writes=True)
def create_policy(call: Call, request: CreatePolicyRequest) -> CreatePolicyResponse:
    quotas = call.settings.quotas
    document = policy_documents.checked(
        request.policy_document, DocumentKind.MANAGED, quota=quotas.policy_size, what="PolicySize"
    )
    call.tx.accounts.touch(call.account_id)
    if call.tx.managed_policies.count(call.account_id) >= quotas.policies:
        raise LimitExceeded(f"Cannot exceed quota for PoliciesPerAccount: {quotas.policies}")
    policy = ManagedPolicy(
        account_id=call.account_id,
        policy_id=ids.policy_id(call.random),
        policy_name=request.policy_name,
        path=request.path or "/",
        created_at=call.now,
        updated_at=call.now,
        description=request.description or None,
        tags=policy_tags(request.tags or ()),
    )
    call.tx.managed_policies.add(policy, document)
    return CreatePolicyResponse(policy=replace(as_policy(policy, Usage({}, {})), tags=request.tags or None))


@operation("iam:GetPolicy", on=on_policy, writes=False)
def get_policy(call: Call, request: GetPolicyRequest) -> GetPolicyResponse:
    policy = policy_named(call, request.policy_arn)
    shown = as_policy(policy, Usage.of(call))
    return GetPolicyResponse(policy=replace(shown, description=policy.description, tags=as_tags(policy.tags) or ()))


@operation("iam:ListPolicies", on=_on_policies, writes=False)
def list_policies(call: Call, request: ListPoliciesRequest) -> ListPoliciesResponse:
    """Those that AWS manages, then the account's own, each by name ignoring case."""
    usage = Usage.of(call)
    wanted = (policy for policy in _from(call, request, paging.after(call, "policies", request)) if _used(policy, request, usage))
    rows = list(islice(wanted, paging.limit(request)))
    page = paging.page(call, "policies", request, rows, _key)
    return ListPoliciesResponse(
        policies=tuple(as_policy(policy, usage) for policy in page.items), is_truncated=page.is_truncated, marker=page.marker
    )


def _from(call: Call, request: ListPoliciesRequest, after: str | None) -> Iterator[ManagedPolicy]:
    """All within the scope and path that come after the key `after`, read as far as they are asked for."""
    scope, prefix = request.scope or PolicyScopeType.ALL, request.path_prefix or "/"
    last_kind, _, last_name = (after or "").partition(":")
    if scope is not PolicyScopeType.LOCAL and last_kind != _OWN:
        for each in aws_policies.ALL.values():
            if each.policy.path.startswith(prefix) and each.policy.policy_name.casefold() > last_name.casefold():
                yield each.policy
    if scope is PolicyScopeType.AWS:
        return
    last = last_name if last_kind == _OWN else None
    while True:
        rows = call.tx.managed_policies.list(call.account_id, path_prefix=prefix, after=last, limit=_BATCH)
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1].policy_name


def _used(policy: ManagedPolicy, request: ListPoliciesRequest, usage: Usage) -> bool:
    """Whether it is used in the way that is asked for.  OnlyAttached asks for policies that are attached, if for nothing else."""
    match request.policy_usage_filter:
        case PolicyUsageType.PERMISSIONS_BOUNDARY:
            return policy.arn in usage.boundary
        case PolicyUsageType.PERMISSIONS_POLICY:
            return policy.arn in usage.attached
        case None:
            return not request.only_attached or policy.arn in usage.attached


_OWN = "own"


def _key(policy: ManagedPolicy) -> str:
    return f"{AWS if policy.account_id == AWS else _OWN}:{policy.policy_name}"


@operation("iam:DeletePolicy", on=on_policy, writes=True)
def delete_policy(call: Call, request: DeletePolicyRequest) -> None:
    check_own(call, request.policy_arn)
    policy = policy_named(call, request.policy_arn)
    if (
        call.tx.managed_policies.owners_of(call.account_id, policy.arn)
        or call.tx.users.within_boundary(call.account_id, policy.arn)
        or call.tx.roles.within_boundary(call.account_id, policy.arn)
    ):
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(call.tx.managed_policies.versions(policy)) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
            " The default version is deleted with the policy."
        )
    # Whoever attaches it meanwhile has changed its revision, so one of the two is done again.
    call.tx.managed_policies.delete(policy)


@operation("iam:TagPolicy", on=on_policy, writes=True)
def tag_policy(call: Call, request: TagPolicyRequest) -> None:
    check_own(call, request.policy_arn)
    policy = policy_named(call, request.policy_arn)
    call.tx.managed_policies.set_tags(policy, policy_tags(request.tags, policy.tags))


@operation("iam:UntagPolicy", on=on_policy, writes=True)
def untag_policy(call: Call, request: UntagPolicyRequest) -> None:
    check_own(call, request.policy_arn)
    policy = policy_named(call, request.policy_arn)
    call.tx.managed_policies.set_tags(policy, untagged(policy.tags, request.tag_keys))


@operation("iam:ListPolicyTags", on=on_policy, writes=False)
def list_policy_tags(call: Call, request: ListPolicyTagsRequest) -> ListPolicyTagsResponse:
    policy = policy_named(call, request.policy_arn)
    page = paging.tag_page(call, f"policy-tags/{policy.policy_id}", request, as_tags(policy.tags) or ())
    return ListPolicyTagsResponse(tags=tuple(page.items), is_truncated=page.is_truncated, marker=page.marker)
