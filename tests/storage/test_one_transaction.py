"""One transaction: what it sees, what it undoes, how often it is tried, and what an error of its commit means."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from instep.api.errors import EntityAlreadyExists
from instep.domain.identity import User
from instep.services.faults import Conflict, Fault, UnknownOutcome
from instep.storage.engine import database_file
from instep.storage.schema import audit_events, spent_steps, users
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import ACCOUNT, NOON, account, add, count, event, root_user, user
from tests.storage.stores import Stopwatch


def store_of(url: str, hours: Stopwatch, *, threads: int) -> Store:
    return Store.open(url, threads=threads, patience=timedelta(seconds=1), clock=hours, sleep=hours.sleep, random=os.urandom)


@pytest.fixture
def hours() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def store(url: str, hours: Stopwatch) -> Iterator[Store]:
    opened = store_of(url, hours, threads=4)
    opened.write(lambda tx: tx.accounts.add(account(ACCOUNT), root_user(ACCOUNT)))
    yield opened
    opened.close()


@pytest.fixture
def single(url: str, hours: Stopwatch) -> Iterator[Store]:
    """A store whose one connection keeps what a test asks of it."""
    opened = store_of(url, hours, threads=1)
    yield opened
    opened.close()


def pragma(tx: Transaction, text: str) -> object:
    return tx.connection.exec_driver_sql(f"PRAGMA {text}").scalar_one()


def test_every_connection_keeps_commits_and_references(store: Store) -> None:
    seen: dict[int, tuple[object, ...]] = {}

    def look(tx: Transaction, more: int) -> None:
        names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
        seen[id(tx.connection.connection.driver_connection)] = tuple(pragma(tx, name) for name in names)
        if more:
            store.read(lambda inner: look(inner, more - 1))

    store.write(lambda tx: look(tx, 3))

    assert len(seen) == 4
    assert set(seen.values()) == {("wal", 2, 1, 0)}


def test_a_read_sees_one_view_while_others_write(store: Store) -> None:
    def work(tx: Transaction) -> tuple[int, int]:
        before = tx.users.count(ACCOUNT)
        add(store, user("Richard"))
        return before, tx.users.count(ACCOUNT)

    assert store.read(work) == (0, 0)
    assert count(store, users) == 1


def test_a_read_does_not_wait_for_a_writer_and_sees_nothing_of_it(store: Store, hours: Stopwatch) -> None:
    def work(tx: Transaction) -> int:
        tx.users.add(user("Richard"))
        return count(store, users)

    assert store.write(work) == 0
    assert hours.slept == []


def test_what_a_read_writes_is_rolled_back(store: Store) -> None:
    store.read(lambda tx: tx.users.add(user("Richard")))

    assert count(store, users) == 0
    add(store, user("Richard"))


def test_an_exception_undoes_a_write(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.users.add(user("Richard"))
        raise EntityAlreadyExists("some refusal")

    with pytest.raises(EntityAlreadyExists):
        store.write(work)

    assert count(store, users) == 0
    add(store, user("Richard"))
    assert count(store, users) == 1


def undone(tx: Transaction, *works: Callable[[], None]) -> None:
    """Each in a savepoint of its own, within one that fails in the end."""

    def fail() -> None:
        with tx.savepoint():
            for work in works:
                with tx.savepoint():
                    work()
            raise KeyError

    with pytest.raises(KeyError):
        fail()


def test_a_savepoint_undoes_its_own_part_alone(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.users.add(user("Before"))
        with tx.savepoint():
            tx.users.add(user("Kept"))
            undone(tx, lambda: tx.users.add(user("Undone")), lambda: tx.users.add(user("UndoneToo")))
        tx.users.add(user("After"))

    store.write(work)

    listed = store.read(lambda tx: tx.users.list(ACCOUNT, path_prefix="/", after=None, limit=10))
    assert [one.user_name for one in listed] == ["After", "Before", "Kept"]


def test_a_row_may_be_changed_again_after_a_savepoint_undid_a_change(store: Store) -> None:
    richard = user("Richard")
    add(store, richard)

    def work(tx: Transaction) -> None:
        tx.users.set_tags(richard, {"a": "1"})
        undone(tx, lambda: tx.users.set_tags(richard, {"a": "2"}), lambda: tx.users.touch(richard))
        # Known at the revision that it was read at, and changed since by nobody but this transaction.
        tx.users.rename(richard, user_name="Dick", path="/")

    store.write(work)

    found = store.read(lambda tx: tx.users.find(ACCOUNT, "Dick"))
    assert found is not None
    assert (found.tags, found.revision) == ({"a": "1"}, 2)


def test_a_row_read_within_the_savepoint_that_is_undone_is_no_longer_known(store: Store) -> None:
    richard = user("Richard")
    add(store, richard)

    def work(tx: Transaction) -> None:
        within: list[User | None] = []
        undone(tx, lambda: tx.users.touch(richard), lambda: within.append(tx.users.find(ACCOUNT, "Richard")))
        (read,) = within
        assert read is not None
        tx.users.touch(read)

    with pytest.raises(Conflict):
        store.write(work)


def test_a_user_made_anew_under_a_deleted_ones_id_starts_over(store: Store) -> None:
    richard = user("Richard")
    add(store, richard)

    def work(tx: Transaction) -> None:
        tx.users.touch(richard)
        tx.users.delete(richard)
        tx.users.add(richard)
        tx.users.set_tags(richard, {})

    store.write(work)

    found = store.read(lambda tx: tx.users.find(ACCOUNT, "Richard"))
    assert found is not None
    assert (found.tags, found.revision) == ({}, 1)


def test_work_is_run_again_as_a_whole_after_a_conflict(store: Store, hours: Stopwatch) -> None:
    tries: list[int] = []

    def work(tx: Transaction) -> str:
        tries.append(tx.users.count(ACCOUNT))
        tx.users.add(user("Richard"))
        if len(tries) < 4:
            raise Conflict("somebody was there first")
        return "done"

    assert store.write(work) == "done"

    assert tries == [0, 0, 0, 0]
    first, second, third = hours.slept
    assert 0.0025 <= first <= 0.0075
    assert 0.005 <= second <= 0.015
    assert 0.01 <= third <= 0.03


@pytest.mark.parametrize("way", ["read", "write"])
def test_conflicts_are_retried_up_to_the_deadline_and_no_longer(store: Store, hours: Stopwatch, way: str) -> None:
    tries = 0
    began = hours.now

    def work(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        raise Conflict("never ends")

    with pytest.raises(Conflict, match="never ends"):
        getattr(store, way)(work)

    assert hours.now - began < 1.0
    assert sum(hours.slept) > 0.5
    assert tries == len(hours.slept) + 1
    assert max(hours.slept) <= 0.375


def stranger_at(url: str) -> sqlite3.Connection:
    """Somebody who knows nothing of the gate, and begins to write."""
    stranger = sqlite3.connect(str(database_file(url)), isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    return stranger


def test_a_stranger_who_holds_the_database_is_waited_for(store: Store, url: str) -> None:
    with closing(stranger_at(url)) as stranger:

        def leave() -> None:
            if len(watch.slept) == 3:
                stranger.execute("ROLLBACK")

        watch = Stopwatch(leave)
        waiting = store_of(url, watch, threads=1)

        add(waiting, user("Richard"))

        assert len(watch.slept) == 3
        waiting.close()
    assert count(store, users) == 1


def test_a_stranger_who_keeps_the_database_makes_a_conflict_at_the_deadline(store: Store, url: str, hours: Stopwatch) -> None:
    began = hours.now
    with closing(stranger_at(url)):
        with pytest.raises(Conflict, match="The database is busy"):
            add(store, user("Richard"))

        # Who only reads is not kept waiting.
        assert count(store, users) == 0
    assert hours.now - began < 1.0
    add(store, user("Richard"))


def test_a_commit_that_fails_has_an_unknown_outcome_and_is_not_repeated(single: Store) -> None:
    tries = 0

    def work(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        tx.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        nobody = {"account_id": ACCOUNT, "token_id": "TOTPNOBODY", "step": 1, "arrived_at": NOON}
        tx.connection.execute(sa.insert(spent_steps), nobody)

    with pytest.raises(UnknownOutcome, match="Whether the change was kept is unknown") as refused:
        single.write(work)

    assert tries == 1
    assert "TOTPNOBODY" not in str(refused.value) + str(refused.value.__cause__)
    # The one connection there is was given back clean.
    assert count(single, spent_steps) == 0
    single.write(lambda tx: tx.audit_events.append([event(1)]))
    assert count(single, audit_events) == 1


def fill_up(store: Store) -> None:
    """No page more than there are now."""
    store.read(lambda tx: pragma(tx, f"max_page_count = {pragma(tx, 'page_count')}"))


def free(store: Store) -> None:
    store.read(lambda tx: pragma(tx, "max_page_count = 1000000"))


LARGE = {"filling": "x" * 500_000}


def test_a_full_disk_is_told_and_undone_and_afterwards_all_is_well(single: Store) -> None:
    tries = 0

    def work(tx: Transaction) -> None:
        nonlocal tries
        tries += 1
        tx.audit_events.append([event(1), event(2, event=LARGE)])

    fill_up(single)
    for number in range(1, 4):
        with pytest.raises(Fault, match=r"disk that holds the database is full\. Free some space") as refused:
            single.write(work)
        assert not isinstance(refused.value, UnknownOutcome)
        assert tries == number
        assert count(single, audit_events) == 0

    free(single)
    single.write(work)
    assert count(single, audit_events) == 2


def test_a_full_disk_within_a_savepoint_is_the_error_that_is_told(single: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.audit_events.append([event(1)])
        with tx.savepoint():
            tx.audit_events.append([event(2, event=LARGE)])

    fill_up(single)
    with pytest.raises(Fault, match="disk that holds the database is full"):
        single.write(work)
    free(single)

    assert count(single, audit_events) == 0
    single.write(lambda tx: tx.audit_events.append([event(1)]))


def test_a_transaction_that_the_database_gave_up_is_no_success(single: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.audit_events.append([event(1)])
        tx.connection.exec_driver_sql("ROLLBACK")

    with pytest.raises(Fault, match="gave the transaction up"):
        single.write(work)

    assert count(single, audit_events) == 0
    single.write(lambda tx: tx.audit_events.append([event(1)]))
    assert count(single, audit_events) == 1


def test_a_statement_that_is_refused_shows_none_of_its_values(single: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.connection.execute(
            sa.insert(spent_steps), {"account_id": ACCOUNT, "token_id": "TOTPSECRET", "step": 1, "arrived_at": NOON}
        )

    with pytest.raises(Fault, match="The database refused a statement") as refused:
        single.write(work)

    cause = refused.value.__cause__
    assert isinstance(cause, DBAPIError)
    assert "TOTPSECRET" not in f"{refused.value}{cause}{cause!r}"


def test_what_one_store_wrote_another_reads(store: Store, single: Store) -> None:
    add(store, user("Richard"))

    assert single.read(lambda tx: tx.users.find(ACCOUNT, "richard")) == user("Richard")
