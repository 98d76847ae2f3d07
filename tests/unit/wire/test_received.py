from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from instep.api.common import MalformedQueryString, RequestEntityTooLarge
from instep.wire.received import BODY_LIMIT, received


class Stream:
    """A body that arrives in pieces, and says how much of it was read; without `end`, reading past it would wait for ever."""

    def __init__(self, body: bytes, *, piece: int = 1 << 16, end: bool = True) -> None:
        self._rest = BytesIO(body)
        self._left = len(body)
        self._piece = piece
        self._end = end
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "a read without bounds"
        assert self._left or self._end, "a read past the end"
        part = self._rest.read(min(size, self._piece))
        self._left -= len(part)
        self.read_bytes += len(part)
        return part


def environ(stream: Stream, **others: Any) -> dict[str, Any]:
    return {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": "", "wsgi.input": stream, **others}


def test_a_request_is_as_it_came() -> None:
    request = received(
        environ(
            Stream(b"Action=A", end=False),
            QUERY_STRING="a=%2F&b=+",
            CONTENT_LENGTH="8",
            CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8",
            HTTP_HOST="localhost:8700",
            HTTP_X_AMZ_DATE="20261123T151532Z",
            HTTP_X_NOTE="\xe6\x9d\xb1",
            SERVER_NAME="localhost",
        )
    )

    assert (request.method, request.path, request.query, request.body) == ("POST", "/", "a=%2F&b=+", b"Action=A")
    assert dict(request.headers) == {
        "host": "localhost:8700",
        "x-amz-date": "20261123T151532Z",
        "x-note": "\xe6\x9d\xb1",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "content-length": "8",
    }


def test_headers_that_were_not_sent_are_not_there() -> None:
    request = received(environ(Stream(b""), CONTENT_TYPE="", CONTENT_LENGTH=""))

    assert request.headers == ()
    assert request.body == b""


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_body_may_arrive_in_pieces(piece: int) -> None:
    body = b"0123456789" * 100

    assert received(environ(Stream(body, piece=piece, end=False), CONTENT_LENGTH="1000")).body == body
    assert received(environ(Stream(body, piece=piece), **{"wsgi.input_terminated": True})).body == body


def test_a_body_at_the_limit_is_read() -> None:
    body = bytes(BODY_LIMIT)

    assert received(environ(Stream(body, end=False), CONTENT_LENGTH=str(BODY_LIMIT))).body == body
    assert received(environ(Stream(body), **{"wsgi.input_terminated": True})).body == body


@pytest.mark.parametrize("length", [str(BODY_LIMIT + 1), "10000000", "9" * 100_000])
def test_a_body_said_to_be_longer_is_refused_unread(length: str) -> None:
    stream = Stream(bytes(100))

    with pytest.raises(RequestEntityTooLarge):
        received(environ(stream, CONTENT_LENGTH=length))

    assert stream.read_bytes == 0


def test_of_a_longer_body_of_unsaid_length_no_more_is_read_than_shows_it() -> None:
    stream = Stream(bytes(10_000_000))

    with pytest.raises(RequestEntityTooLarge):
        received(environ(stream, **{"wsgi.input_terminated": True}))

    assert stream.read_bytes == BODY_LIMIT + 1


def test_nothing_is_awaited_from_a_server_that_does_not_end_the_stream() -> None:
    stream = Stream(b"Action=A", end=False)

    assert received(environ(stream)).body == b""
    assert stream.read_bytes == 0


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ("9", "shorter than its Content-Length"),
        ("1000000", "shorter than its Content-Length"),
        ("-1", "not a number"),
        ("+8", "not a number"),
        ("8_0", "not a number"),
        ("８", "not a number"),
        ("8, 8", "not a number"),
        ("abc", "not a number"),
    ],
)
def test_a_body_that_is_not_as_long_as_it_says_is_refused(length: str, said: str) -> None:
    with pytest.raises(MalformedQueryString, match=said):
        received(environ(Stream(b"Action=A"), CONTENT_LENGTH=length))


def test_leading_zeros_of_a_length_mean_nothing() -> None:
    assert received(environ(Stream(b"Action=A", end=False), CONTENT_LENGTH="0" * 6_000 + "8")).body == b"Action=A"
    assert received(environ(Stream(b"", end=False), CONTENT_LENGTH="000")).body == b""
