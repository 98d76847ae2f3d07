"""Connections between two pieces of work: nothing of the last one is left on them."""

from __future__ import annotations

import threading

import pytest

from instep.storage.engine import connections
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import event


class Mishap(Exception):
    pass


def synchronous(tx: Transaction) -> int:
    return int(tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one())


def test_a_write_waits_for_the_disk_whatever_its_connection_was_used_for_before(store: Store) -> None:
    levels = [store.write(synchronous, durable=durable) for durable in (True, False, True, False, True)]

    assert levels == [2, 1, 2, 1, 2]


def test_each_read_sees_what_was_written_before_it_also_after_one_that_broke_off(store: Store) -> None:
    def count(tx: Transaction) -> int:
        return len(tx.audit_events.latest(None, limit=10))

    def break_off(tx: Transaction) -> None:
        count(tx)
        raise Mishap

    seen = []
    for number in range(3):
        seen.append(store.read(count))
        with pytest.raises(Mishap):
            store.read(break_off)
        store.write(lambda tx, number=number: tx.audit_events.append([event(number)]))  # type: ignore[misc]

    assert [*seen, store.read(count)] == [0, 1, 2, 3]


def test_what_a_read_writes_is_gone_for_the_next_one(store: Store) -> None:
    store.read(lambda tx: tx.audit_events.append([event(1)]))

    assert store.read(lambda tx: tx.audit_events.latest(None, limit=10)) == []


def test_however_many_read_at_once_there_is_a_connection_left_to_write(store: Store) -> None:
    readers = connections(store._engine)
    all_at_it = threading.Barrier(readers)

    def read() -> None:
        store.read(lambda _: all_at_it.wait(60))

    threads = [threading.Thread(target=read, daemon=True) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()

    store.write(lambda tx: tx.audit_events.append([event(1)]))

    assert len(store.read(lambda tx: tx.audit_events.latest(None, limit=10))) == 1
