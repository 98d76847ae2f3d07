"""Everybody who wants to write gets a turn: threads in their order, processes alternately, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections import Counter
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from instep.services.faults import Conflict
from instep.storage.schema import audit_events
from instep.storage.transaction import Store, Transaction
from instep.storage.writer_gate import WriterGate
from tests.storage.stores import Stopwatch, an_event, child, line_of, open_store, tell, timed_store

FAR = 1e9


def a_gate(beside: Path | None = None) -> WriterGate:
    return WriterGate(beside, clock=time.monotonic, sleep=time.sleep, random=os.urandom)


def written_by(store: Store) -> Counter[str]:
    events = store.read(lambda tx: tx.audit_events.latest(None, limit=10_000))
    return Counter(one.event_id.partition("-")[0] for one in events)


def number_of_events(tx: Transaction) -> int:
    return tx.connection.execute(sa.select(sa.func.count()).select_from(audit_events)).scalar_one()


def test_threads_pass_in_the_order_they_came() -> None:
    gate = a_gate()
    passed: list[int] = []

    def come(number: int) -> None:
        with gate.turn(FAR):
            passed.append(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(20)]
    with gate.turn(FAR):
        for number, thread in enumerate(threads):
            thread.start()
            while len(gate._queue._waiting) <= number:
                os.sched_yield()
    for thread in threads:
        thread.join()

    assert passed == list(range(20))


def test_one_is_inside_at_a_time(tmp_path: Path) -> None:
    gate = a_gate(tmp_path / "instep.db")
    inside = 0
    most = 0

    def come() -> None:
        nonlocal inside, most
        for _ in range(50):
            with gate.turn(FAR):
                inside += 1
                most = max(most, inside)
                os.sched_yield()
                inside -= 1

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
    gate.close()


def test_eight_threads_that_always_want_to_write_get_as_many_turns_each(url: str, store: Store) -> None:
    busy = open_store(url, threads=8)
    start = threading.Barrier(8)

    def run(name: str) -> None:
        numbers = count()

        def write(tx: Transaction) -> bool:
            if number_of_events(tx) >= 400:
                return False
            tx.audit_events.append([an_event(f"{name}-{next(numbers)}")])
            return True

        start.wait()
        while busy.write(write):
            pass

    threads = [threading.Thread(target=run, args=(name,)) for name in "ABCDEFGH"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy.close()

    turns = written_by(store)
    assert turns.total() == 400
    # Fifty each, but for who came first and who was last.
    assert min(turns.values()) >= 40


def test_four_processes_that_always_want_to_write_each_get_their_share(url: str, store: Store) -> None:
    with ExitStack() as processes:
        children = [processes.enter_context(child("writer", url, name, "1", "400")) for name in "ABCD"]
        assert [line_of(process) for process in children] == ["ready"] * 4
        for process in children:
            tell(process)
        assert [process.wait(120) for process in children] == [0] * 4

    turns = written_by(store)
    assert turns.total() == 400
    # A hundred each on average, and luck with the polling.
    assert min(turns.values()) >= 33, turns


def test_a_command_beside_a_busy_server_waits_for_a_few_writes_only(url: str, store: Store) -> None:
    overtaken = []
    with child("writer", url, "server", "6", "4000") as server:
        assert line_of(server) == "ready"
        tell(server)
        while store.read(number_of_events) < 20:
            os.sched_yield()
        for number in range(9):
            asked = store.read(number_of_events)

            def work(tx: Transaction, number: int = number) -> int:
                tx.audit_events.append([an_event(f"command-{number}")])
                return number_of_events(tx)

            overtaken.append(store.write(work) - asked)
        assert server.poll() is None

    # How many the server writes between the question and the request is the scheduler's affair; hence the median.
    assert statistics.median(overtaken) <= 40, overtaken


def test_a_server_beside_busy_commands_gets_its_turns(url: str, store: Store) -> None:
    with child("writer", url, "server", "6", "300") as server, child("writer", url, "command", "1", "300") as command:
        assert (line_of(server), line_of(command)) == ("ready", "ready")
        tell(server)
        tell(command)
        assert (server.wait(120), command.wait(120)) == (0, 0)

    # They alternate: six threads of one process count as much as the single one of another.
    turns = written_by(store)
    assert min(turns["server"], turns["command"]) >= 75, turns


def test_a_thread_leaves_the_line_at_its_deadline_and_the_others_move_on() -> None:
    gate = a_gate()

    with gate.turn(FAR), pytest.raises(Conflict, match="before the deadline"), gate.turn(time.monotonic() + 0.01):
        pytest.fail("two inside")

    with gate.turn(time.monotonic() + 0.01):
        pass


def test_a_turn_is_not_lost_when_its_holder_fails(tmp_path: Path) -> None:
    gate = a_gate(tmp_path / "instep.db")

    with pytest.raises(LookupError), gate.turn(FAR):
        raise LookupError

    with gate.turn(time.monotonic() + 1):
        pass
    gate.close()


def test_two_gates_beside_one_file_exclude_each_other(tmp_path: Path) -> None:
    watch = Stopwatch()
    first = a_gate(tmp_path / "instep.db")
    second = WriterGate(tmp_path / "instep.db", clock=watch, sleep=watch.sleep, random=os.urandom)

    with first.turn(FAR), pytest.raises(Conflict, match="before the deadline"), second.turn(0.1):
        pytest.fail("two inside")

    assert watch.now >= 0.1
    assert max(watch.slept) <= 0.004
    with second.turn(0.2), pytest.raises(Conflict), first.turn(time.monotonic() + 0.01):
        pytest.fail("two inside")
    first.close()
    second.close()


def test_one_who_gave_up_at_the_write_lock_leaves_the_turnstile_open(tmp_path: Path) -> None:
    watch = Stopwatch()
    first = a_gate(tmp_path / "instep.db")
    second = WriterGate(tmp_path / "instep.db", clock=watch, sleep=watch.sleep, random=os.urandom)
    third = a_gate(tmp_path / "instep.db")

    with first.turn(FAR), pytest.raises(Conflict), second.turn(0.01):
        pytest.fail("two inside")

    with third.turn(time.monotonic() + 1):
        pass
    for gate in (first, second, third):
        gate.close()


def test_a_killed_process_frees_the_gate_and_leaves_nothing_behind(url: str, store: Store) -> None:
    with child("holder", url) as holder:
        assert line_of(holder) == "holding"
        watch = Stopwatch()
        with timed_store(url, watch, patience=0.05) as impatient, pytest.raises(Conflict):
            impatient.write(lambda tx: tx.audit_events.append([an_event("too early")]))

        holder.send_signal(signal.SIGKILL)
        holder.wait(30)

        store.write(lambda tx: tx.audit_events.append([an_event("next")]))

    assert written_by(store) == {"next": 1}


def test_readers_pass_while_somebody_holds_the_gate(url: str, store: Store) -> None:
    with child("holder", url) as holder:
        assert line_of(holder) == "holding"

        assert store.read(number_of_events) == 0

        tell(holder)
        assert holder.wait(30) == 0
    assert store.read(number_of_events) == 1


def test_readers_pass_while_every_other_thread_waits_to_write(url: str) -> None:
    store = open_store(url, threads=4)
    threads = [threading.Thread(target=store.write, args=(number_of_events,)) for _ in range(10)]

    with store._gate.turn(FAR):
        for number, thread in enumerate(threads):
            thread.start()
            while len(store._gate._queue._waiting) <= number:
                os.sched_yield()
        assert store.read(number_of_events) == 0
    for thread in threads:
        thread.join()
    store.close()
