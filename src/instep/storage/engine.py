"""Dialect settings: how each database is opened so that a commit is durable and writers say so when they begin.

Everything that differs between databases is decided here and in `translate`; the rest of the package speaks plain SQL.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import QueuePool

from instep.services.faults import Conflict, Fault

# Writers queue at the gate, so the file is busy only for strangers (a backup, sqlite3 in a shell) and for moments; the
# transaction is retried as a whole anyway.  Seconds.
_BUSY_TIMEOUT: Final = 0.1
# How long a thread waits for a connection, in seconds; there is one for each, so this tells of a leak or of far too many threads.
_POOL_TIMEOUT: Final = 5.0
# After a burst the write-ahead log is cut back to this many bytes.
_WAL_KEPT: Final = 64 * 1024 * 1024
_OLDEST_SQLITE: Final = (3, 35, 0)  # INSERT … RETURNING

_DISK_FULL: Final = (
    "The disk that holds the database is full. Free some space, then try again: what was committed before is safe."
)
_DISK_FAILS: Final = (
    "The disk that holds the database is full or does not take writes ({name}). "
    "Check its space, quota and health, then try again: what was committed before is safe."
)


def create_engine(url: str, *, threads: int) -> sa.Engine:
    """An engine for `url` with a connection for each of `threads`; the file is made if it is not there, its folder is not.

    Raises Fault for a database that is not supported, or whose folder is missing.
    """
    parsed = _parse(url)
    path = database_file(url)
    if path is None:
        # Memory belongs to one connection: everybody takes turns on it.
        return _sqlite(parsed, pool_size=1)
    _make_private_file(path)
    # A thread writes on one while the store keeps another for its reads.
    return _sqlite(parsed, pool_size=2 * threads if threads > 1 else 1)


def connections(engine: sa.Engine) -> int:
    """How many there may be at once."""
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.size()


def database_file(url: str) -> Path | None:
    """The file behind `url`, None for a database in memory.  Raises Fault for a database that is not supported."""
    database = _parse(url).database
    return None if database in (None, "", ":memory:") else Path(str(database))


def translate(error: DBAPIError | sqlite3.Error) -> Conflict | Fault:
    """What a database error means to us.  The original is to be kept as the cause; its parameters are hidden."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    name = getattr(original, "sqlite_errorname", type(original).__name__)
    match None if code is None else code & 0xFF:  # the low byte is the primary code
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Conflict("The database is busy.")
        case sqlite3.SQLITE_FULL:
            return Fault(_DISK_FULL)
        case sqlite3.SQLITE_IOERR:
            # A quota or a limit on the size of files is reported as an I/O error.
            return Fault(_DISK_FAILS.format(name=name))
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return Fault(
                f"The database file cannot be opened for writing ({name}). Check that it and its folder belong to this user."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Fault(f"The database file is damaged or is no database ({name}). Restore the last backup of the data folder.")
        case _:
            return Fault(f"The database refused a statement ({name}). The log says which; `instep doctor` checks the database.")


def begin(connection: sa.Connection, *, write: bool, durable: bool = True) -> sa.RootTransaction:
    """Begin a transaction on a fresh connection, as the writer or as a reader.

    A commit that is not `durable` outlives this process, but maybe not a power cut.
    """
    transaction = connection.begin()
    if write:
        # Said every time: what the connection was used for before must never decide it.
        _driver(connection).execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    # Straight to the driver, which was told to begin nothing by itself: through SQLAlchemy's events it costs as much as a SELECT.
    # SQLite needs IMMEDIATE: a deferred transaction that upgrades its lock fails at once under WAL.
    _driver(connection).execute("BEGIN IMMEDIATE" if write else "BEGIN")
    return transaction


def still_open(connection: sa.Connection) -> bool:
    """Whether the database itself still has the transaction that `begin` began.

    After some errors SQLite rolls back on its own; its driver would then answer a commit with success.
    """
    return _driver(connection).in_transaction


def abandon(connection: sa.Connection) -> None:
    """Leave nothing open after a commit that failed.

    SQLAlchemy takes the transaction for ended then and hands the connection on as it is, while the database may still hold the
    transaction, and with it the writer's lock.
    """
    try:
        _driver(connection).rollback()
    except sqlite3.Error:
        connection.invalidate()


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Fault("The database URL cannot be read. It looks like sqlite:///instep-data/instep.db.") from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise Fault(f"The database {parsed.drivername} is not supported by this version; use sqlite:///PATH/instep.db.")
    if parsed.query or parsed.host or (parsed.database or "").startswith("file:"):
        raise Fault("A SQLite URL is sqlite:/// and the path of the file, without parameters.")
    return parsed


def _make_private_file(path: Path) -> None:
    """SQLite gives its helper files the permissions of the database file, so this one decides for all."""
    if not path.parent.is_dir():
        raise Fault(f"The folder of the database, {path.parent}, does not exist.")
    # Never opened when it exists: closing any descriptor of the file would drop the locks that SQLite's own connections hold.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise Fault(f"The folder of the database, {path.parent}, cannot be written to: {error.strerror}.") from error


def _sqlite(url: URL, *, pool_size: int) -> sa.Engine:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise Fault(f"SQLite {sqlite3.sqlite_version} is too old; 3.35 or newer is needed.")
    engine = sa.create_engine(
        url,
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT,
        # Statements carry sealed seeds and password hashes, which have no place in a traceback.
        hide_parameters=True,
        connect_args={
            # The pool hands a connection to one thread at a time.
            "check_same_thread": False,
            # The driver begins nothing on its own; `begin` does.
            "isolation_level": None,
            "timeout": _BUSY_TIMEOUT,
            "cached_statements": 512,
        },
    )
    event.listen(engine, "connect", _configure_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    mode = _pragma(connection, "journal_mode = WAL")
    if mode not in ("wal", "memory"):
        raise Fault(
            f"The database cannot keep a write-ahead log here (it stays with {mode}); put the data folder on a local disk."
        )
    # FULL, as a commit lost to a power cut would make a used code good again.
    _pragma(connection, "synchronous = FULL")
    # macOS keeps "written" data in the drive's cache unless told so; elsewhere this changes nothing.
    _pragma(connection, "fullfsync = ON")
    _pragma(connection, "checkpoint_fullfsync = ON")
    _pragma(connection, "foreign_keys = ON")
    _pragma(connection, "trusted_schema = OFF")
    _pragma(connection, f"journal_size_limit = {_WAL_KEPT}")


def _pragma(connection: sqlite3.Connection, text: str) -> Any:
    row = connection.execute(f"PRAGMA {text}").fetchone()
    return row and row[0]
