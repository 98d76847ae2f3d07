"""How the generated dataclasses describe themselves: wire names, limits and kinds, readable at run time."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any

from instep.api.common import AWSError

WIRE_NAME = "wire"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendor's model demands of a value.

    `min` and `max` bound the length of a string (in code points), blob (in bytes), list or map (in entries), and the value of a
    number; `pattern` is the vendor's own text, printed in messages as it stands.  `sentence` is what AWS says instead where it
    words a failed pattern by hand, with `{member}` for the member's name.  A `sensitive` value is left out of reprs and logs.
    """

    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    sentence: str | None = None
    sensitive: bool = False


class Kind(Enum):
    STRING = auto()
    ENUM = auto()
    INTEGER = auto()
    BOOLEAN = auto()
    TIMESTAMP = auto()
    BLOB = auto()
    LIST = auto()
    MAP = auto()
    STRUCTURE = auto()


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: `type` is the enum or dataclass; `element` is that of a list's members or a map's values, `key` of its keys."""

    kind: Kind
    limits: Limits = Limits()
    type: type[Any] | None = None
    element: Shape | None = None
    key: Shape | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a structure: `name` in Python, `wire` in AWS's spelling."""

    name: str
    wire: str
    required: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class OperationModel:
    """One operation of the vendor's model.  `output` is None where the answer has no result element."""

    name: str
    input: type[Any] | None
    output: type[Any] | None
    errors: tuple[type[AWSError], ...]


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """`name` as in the credential scope, `version` as in the Version parameter, `namespace` of its answers."""

    name: str
    version: str
    namespace: str
    operations: Mapping[str, OperationModel]


def wire(name: str) -> dict[str, str]:
    """The metadata of a field whose name on the wire is `name`."""
    return {WIRE_NAME: name}


_MEMBERS: dict[type[Any], tuple[Member, ...]] = {}


def members(structure: type[Any]) -> tuple[Member, ...]:
    """The members of a generated dataclass, in the model's order; worked out once for each."""
    found = _MEMBERS.get(structure)
    if found is None:
        found = _MEMBERS[structure] = _read_members(structure)
    return found


def _read_members(structure: type[Any]) -> tuple[Member, ...]:
    hints = typing.get_type_hints(structure, include_extras=True)
    return tuple(
        Member(
            name=field.name,
            wire=field.metadata[WIRE_NAME],
            required=field.default is dataclasses.MISSING,
            shape=_shape(hints[field.name]),
        )
        for field in dataclasses.fields(structure)
    )


_SCALARS: dict[Any, Kind] = {
    str: Kind.STRING,
    int: Kind.INTEGER,
    bool: Kind.BOOLEAN,
    datetime: Kind.TIMESTAMP,
    bytes: Kind.BLOB,
}


def _shape(hint: Any, limits: Limits = Limits()) -> Shape:
    if hint in _SCALARS:
        return Shape(_SCALARS[hint], limits)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _shape(arguments[0], next((a for a in arguments[1:] if isinstance(a, Limits)), limits))
    if origin in (types.UnionType, typing.Union):
        return _shape(next(a for a in arguments if a is not type(None)), limits)
    if origin is tuple:
        return Shape(Kind.LIST, limits, element=_shape(arguments[0]))
    if origin is not None and issubclass(origin, Mapping):
        return Shape(Kind.MAP, limits, element=_shape(arguments[1]), key=_shape(arguments[0]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Shape(Kind.ENUM, limits, type=hint)
    if dataclasses.is_dataclass(hint):
        return Shape(Kind.STRUCTURE, limits, type=typing.cast("type[Any]", hint))
    raise TypeError(f"{hint!r} is not a shape")
