"""Turns at the interpreter: one at a time, aside while waiting, and never a deadlock with the audit trail."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from instep.services.trail import Trail
from instep.services.turns import SlowWork, Turns
from tests.support.house import House

PATIENCE = 60
"""Seconds; what takes longer never comes."""


def run(*work: threading.Thread) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_there_is_one_turn_at_a_time() -> None:
    turns, inside, most = Turns(), [], []

    def work() -> None:
        for _ in range(200):
            with turns:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    run(*(threading.Thread(target=work, daemon=True) for _ in range(4)))

    assert set(most) == {1}


def test_whoever_steps_aside_lets_others_go_first_and_gets_the_turn_back() -> None:
    turns, came = Turns(), threading.Event()

    def other() -> None:
        with turns:
            came.set()

    thread = threading.Thread(target=other, daemon=True)
    with turns:
        thread.start()
        with turns.aside, turns.aside:  # a write within a write's wait
            assert came.wait(PATIENCE)
            assert not turns.held()
        assert turns.held()
    assert not turns.held()
    thread.join(PATIENCE)


def test_slow_work_lets_others_go_first_and_is_done_by_so_many_at_once() -> None:
    turns = Turns()
    slow_work = SlowWork(turns.aside, at_once=2)
    inside, both, others = threading.Semaphore(0), threading.Barrier(3), []

    def slow() -> None:
        with turns, slow_work:
            inside.release()
            both.wait(PATIENCE)

    threads = [threading.Thread(target=slow, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        for _ in range(2):
            assert inside.acquire(timeout=PATIENCE)
        # Two are at it, and two wait: no third has come in, and a turn is to be had all the same.
        assert not inside.acquire(blocking=False)
        with turns:
            others.append("served")
        both.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert others == ["served", "served"]


def test_without_a_turn_stepping_aside_does_nothing() -> None:
    turns = Turns()

    with turns.aside:
        assert not turns.held()
    assert not turns.held()


def test_a_full_trail_stops_nobody_for_good(home: House) -> None:
    """Threads that wait for room in the queue hold neither the turn nor the trail's lock, whatever order they wake in."""
    turns, done = Turns(), threading.Event()
    trail = Trail(home.service.store, length=3, patience=timedelta(seconds=PATIENCE), aside=turns.aside)
    event = home.service.store.read(lambda tx: tx.audit_events.latest(None, limit=1))[0]

    def ask(thread: int) -> None:
        for number in range(30):
            with turns:
                trail.later(replace(event, event_id=f"{thread}-{number}"))
                # Something that gives the interpreter up, as requests do all the time.
                home.service.store.read(lambda tx: tx.accounts.all())
                trail.stranger("NoOne", home.clock.now)

    def keep_writing() -> None:
        while not done.wait(0.01):
            trail.flush()

    writer = threading.Thread(target=keep_writing, daemon=True)
    writer.start()
    run(*(threading.Thread(target=ask, args=(number,), daemon=True) for number in range(6)))
    done.set()
    writer.join(PATIENCE)
    trail.flush()

    kept = {one.event_id for one in home.service.store.read(lambda tx: tx.audit_events.latest(None, limit=1000))}
    assert {f"{thread}-{number}" for thread in range(6) for number in range(30)} <= kept
