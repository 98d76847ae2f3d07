"""Managed policies, their versions, and what they are attached to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from instep.api.errors import EntityAlreadyExists
from instep.domain.managed_policy import ManagedPolicy, PolicyVersion
from instep.storage.repositories.repository import Repository, insert_new, select_names
from instep.storage.schema import attached_policies, managed_policies, policy_versions, roles, users

_account_is = managed_policies.c.account_id == sa.bindparam("account_id")

_FIND = sa.select(managed_policies).where(_account_is, managed_policies.c.name_key == sa.bindparam("name_key"))
_COUNT = sa.select(sa.func.count()).select_from(managed_policies).where(_account_is)
_LIST = select_names(managed_policies)
_ADD = insert_new(managed_policies)

_COUNT_VERSIONS = (
    sa.select(sa.func.count()).select_from(policy_versions).where(policy_versions.c.account_id == sa.bindparam("account_id"))
)
_of_policy = (
    policy_versions.c.account_id == sa.bindparam("of_account"),
    policy_versions.c.policy_id == sa.bindparam("of_policy"),
)
_VERSIONS = sa.select(policy_versions).where(*_of_policy).order_by(policy_versions.c.number.desc())
_VERSION = sa.select(policy_versions).where(*_of_policy, policy_versions.c.number == sa.bindparam("of_number"))
_DEFAULT_DOCUMENTS = (
    sa.select(managed_policies, policy_versions.c.document)
    .join_from(
        managed_policies,
        policy_versions,
        sa.and_(
            policy_versions.c.account_id == managed_policies.c.account_id,
            policy_versions.c.policy_id == managed_policies.c.policy_id,
            policy_versions.c.number == managed_policies.c.default_version,
        ),
    )
    .where(_account_is, managed_policies.c.name_key.in_(sa.bindparam("name_keys", expanding=True)))
)
_ADD_VERSION = sa.insert(policy_versions)
_DELETE_VERSION = sa.delete(policy_versions).where(*_of_policy, policy_versions.c.number == sa.bindparam("of_number"))

_of_attachment = (
    attached_policies.c.account_id == sa.bindparam("of_account"),
    attached_policies.c.owner_id == sa.bindparam("of_owner"),
    attached_policies.c.policy_arn == sa.bindparam("of_arn"),
)
_ATTACH = insert_new(attached_policies)
_DETACH = sa.delete(attached_policies).where(*_of_attachment).returning(attached_policies.c.policy_arn)
_in_account = attached_policies.c.account_id == sa.bindparam("account_id")
_ATTACHED_TO = (
    sa.select(attached_policies.c.owner_id, attached_policies.c.policy_arn)
    .where(_in_account, attached_policies.c.owner_id.in_(sa.bindparam("owner_ids", expanding=True)))
    .order_by(attached_policies.c.owner_id, attached_policies.c.policy_arn)
)
_OWNERS_OF = (
    sa.select(attached_policies.c.owner_id)
    .where(_in_account, attached_policies.c.policy_arn == sa.bindparam("policy_arn"))
    .order_by(attached_policies.c.owner_id)
)
_ATTACHMENT_COUNTS = (
    sa.select(attached_policies.c.policy_arn, sa.func.count()).where(_in_account).group_by(attached_policies.c.policy_arn)
)
_BOUNDARY_COUNTS = tuple(
    sa.select(holders.c.permissions_boundary, sa.func.count())
    .where(holders.c.account_id == sa.bindparam("account_id"), holders.c.permissions_boundary.is_not(None))
    .group_by(holders.c.permissions_boundary)
    for holders in (users, roles)
)


class ManagedPolicies(Repository):
    """The account's own policies and what is attached to whom.

    Those that AWS manages are in no table, but attached by their ARN.
    """

    __slots__ = ()

    def add(self, policy: ManagedPolicy, document: str) -> None:
        """With its version 1.

        Raises EntityAlreadyExists ("A policy called X already exists. Duplicate names are not allowed.").
        """
        row = {
            "account_id": policy.account_id,
            "policy_id": policy.policy_id,
            "policy_name": policy.policy_name,
            "name_key": policy.policy_name.casefold(),
            "path": policy.path,
            "created_at": policy.created_at,
            "updated_at": policy.updated_at,
            "default_version": policy.default_version,
            "newest_version": policy.newest_version,
            "description": policy.description,
            "tags": policy.tags,
            "revision": policy.revision,
        }
        if not self._add(_ADD, row):
            raise EntityAlreadyExists(f"A policy called {policy.policy_name} already exists. Duplicate names are not allowed.")
        self._add_version(policy, PolicyVersion(1, document, policy.created_at))
        # A session policy may have named its ARN before there was one.
        self._policies_changed(policy.account_id)

    def find(self, account_id: str, policy_arn: str) -> ManagedPolicy | None:
        """By the exact ARN."""
        row = self._connection.execute(_FIND, {"account_id": account_id, "name_key": _name_key(policy_arn)}).first()
        policy = None if row is None else _policy_of(row)
        return policy if policy is not None and policy.arn == policy_arn else None

    def count(self, account_id: str) -> int:
        return self._number(_COUNT, account_id=account_id)

    def count_versions(self, account_id: str) -> int:
        """Of all the account's policies."""
        return self._number(_COUNT_VERSIONS, account_id=account_id)

    def versions(self, policy: ManagedPolicy) -> list[PolicyVersion]:
        """Newest first."""
        return [_version_of(row) for row in self._connection.execute(_VERSIONS, _versions_key(policy))]

    def version(self, policy: ManagedPolicy, number: int) -> PolicyVersion | None:
        row = self._connection.execute(_VERSION, {**_versions_key(policy), "of_number": number}).first()
        return None if row is None else _version_of(row)

    def default_documents(self, account_id: str, policy_arns: Collection[str]) -> dict[str, str]:
        """The document in force of each of these that the account has, by ARN."""
        wanted = set(policy_arns)
        rows = self._connection.execute(
            _DEFAULT_DOCUMENTS, {"account_id": account_id, "name_keys": [_name_key(policy_arn) for policy_arn in wanted]}
        )
        found = {_policy_of(row).arn: row.document for row in rows}
        return {policy_arn: document for policy_arn, document in found.items() if policy_arn in wanted}

    def add_version(self, policy: ManagedPolicy, version: PolicyVersion, *, as_default: bool) -> None:
        """`version.number` becomes the newest."""
        values: dict[str, Any] = {"newest_version": version.number, "updated_at": version.created_at}
        if as_default:
            values["default_version"] = version.number
        self._change(policy, **values)
        self._add_version(policy, version)
        if as_default:
            self._policies_changed(policy.account_id)

    def set_default_version(self, policy: ManagedPolicy, number: int) -> None:
        self._change(policy, default_version=number)
        self._policies_changed(policy.account_id)

    def delete_version(self, policy: ManagedPolicy, number: int) -> None:
        self._change(policy)
        self._connection.execute(_DELETE_VERSION, {**_versions_key(policy), "of_number": number})

    def set_tags(self, policy: ManagedPolicy, tags: Mapping[str, str]) -> None:
        self._change(policy, tags=tags)

    def touch(self, policy: ManagedPolicy) -> None:
        """Bump the revision: what is checked and then written about this policy gets in line."""
        self._change(policy)

    def delete(self, policy: ManagedPolicy) -> None:
        """With all its versions."""
        self._revisions.delete(managed_policies, _key(policy), policy.revision)
        self._policies_changed(policy.account_id)

    def attach(self, account_id: str, owner_id: str, policy_arn: str) -> None:
        """Nothing happens when it is attached."""
        if self._add(_ATTACH, {"account_id": account_id, "owner_id": owner_id, "policy_arn": policy_arn}):
            self._policies_changed(account_id)

    def detach(self, account_id: str, owner_id: str, policy_arn: str) -> bool:
        """False when it is not attached."""
        key = {"of_account": account_id, "of_owner": owner_id, "of_arn": policy_arn}
        detached = self._connection.execute(_DETACH, key).first() is not None
        if detached:
            self._policies_changed(account_id)
        return detached

    def attached_to(self, account_id: str, owner_ids: Collection[str]) -> list[tuple[str, str]]:
        """Owner ids and policy ARNs, by both."""
        rows = self._connection.execute(_ATTACHED_TO, {"account_id": account_id, "owner_ids": list(owner_ids)})
        return [(row.owner_id, row.policy_arn) for row in rows]

    def owners_of(self, account_id: str, policy_arn: str) -> list[str]:
        """The ids of those it is attached to, in order."""
        rows = self._connection.execute(_OWNERS_OF, {"account_id": account_id, "policy_arn": policy_arn})
        return [row.owner_id for row in rows]

    def attachment_counts(self, account_id: str) -> dict[str, int]:
        """By policy ARN, of those that are attached at all."""
        rows = self._connection.execute(_ATTACHMENT_COUNTS, {"account_id": account_id})
        return {policy_arn: number for policy_arn, number in rows}  # noqa: C416  (rows are no pairs to mypy)

    def boundary_counts(self, account_id: str) -> dict[str, int]:
        """By policy ARN, how many users and roles have it as their permissions boundary, of those that any has."""
        counts: dict[str, int] = {}
        for statement in _BOUNDARY_COUNTS:
            for policy_arn, number in self._connection.execute(statement, {"account_id": account_id}):
                counts[policy_arn] = counts.get(policy_arn, 0) + number
        return counts

    # Last, as from here on `list` is this one in annotations.
    def list(self, account_id: str, *, path_prefix: str, after: str | None, limit: int) -> list[ManagedPolicy]:
        """By name ignoring case, strictly after the name `after`; `path_prefix` is plain text, no pattern."""
        rows = self._page_of_names(_LIST, account_id, path_prefix=path_prefix, after=after, limit=limit)
        return [_policy_of(row) for row in rows]

    def _add_version(self, policy: ManagedPolicy, version: PolicyVersion) -> None:
        row = {**_key(policy), "number": version.number, "document": version.document, "created_at": version.created_at}
        self._connection.execute(_ADD_VERSION, row)

    def _change(self, policy: ManagedPolicy, **values: Any) -> None:
        self._revisions.update(managed_policies, _key(policy), policy.revision, **values)


def _policy_of(row: Any) -> ManagedPolicy:
    return ManagedPolicy(
        account_id=row.account_id,
        policy_id=row.policy_id,
        policy_name=row.policy_name,
        path=row.path,
        created_at=row.created_at,
        updated_at=row.updated_at,
        default_version=row.default_version,
        newest_version=row.newest_version,
        description=row.description,
        tags=row.tags,
        revision=row.revision,
    )


def _version_of(row: Any) -> PolicyVersion:
    return PolicyVersion(row.number, row.document, row.created_at)


def _name_key(policy_arn: str) -> str:
    """What the row is found by; its whole ARN is compared then."""
    return policy_arn.rpartition("/")[2].casefold()


def _key(policy: ManagedPolicy) -> dict[str, str]:
    return {"account_id": policy.account_id, "policy_id": policy.policy_id}


def _versions_key(policy: ManagedPolicy) -> dict[str, str]:
    return {"of_account": policy.account_id, "of_policy": policy.policy_id}
