"""Which managed policy an operation is about, and the ARN it is authorized against."""

from __future__ import annotations

from typing import Protocol

from instep.api.common import AccessDenied
from instep.api.errors import NoSuchEntity
from instep.domain import aws_policies
from instep.domain.managed_policy import AWS, ManagedPolicy
from instep.services.iam import policy_arns
from instep.services.operation import Call, Resource


class NamesPolicyByARN(Protocol):
    @property
    def policy_arn(self) -> str: ...


def on_policy(call: Call, request: NamesPolicyByARN) -> Resource:
    policy = aws_policies.find(request.policy_arn) or call.tx.managed_policies.find(call.account_id, request.policy_arn)
    return Resource(policy.arn, policy.tags) if policy else Resource(request.policy_arn)


def find_policy(call: Call, policy_arn: str) -> ManagedPolicy | None:
    """The account's own or one that AWS manages.

    Raises ValidationError and InvalidInput for what is no policy's ARN, AccessDenied for that of another account's.
    """
    account_id = policy_arns.read(policy_arn).account_id
    if account_id == AWS:
        return aws_policies.find(policy_arn)
    if account_id != call.account_id:
        raise _outside()
    return call.tx.managed_policies.find(account_id, policy_arn)


def policy_named(call: Call, policy_arn: str) -> ManagedPolicy:
    """As `find_policy`; raises NoSuchEntity when there is none."""
    policy = find_policy(call, policy_arn)
    if policy is None:
        raise NoSuchEntity(f"Policy {policy_arn} was not found.")
    return policy


def check_own(call: Call, policy_arn: str) -> None:
    """Raises AccessDenied for a policy that the account cannot change, as AWS or another account has it."""
    if policy_arns.read(policy_arn).account_id != call.account_id:
        raise _outside()


def _outside() -> AccessDenied:
    return AccessDenied("Policy is outside your own account.")
