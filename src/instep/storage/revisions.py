"""Conditional writes: a row is changed only if it is still what it was when it was read.

A domain object keeps the revision it was read at, also while its transaction changes the row several times.  So the transaction
remembers which revisions it made itself, and takes an object read before its own changes for what it is: up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import sqlalchemy as sa

from instep.services.faults import Conflict

_RowKey: TypeAlias = tuple[str, tuple[str, ...]]


class Revisions:
    """Those of one transaction."""

    __slots__ = ("_connection", "_ours")

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        # The revision before our first change of a row, and the one after our last.
        self._ours: dict[_RowKey, tuple[int, int]] = {}

    def update(self, table: sa.Table, key: Mapping[str, str], known: int, **values: Any) -> None:
        """Write `values` to the row of `key`, read at revision `known`.  Raises Conflict when others changed it since."""
        self._execute(table, key, self._expected(_row_key(table, key), known), values)

    def bump(self, table: sa.Table, key: Mapping[str, str]) -> None:
        """Get in line for the row whatever its revision is.  Raises Conflict when it is gone."""
        self._execute(table, key, None, {})

    def delete(self, table: sa.Table, key: Mapping[str, str], known: int) -> None:
        """Raises Conflict when the row was changed or deleted by others since revision `known`."""
        row = _row_key(table, key)
        expected = self._expected(row, known)
        statement = sa.delete(table).where(*_is(table, key), table.c.revision == expected).returning(table.c.revision)
        if not self._connection.execute(statement).all():
            raise Conflict("The row was changed in the meantime.")
        # A row made anew under this key has revisions of its own.
        self._ours.pop(row, None)

    def snapshot(self) -> dict[_RowKey, tuple[int, int]]:
        return dict(self._ours)

    def restore(self, snapshot: dict[_RowKey, tuple[int, int]]) -> None:
        """What was changed since the snapshot was rolled back."""
        self._ours = snapshot

    def _expected(self, row: _RowKey, known: int) -> int:
        before, after = self._ours.get(row, (known, known))
        if not before <= known <= after:
            raise Conflict("The row was changed in the meantime.")
        return after

    def _execute(self, table: sa.Table, key: Mapping[str, str], expected: int | None, values: Mapping[str, Any]) -> None:
        statement = _update(table, tuple(key), tuple(values), guarded=expected is not None)
        parameters = {**{f"key_{name}": value for name, value in key.items()}, **{f"new_{n}": v for n, v in values.items()}}
        if expected is not None:
            parameters["expected"] = expected
        after = self._connection.execute(statement, parameters).scalar_one_or_none()
        if after is None:
            raise Conflict("The row was changed in the meantime.")
        row = _row_key(table, key)
        before, _ = self._ours.get(row, (after - 1 if expected is None else expected, after))
        self._ours[row] = (before, after)


@lru_cache(maxsize=128)
def _update(table: sa.Table, key: tuple[str, ...], changed: tuple[str, ...], *, guarded: bool) -> sa.Executable:
    """Putting the statement together takes longer than running it, and there are few different ones."""
    row = [table.c[name] == sa.bindparam(f"key_{name}") for name in key]
    if guarded:
        row.append(table.c.revision == sa.bindparam("expected"))
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}", type_=table.c[name].type) for name in changed}
    return sa.update(table).where(*row).values(**values, revision=table.c.revision + 1).returning(table.c.revision)


def _row_key(table: sa.Table, key: Mapping[str, str]) -> _RowKey:
    return table.name, tuple(key.values())


def _is(table: sa.Table, key: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]
