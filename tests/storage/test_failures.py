"""Two processes after one step, files that may not grow, a commit that fails: one success, a clear word, nothing left locked."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from instep.services.faults import UnknownOutcome
from instep.storage.engine import database_file
from instep.storage.schema import root_users
from instep.storage.transaction import Store, Transaction
from tests.storage.stores import ACCOUNT, NOON, Stopwatch, a_device, an_event, child, line_of, open_store, tell, timed_store


def event_ids(store: Store) -> list[str]:
    return [one.event_id for one in store.read(lambda tx: tx.audit_events.latest(None, limit=10))]


def test_of_two_processes_racing_for_a_step_exactly_one_gets_it(url: str, store: Store) -> None:
    store.write(lambda tx: tx.mfa_devices.add(a_device()))
    with child("spender", url) as first, child("spender", url) as second:
        assert (line_of(first), line_of(second)) == ("ready", "ready")
        tell(first)
        tell(second)
        got = [[int(step) for step in line_of(process).split()] for process in (first, second)]

    # Each step once, whoever had it.
    assert sorted(got[0] + got[1]) == list(range(60))
    device = store.read(lambda tx: tx.mfa_devices.find(ACCOUNT, a_device().serial_number))
    assert device is not None
    assert store.read(lambda tx: tx.mfa_devices.spent_among(device, range(100))) == set(range(60))


def test_files_that_may_not_grow_are_told_as_a_full_disk_and_later_grow_again(url: str, store: Store) -> None:
    with child("cramped", url) as process:
        told, after_it, after_room = (line_of(process) for _ in range(3))

    assert "The disk that holds the database is full" in told
    assert after_it == "1"
    assert after_room == "2"
    assert event_ids(store) == ["before", "after"]


def test_a_commit_that_the_database_refuses_leaves_the_writers_lock_free(url: str) -> None:
    def orphan(tx: Transaction) -> None:
        # Looked at when everything is there: at COMMIT, which then fails and leaves the transaction open.
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        row = {"account_id": "000000000000", "email": "e", "email_key": "e", "password_hash": "h", "created_at": NOON}
        tx.connection.execute(sa.insert(root_users), row)

    with closing(open_store(url, threads=1)) as single:
        with pytest.raises(UnknownOutcome):
            single.write(orphan)

        with closing(sqlite3.connect(str(database_file(url)), isolation_level=None, timeout=0)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            stranger.execute("ROLLBACK")
        single.write(lambda tx: tx.audit_events.append([an_event("afterwards")]))
        assert single.read(lambda tx: tx.accounts.root_of("000000000000")) is None
        assert event_ids(single) == ["afterwards"]


def test_a_busy_commit_has_an_unknown_outcome_and_is_not_repeated(url: str) -> None:
    watch = Stopwatch()
    tries: list[Transaction] = []
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    busy.sqlite_errorname = "SQLITE_BUSY"

    def fail(_connection: sa.Connection) -> None:
        raise busy

    with timed_store(url, watch) as timed:
        event.listen(timed._engine, "commit", fail)
        with pytest.raises(UnknownOutcome):
            timed.write(tries.append)

    # As a statement's error it would be a conflict.
    assert len(tries) == 1
    assert watch.slept == []
