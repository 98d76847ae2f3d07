"""Whoever wants to write gets in line, and every one gets a turn."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from instep.services.faults import Conflict, Fault
from instep.storage.writer_gate import WriterGate

PATIENCE = 60.0
"""Seconds that a test may wait for another thread before it fails; no behaviour hangs on it."""


class Hours:
    """A clock that moves only when somebody sleeps by it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def gate_at(path: Path | None, clock: Hours, sleep: Callable[[float], None] | None = None) -> WriterGate:
    return WriterGate(path, clock=clock, sleep=sleep or clock.sleep, random=os.urandom)


def until_in_line(gate: WriterGate, length: int) -> None:
    while len(gate._queue._waiting) < length:
        os.sched_yield()


@pytest.fixture(params=["in memory", "in a file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "instep.db" if request.param == "in a file" else None


def test_threads_enter_in_the_order_they_came(path: Path | None) -> None:
    gate = gate_at(path, Hours())
    entered: list[int] = []
    inside = 0
    met: list[int] = []

    def write(number: int) -> None:
        nonlocal inside
        with gate.turn(PATIENCE):
            inside += 1
            met.append(inside)
            entered.append(number)
            os.sched_yield()
            inside -= 1

    with ThreadPoolExecutor(20) as pool:
        with gate.turn(PATIENCE):
            waiting = []
            for number in range(20):
                waiting.append(pool.submit(write, number))
                until_in_line(gate, number + 1)
        for one in waiting:
            one.result(PATIENCE)

    assert entered == list(range(20))
    assert set(met) == {1}
    gate.close()


def test_a_thread_whose_deadline_passes_in_line_is_refused_and_holds_nobody_up(path: Path | None) -> None:
    clock = Hours()
    gate = gate_at(path, clock)
    entered: list[str] = []

    def write(name: str, deadline: float) -> None:
        with gate.turn(deadline):
            entered.append(name)

    with ThreadPoolExecutor(3) as pool:
        with gate.turn(PATIENCE):
            first = pool.submit(write, "first", PATIENCE)
            until_in_line(gate, 1)
            late = pool.submit(write, "late", clock.now)
            with pytest.raises(Conflict, match="No turn to write came before the deadline"):
                late.result(PATIENCE)
            second = pool.submit(write, "second", PATIENCE)
            until_in_line(gate, 2)
        first.result(PATIENCE)
        second.result(PATIENCE)

    assert entered == ["first", "second"]
    gate.close()


def test_an_exception_inside_frees_the_gate(path: Path | None) -> None:
    gate = gate_at(path, Hours())

    for _ in range(3):
        with pytest.raises(KeyError), gate.turn(0.0):
            raise KeyError
    with gate.turn(0.0):
        pass
    gate.close()


def test_the_gate_of_another_process_is_waited_for_until_the_deadline(tmp_path: Path) -> None:
    clock = Hours()
    ours, theirs = gate_at(tmp_path / "instep.db", clock), gate_at(tmp_path / "instep.db", clock)

    with ours.turn(0.0):
        for _ in range(2):
            deadline = clock.now + 1.0
            with pytest.raises(Conflict, match="No turn to write came before the deadline"), theirs.turn(deadline):
                pass
            assert deadline <= clock.now < deadline + 0.1
    assert len(clock.slept) > 100
    assert max(clock.slept) < 0.01

    # Nothing stayed locked behind the one who gave up.
    for gate in (ours, theirs, ours):
        with gate.turn(clock.now):
            pass
    ours.close()
    theirs.close()


def test_who_has_just_written_cannot_go_before_one_who_waits(tmp_path: Path) -> None:
    clock = Hours()
    waits, go_on, done = Event(), Event(), Event()

    def sleep(seconds: float) -> None:
        waits.set()
        assert go_on.wait(PATIENCE)

    ours, theirs = gate_at(tmp_path / "instep.db", clock), gate_at(tmp_path / "instep.db", clock, sleep)

    def write() -> None:
        with theirs.turn(PATIENCE):
            done.set()

    with ThreadPoolExecutor(1) as pool:
        with ours.turn(0.0):
            other = pool.submit(write)
            assert waits.wait(PATIENCE)
        with pytest.raises(Conflict), ours.turn(clock.now):
            pass
        assert not done.is_set()
        go_on.set()
        other.result(PATIENCE)
        with ours.turn(clock.now):
            pass
    assert done.is_set()
    ours.close()
    theirs.close()


def test_databases_side_by_side_have_gates_of_their_own(tmp_path: Path) -> None:
    one, other = gate_at(tmp_path / "one.db", Hours()), gate_at(tmp_path / "other.db", Hours())

    with one.turn(0.0), other.turn(0.0):
        pass
    one.close()
    other.close()


def test_lock_files_are_their_owners_alone(tmp_path: Path) -> None:
    gate = gate_at(tmp_path / "instep.db", Hours())
    with gate.turn(0.0):
        pass
    gate.close()

    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["instep.db.turnstile", "instep.db.write-lock"]
    assert {stat.S_IMODE(file.stat().st_mode) & 0o077 for file in files} == {0}


def test_a_folder_that_takes_no_lock_file_is_told(tmp_path: Path) -> None:
    gate = gate_at(tmp_path / "missing" / "instep.db", Hours())

    for _ in range(2):
        with pytest.raises(Fault, match=r"instep\.db\.turnstile cannot be opened: No such file or directory"), gate.turn(0.0):
            pass


# A parent that forks between two turns, takes another and waits to be killed; its child lives until standard input ends.
_PARENT = """
import os, sys, time
from pathlib import Path
from instep.storage.writer_gate import WriterGate

gate = WriterGate(Path(sys.argv[1]), clock=time.monotonic, sleep=time.sleep, random=os.urandom)
with gate.turn(time.monotonic() + 60):
    pass
told, tell = os.pipe()
if os.fork() == 0:
    with gate.turn(time.monotonic() + 60):
        pass
    os.write(tell, b"c")
    sys.stdin.read()
    os._exit(0)
os.read(told, 1)
with gate.turn(time.monotonic() + 60):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_child_that_outlives_its_killed_parent_does_not_keep_the_gate_locked(tmp_path: Path) -> None:
    clock = Hours()
    gate = gate_at(tmp_path / "instep.db", clock)
    command = [sys.executable, "-c", _PARENT, str(tmp_path / "instep.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"held\n"
        with pytest.raises(Conflict), gate.turn(clock.now):
            pass

        parent.kill()
        assert parent.wait(PATIENCE) == -signal.SIGKILL

        with gate.turn(clock.now):
            pass
    gate.close()
