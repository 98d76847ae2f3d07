"""Loose parameters in, a typed request out, or AWS's sentence about what is wrong with them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Final, TypeVar, cast

from instep.api.common import MalformedInput, ValidationError
from instep.api.patterns import matcher
from instep.api.shape import Kind, Limits, Shape, members

T = TypeVar("T")


class Wording(Enum):
    """How a service words a refused value: STS repeats it to the caller, IAM does not."""

    IAM = auto()
    STS = auto()


def validate(structure: type[T], loose: Mapping[str, object], wording: Wording) -> T:
    """The `structure` that the `loose` parameters describe.

    `loose` is keyed by AWS's names; its leaves are strings as they came from the wire or a form, its lists `list`, its maps and
    structures `dict`.  What bears no member's name, or is not of that member's kind (a structure for a string, say), counts as
    not given, as AWS ignores parameters it does not know.
    Raises MalformedInput where a string is not a number, boolean, time or base64, and ValidationError for everything else.
    """
    failures = _Failures(wording)
    request = _structure(structure).read(loose, "", failures)
    failures.settle()
    return request  # type: ignore[no-any-return]


# Reading one value gives the value, `None` if it is not there, or `_REFUSED` if a failure was noted.
_Read = Callable[[Any, str, "_Failures"], Any]
_REFUSED: Final = object()

# So many are told at once; nobody reads more, and an answer must not grow far beyond its request.
_MOST_FAILURES: Final = 100
_LONGEST_ECHO: Final = 4096


class _Failures:
    """What was found wrong so far."""

    __slots__ = ("_loggable", "_sentence", "_told", "_wording")

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._told: list[str] = []
        self._loggable: list[str] = []
        self._sentence: str | None = None

    def add(self, path: str, tail: str, value: str | None) -> None:
        """Note that the value at `path` failed.  `value` is its text, or None if there is none to repeat."""
        plain = f"Value at '{path}' failed to satisfy constraint: {tail}"
        told = plain
        if self._wording is Wording.STS and value is not None:
            told = f"Value {_shortened(value)} at '{path}' failed to satisfy constraint: {tail}"
        self._told.append(told)
        # Written down without the value: a code may stand where nobody looks for one.
        self._loggable.append(plain)
        if len(self._told) == _MOST_FAILURES:
            self.settle()

    def word(self, sentence: str) -> None:
        """Note a failure that AWS words by hand; the first is told, and only if nothing else is wrong."""
        self._sentence = self._sentence or sentence

    def settle(self) -> None:
        """Raises ValidationError if anything was noted."""
        if self._told:
            count = len(self._told)
            head = f"{count} validation error{'s' if count > 1 else ''} detected: "
            raise ValidationError(head + "; ".join(self._told), loggable=head + "; ".join(self._loggable))
        if self._sentence is not None:
            raise ValidationError(self._sentence)


def _shortened(value: str) -> str:
    return value if len(value) <= _LONGEST_ECHO else f"{value[:_LONGEST_ECHO]}…"


class _Unheard(_Failures):
    """Takes the failures of a list's strings, of which AWS tells no details."""

    __slots__ = ()

    def add(self, path: str, tail: str, value: str | None) -> None:
        """Note nothing: that the string was refused is enough."""


# Structures.


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    wire: str
    path: str
    required: bool
    read: _Read


class _Structure:
    """Reads one structure.  What it is made of is looked up at first use, since structures may contain themselves."""

    __slots__ = ("_fields", "_type")

    def __init__(self, structure: type[Any]) -> None:
        self._type = structure
        self._fields: tuple[_Field, ...] | None = None

    def read(self, value: object, path: str, failures: _Failures) -> Any:
        if not isinstance(value, Mapping):
            return None
        fields = self._fields
        if fields is None:
            fields = self._fields = tuple(
                _Field(m.name, m.wire, m.wire[0].lower() + m.wire[1:], m.required, _reader(m.shape)) for m in members(self._type)
            )
        given: dict[str, Any] = {}
        whole = True
        for field in fields:
            here = f"{path}.{field.path}" if path else field.path
            loose = value.get(field.wire)
            found = None if loose is None else field.read(loose, here, failures)
            if found is None:
                if field.required:
                    failures.add(here, _NOT_NULL, "null")
                    whole = False
            elif found is _REFUSED:
                whole = False
            else:
                given[field.name] = found
        return self._type(**given) if whole else _REFUSED


_STRUCTURES: dict[type[Any], _Structure] = {}


def _structure(structure: type[Any]) -> _Structure:
    return _STRUCTURES.get(structure) or _STRUCTURES.setdefault(structure, _Structure(structure))


# Lists and maps.


def _list(limits: Limits, element: Shape) -> _Read:
    check = _range(limits, "length")
    read = _reader(element)
    scalar = element.kind not in (Kind.LIST, Kind.MAP, Kind.STRUCTURE)
    # AWS names the member that failed only in a list of structures; of strings it tells every demand at once.
    demands = f"Member must satisfy constraint: [{', '.join([*_demands(element), _NOT_NULL])}]"

    def read_list(value: Any, path: str, failures: _Failures) -> Any:
        if value == "":
            value = []
        if not isinstance(value, list):
            return None
        refused = check is not None and check(len(value), path, _echo_list(value), failures)
        if scalar:
            unheard = _Unheard(Wording.IAM)
            found = [None if item is None else read(item, path, unheard) for item in value]
            if any(item is None or item is _REFUSED for item in found):
                failures.add(path, demands, _echo_list(value))
                refused = True
        else:
            found = []
            for number, item in enumerate(value, start=1):
                here = f"{path}.{number}.member"
                one = None if item is None else read(item, here, failures)
                if one is None:
                    failures.add(here, _NOT_NULL, "null")
                found.append(one)
            refused = refused or any(item is None or item is _REFUSED for item in found)
        return _REFUSED if refused else tuple(found)

    return read_list


def _echo_list(value: list[Any]) -> str | None:
    return f"'[{', '.join(value)}]'" if all(isinstance(item, str) for item in value) else None


def _map(limits: Limits, key: Shape, element: Shape) -> _Read:
    check = _range(limits, "length")
    read_key, read = _reader(key), _reader(element)
    demands = f"Map keys must satisfy constraint: [{', '.join([*_demands(key), _NOT_NULL])}]"

    def read_map(value: Any, path: str, failures: _Failures) -> Any:
        if value == "":
            value = {}
        if not isinstance(value, dict):
            return None
        refused = check is not None and check(len(value), path, None, failures)
        unheard = _Unheard(Wording.IAM)
        if not all(isinstance(name, str) and read_key(name, path, unheard) is not _REFUSED for name in value):
            failures.add(path, demands, None)
            return _REFUSED
        found = {}
        for name, item in value.items():
            here = f"{path}.{name}.member"
            one = None if item is None else read(item, here, failures)
            if one is None:
                failures.add(here, _NOT_NULL, "null")
            refused = refused or one is None or one is _REFUSED
            found[name] = one
        return _REFUSED if refused else found

    return read_map


# Scalars.


def _string(limits: Limits) -> _Read:
    check = _range(limits, "length")
    matches = None if limits.pattern is None else matcher(limits.pattern)
    sentence = limits.sentence
    tail = f"Member must satisfy regular expression pattern: {limits.pattern}"

    def read_string(value: Any, path: str, failures: _Failures) -> Any:
        if not isinstance(value, str):
            return None
        matching = matches is None or matches(value) is not None
        if not matching:
            if sentence is None:
                failures.add(path, tail, f"'{value}'")
            else:
                failures.word(sentence.replace("{member}", path))
        # Python counts code points, as AWS does: neither bytes nor UTF-16 units.
        too_long = check is not None and check(len(value), path, f"'{value}'", failures)
        return value if matching and not too_long else _REFUSED

    return read_string


def _enum(limits: Limits, values: type[Enum]) -> _Read:
    known = {str(member.value): member for member in values}

    def read_enum(value: Any, path: str, failures: _Failures) -> Any:
        if not isinstance(value, str):
            return None
        found = known.get(value)
        if found is None:
            failures.add(path, _ENUM, f"'{value}'")
            return _REFUSED
        return found

    return read_enum


# AWS reads signed 32-bit numbers and allows a plus sign and leading zeros.
_INTEGER: Final = re.compile(r"([+-]?)0*([0-9]{1,10})")


def _integer(limits: Limits) -> _Read:
    check = _range(limits, "value")

    def read_integer(value: Any, path: str, failures: _Failures) -> Any:
        if not isinstance(value, str):
            return None
        if not value:
            raise MalformedInput("missing value for decimal type")
        match = _INTEGER.fullmatch(value)
        number = int(match[1] + match[2]) if match else None
        if number is None or not -(2**31) <= number < 2**31:
            raise MalformedInput
        return _REFUSED if check is not None and check(number, path, f"'{number}'", failures) else number

    return read_integer


def _boolean(value: Any, _path: str, _failures: _Failures) -> Any:
    if not isinstance(value, str):
        return None
    match value.lower():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise MalformedInput


def _timestamp(value: Any, _path: str, _failures: _Failures) -> Any:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedInput from None


def _blob(limits: Limits) -> _Read:
    check = _range(limits, "length")

    def read_blob(value: Any, path: str, failures: _Failures) -> Any:
        if not isinstance(value, str):
            return None
        try:
            blob = base64.b64decode(value, validate=True)
        except ValueError:
            raise MalformedInput from None
        return _REFUSED if check is not None and check(len(blob), path, None, failures) else blob

    return read_blob


# Constraints.

_NOT_NULL: Final = "Member must not be null"
_ENUM: Final = "Member must satisfy enum value set"


def _range(limits: Limits, noun: str) -> Callable[[int, str, str | None, _Failures], bool] | None:
    """A check of a length or value that notes what it finds and answers whether it refused; None if there is nothing to check."""
    low, high = limits.min, limits.max
    if low is None and high is None:
        return None
    lowest = float("-inf") if low is None else low
    highest = float("inf") if high is None else high

    def check(number: int, path: str, value: str | None, failures: _Failures) -> bool:
        if lowest <= number <= highest:
            return False
        bound = f"less than or equal to {high}" if number > highest else f"greater than or equal to {low}"
        failures.add(path, f"Member must have {noun} {bound}", value)
        return True

    return check


def _demands(shape: Shape) -> list[str]:
    """All that is demanded of a list's strings, in AWS's order."""
    noun = "value" if shape.kind is Kind.INTEGER else "length"
    limits = shape.limits
    demands = {
        f"Member must have {noun} less than or equal to {limits.max}": limits.max is not None,
        f"Member must have {noun} greater than or equal to {limits.min}": limits.min is not None,
        f"Member must satisfy regular expression pattern: {limits.pattern}": limits.pattern is not None,
        _ENUM: shape.kind is Kind.ENUM,
    }
    return [text for text, applies in demands.items() if applies]


def _reader(shape: Shape) -> _Read:
    match shape.kind:
        case Kind.STRING:
            return _string(shape.limits)
        case Kind.ENUM:
            return _enum(shape.limits, cast("type[Enum]", shape.type))
        case Kind.INTEGER:
            return _integer(shape.limits)
        case Kind.BOOLEAN:
            return _boolean
        case Kind.TIMESTAMP:
            return _timestamp
        case Kind.BLOB:
            return _blob(shape.limits)
        case Kind.LIST:
            return _list(shape.limits, cast("Shape", shape.element))
        case Kind.MAP:
            return _map(shape.limits, cast("Shape", shape.key), cast("Shape", shape.element))
        case Kind.STRUCTURE:
            return _structure(cast("type[Any]", shape.type)).read
