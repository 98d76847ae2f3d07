"""Policies that are part of one user, group or role."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from instep.domain.managed_policy import InlinePolicy
from instep.storage.repositories.repository import Repository
from instep.storage.schema import inline_policies

_of_owner = (
    inline_policies.c.account_id == sa.bindparam("of_account"),
    inline_policies.c.owner_id == sa.bindparam("of_owner"),
    inline_policies.c.policy_name == sa.bindparam("of_name"),
)
_FIND = sa.select(inline_policies).where(*_of_owner)
_OF = (
    sa.select(inline_policies)
    .where(
        inline_policies.c.account_id == sa.bindparam("of_account"),
        inline_policies.c.owner_id.in_(sa.bindparam("owner_ids", expanding=True)),
    )
    .order_by(inline_policies.c.owner_id, inline_policies.c.policy_name)
)
_insert = sqlite.insert(inline_policies)
_PUT = _insert.on_conflict_do_update(
    index_elements=["account_id", "owner_id", "policy_name"], set_={"document": _insert.excluded.document}
)
_DELETE = sa.delete(inline_policies).where(*_of_owner).returning(inline_policies.c.policy_name)


class InlinePolicies(Repository):
    """`owner_id` is the unique id of a user, group or role.  Names differ by case."""

    __slots__ = ()

    def put(self, account_id: str, policy: InlinePolicy) -> None:
        """In the place of the one of this name, if there is one."""
        self._connection.execute(
            _PUT,
            {
                "account_id": account_id,
                "owner_id": policy.owner_id,
                "policy_name": policy.policy_name,
                "document": policy.document,
            },
        )
        self._policies_changed(account_id)

    def find(self, account_id: str, owner_id: str, policy_name: str) -> InlinePolicy | None:
        row = self._connection.execute(_FIND, _key(account_id, owner_id, policy_name)).first()
        return None if row is None else _policy_of(row)

    def of(self, account_id: str, owner_ids: Collection[str]) -> list[InlinePolicy]:
        """All of these owners', by owner id and name."""
        rows = self._connection.execute(_OF, {"of_account": account_id, "owner_ids": list(owner_ids)})
        return [_policy_of(row) for row in rows]

    def delete(self, account_id: str, owner_id: str, policy_name: str) -> bool:
        """False when there is none."""
        deleted = self._connection.execute(_DELETE, _key(account_id, owner_id, policy_name)).first() is not None
        if deleted:
            self._policies_changed(account_id)
        return deleted


def _policy_of(row: Any) -> InlinePolicy:
    return InlinePolicy(row.owner_id, row.policy_name, row.document)


def _key(account_id: str, owner_id: str, policy_name: str) -> dict[str, str]:
    return {"of_account": account_id, "of_owner": owner_id, "of_name": policy_name}
