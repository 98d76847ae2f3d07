"""Answers in the form AWS writes them: no declaration, two spaces a level, a newline at the end."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from instep.api.shape import Kind, OperationModel, ServiceModel, Shape, members

FAULT_NAMESPACE = "http://webservices.amazon.com/AWSFault/2005-15-09"
"""Of errors that belong to no service, such as an unknown action's."""

Append = Callable[[Any, list[str]], None]
"""Writes one value's element to the end of a list of strings."""

# XML 1.0 has no way to write most control characters, not even as references; a bare \r would be read back as \n.
_UNSAFE = re.compile("[&<>]|[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_REPLACEMENT = "\ufffd"


def result_document(service: ServiceModel, operation: OperationModel, result: object | None, request_id: str) -> bytes:
    """The answer to `operation`; `result` is an instance of its output dataclass, and is left out where the model has none."""
    envelope = _envelope(service.namespace, operation.name, operation.output)
    out = [envelope.opening]
    if envelope.append_result is not None:
        envelope.append_result(result, out)
    out.append(f"  <ResponseMetadata>\n    <RequestId>{escaped(request_id)}</RequestId>\n  </ResponseMetadata>\n")
    out.append(envelope.closing)
    return "".join(out).encode()


def error_document(*, namespace: str, fault: str, code: str, message: str, request_id: str) -> bytes:
    """The answer that refuses a request; `fault` is "Sender" or "Receiver"."""
    # AWS leaves the element out where there is nothing to say.
    told = f"    <Message>{escaped(message)}</Message>\n" if message else ""
    return (
        f'<ErrorResponse xmlns="{namespace}">\n'
        "  <Error>\n"
        f"    <Type>{fault}</Type>\n"
        f"    <Code>{code}</Code>\n"
        f"{told}"
        "  </Error>\n"
        f"  <RequestId>{escaped(request_id)}</RequestId>\n"
        "</ErrorResponse>\n"
    ).encode()


def escaped(text: str) -> str:
    """`text` as element content; characters that XML 1.0 cannot hold become U+FFFD, so that no value can break a document."""
    return _UNSAFE.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    return _REFERENCES.get(match[0], _REPLACEMENT)


def _timestamp(value: datetime) -> str:
    return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


_TEXT: dict[Kind, Callable[[Any], str]] = {
    Kind.STRING: escaped,
    Kind.ENUM: escaped,
    Kind.INTEGER: str,
    Kind.BOOLEAN: lambda value: "true" if value else "false",
    Kind.TIMESTAMP: _timestamp,
    Kind.BLOB: lambda value: b64encode(value).decode("ascii"),
}


@dataclass(frozen=True, slots=True)
class _Envelope:
    opening: str
    append_result: Append | None
    closing: str


_envelopes: dict[tuple[str, str, type[Any] | None], _Envelope] = {}


def _envelope(namespace: str, operation: str, output: type[Any] | None) -> _Envelope:
    key = namespace, operation, output
    if key not in _envelopes:
        _envelopes[key] = _Envelope(
            opening=f'<{operation}Response xmlns="{namespace}">\n',
            append_result=None if output is None else _structure(f"{operation}Result", output, 1),
            closing=f"</{operation}Response>\n",
        )
    return _envelopes[key]


# The appenders below are made once for each operation, with their indentation and tags ready: asking the dataclass for its
# members on every answer would cost more than the rest of the wire.


def _element(name: str, shape: Shape, depth: int) -> Append:
    match shape:
        case Shape(kind=Kind.STRUCTURE, type=type() as structure):
            return _structure(name, structure, depth)
        case Shape(kind=Kind.LIST, element=Shape() as element):
            return _list(name, element, depth)
        case Shape(kind=Kind.MAP, element=Shape() as element):
            return _map(name, element, depth)
        case _:
            return _scalar(name, _TEXT[shape.kind], depth)


def _tags(name: str, depth: int) -> tuple[str, str, str]:
    """Opening, closing and empty tag of an element with children, each a line."""
    indent = "  " * depth
    return f"{indent}<{name}>\n", f"{indent}</{name}>\n", f"{indent}<{name}/>\n"


def _scalar(name: str, text: Callable[[Any], str], depth: int) -> Append:
    opening, closing = f"{'  ' * depth}<{name}>", f"</{name}>\n"

    def append(value: Any, out: list[str]) -> None:
        out.append(f"{opening}{text(value)}{closing}")

    return append


def _structure(name: str, structure: type[Any], depth: int) -> Append:
    opening, closing, empty = _tags(name, depth)
    parts = tuple((attrgetter(member.name), _element(member.wire, member.shape, depth + 1)) for member in members(structure))

    def append(value: Any, out: list[str]) -> None:
        out.append(opening)
        before = len(out)
        for get, append_part in parts:
            part = get(value)
            if part is not None:
                append_part(part, out)
        if len(out) == before:
            out[-1] = empty
        else:
            out.append(closing)

    return append


def _list(name: str, element: Shape, depth: int) -> Append:
    opening, closing, empty = _tags(name, depth)
    append_member = _element("member", element, depth + 1)

    def append(value: Any, out: list[str]) -> None:
        if not value:
            out.append(empty)
            return
        out.append(opening)
        for member in value:
            append_member(member, out)
        out.append(closing)

    return append


def _map(name: str, element: Shape, depth: int) -> Append:
    opening, closing, empty = _tags(name, depth)
    entry_opening, entry_closing, _ = _tags("entry", depth + 1)
    append_key = _scalar("key", escaped, depth + 2)
    append_value = _element("value", element, depth + 2)

    def append(value: Any, out: list[str]) -> None:
        if not value:
            out.append(empty)
            return
        out.append(opening)
        for key, item in value.items():
            out.append(entry_opening)
            append_key(key, out)
            append_value(item, out)
            out.append(entry_closing)
        out.append(closing)

    return append
