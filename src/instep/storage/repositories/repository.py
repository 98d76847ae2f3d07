"""What every repository is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from instep.storage.revisions import Revisions
from instep.storage.schema import accounts

_POLICIES_CHANGED = (
    sa.update(accounts)
    .where(accounts.c.account_id == sa.bindparam("of_account"))
    .values(policies_revision=sa.func.coalesce(accounts.c.policies_revision, 0) + 1)
)


class Repository:
    """One aggregate's rows, on one transaction's connection."""

    __slots__ = ("_connection", "_revisions")

    def __init__(self, connection: sa.Connection, revisions: Revisions) -> None:
        self._connection = connection
        self._revisions = revisions

    def _add(self, insert: sa.Executable, row: Mapping[str, Any]) -> bool:
        """Run an `insert_new`.  False when a unique constraint refused the row."""
        return self._connection.execute(insert, row).first() is not None

    def _policies_changed(self, account_id: str) -> None:
        """What anybody in the account may do has changed: what was compiled from policies before is out of date."""
        self._connection.execute(_POLICIES_CHANGED, {"of_account": account_id})

    def _page_of_names(
        self, statement: sa.Select[Any], account_id: str, *, path_prefix: str, after: str | None, limit: int
    ) -> list[Any]:
        """The rows that `select_names` gives; `path_prefix` is plain text, no pattern."""
        parameters = {
            "account_id": account_id,
            "after": (after or "").casefold(),
            "path_prefix": path_prefix,
            "length": len(path_prefix),
            "limit": limit,
        }
        return list(self._connection.execute(statement, parameters))

    def _number(self, statement: sa.Select[int], **parameters: Any) -> int:
        return self._connection.execute(statement, parameters).scalar_one()


def insert_many(table: sa.Table) -> sa.Executable:
    """An INSERT for many rows at once that passes over those a unique constraint refuses, and does not tell which."""
    return sqlite.insert(table).on_conflict_do_nothing()


def insert_new(table: sa.Table) -> sa.Executable:
    """An INSERT that gives back one row, or none when a unique constraint refuses it.

    An IntegrityError instead would end the whole transaction on PostgreSQL; rowcount says -1 on some drivers.
    """
    return sqlite.insert(table).on_conflict_do_nothing().returning(sa.literal(1))


def select_names(table: sa.Table) -> sa.Select[Any]:
    """A page of what has a name and a path: by name ignoring case, strictly after a name, below a path."""
    return (
        sa.select(table)
        .where(
            table.c.account_id == sa.bindparam("account_id"),
            table.c.name_key > sa.bindparam("after"),
            # Not LIKE, for which "_" and "%" are patterns.
            sa.func.substr(table.c.path, 1, sa.bindparam("length", type_=sa.BigInteger)) == sa.bindparam("path_prefix"),
        )
        .order_by(table.c.name_key)
        .limit(sa.bindparam("limit"))
    )
