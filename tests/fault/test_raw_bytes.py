"""Bytes that no client of AWS would send, over real connections: none is the service's fault, none stops it."""

from __future__ import annotations

import random
import re
import select
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from xml.etree import ElementTree as ET

import pytest

from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from tests.fault.crowd import admin_client, admin_keys, enabled_device
from tests.fault.nonsense import Nonsense, Phone, Wild
from tests.fault.signed import FORM, Keys, form, raw_request
from tests.support.server import Server

SEED = 20261124
REQUESTS = 500
GRACE = 0.05
# Of an answer's beginning, wherever it stands among what a connection brought.
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("raw")) as server:
        yield server
        server.stop()


def exchange(server: Server, sent: bytes, *, ends: bool = True) -> bytes:
    """All that comes back until the server hangs up; it may do so long before it has read everything.

    With `ends` it is told that nothing more will come, once it answers or had time to: it gives up on what it has not answered.
    """
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            connection.sendall(sent)
            if ends:
                select.select([connection], [], [], GRACE)
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


class Bytes:
    """Makes what is sent, from `seed` alone."""

    def __init__(self, seed: int, server: Server) -> None:
        self.random = random.Random(seed)
        self._keys = admin_keys(server)
        self._host = f"localhost:{server.port}"
        device = PracticeDevice("Nobody", Token(bytes(20)))
        phone = Phone(b"Nobody", b"GAHT12345678", lambda choose: (device.token.code(1), device.token.code(2)))
        self._nonsense = Nonsense(seed, [self._keys], [phone])

    def make(self) -> bytes:
        makers: tuple[Callable[[], bytes], ...] = (
            self._wild,
            self._cut,
            self._flipped,
            self._chunked,
            self._odd_head,
            self._noise,
            self._several,
        )
        return self.random.choices(makers, (40, 12, 12, 10, 14, 6, 6))[0]()

    def _signed(self) -> bytes:
        name = f"raw-{self.random.randrange(10**9)}"
        return raw_request(self._keys, "iam:CreateUser", {"UserName": name, "Path": "/raw/"}, host=self._host)

    def _wild(self) -> bytes:
        wild: Wild = self._nonsense.request()
        target = (wild.path + (f"?{wild.query}" if wild.query else "")).encode("latin-1", "replace")
        headers = b"".join(f"{name}: {value}\r\n".encode("latin-1", "replace") for name, value in wild.headers)
        length = f"content-length: {wild.length}\r\n".encode() if wild.length else b""
        return wild.method.encode() + b" " + target + b" HTTP/1.1\r\n" + headers + length + b"\r\n" + wild.body

    def _cut(self) -> bytes:
        whole = self._signed()
        return whole[: self.random.randrange(len(whole))]

    def _flipped(self) -> bytes:
        whole = bytearray(self._signed())
        for _ in range(self.random.choice((1, 1, 2, 20))):
            whole[self.random.randrange(len(whole))] = self.random.randrange(256)
        return bytes(whole)

    def _chunked(self) -> bytes:
        """Bodies in pieces, well formed or not; some with a length beside."""
        body = form("iam:CreateUser", {"UserName": f"chunk-{self.random.randrange(10**9)}"})
        headers = "".join(f"{name}: {value}\r\n" for name, value in self._keys.headers(body, host=self._host).items())
        size = self.random.choice((f"{len(body):x}", "0", "-1", "fffffffffffffffff", "zz", f"{len(body):x};ext=1", ""))
        end = self.random.choice((b"\r\n0\r\n\r\n", b"\r\n0\r\nX-Trailer: 1\r\n\r\n", b"\r\n", b""))
        length = self.random.choice(("", f"Content-Length: {len(body)}\r\n", "Content-Length: 3\r\n"))
        head = f"POST / HTTP/1.1\r\n{headers}{length}Transfer-Encoding: chunked\r\n\r\n{size}\r\n"
        return head.encode() + body + end

    def _odd_head(self) -> bytes:
        body = form("iam:ListUsers", {})
        signed = "".join(f"{name}: {value}\r\n" for name, value in self._keys.headers(body, host=self._host).items())
        line, more = self.random.choice(
            (
                ("POST / HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6\r\n"),
                ("POST / HTTP/1.0", ""),
                ("POST / HTTP/3.7", ""),
                ("POST /", ""),
                ("POST  /  HTTP/1.1", ""),
                ("PRI * HTTP/2.0", ""),
                ("POST / HTTP/1.1", "X: " + "x" * 200_000 + "\r\n"),
                ("POST / HTTP/1.1", "".join(f"X-{number}: {number}\r\n" for number in range(2000))),
                ("POST / HTTP/1.1", "X: a\r\n folded\r\n"),
                ("POST / HTTP/1.1", "X : space\r\n"),
                ("POST / HTTP/1.1", ": nameless\r\n"),
                ("POST / HTTP/1.1", "X: \0\r\n"),
                ("POST / HTTP/1.1", "Host: other.example\r\n"),
                ("POST / HTTP/1.1", "Expect: 100-continue\r\n"),
                ("POST / HTTP/1.1", "Upgrade: websocket\r\nConnection: upgrade\r\n"),
                ("POST / HTTP/1.1", "Upgrade: h2c\r\nConnection: upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"),
                ("POST /" + "?" * 100_000 + " HTTP/1.1", ""),
                ("CONNECT example.com:443 HTTP/1.1", ""),
                ("OPTIONS * HTTP/1.1", ""),
            )
        )
        return f"{line}\r\n{signed}{more}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body

    def _noise(self) -> bytes:
        noise = self.random.randbytes(self.random.randrange(5000))
        return (
            self.random.choice((b"", b"\r\n" * 50, b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 4000\r\n\r\n"))
            + noise
        )

    def _several(self) -> bytes:
        """One after the other, none awaited."""
        return self._signed() + self._flipped() + self._signed() + self._cut()


def test_no_bytes_whatsoever_are_the_services_fault(server: Server) -> None:
    made = Bytes(SEED, server)
    statuses: Counter[int] = Counter()
    for number in range(REQUESTS):
        sent = made.make()
        received = exchange(server, sent)
        told = f"seed {SEED}, request {number}: {sent[:1000]!r}\nanswered {received[:2000]!r}"
        found = [int(status) for status in _STATUS.findall(received)]
        assert all(status < 500 for status in found), told
        assert b"Traceback" not in received, told
        assert not received or found, told
        if len(found) == 1 and found[0] >= 200:
            head, _, body = received.partition(b"\r\n\r\n")
            # What is no HTTP at all is refused before there is a request to be named.
            assert b"x-amzn-requestid" in head or (not body and found[0] in (400, 414, 431, 505)), told
            if body:
                ET.fromstring(body)
        statuses.update(found)
    assert {200, 400, 403, 404, 405} <= statuses.keys()
    assert statuses.total() > REQUESTS / 2
    assert '"level":"error"' not in server.log_text()
    assert "Traceback" not in server.log_text()
    with admin_client(server) as admin:
        admin.done("iam:CreateUser", UserName="After-all-this")
        enabled_device(admin, "After-all-this", "After-all-this")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"Action=ListUsers&Version=2010-05-08&" + b"a=b&" * 100_000, 400),
        (b"Action=ListUsers&Version=2010-05-08&A=" + b"a" * 10_000_000, 413),
    ],
    ids=["100,000 parameters", "10 MB"],
)
def test_what_is_far_too_large_is_refused(server: Server, body: bytes, status: int) -> None:
    headers = admin_keys(server).headers(body, host=f"localhost:{server.port}", content_type=FORM)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    head = f"POST / HTTP/1.1\r\n{lines}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    received = exchange(server, head.encode() + body, ends=False)

    assert [int(found) for found in _STATUS.findall(received)] == [status]
    assert b"x-amzn-requestid" in received


def test_a_client_that_hangs_up_costs_nobody_anything(server: Server) -> None:
    whole = raw_request(Keys("AKIAIOSFODNN7EXAMPLE", "x"), "iam:ListUsers", {}, host=f"localhost:{server.port}")
    idle = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(50)]
    try:
        for connection in idle:
            connection.sendall(whole[:-5])
        with admin_client(server) as admin:
            admin.done("iam:ListUsers")
    finally:
        for connection in idle:
            connection.close()
    with admin_client(server) as admin:
        admin.done("iam:ListUsers")
