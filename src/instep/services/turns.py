"""Turns at the interpreter, for threads that answer requests.

Python runs one thread at a time, but SQLite gives the interpreter up at every step.  Where many threads grab it in between, more
time goes into handing it on than into requests; so they take turns by whole requests.  Whoever waits, for the writer's lock or
for the disk, steps aside.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from types import TracebackType


class Turns:
    """`with turns:` is one turn; within it, `with turns.aside:` lets others go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mine = threading.local()
        self.aside = _Aside(self)

    def __enter__(self) -> None:
        self._lock.acquire()
        self._mine.held = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._mine.held = False
        self._lock.release()

    def held(self) -> bool:
        """By this thread."""
        return getattr(self._mine, "held", False)


class SlowWork:
    """`with slow_work:` is for what takes long and needs no interpreter, as hashing a password: at most so many at once, as each
    takes memory, and others have their turns meanwhile."""

    def __init__(self, aside: AbstractContextManager[None], *, at_once: int) -> None:
        self._aside = aside
        self._places = threading.BoundedSemaphore(at_once)

    def __enter__(self) -> None:
        # Aside first: whoever waits for a place keeps nobody from a turn.
        self._aside.__enter__()
        self._places.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._places.release()
        self._aside.__exit__(None, None, None)


class _Aside:
    """Gives the turn back for a while.  For threads that have none, nothing happens."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._mine = threading.local()

    def __enter__(self) -> None:
        # A thread that is aside already has no turn to give: the outermost entry is the one that takes it back.
        given = self._given()
        given.append(self._turns.held())
        if given[-1]:
            self._turns.__exit__(None, None, None)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._given().pop():
            self._turns.__enter__()

    def _given(self) -> list[bool]:
        """One entry for each time this thread is aside: whether it had a turn to give."""
        if not hasattr(self._mine, "given"):
            self._mine.given = []
        given: list[bool] = self._mine.given
        return given
