"""The conversation of `instep mfa resync`, at a pseudo-terminal whose clock goes on only while somebody is waited for."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TextIO

import click
import pytest

from instep.cli.pair import ask_pair, normalized
from instep.cli.terminal import Terminal
from tests.support.terminals import screen

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
END = "(the end)"
END_OF_FILE = "\x04"


@dataclass
class Person:
    """Types each of `typing` after so many seconds of looking at the screen; then hangs up."""

    master: int
    keyboard: int
    output: TextIO
    typing: list[tuple[float, str]] = field(default_factory=list)
    now: datetime = NOON
    looked: float = 0
    waits: list[float | None] = field(default_factory=list)

    def ready(self, keyboard: int, seconds: float | None) -> bool:
        assert keyboard == self.keyboard
        self.waits.append(seconds)
        after, text = self.typing[0] if self.typing else (0.0, END_OF_FILE)
        if seconds is not None and self.looked + seconds < after:
            self._look(seconds)
            return False
        self._look(after - self.looked)
        self.looked = 0
        del self.typing[:1]
        os.write(self.master, text.encode())
        # Half a line is not to be read yet.
        return text.endswith(("\n", END_OF_FILE))

    def _look(self, seconds: float) -> None:
        self.looked += seconds
        self.now += timedelta(seconds=seconds)

    def terminal(self, **environment: str) -> Terminal:
        return Terminal(self.keyboard, self.output, self.ready, {"TERM": "xterm", "COLUMNS": "100", **environment})

    def written(self) -> str:
        self.output.write(END)
        self.output.flush()
        written = b""
        while not written.endswith(END.encode()):
            written += os.read(self.master, 65536)
        return written.decode().removesuffix(END)

    def pair(self, **environment: str) -> tuple[str, str]:
        return ask_pair(self.terminal(**environment), lambda: self.now)


@pytest.fixture
def person() -> Iterator[Person]:
    master, slave = pty.openpty()
    with open(slave, "w", encoding="utf-8", closefd=False) as output:
        yield Person(master, slave, output)
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("typed", ["123456", " 123 456 ", "123-456", "１２３４５６", "１２３　４５６", "123456\r"])
def test_a_code_is_read_as_it_was_meant(typed: str) -> None:
    assert normalized(typed) == "123456"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５", "٣٤٥٦٧٨", "123456;"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert normalized(typed) is None


def test_a_pair_is_typed_while_the_countdown_runs(person: Person) -> None:
    person.typing = [(5, "123456\n"), (13.5, "987654\n")]

    assert person.pair() == ("123456", "987654")

    assert screen(person.written()) == [
        "Code 1: 123456    wait for the next code … ━━━━╸━━━ 17 s",
        "Code 2: 987654",
        "",
    ]


def test_the_countdown_begins_when_the_first_code_was_entered_and_moves_each_second(person: Person) -> None:
    person.typing = [(600, "123456\n"), (3.5, "987654\n")]

    person.pair()

    written = person.written()
    assert [seconds for seconds in range(60) if f" {seconds} s" in written] == [27, 28, 29, 30]
    # While the first code is waited for nothing moves.
    assert person.waits == [None, 1, 1, 1, 1]


def test_after_the_period_nothing_moves_any_more(person: Person) -> None:
    person.typing = [(0, "123456\n"), (100, "987654\n")]

    person.pair()

    assert len(person.waits) == 32
    assert person.waits[-1] is None
    assert screen(person.written())[0] == "Code 1: 123456    wait for the next code … ━━━━━━━━ 0 s"


def test_what_is_being_typed_stays_in_its_place_while_the_line_above_changes(person: Person) -> None:
    person.typing = [(0, "123456\n"), (2, "98"), (2, "76"), (2, "54\n")]

    assert person.pair() == ("123456", "987654")

    assert screen(person.written())[1] == "Code 2: 987654"


def test_the_first_code_typed_again_is_caught_and_the_countdown_goes_on(person: Person) -> None:
    person.typing = [(0, "123456\n"), (4, "123 456\n"), (3.5, "987654\n")]

    assert person.pair() == ("123456", "987654")

    assert screen(person.written())[1:] == [
        "Code 2: 123 456",
        "That is the first code again; wait for the next one. ━━━━━━╺━ 23 s",
        "Code 2: 987654",
        "",
    ]


def test_what_is_no_code_is_asked_for_again(person: Person) -> None:
    person.typing = [(0, "12345\n"), (0, "１２３４５６\n"), (2, "later\n"), (2, "987654\n")]

    assert person.pair() == ("123456", "987654")

    lines = screen(person.written())
    assert lines[:2] == ["Code 1: 12345", "A code is six digits."]
    assert lines[3] == "Code 2: later"
    assert lines[4].startswith("A code is six digits. ━")


def test_both_codes_may_be_pasted_at_once(person: Person) -> None:
    person.typing = [(0, "123456\n987654\n")]

    assert person.pair() == ("123456", "987654")


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "xterm", "COLUMNS": "100"}])
def test_only_a_terminal_that_can_gets_a_moving_line(person: Person, environment: dict[str, str]) -> None:
    person.typing = [(0, "123456\n"), (4, "987654\n")]

    person.pair(**environment)

    assert ("\x1b[1A" in person.written()) is (environment["TERM"] != "dumb")


def test_a_clock_that_is_set_meanwhile_keeps_the_countdown_within_its_bounds(person: Person) -> None:
    person.typing = [(0, "123456\n"), (2, "nothing\n"), (2, "987654\n")]
    times = iter([NOON, NOON - timedelta(days=1), NOON, NOON + timedelta(days=1)])

    ask_pair(person.terminal(), lambda: next(times, NOON))

    written = person.written()
    assert " 30 s" in written
    assert "864" not in written


@pytest.mark.parametrize("typed", [[], [(0, "123456\n")]])
def test_hanging_up_ends_it(person: Person, typed: list[tuple[float, str]]) -> None:
    person.typing = list(typed)

    with pytest.raises(click.Abort):
        person.pair()
