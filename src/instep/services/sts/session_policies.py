"""Session policies: what a session is limited to when it is asked for, and how much room that takes in its token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from instep.api.common import ValidationError
from instep.api.errors import PackedPolicyTooLarge
from instep.api.sts import PolicyDescriptorType
from instep.domain import aws_policies
from instep.domain.policy import effort
from instep.domain.policy.reading import DocumentKind, read
from instep.domain.session_token import packed_size
from instep.services.operation import Call

_MOST_ARNS = 10
# As long as the longest policy that IAM keeps.  A repetitive one packs small, and yet is read for every new session.
_LONGEST_POLICY = 10_240
# Bytes, compressed: the token stays well below what proxies and servers take for a header.
_ROOM = 4096


class MayBringPolicies(Protocol):
    @property
    def policy(self) -> str | None: ...

    @property
    def policy_arns(self) -> tuple[PolicyDescriptorType, ...] | None: ...


@dataclass(frozen=True, slots=True)
class SessionPolicies:
    """As SessionScope keeps them."""

    texts: tuple[str, ...]
    arns: tuple[str, ...]


def session_policies(call: Call, account_id: str, request: MayBringPolicies) -> SessionPolicies:
    """Those of the request, checked; managed ones are AWS's own or of `account_id`, where the session will be.

    Raises MalformedPolicyDocument, ValidationError.
    """
    given = request.policy_arns or ()
    if len(given) > _MOST_ARNS:
        raise _refused("policyArns", f"Member must have length less than or equal to {_MOST_ARNS}")
    arns = []
    for number, descriptor in enumerate(given, start=1):
        if descriptor.arn is None:
            raise _refused(f"policyArns.{number}.member.arn", "Member must not be null")
        known = aws_policies.find(descriptor.arn) or call.tx.managed_policies.find(account_id, descriptor.arn)
        if known is None:
            raise ValidationError(f"{descriptor.arn} is invalid")
        arns.append(known.arn)
    if request.policy is None:
        return SessionPolicies((), tuple(arns))
    if len(request.policy) > _LONGEST_POLICY:
        raise _refused("policy", f"Member must have length less than or equal to {_LONGEST_POLICY}")
    # Whoever brings it may well send what it takes longest with, request after request.
    effort.check(read(request.policy, DocumentKind.IDENTITY))
    return SessionPolicies((request.policy,), tuple(arns))


def packed_percentage(policies: SessionPolicies, tags: Mapping[str, str]) -> int:
    """How much of the room in a token they take, in percent rounded up.  Raises PackedPolicyTooLarge over a hundred."""
    of_tags = packed_size(tags)
    if of_tags > _ROOM:
        raise PackedPolicyTooLarge(f"Packed size of session tags consumes {_percent(of_tags)}% of allotted space.")
    size = of_tags + packed_size((*policies.texts, *policies.arns))
    if size > _ROOM:
        raise PackedPolicyTooLarge(f"Packed policy consumes {_percent(size)}% of allotted space, please use smaller policy.")
    return _percent(size)


def _percent(size: int) -> int:
    return -(-size * 100 // _ROOM)


def _refused(path: str, tail: str) -> ValidationError:
    return ValidationError(f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {tail}")
