"""What every repository is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from instep.storage.revisions import Revisions


class Repository:
    """One aggregate's rows, on one transaction's connection."""

    __slots__ = ("_connection", "_revisions")

    def __init__(self, connection: sa.Connection, revisions: Revisions) -> None:
        self._connection = connection
        self._revisions = revisions

    def _add(self, insert: sa.Executable, row: Mapping[str, Any]) -> bool:
        """Run an `insert_new`.  False when a unique constraint refused the row."""
        return self._connection.execute(insert, row).first() is not None

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
