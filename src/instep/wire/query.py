"""The AWS Query encoding: form text → parameters → what an operation's input may hold."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from instep.api.common import MalformedQueryString
from instep.api.shape import Kind, Shape, members

PARAMETER_LIMIT = 10_000
"""More in one request are refused: the largest real one (50 tags, with room to spare) has a few hundred."""

_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_NESTED = frozenset({Kind.LIST, Kind.MAP, Kind.STRUCTURE})
# A list's number is an order, not an index, so any will do that int() reads at once.
_LONGEST_NUMBER = 18


def parse(*forms: bytes) -> dict[str, str]:
    """The parameters of a request's body and query string, in order; the first value of a name wins, as at AWS.

    Raises MalformedQueryString for text that is not UTF-8, a broken percent escape, or more than PARAMETER_LIMIT parameters.
    """
    if sum(form.count(b"&") + 1 for form in forms if form) > PARAMETER_LIMIT:
        raise MalformedQueryString(f"The request holds more than {PARAMETER_LIMIT} parameters.")
    parameters: dict[str, str] = {}
    for form in forms:
        if _BROKEN_ESCAPE.search(form):
            raise MalformedQueryString("The request holds a percent sign that two hexadecimal digits do not follow.")
        for pair in form.replace(b"+", b" ").split(b"&"):
            if pair:
                name, _, value = pair.partition(b"=")
                parameters.setdefault(_text(name), _text(value))
    return parameters


def loose(parameters: Mapping[str, str], structure: type[Any]) -> dict[str, object]:
    """What `parameters` say about the members of `structure`, under their wire names; strings are left as they came.

    Lists are read from `Tags.member.1`, `Tags.member.2`, … in the order of their numbers, gaps and all, and `Tags=` is an empty
    one; maps from `X.entry.1.key` and `X.entry.1.value`.  What the model does not know is passed over, however deep it is.
    """
    plan = _plan(structure)
    found: dict[str, object] = {name: parameters[name] for name in plan.scalars if name in parameters}
    if plan.nested:
        for head, names in _by_head(parameters, plan.nested.keys()).items():
            value = _value(plan.nested[head], names)
            if value is not None:
                found[head] = value
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    scalars: tuple[str, ...]
    nested: Mapping[str, Shape]


_plans: dict[type[Any], _Plan] = {}


def _plan(structure: type[Any]) -> _Plan:
    if structure not in _plans:
        _plans[structure] = _Plan(
            scalars=tuple(member.wire for member in members(structure) if member.shape.kind not in _NESTED),
            nested={member.wire: member.shape for member in members(structure) if member.shape.kind in _NESTED},
        )
    return _plans[structure]


def _text(raw: bytes) -> str:
    try:
        return (unquote_to_bytes(raw) if b"%" in raw else raw).decode("utf-8")
    except UnicodeDecodeError:
        pass
    # Raised out here, since the decoder's exception carries the bytes, and those may be a code.
    raise MalformedQueryString("The request holds bytes that are not UTF-8.")


def _by_head(parameters: Mapping[str, str], wanted: Collection[str]) -> dict[str, dict[str, str]]:
    """The parameters sorted by what stands before their first dot; a value of the name itself is under ""."""
    groups: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        head, dot, rest = name.partition(".")
        if head in wanted and (rest or not dot):
            groups.setdefault(head, {})[rest] = value
    return groups


def _numbered(names: Mapping[str, str], label: str) -> list[dict[str, str]]:
    """The parameters `<label>.<number>.…` sorted by number; a value of the number itself is under ""."""
    groups: dict[int, dict[str, str]] = {}
    for name, value in _by_head(names, (label,)).get(label, {}).items():
        number, dot, rest = name.partition(".")
        if number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER and (rest or not dot):
            groups.setdefault(int(number), {}).setdefault(rest, value)
    return [groups[number] for number in sorted(groups)]


def _value(shape: Shape, names: Mapping[str, str]) -> object | None:
    """The value that `names`, relative to it, give to a member of `shape`; None when they say nothing about it."""
    match shape:
        case Shape(kind=Kind.LIST, element=Shape() as element):
            values = [value for group in _numbered(names, "member") if (value := _value(element, group)) is not None]
            return values if values or names.get("") == "" else None
        case Shape(kind=Kind.MAP, element=Shape() as element):
            entries: dict[str, object] = {}
            for group in _numbered(names, "entry"):
                value = _value(element, _by_head(group, ("value",)).get("value", {}))
                if "key" in group and value is not None:
                    entries.setdefault(group["key"], value)
            return entries if entries or names.get("") == "" else None
        case Shape(kind=Kind.STRUCTURE, type=type() as structure):
            # A misspelt part leaves an empty structure, which validation then reports; a bare value is not a structure at all.
            return loose(names, structure) if any(names) else None
        case _:
            return names.get("")
