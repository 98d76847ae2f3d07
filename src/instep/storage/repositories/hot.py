"""SELECTs of the hot path, run by the driver itself.

SQLAlchemy writes them and says how each column is read; but what it does around each execution takes five times as long as SQLite
takes for the rows.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

_Convert = Callable[[Any], Any]


class HotSelect:
    """`select`, compiled once.  Its parameters are plain text and numbers; a row's columns are read by name or place."""

    def __init__(self, select: sa.Select[Any]) -> None:
        dialect = sqlite.dialect(paramstyle="qmark")
        compiled = select.compile(dialect=dialect)
        self._select = select
        self._sql = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        # Constants within the statement are parameters of the driver's as well.
        self._constants = dict(compiled.params)
        columns = list(select.selected_columns)
        names = [str(column.key) for column in columns]
        self._row = cast("type[Any]", namedtuple("Row", names, rename=True))  # noqa: PYI024
        self._converts: list[tuple[int, _Convert]] = [
            (place, convert)
            for place, column in enumerate(columns)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    def all(self, connection: sa.Connection, parameters: Mapping[str, object]) -> list[Any]:
        if connection.dialect.name != "sqlite":
            return list(connection.execute(self._select, parameters))
        driver: Any = connection.connection.driver_connection
        values = {**self._constants, **parameters}
        found = driver.execute(self._sql, [values[name] for name in self._names]).fetchall()
        return [self._converted(row) for row in found]

    def first(self, connection: sa.Connection, parameters: Mapping[str, object]) -> Any | None:
        rows = self.all(connection, parameters)
        return rows[0] if rows else None

    def _converted(self, row: tuple[Any, ...]) -> Any:
        values = list(row)
        for place, convert in self._converts:
            values[place] = convert(values[place])
        return self._row._make(values)
