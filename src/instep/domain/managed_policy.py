"""Policies as things that are kept: inline ones, managed ones, and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from instep.domain import arn

AWS = "aws"
"""In the place of an account id, in the ARNs of the policies that AWS manages."""


@dataclass(frozen=True, slots=True)
class InlinePolicy:
    """A policy that is part of one user, group or role; `owner_id` is that one's unique id."""

    owner_id: str
    policy_name: str
    document: str


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A policy of its own, attached to any number of users, groups and roles; names are unique ignoring case.

    `default_version` is in force; `newest_version` the highest number ever given, as none is given twice.
    """

    account_id: str
    policy_id: str
    policy_name: str
    path: str
    created_at: datetime
    updated_at: datetime
    default_version: int = 1
    newest_version: int = 1
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0

    @property
    def arn(self) -> str:
        return arn.policy_arn(self.account_id, self.path, self.policy_name)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """`number` 3 is `v3` on the wire."""

    number: int
    document: str
    created_at: datetime
