"""The writer gate: whoever wants to write gets in line, thread or process, and every one gets a turn.

SQLite lets one writer in at a time and the others poll; left to that, whoever just wrote is the likeliest to write again, and one
of many may wait for minutes.  Here threads queue first come first served, and their process takes turns with others through two
lock files: the *turnstile*, held only while waiting for the *write lock*.  Whoever waits for the write lock keeps a process that
has just written from waiting for it as well, so that one cannot go first again.

Locks are `flock`s: the kernel drops them with the process, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from instep.domain.ids import Random
from instep.services.faults import Conflict, Fault

# Seconds between two looks at a lock file.  Always the same on average: growing pauses would favor newcomers.
_PAUSE: Final = 0.002
_NO_TURN: Final = "No turn to write came before the deadline."


class WriterGate:
    """One for each database and process.  `beside` is the database file; None for a database that only this process can see."""

    def __init__(
        self, beside: Path | None, *, clock: Callable[[], float], sleep: Callable[[float], None], random: Random
    ) -> None:
        self._clock = clock
        self._queue = _Queue()
        self._turnstile: _LockFile | None = None
        self._write_lock: _LockFile | None = None
        if beside is not None:
            self._turnstile = _LockFile(beside.with_name(beside.name + ".turnstile"), clock, sleep, random)
            self._write_lock = _LockFile(beside.with_name(beside.name + ".write-lock"), clock, sleep, random)

    @contextmanager
    def turn(self, deadline: float) -> Iterator[None]:
        """Wait in line, then hold the gate.  Raises Conflict when `deadline`, a reading of the gate's clock, passes first."""
        self._queue.enter(deadline - self._clock())
        try:
            if self._turnstile is None or self._write_lock is None:
                yield
            else:
                self._turnstile.acquire(deadline)
                try:
                    self._write_lock.acquire(deadline)
                finally:
                    self._turnstile.release()
                try:
                    yield
                finally:
                    self._write_lock.release()
        finally:
            self._queue.leave()

    def close(self) -> None:
        """Give the lock files back; nobody may hold or await the gate any more."""
        for lock in (self._turnstile, self._write_lock):
            if lock is not None:
                lock.close()


class _Queue:
    """The line of this process's threads, first come first served."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def enter(self, seconds: float) -> None:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return
            called = threading.Event()
            self._waiting.append(called)
        try:
            called.wait(max(0.0, seconds))
        except BaseException:  # Ctrl-C while in line
            if not self._withdraw(called):
                self.leave()
            raise
        if self._withdraw(called):
            raise Conflict(_NO_TURN)

    def leave(self) -> None:
        """Call the next one; the gate stays taken, so that no newcomer slips in between."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False

    def _withdraw(self, called: threading.Event) -> bool:
        """Step out of the line.  False when called in the meantime: the gate is ours."""
        with self._mutex:
            if called.is_set():
                return False
            self._waiting.remove(called)
            return True


class _LockFile:
    """An exclusive lock between processes; within one, the queue lets only one thread near it."""

    def __init__(self, path: Path, clock: Callable[[], float], sleep: Callable[[float], None], random: Random) -> None:
        self._path = path
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._descriptor: int | None = None
        self._process = 0

    def acquire(self, deadline: float) -> None:
        descriptor = self._open()
        while True:
            try:
                # Without LOCK_NB a wait could not be given up at the deadline.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if self._clock() >= deadline:
                    raise Conflict(_NO_TURN) from None
            self._sleep(_PAUSE * (0.5 + self._random(1)[0] / 255))

    def release(self) -> None:
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        # A forked child shares its parent's descriptor, and with it the lock: it needs one of its own.
        if self._descriptor is None or self._process != os.getpid():
            # And if it kept that one open, a parent killed while it holds the lock would leave it locked.
            self.close()
            try:
                # The file stays where it is: to remove it would let two processes lock two files of the same name.
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise Fault(f"The lock file {self._path} cannot be opened: {error.strerror}.") from error
            self._process = os.getpid()
        return self._descriptor
