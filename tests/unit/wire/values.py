"""Values for any generated dataclass, and how botocore writes or reads the same ones."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

import botocore.session
from botocore.model import ServiceModel as VendorModel
from botocore.parsers import QueryParser
from hypothesis import strategies as st

from instep.api.iam import IAM
from instep.api.shape import Kind, OperationModel, ServiceModel, Shape, members
from instep.api.sts import STS

_SESSION = botocore.session.get_session()
VENDOR: Mapping[str, VendorModel] = {name: _SESSION.get_service_model(name) for name in ("iam", "sts")}

OPERATIONS: list[tuple[ServiceModel, OperationModel]] = [
    (service, operation) for service in (IAM, STS) for operation in service.operations.values()
]


def instances(structure: type[Any], *, complete: bool = False) -> st.SearchStrategy[Any]:
    """Instances of a dataclass; with `complete`, no optional member is left out."""
    return st.builds(
        structure,
        **{
            member.name: _values(member.shape, complete=complete)
            if member.required or complete
            else st.none() | _values(member.shape)
            for member in members(structure)
        },
    )


def _values(shape: Shape, *, complete: bool = False) -> st.SearchStrategy[Any]:
    simple: dict[Kind, Callable[[], st.SearchStrategy[Any]]] = {
        Kind.STRING: lambda: st.text(max_size=12),
        Kind.ENUM: lambda: st.sampled_from(list(cast("type[StrEnum]", shape.type))),
        Kind.INTEGER: st.integers,
        Kind.BOOLEAN: st.booleans,
        Kind.TIMESTAMP: lambda: st.datetimes(datetime(1000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        Kind.BLOB: lambda: st.binary(max_size=12),
    }
    if shape.kind in simple:
        return simple[shape.kind]()
    if shape.kind is Kind.STRUCTURE and shape.type is not None:
        return instances(shape.type, complete=complete)
    assert shape.element is not None
    element = _values(shape.element, complete=complete)
    least = 1 if complete else 0
    if shape.kind is Kind.LIST:
        return st.lists(element, min_size=least, max_size=3).map(tuple)
    return st.dictionaries(st.text(max_size=8), element, min_size=least, max_size=3)


def parsed(document: bytes, status: int, shape: Any = None) -> dict[str, Any]:
    """What botocore makes of a document; `shape` is the vendor's output shape, if any."""
    answer: dict[str, Any] = QueryParser().parse({"status_code": status, "headers": {}, "body": document}, shape)
    return answer


def readable(value: Any, shape: Shape) -> Any:
    """`value` as botocore's parser gives it, when it was written right."""
    match shape:
        case Shape(kind=Kind.STRING):
            return printable(value)
        case Shape(kind=Kind.ENUM):
            return str(value)
        case Shape(kind=Kind.TIMESTAMP):
            return value.replace(microsecond=0)
        case Shape(kind=Kind.LIST, element=Shape() as element):
            return [readable(item, element) for item in value]
        case Shape(kind=Kind.MAP, element=Shape() as element):
            return {printable(key): readable(item, element) for key, item in value.items()}
        case Shape(kind=Kind.STRUCTURE, type=type() as structure):
            return readable_members(value, structure)
        case _:
            return value


def readable_members(value: Any, structure: type[Any]) -> dict[str, Any]:
    given = [(member, getattr(value, member.name)) for member in members(structure)]
    return {member.wire: readable(part, member.shape) for member, part in given if part is not None}


def printable(text: str) -> str:
    """`text` with U+FFFD for what XML 1.0 cannot hold."""
    return "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text)


def named(value: Any, structure: type[Any]) -> dict[str, Any]:
    """`value` as a client gives it to botocore: wire names, and times in UTC to the second."""
    given = [(member, getattr(value, member.name)) for member in members(structure)]
    return {member.wire: _named(part, member.shape) for member, part in given if part is not None}


def _named(value: Any, shape: Shape) -> Any:
    match shape:
        case Shape(kind=Kind.LIST, element=Shape() as element):
            return [_named(item, element) for item in value]
        case Shape(kind=Kind.MAP, element=Shape() as element):
            return {key: _named(item, element) for key, item in value.items()}
        case Shape(kind=Kind.STRUCTURE, type=type() as structure):
            return named(value, structure)
        case Shape(kind=Kind.ENUM):
            return str(value)
        case _:
            return value


def loosened(value: Any, structure: type[Any]) -> dict[str, Any]:
    """What should arrive of `value` after botocore wrote it as a form: strings, without what a form cannot say."""
    parts = {member.wire: _loosened(getattr(value, member.name), member.shape) for member in members(structure)}
    return {name: part for name, part in parts.items() if part is not None}


def _loosened(value: Any, shape: Shape) -> Any:
    if value is None:
        return None
    match shape:
        case Shape(kind=Kind.LIST, element=Shape() as element):
            # A form has no way to say that a list holds an empty structure, or that a map is empty.
            items = [part for part in (_loosened(item, element) for item in value) if part is not None]
            return items if items or not value else None
        case Shape(kind=Kind.MAP, element=Shape() as element):
            entries = {key: part for key, item in value.items() if (part := _loosened(item, element)) is not None}
            return entries or None
        case Shape(kind=Kind.STRUCTURE, type=type() as structure):
            return loosened(value, structure) or None
        case Shape(kind=Kind.BOOLEAN):
            return "true" if value else "false"
        case Shape(kind=Kind.TIMESTAMP):
            # botocore writes microseconds where there are some.
            form = "%Y-%m-%dT%H:%M:%S.%fZ" if value.microsecond else "%Y-%m-%dT%H:%M:%SZ"
            return value.strftime(form)
        case Shape(kind=Kind.BLOB):
            return b64encode(value).decode()
        case _:
            return str(value)
