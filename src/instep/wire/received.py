"""The request as it arrived, out of WSGI's environment (PEP 3333), within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instep.api.common import MalformedQueryString, RequestEntityTooLarge
from instep.domain.sigv4 import HTTPRequest

BODY_LIMIT = 1024 * 1024
"""Bytes.  AWS takes 10,000,000; the largest request of these two services is a policy of some ten thousand."""

_BARE_HEADERS = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


def received(environ: Mapping[str, Any]) -> HTTPRequest:
    """The request of `environ`, its body read.

    Raises RequestEntityTooLarge for a body of more than BODY_LIMIT bytes, of which no more is read than shows it, and
    MalformedQueryString for one that ends early, since what its sender meant to say is then unknown.
    """
    return HTTPRequest(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"] or "/",
        query=environ.get("QUERY_STRING", ""),
        headers=_headers(environ),
        body=_body(environ),
    )


def _headers(environ: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    # A slice, as the server puts all of its own environment in there as well: much is looked at, little is taken.
    named = [(name[5:].replace("_", "-").lower(), value) for name, value in environ.items() if name[:5] == "HTTP_"]
    # Servers give an empty string for these two where the client sent none.
    named += [(header, environ[name]) for name, header in _BARE_HEADERS.items() if environ.get(name)]
    return tuple(named)


def _body(environ: Mapping[str, Any]) -> bytes:
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared:
        if not (declared.isascii() and declared.isdecimal()):
            raise MalformedQueryString("The Content-Length of the request is not a number.")
        # Told apart by the number of digits first, as int() refuses thousands of them.
        digits = declared.lstrip("0")
        if len(digits) > len(str(BODY_LIMIT)) or int(digits or "0") > BODY_LIMIT:
            raise RequestEntityTooLarge
        length = int(digits or "0")
        body = _read(environ["wsgi.input"], length)
        if len(body) < length:
            raise MalformedQueryString("The body of the request is shorter than its Content-Length.")
        return body
    if environ.get("wsgi.input_terminated"):
        # A chunked body: only a server that ends the stream itself may be read to the end, any other would wait for ever.
        body = _read(environ["wsgi.input"], BODY_LIMIT + 1)
        if len(body) > BODY_LIMIT:
            raise RequestEntityTooLarge
        return body
    return b""


def _read(stream: Any, length: int) -> bytes:
    """At most `length` bytes of `stream`, and fewer only at its end; one read() may give less than it was asked for."""
    parts: list[bytes] = []
    while length > 0 and (part := stream.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
