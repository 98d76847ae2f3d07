"""JSON read more strictly than the standard library does, and where in its text each value stands (RFC 8259)."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, TypeAlias

from instep.domain.policy.document import Position

Path: TypeAlias = tuple[str | int, ...]
"""From the outermost value inwards: names of members, numbers of elements from 0."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: policies compare texts, and 1.50 is another text than 1.5."""

    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: text[start:end]."""

    path: Path
    start: int
    end: int


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')


def parse(text: str) -> Any:
    """The value of a JSON text: dict, list, str, bool, None and Number.

    Raises ValueError for what is no JSON, and for what readers of JSON understand in different ways: a name twice in an object,
    NaN, half of a surrogate pair, more levels than anybody needs.
    """
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("too many levels") from error
    _check_characters(value)
    return value


def places(text: str, *, levels: float = inf) -> Iterator[Place]:
    """Where each value stands in `text`, which `parse` has read; what is inside comes before what is around it.

    `levels`: how far inwards to tell of them; the outermost value has none around it.
    """
    path: list[str | int] = []
    starts: list[int] = []
    in_object: list[bool] = []
    name_follows = False
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[" as bracket:
                starts.append(token.start())
                in_object.append(bracket == "{")
                name_follows = bracket == "{"
                path.append(0)
            case "}" | "]":
                path.pop()
                in_object.pop()
                name_follows = False
                start = starts.pop()
                if len(path) <= levels:
                    yield Place(tuple(path), start, token.end())
            case ",":
                name_follows = in_object[-1]
                last = path[-1]
                path[-1] = last + 1 if isinstance(last, int) else last
            case ":":
                name_follows = False
            case scalar if name_follows:
                if len(path) <= levels:
                    path[-1] = json.loads(scalar)
            case _:
                if len(path) <= levels:
                    yield Place(tuple(path), token.start(), token.end())


def positions(text: str) -> Callable[[int], Position]:
    """Tells line and column of an offset in `text`."""
    lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(offset: int) -> Position:
        line = bisect_right(lines, offset)
        return Position(line, offset - lines[line - 1] + 1)

    return position


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _check_characters(value: Any) -> None:
    # With a list of what is still to do, as a recursion would end before JSON's own levels do.
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                text.encode()  # raises UnicodeEncodeError, a ValueError, for half of a surrogate pair
            case list() as elements:
                waiting += elements
            case dict() as members:
                waiting += members
                waiting += members.values()
            case _:
                pass
