"""Requests signed as AWS's own clients sign them, ready to be sent in whatever way a test likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from typing import Self
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from botocore import credentials as botocore_credentials
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest

from instep.services.operation import SERVICES

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Keys:
    """What a client signs with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def _signing(self) -> botocore_credentials.Credentials:
        return botocore_credentials.Credentials(self.access_key_id, self.secret_access_key, self.session_token)

    def headers(
        self, body: bytes, *, host: str, service: str = "iam", method: str = "POST", target: str = "/", content_type: str = FORM
    ) -> dict[str, str]:
        """The headers of a request to `host` (with its port), signed now."""
        request = AWSRequest(method=method, url=f"http://{host}{target}", data=body, headers={"Content-Type": content_type})
        SigV4Auth(self._signing(), service, "us-east-1").add_auth(request)
        return {"Host": host, **dict(request.headers.items())}

    def presigned(self, query: str, *, host: str, service: str = "iam") -> str:
        """The target of a GET signed in its query string, good for an hour."""
        request = AWSRequest(method="GET", url=f"http://{host}/?{query}")
        SigV4QueryAuth(self._signing(), service, "us-east-1").add_auth(request)
        return f"/?{urlsplit(str(request.url)).query}"


def form(action: str, parameters: Mapping[str, object]) -> bytes:
    """The body that asks for `iam:ListUsers` and its like."""
    service, _, name = action.partition(":")
    return urlencode({"Action": name, "Version": SERVICES[service].version, **parameters}).encode()


def raw_request(keys: Keys, action: str, parameters: Mapping[str, object], *, host: str) -> bytes:
    """A whole signed HTTP/1.1 request, for a connection that stays open."""
    body = form(action, parameters)
    headers = keys.headers(body, host=host, service=action.partition(":")[0])
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    return f"POST / HTTP/1.1\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @cached_property
    def document(self) -> ET.Element:
        return ET.fromstring(self.body)

    def text(self, name: str) -> str:
        """What stands in the first element of that name."""
        found = next((element for element in self.document.iter() if element.tag.endswith("}" + name)), None)
        assert found is not None, self.document
        return found.text or ""

    def texts(self, name: str) -> list[str]:
        return [element.text or "" for element in self.document.iter() if element.tag.endswith("}" + name)]

    @property
    def code(self) -> str:
        """The error's code, empty for a success."""
        return "" if self.status == 200 else self.text("Code")


class Client:
    """One connection to a served product, opened on first use; for one thread at a time.

    A lost or refused connection shows as OSError or HTTPException, and nothing is ever sent twice.
    """

    def __init__(self, endpoint: str, keys: Keys) -> None:
        self.host = urlsplit(endpoint).netloc
        self.keys = keys
        self._connection = HTTPConnection(self.host, timeout=60)

    def connect(self) -> None:
        self._connection.connect()

    def call(self, action: str, /, **parameters: object) -> Reply:
        body = form(action, parameters)
        return self.send(body, self.keys.headers(body, host=self.host, service=action.partition(":")[0]))

    def done(self, action: str, /, **parameters: object) -> Reply:
        """The same, for what has to succeed."""
        reply = self.call(action, **parameters)
        assert reply.status == 200, (action, reply.status, reply.body)
        return reply

    def send(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        self._connection.request("POST", "/", body, dict(headers))
        response = self._connection.getresponse()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
