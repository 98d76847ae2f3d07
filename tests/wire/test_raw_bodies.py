"""Bodies of every kind, as the served product takes or refuses them; and whatever else arrives at its port."""

from __future__ import annotations

import uuid

import pytest

from tests.support.server import Server
from tests.wire.people import Account
from tests.wire.raw import FORM, Line, Signer, iam_form, sts_form

MEBIBYTE = 1024 * 1024
WHO_AM_I = sts_form("GetCallerIdentity")


def padded(form: bytes, length: int) -> bytes:
    """`form` with an unknown parameter that fills it up to `length` bytes."""
    return form + b"&Padding=" + b"x" * (length - len(form) - len(b"&Padding="))


def test_a_body_of_a_mebibyte_is_read_and_one_byte_more_is_refused(server: Server, admins_sts: Signer) -> None:
    with Line(server) as line:
        assert admins_sts.post(line, padded(WHO_AM_I, MEBIBYTE)).status == 200
    with Line(server) as line:
        reply = admins_sts.post(line, padded(WHO_AM_I, MEBIBYTE + 1))
    assert (reply.status, reply.body) == (413, b"")
    assert uuid.UUID(reply.request_id).version == 4


def test_ten_megabytes_are_refused_without_being_waited_for(line: Line) -> None:
    # Nothing of the body was sent yet, and the answer is there all the same.
    line.send(f"POST / HTTP/1.1\r\nHost: {line.host}\r\nContent-Type: {FORM}\r\nContent-Length: 10000000\r\n\r\n".encode())
    reply = line.reply()

    line.send(padded(WHO_AM_I, 10_000_000))

    assert (reply.status, reply.body) == (413, b"")


def in_chunks(body: bytes, size: int) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in [*parts, b""])


def test_a_body_may_come_in_chunks_up_to_the_same_length(server: Server, account: Account, admins_sts: Signer) -> None:
    chunked = {"Transfer-Encoding": "chunked"}
    with Line(server) as line:
        reply = line.post(in_chunks(WHO_AM_I, 7), {**admins_sts.headers(line.host, WHO_AM_I), **chunked})
        assert (reply.status, reply.text("Account")) == (200, account.account_id)
        assert admins_sts.post(line, WHO_AM_I).status == 200
    with Line(server) as line:
        reply = line.post(in_chunks(padded(WHO_AM_I, MEBIBYTE + 1), 65536), chunked)
    assert (reply.status, reply.body) == (413, b"")


def test_a_body_that_ends_early_does_nothing(server: Server, account: Account, admin: Signer) -> None:
    name = account.name()
    body = iam_form("CreateUser", UserName=name)
    with Line(server) as line:
        headers = {**admin.headers(line.host, body), "Content-Length": str(len(body))}
        head = "".join(f"{header}: {value}\r\n" for header, value in headers.items())
        line.send(f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body[:-1])
        line.hang_up_half()
        told = line.reply().refusal
    assert told == (400, "MalformedQueryString", "The body of the request is shorter than its Content-Length.")
    with Line(server) as line:
        headers = {**admin.headers(line.host, body), "Transfer-Encoding": "chunked"}
        head = "".join(f"{header}: {value}\r\n" for header, value in headers.items())
        line.send(f"POST / HTTP/1.1\r\n{head}\r\n".encode() + in_chunks(body[:-1], 10)[:-5])
        line.hang_up_half()
        assert line.reply().status in (400, 403)
    assert name not in {user["UserName"] for page in account.iam.get_paginator("list_users").paginate() for user in page["Users"]}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"Action=\xff\xfe", "The request holds bytes that are not UTF-8."),
        (b"Action=ListUsers&Marker=%80", "The request holds bytes that are not UTF-8."),
        (b"Action=%zz", "The request holds a percent sign that two hexadecimal digits do not follow."),
        (b"Action=ListUsers&Marker=%", "The request holds a percent sign that two hexadecimal digits do not follow."),
        (b"a=1&" * 100_000, "The request holds more than 10000 parameters."),
    ],
    ids=["not UTF-8", "escaped, not UTF-8", "no escape", "half an escape", "100,000 parameters"],
)
def test_a_form_that_cannot_be_read_is_refused(line: Line, body: bytes, sentence: str) -> None:
    assert line.post(body).refusal == (400, "MalformedQueryString", sentence)


@pytest.mark.parametrize("body", [b'{"Action": "ListUsers"}', b"\x00\x01\x02", b"&&&===&", b"<xml/>", b""])
def test_a_form_without_an_action_is_sent_to_the_product_page(line: Line, body: bytes) -> None:
    reply = line.post(body)

    assert (reply.status, reply.headers["location"], reply.body) == (302, "https://aws.amazon.com/iam", b"")


def test_a_connection_goes_on_after_errors(line: Line, admin: Signer, admins_sts: Signer) -> None:
    statuses = [
        admins_sts.post(line, WHO_AM_I).status,
        line.post(b"Action=%zz").status,
        line.post(WHO_AM_I).status,
        line.ask("GET", "/x").status,
        line.ask("PUT").status,
        line.ask("GET").status,
        admin.post(line, WHO_AM_I).status,
        admin.post(line, iam_form("GetUser", UserName="nobody-at-all")).status,
        admin.post(line, iam_form("NoSuchAction")).status,
        admins_sts.post(line, WHO_AM_I).status,
    ]

    assert statuses == [200, 400, 403, 404, 405, 302, 403, 404, 400, 200]


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nNo colon here\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_does_no_harm(server: Server, admins_sts: Signer, head: bytes) -> None:
    with Line(server) as line:
        line.send(head)
        assert line.reply().status == 400
    with Line(server) as line:
        assert admins_sts.post(line, WHO_AM_I).status == 200


def test_a_client_that_leaves_before_its_answer_does_no_harm(server: Server, admins_sts: Signer) -> None:
    for _ in range(20):
        with Line(server) as line:
            headers = admins_sts.headers(line.host, WHO_AM_I)
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            line.send(f"POST / HTTP/1.1\r\n{head}Content-Length: {len(WHO_AM_I)}\r\n\r\n".encode() + WHO_AM_I)
    with Line(server) as line:
        assert admins_sts.post(line, WHO_AM_I).status == 200
