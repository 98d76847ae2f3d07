"""ARNs of managed policies: what they say, and whether the policy may be used here, be it the account's own or AWS's."""

from __future__ import annotations

import re
from dataclasses import dataclass

from instep.api.common import ValidationError
from instep.api.errors import InvalidInput, NoSuchEntity
from instep.domain import aws_policies
from instep.domain.managed_policy import AWS
from instep.services.operation import Call

_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.DOTALL)
_POLICY_ARN = re.compile(r"arn:aws(?:-[a-z-]+)?:iam::(aws|[0-9]{12}):policy((?:/.*)?/)([\w+=,.@-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PolicyARN:
    """What a managed policy's ARN says of it; `account_id` is `aws` for those that AWS manages."""

    account_id: str
    path: str
    policy_name: str


def read(policy_arn: str) -> PolicyARN:
    """Raises ValidationError for what is no ARN at all, InvalidInput for the ARN of something else."""
    if not _ARN.fullmatch(policy_arn):
        # Two spaces, as AWS has it.
        raise ValidationError("Invalid ARN:  Could not be parsed!")
    match = _POLICY_ARN.fullmatch(policy_arn)
    if match is None:
        raise InvalidInput(f"ARN {policy_arn} is not valid.")
    return PolicyARN(*match.groups())


def check_attachable(call: Call, policy_arn: str) -> None:
    """Raises NoSuchEntity for a policy that cannot be attached here, else as `read`.

    Whoever deletes the policy or attaches it as well gets in line.
    """
    if not _found_and_touched(call, policy_arn):
        raise NoSuchEntity(f"Policy {policy_arn} does not exist or is not attachable.")


def check_boundary(call: Call, policy_arn: str) -> None:
    """The same for a permissions boundary, in AWS's words for one."""
    if not _found_and_touched(call, policy_arn):
        raise NoSuchEntity(f"Scope ARN: {policy_arn} does not exist or is not attachable.")


def _found_and_touched(call: Call, policy_arn: str) -> bool:
    if read(policy_arn).account_id == AWS:
        return aws_policies.find(policy_arn) is not None
    policy = call.tx.managed_policies.find(call.account_id, policy_arn)
    if policy is None:
        return False
    call.tx.managed_policies.touch(policy)
    return True
