"""Random requests: most of them signed and nearly right, since what is refused at the door tests nothing behind it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote_from_bytes

import instep.services.operations  # noqa: F401  (registers every operation)
from instep.api.shape import Kind, Shape, members
from instep.services.operation import REGISTRY, SERVICES, Operation
from tests.fault import words
from tests.fault.signed import Keys

HOST = "localhost:8700"
Pairs = list[tuple[bytes, bytes]]

_HARVESTED = re.compile(rb"<(UserName|SerialNumber|AccessKeyId|Marker|VersionId)>([^<]+)</")


@dataclass(frozen=True, slots=True)
class Phone:
    """A device that requests may name, with the user who holds it or shall; `codes` shows a pair, a good one at best."""

    user_name: bytes
    serial_number: bytes
    codes: Callable[[random.Random], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Wild:
    """One request: `headers` in order, names in lower case; a `length` that is not the body's is a lie told on purpose."""

    what: str
    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    length: str

    def __str__(self) -> str:
        head = f"{self.method[:40]} {self.path[:80]!r} ?{self.query[:500]!r} length {self.length[:40]!r}"
        return f"{self.what}: {head}, body {self.body[:600]!r}"


class Nonsense:
    """Makes requests, from `seed` alone and what it has been answered.

    `signers` are weighted by how often they stand in there; their own keys are never named in a request, so that none of it ends
    the run by deleting them.
    """

    def __init__(self, seed: int, signers: Sequence[Keys], phones: Sequence[Phone]) -> None:
        self.random = random.Random(seed)
        self._signers = signers
        self._phones = phones
        self._own = {keys.access_key_id.encode() for keys in signers}
        self.operations: list[Operation] = [
            REGISTRY[name] for name in sorted(REGISTRY) if name.partition(":")[0] in ("iam", "sts")
        ]
        self._unreached = {operation.action for operation in self.operations}
        self._known = {name: list(values) for name, values in words.KNOWN.items()}

    def know(self, name: str, value: bytes) -> None:
        """A value of the member `name` that fits, as no guessing finds it."""
        self._known.setdefault(name, []).insert(0, value)

    def learn(self, what: str, status: int, body: bytes) -> None:
        """Names from an answer, for later requests, and which operations have been got through to."""
        if status == 200:
            self._unreached.discard(what)
        for name, value in _HARVESTED.findall(body):
            known = self._known[name.decode()]
            if value in self._own:
                continue
            if len(known) < 200:
                known.append(value)
            else:
                known[self.random.randrange(200)] = value

    def request(self) -> Wild:
        kinds = (self._operation, self._rubbish, self._tampered, self._query, self._anything)
        kind: Callable[[], Wild] = self.random.choices(kinds, (76, 6, 6, 7, 5))[0]
        return kind()

    def _operation(self, what: str = "") -> Wild:
        """A signed call of an operation, its parameters more or less spoiled."""
        operation = self.random.choice(self.operations)
        if self._unreached and self.random.random() < 0.5:
            operation = REGISTRY[self.random.choice(sorted(self._unreached))]
        body = self._form(operation)
        return self._signed(what or operation.action, operation.service, body)

    def _rubbish(self) -> Wild:
        """Properly signed, whatever it is."""
        body = self.random.choice(
            (
                lambda: self.random.randbytes(self.random.randrange(2000)),
                lambda: b"Action=" + self._nasty() + b"&Version=" + self._nasty(),
                lambda: b"&".join([b"a=b"] * self.random.choice((9_000, 12_000))),
                lambda: b"=" * self.random.randrange(3000) + b"&" * self.random.randrange(3000),
                lambda: b"%" * self.random.randrange(1, 100),
            )
        )()
        return self._signed("rubbish", self.random.choice(("iam", "sts", "s3", "")), body)

    def _tampered(self) -> Wild:
        """A signed call with something changed after signing."""
        wild = self._operation("tampered")
        headers = dict(wild.headers)
        body, length = wild.body, wild.length
        match self.random.randrange(5):
            case 0:
                headers["authorization"] = self._spoil(headers["authorization"].encode()).decode("latin-1")
            case 1:
                headers[self.random.choice(words.HEADER_NAMES)] = self._nasty().decode("latin-1").replace("\r\n", "")
            case 2:
                headers.pop(self.random.choice(list(headers)))
            case 3:
                body = body[: self.random.randrange(len(body) + 1)]
            case _:
                length = self.random.choice(("", "-1", "1e3", "0", "00000005", "9" * 30, "１２", "1048577", str(len(body) + 1)))
        return Wild(wild.what, wild.method, wild.path, wild.query, list(headers.items()), body, length)

    def _query(self) -> Wild:
        """A GET, presigned or signed in its headers."""
        operation = self.random.choice(self.operations)
        query = self._form(operation).decode("latin-1")[:20_000]
        query = re.sub("[^!-~]", "", query).replace("#", "")
        keys = self.random.choice(self._signers)
        if self.random.random() < 0.5:
            target = keys.presigned(query, host=HOST, service=operation.service)
            target = target if self.random.random() < 0.8 else self._spoil(target.encode()).decode("latin-1")
            return Wild("presigned", "GET", "/", target.partition("?")[2], [("host", HOST)], b"", "")
        headers = keys.headers(b"", host=HOST, service=operation.service, method="GET", target=f"/?{query}")
        return Wild("GET", "GET", "/", query, [(name.lower(), value) for name, value in headers.items()], b"", "")

    def _anything(self) -> Wild:
        pick = self.random.choice
        names = self.random.choices(words.HEADER_NAMES, k=self.random.randrange(6))
        headers = {name: self._nasty().decode("latin-1") if name != "authorization" else pick(words.SCOPES) for name in names}
        headers["content-type"] = pick(words.CONTENT_TYPES)
        body = pick((b"", b"Action=ListUsers&Version=2010-05-08", self.random.randbytes(300), b"a" * 1_048_577))
        query = pick(("", "Action=ListUsers", "%", "a" * 5000, "\xc3\xa9=\xff", "Action=GetCallerIdentity&Version=2011-06-15"))
        length = pick((str(len(body)), str(len(body)), ""))
        clean = [(name, re.sub("[\r\n]", "", value)) for name, value in headers.items()]
        return Wild("anything", pick(words.METHODS), pick(words.PATHS), query, clean, body, length)

    def _signed(self, what: str, service: str, body: bytes) -> Wild:
        keys = self.random.choice(self._signers)
        headers = keys.headers(body, host=HOST, service=service)
        return Wild(what, "POST", "/", "", [(name.lower(), value) for name, value in headers.items()], body, str(len(body)))

    def _form(self, operation: Operation) -> bytes:
        name, version = operation.model.name, SERVICES[operation.service].version
        pairs: Pairs = [(b"Action", name.encode()), (b"Version", version.encode())]
        if operation.model.input is not None:
            pairs += self._structure(operation.model.input, "")
        if self.random.random() < 0.6:
            phone = self.random.choice(self._phones)
            first, second = (code.encode() for code in phone.codes(self.random))
            fitting = {
                b"UserName": phone.user_name,
                b"SerialNumber": phone.serial_number,
                b"AuthenticationCode1": first,
                b"AuthenticationCode2": second,
                b"TokenCode": second,
            }
            if any(key == b"SerialNumber" for key, _ in pairs):
                pairs = [(key, fitting.get(key, value)) for key, value in pairs]
        for _ in range(self.random.choices((0, 1, 2, 5), (25, 45, 20, 10))[0]):
            self._mutate(pairs)
        return b"&".join(self._encoded(key) + b"=" + self._encoded(value) for key, value in pairs)

    def _structure(self, structure: type[Any], prefix: str) -> Pairs:
        pairs: Pairs = []
        for member in members(structure):
            if member.required or self.random.random() < 0.4:
                pairs += self._value(member.shape, prefix + member.wire, member.wire)
        return pairs

    def _value(self, shape: Shape, name: str, wire: str) -> Pairs:
        count = self.random.choices((0, 1, 2, 51), (5, 60, 30, 5))[0]
        match shape:
            case Shape(kind=Kind.STRUCTURE, type=type() as structure):
                return self._structure(structure, f"{name}.")
            case Shape(kind=Kind.LIST, element=Shape() as element):
                return [pair for n in range(count) for pair in self._value(element, f"{name}.member.{n + 1}", wire)]
            case Shape(kind=Kind.MAP, element=Shape() as element):
                return [pair for n in range(count) for pair in self._value(element, f"{name}.entry.{n + 1}.value", wire)]
            case Shape(kind=Kind.ENUM, type=type() as enum):
                return [(name.encode(), self.random.choice([str(value) for value in enum]).encode())]
            case Shape(kind=Kind.INTEGER):
                known = self._known.get(wire, [b"1"])
                return [(name.encode(), self.random.choice(known))]
            case Shape(kind=Kind.BOOLEAN):
                return [(name.encode(), self.random.choice((b"true", b"false")))]
            case _:
                made = b"f%06d" % self.random.randrange(10**6) if "Code" not in wire else b"%06d" % self.random.randrange(10**6)
                known = self._known.get(wire, [])
                # What stands first fits best, and fits the other members.
                favorites = known[:3] if known and self.random.random() < 0.6 else [*known, made]
                return [(name.encode(), self.random.choice(favorites))]

    def _mutate(self, pairs: Pairs) -> None:
        """Spoil one thing; Action and Version only now and then."""
        at = (
            self.random.randrange(len(pairs))
            if self.random.random() < 0.1
            else self.random.randrange(min(2, len(pairs) - 1), len(pairs))
        )
        name, value = pairs[at]
        match self.random.randrange(9):
            case 0 | 1 | 2:
                pairs[at] = (name, self._nasty())
            case 3:
                del pairs[at]
                if not pairs:
                    pairs.append((b"", b""))
            case 4:
                pairs[at] = (name, self._spoil(value))
            case 5:
                pairs.append((name, self._nasty()))
            case 6:
                tail = self.random.choice(
                    (b".member.1", b".entry.1.key", b".1", b".member.-1.Key", b".member." + b"9" * 30, b".", b".member")
                )
                pairs.append((name + tail, self._nasty()))
            case 7:
                pairs.append((b".".join([name] * self.random.choice((3, 50, 50, 300))), value))
            case _:
                pairs[at] = (self._spoil(name), value)

    def _nasty(self) -> bytes:
        kind = self.random.random()
        if kind < 0.1:
            return self.random.choice(words.MALFORMED_POLICIES)
        return self.random.choice(words.NASTY) if kind < 0.8 else self.random.randbytes(self.random.randrange(1, 40))

    def _spoil(self, text: bytes) -> bytes:
        """A byte or two changed, added or lost."""
        spoiled = bytearray(text)
        for _ in range(self.random.choice((1, 1, 3))):
            at = self.random.randrange(len(spoiled) + 1)
            spoiled[at : at + self.random.randrange(2)] = bytes([self.random.randrange(256)]) * self.random.randrange(2)
        return bytes(spoiled)

    def _encoded(self, text: bytes) -> bytes:
        """As a form holds it; sometimes as it is."""
        return text if self.random.random() < 0.02 else _quoted(text)


@lru_cache(4096)
def _quoted(text: bytes) -> bytes:
    return quote_from_bytes(text).encode()


def environ_of(wild: Wild, stream: Any, errors: Any) -> dict[str, Any]:
    """What a server hands to the application (PEP 3333)."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": wild.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": wild.path,
        "QUERY_STRING": wild.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8700",
        "REMOTE_ADDR": "192.0.2.9",
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": wild.length,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": stream,
        "wsgi.errors": errors,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in wild.headers:
        if name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name != "content-length":
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ
