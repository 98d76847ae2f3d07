"""Runs of text between asterisks, and how they are found.

A pattern is cut at its asterisks into runs, and each run is looked for once, behind the one before: the first place where it fits
is as good as any later one.  So no pattern takes more steps than its length times the text's, however its asterisks stand; and a
run with question marks tries many places in one step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")

_TOGETHER = 30
"""Places that are tried together, as bits of a number: so many of them the machine works on at once."""


class Wildcard(Enum):
    ANY = auto()
    ONE = auto()


@dataclass(frozen=True, slots=True)
class Run:
    """What stands between two asterisks: `length` characters, of which `known` are settled: texts, and where in the run.

    `plain` is the run's text, where it has no `?`.
    """

    length: int
    known: tuple[tuple[int, str], ...]
    plain: str | None

    def fits(self, text: str, at: int) -> bool:
        if self.plain is not None:
            return text.startswith(self.plain, at)
        return all(text.startswith(known, at + offset) for offset, known in self.known)


Glob: TypeAlias = tuple[Run, ...]
"""Runs with an asterisk between each two; never empty."""

_WILDCARDS = {"*": Wildcard.ANY, "?": Wildcard.ONE}
_PARTS = re.compile(r"\*+|\?|[^*?]+")


def search(runs: Glob, text: str) -> tuple[bool, int]:
    """Whether `runs` match all of `text`, and in how many steps, at most, which is what this module's promise is about.

    A step compares a character with one place of the text, or with as many as are tried together.  Noting where its
    characters are is not counted: that is done once for each text, however many patterns it is matched with.
    """
    first, last = runs[0], runs[-1]
    steps = first.length
    if len(runs) == 1:
        return len(text) == first.length and first.fits(text, 0), steps
    here, end = first.length, len(text) - last.length
    if here > end or not first.fits(text, 0):
        return False, steps
    steps += last.length
    if not last.fits(text, end):
        return False, steps
    for run in runs[1:-1]:
        found, tried = _find(run, text, here, end)
        steps += tried
        if found < 0:
            return False, steps
        here = found + run.length
    return True, steps


def _find(run: Run, text: str, start: int, end: int) -> tuple[int, int]:
    """The first place of `run` within text[start:end], or -1, and in how many steps, at most."""
    places = end - start - run.length + 1
    if places <= 0:
        return -1, 0
    if run.plain is None:
        return _find_with_marks(run, text, start, places)
    found = text.find(run.plain, start, end)
    tried = places if found < 0 else found - start + 1
    return found, tried * run.length


def _find_with_marks(run: Run, text: str, start: int, places: int) -> tuple[int, int]:
    """Likewise, among so many places from `start` on, which are tried together: place by place it would take Python too long."""
    # Bit n says that the run may begin at n.
    left = ((1 << places) - 1) << start
    compared = 0
    for offset, known in run.known:
        for at, character in enumerate(known, offset):
            compared += 1
            left &= _places_of(character, text) >> at
            if not left:
                return -1, compared * (len(text) // _TOGETHER + 1)
    return (left & -left).bit_length() - 1, compared * (len(text) // _TOGETHER + 1)


# One text is matched with many patterns of few characters.
@lru_cache(maxsize=1024)
def _places_of(character: str, text: str) -> int:
    """Where `character` stands in `text`: bit n for place n."""
    bits = bytearray(len(text) // 8 + 1)
    at = text.find(character)
    while at >= 0:
        bits[at >> 3] |= 1 << (at & 7)
        at = text.find(character, at + 1)
    return int.from_bytes(bits, "little")


def wildcards(text: str) -> list[str | Wildcard]:
    """`text` with its wildcards told apart from the rest.  Asterisks side by side are one."""
    return [_WILDCARDS.get(part[0], part) for part in _PARTS.findall(text)]


def cut(pieces: Iterable[_T]) -> list[list[_T]]:
    """What stands before, between and behind the asterisks among `pieces`."""
    between: list[list[_T]] = [[]]
    for piece in pieces:
        if piece is Wildcard.ANY:
            between.append([])
        else:
            between[-1].append(piece)
    return between


def run(pieces: Iterable[str | Wildcard]) -> Run:
    """One of them, of texts and question marks."""
    known: list[tuple[int, str]] = []
    length = 0
    for piece in pieces:
        if isinstance(piece, str):
            known.append((length, piece))
            length += len(piece)
        else:
            length += 1
    settled = "".join([text for _, text in known])
    return Run(length, tuple(known), settled if len(settled) == length else None)


def glob(pieces: Iterable[str | Wildcard]) -> Glob:
    """The runs between the asterisks among `pieces`."""
    return tuple([run(between) for between in cut(pieces)])
