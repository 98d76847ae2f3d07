"""Policies, and what they are attached to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from instep.domain.managed_policy import InlinePolicy, ManagedPolicy, PolicyVersion


class InlinePolicies(Protocol):
    """`owner_id` is the unique id of a user, group or role.  Names differ by case."""

    def put(self, account_id: str, policy: InlinePolicy) -> None:
        """In the place of the one of this name, if there is one."""

    def find(self, account_id: str, owner_id: str, policy_name: str) -> InlinePolicy | None: ...

    def of(self, account_id: str, owner_ids: Collection[str]) -> list[InlinePolicy]:
        """All of these owners', by owner id and name."""

    def delete(self, account_id: str, owner_id: str, policy_name: str) -> bool:
        """False when there is none."""


class ManagedPolicies(Protocol):
    """The account's own policies and what is attached to whom; those that AWS manages are in no table, yet attached by ARN."""

    def add(self, policy: ManagedPolicy, document: str) -> None:
        """With its version 1.

        Raises EntityAlreadyExists ("A policy called X already exists. Duplicate names are not allowed.").
        """

    def find(self, account_id: str, policy_arn: str) -> ManagedPolicy | None:
        """By the exact ARN."""

    def count(self, account_id: str) -> int: ...

    def count_versions(self, account_id: str) -> int:
        """Of all the account's policies."""

    def versions(self, policy: ManagedPolicy) -> list[PolicyVersion]:
        """Newest first."""

    def version(self, policy: ManagedPolicy, number: int) -> PolicyVersion | None: ...

    def default_documents(self, account_id: str, policy_arns: Collection[str]) -> dict[str, str]:
        """The document in force of each of these that the account has, by ARN."""

    def add_version(self, policy: ManagedPolicy, version: PolicyVersion, *, as_default: bool) -> None:
        """`version.number` becomes the newest."""

    def set_default_version(self, policy: ManagedPolicy, number: int) -> None: ...

    def delete_version(self, policy: ManagedPolicy, number: int) -> None: ...

    def set_tags(self, policy: ManagedPolicy, tags: Mapping[str, str]) -> None: ...

    def touch(self, policy: ManagedPolicy) -> None: ...

    def delete(self, policy: ManagedPolicy) -> None:
        """With all its versions."""

    def attach(self, account_id: str, owner_id: str, policy_arn: str) -> None:
        """Nothing happens when it is attached."""

    def detach(self, account_id: str, owner_id: str, policy_arn: str) -> bool:
        """False when it is not attached."""

    def attached_to(self, account_id: str, owner_ids: Collection[str]) -> list[tuple[str, str]]:
        """Owner ids and policy ARNs, by both."""

    def owners_of(self, account_id: str, policy_arn: str) -> list[str]:
        """The ids of those it is attached to, in order."""

    def attachment_counts(self, account_id: str) -> dict[str, int]:
        """By policy ARN, of those that are attached at all."""

    def boundary_counts(self, account_id: str) -> dict[str, int]:
        """By policy ARN, how many users and roles have it as their permissions boundary, of those that any has."""

    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[ManagedPolicy]:
        """By name ignoring case, strictly after the name `after`."""
