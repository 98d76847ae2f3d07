"""Versions of managed policies: one of them is in force."""

from __future__ import annotations

import re

from instep.api.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from instep.api.iam import (
    CreatePolicyVersionRequest,
    CreatePolicyVersionResponse,
    DeletePolicyVersionRequest,
    GetPolicyVersionRequest,
    GetPolicyVersionResponse,
    ListPolicyVersionsRequest,
    ListPolicyVersionsResponse,
    PolicyVersion,
    SetDefaultPolicyVersionRequest,
)
from instep.domain import aws_policies, managed_policy
from instep.domain.managed_policy import ManagedPolicy
from instep.domain.policy.reading import DocumentKind
from instep.services import paging
from instep.services.iam import policy_documents
from instep.services.iam.policy_targets import check_own, find_policy, on_policy, policy_named
from instep.services.operation import Call, operation

# No policy gets to ten digits, and no database takes twenty.
_VERSION_ID = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)


def as_version(policy: ManagedPolicy, version: managed_policy.PolicyVersion, *, with_document: bool = False) -> PolicyVersion:
    """A version as the wire shows it."""
    return PolicyVersion(
        document=policy_documents.encoded(version.document) if with_document else None,
        version_id=f"v{version.number}",
        is_default_version=version.number == policy.default_version,
        create_date=version.created_at,
    )


@operation("iam:CreatePolicyVersion", on=on_policy, writes=True)
def create_policy_version(call: Call, request: CreatePolicyVersionRequest) -> CreatePolicyVersionResponse:
    check_own(call, request.policy_arn)
    policy = find_policy(call, request.policy_arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {request.policy_arn} does not exist or is not attachable.")
    quotas = call.settings.quotas
    document = policy_documents.checked(
        request.policy_document, DocumentKind.MANAGED, quota=quotas.policy_size, what="PolicySize"
    )
    if len(call.tx.managed_policies.versions(policy)) >= quotas.versions_per_policy:
        raise LimitExceeded(
            f"A managed policy can have up to {quotas.versions_per_policy} versions."
            " Before you create a new version, you must delete an existing version."
        )
    # A number that was given once is not given again, whatever became of its version.
    version = managed_policy.PolicyVersion(policy.newest_version + 1, document, call.now)
    call.tx.managed_policies.add_version(policy, version, as_default=bool(request.set_as_default))
    return CreatePolicyVersionResponse(
        policy_version=PolicyVersion(
            version_id=f"v{version.number}", is_default_version=bool(request.set_as_default), create_date=version.created_at
        )
    )


@operation("iam:GetPolicyVersion", on=on_policy, writes=False)
def get_policy_version(call: Call, request: GetPolicyVersionRequest) -> GetPolicyVersionResponse:
    policy, version = _version(call, request.policy_arn, request.version_id)
    return GetPolicyVersionResponse(policy_version=as_version(policy, version, with_document=True))


@operation("iam:ListPolicyVersions", on=on_policy, writes=False)
def list_policy_versions(call: Call, request: ListPolicyVersionsRequest) -> ListPolicyVersionsResponse:
    """Newest first; without their documents."""
    policy = policy_named(call, request.policy_arn)
    listing = f"policy-versions/{policy.policy_id}"
    last = paging.after(call, listing, request)
    rows = [version for version in _versions(call, policy) if last is None or version.number < int(last)]
    page = paging.page(call, listing, request, rows, lambda version: str(version.number))
    return ListPolicyVersionsResponse(
        versions=tuple(as_version(policy, version) for version in page.items),
        is_truncated=page.is_truncated,
        marker=page.marker,
    )


@operation("iam:DeletePolicyVersion", on=on_policy, writes=True)
def delete_policy_version(call: Call, request: DeletePolicyVersionRequest) -> None:
    check_own(call, request.policy_arn)
    policy, version = _version(call, request.policy_arn, request.version_id)
    if version.number == policy.default_version:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    call.tx.managed_policies.delete_version(policy, version.number)


@operation("iam:SetDefaultPolicyVersion", on=on_policy, writes=True)
def set_default_policy_version(call: Call, request: SetDefaultPolicyVersionRequest) -> None:
    check_own(call, request.policy_arn)
    policy, version = _version(call, request.policy_arn, request.version_id)
    call.tx.managed_policies.set_default_version(policy, version.number)


def _version(call: Call, policy_arn: str, version_id: str) -> tuple[ManagedPolicy, managed_policy.PolicyVersion]:
    """Raises NoSuchEntity, in the same words for a policy and for a version that is not there."""
    policy = find_policy(call, policy_arn)
    number = _VERSION_ID.fullmatch(version_id)
    if policy is not None and number is not None:
        for version in _versions(call, policy):
            if version.number == int(number[1]):
                return policy, version
    raise NoSuchEntity(f"Policy {policy_arn} version {version_id} does not exist or is not attachable.")


def _versions(call: Call, policy: ManagedPolicy) -> list[managed_policy.PolicyVersion]:
    """Newest first.  Of a policy that AWS manages there is only one."""
    found = aws_policies.ALL.get(policy.arn)
    return call.tx.managed_policies.versions(policy) if found is None else [found.version]
