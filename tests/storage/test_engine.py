"""How a database is opened: what makes a commit durable is really in force, and what cannot be used is refused in words."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from instep.services.faults import Fault
from instep.storage.engine import create_engine, database_file
from instep.storage.schema import root_users
from instep.storage.transaction import Store, Transaction
from tests.storage.stores import ACCOUNT, NOON, an_event, open_store


def pragma(tx: Transaction, name: str) -> object:
    return tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize(
    ("name", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("trusted_schema", 0), ("fullfsync", 1)]
)
def test_what_makes_a_commit_durable_is_in_force_for_readers_and_writers(store: Store, name: str, value: object) -> None:
    assert store.read(lambda tx: pragma(tx, name)) == value
    assert store.write(lambda tx: pragma(tx, name)) == value


def test_the_driver_begins_nothing_by_itself(store: Store) -> None:
    def isolation_level(tx: Transaction) -> object:
        driver = tx.connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver.isolation_level

    assert store.read(isolation_level) is None


def test_a_writer_holds_the_writers_lock_from_its_first_moment(store: Store, url: str) -> None:
    stranger = sqlite3.connect(str(database_file(url)), isolation_level=None, timeout=0)

    def work(tx: Transaction) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            stranger.execute("BEGIN IMMEDIATE")

    store.write(work)
    stranger.close()


def test_a_reader_does_not_hold_the_writers_lock(store: Store, url: str) -> None:
    stranger = sqlite3.connect(str(database_file(url)), isolation_level=None, timeout=0)

    def work(tx: Transaction) -> None:
        tx.accounts.all()
        stranger.execute("BEGIN IMMEDIATE")
        stranger.execute("ROLLBACK")

    store.read(work)
    stranger.close()


def test_foreign_keys_are_kept(store: Store) -> None:
    orphan = {"account_id": "000000000000", "email": "e", "email_key": "e", "password_hash": "h", "created_at": NOON}

    with pytest.raises(Fault, match="SQLITE_CONSTRAINT_FOREIGNKEY"):
        store.write(lambda tx: tx.connection.execute(sa.insert(root_users), orphan).close())


def test_a_database_and_its_helper_files_are_their_owners_alone(store: Store, tmp_path: Path) -> None:
    store.write(lambda tx: tx.audit_events.append([an_event("one")]))

    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()}

    assert modes.keys() >= {"instep.db", "instep.db-wal", "instep.db-shm", "instep.db.turnstile", "instep.db.write-lock"}
    assert set(modes.values()) == {"0o600"}


def test_what_was_written_is_there_when_the_database_is_opened_again(store: Store, url: str) -> None:
    store.close()

    again = open_store(url)

    assert ACCOUNT in {account.account_id for account in again.read(lambda tx: tx.accounts.all())}
    again.close()


def test_a_database_in_memory_keeps_what_is_written() -> None:
    store = open_store("sqlite://")
    store.write(lambda tx: tx.connection.exec_driver_sql("CREATE TABLE kept (n)").close())

    assert store.read(lambda tx: sa.inspect(tx.connection).get_table_names()) == ["kept"]
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_has_no_file(url: str) -> None:
    assert database_file(url) is None


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql+psycopg://localhost/instep", "is not supported by this version; use sqlite:///"),
        ("mysql://localhost/instep", "is not supported by this version"),
        ("instep.db", "cannot be read"),
        ("", "cannot be read"),
        ("sqlite:///instep.db?mode=ro", "without parameters"),
        ("sqlite:///file:instep.db", "without parameters"),
        ("sqlite:////nowhere/at/all/instep.db", "The folder of the database, /nowhere/at/all, does not exist"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_in_words(url: str, told: str) -> None:
    with pytest.raises(Fault, match=told):
        create_engine(url, threads=1)


def test_a_password_in_a_url_is_not_told() -> None:
    with pytest.raises(Fault) as refused:
        create_engine("postgresql+psycopg://instep:secret@localhost/instep", threads=1)

    assert "secret" not in refused.value.message


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "instep.db").write_bytes(b"What is this? " * 500)
    store = open_store(f"sqlite:///{tmp_path}/instep.db")

    with pytest.raises(Fault, match="is damaged or is no database"):
        store.read(lambda tx: tx.accounts.all())
    store.close()


def test_no_value_of_a_statement_gets_into_an_error(store: Store) -> None:
    row = {"account_id": "000000000000", "email": "e", "email_key": "e", "password_hash": "a hash to hide", "created_at": NOON}

    with pytest.raises(Fault) as refused:
        store.write(lambda tx: tx.connection.execute(sa.insert(root_users), row).close())

    cause = refused.value.__cause__
    assert "a hash to hide" not in f"{refused.value!r} {cause!r} {cause}"
