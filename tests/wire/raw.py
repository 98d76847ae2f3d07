"""Bytes to and from the served product, without a client's good manners."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.client import HTTPResponse
from typing import Any, Self
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree as ET

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.server import PATIENCE, Server

FORM = "application/x-www-form-urlencoded; charset=utf-8"
IAM_VERSION, STS_VERSION = "2010-05-08", "2011-06-15"
IAM_SPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
STS_SPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
FAULT_SPACE = "http://webservices.amazon.com/AWSFault/2005-15-09"


def iam_form(action: str, **parameters: str) -> bytes:
    return urlencode({"Action": action, "Version": IAM_VERSION, **parameters}).encode()


def sts_form(action: str, **parameters: str) -> bytes:
    return urlencode({"Action": action, "Version": STS_VERSION, **parameters}).encode()


def error_document(space: str, code: str, message: str, request_id: str) -> bytes:
    """As it has to be, byte for byte; `message` as XML."""
    return (
        f'<ErrorResponse xmlns="{space}">\n'
        "  <Error>\n"
        "    <Type>Sender</Type>\n"
        f"    <Code>{code}</Code>\n"
        f"    <Message>{message}</Message>\n"
        "  </Error>\n"
        f"  <RequestId>{request_id}</RequestId>\n"
        "</ErrorResponse>\n"
    ).encode()


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def request_id(self) -> str:
        return self.headers["x-amzn-requestid"]

    @cached_property
    def document(self) -> ET.Element:
        assert self.headers["content-type"] == "text/xml"
        return ET.fromstring(self.body)

    def text(self, name: str) -> str:
        """What stands in the first element of that name."""
        found = next((element for element in self.document.iter() if element.tag.endswith("}" + name)), None)
        assert found is not None, self.body
        return found.text or ""

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Its status, code and message."""
        assert self.status >= 400, self.body
        assert self.text("RequestId") == self.request_id
        message = self.text("Message") if b"<Message>" in self.body else ""
        return self.status, self.text("Code"), message


class Line:
    """One connection to the served product."""

    def __init__(self, server: Server) -> None:
        self.host = f"localhost:{server.port}"
        self._socket = socket.create_connection(("localhost", server.port), PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """As far as the other side takes it."""
        with contextlib.suppress(ConnectionError):
            self._socket.sendall(data)

    def hang_up_half(self) -> None:
        """Nothing more will be sent, but an answer can still be heard."""
        self._socket.shutdown(socket.SHUT_WR)

    def reply(self, method: str = "POST") -> Reply:
        """The next one; `method` is what was asked with."""
        response = HTTPResponse(self._socket, method=method)
        response.begin()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def ask(self, method: str, target: str = "/", headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Reply:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items() if name.lower() != "host"]
        if body is not None and not any(line.lower().startswith("transfer-encoding:") for line in lines):
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))
        return self.reply(method)

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Form-encoded, unless `headers` say something else."""
        return self.ask("POST", "/", {"Content-Type": FORM, **(headers or {})}, body)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs as botocore does, and wrongly where a test wants it so; `late` is how far its clock is off."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    service: str = "iam"
    region: str = "us-east-1"
    late: timedelta = timedelta(0)

    def headers(self, host: str, body: bytes, *, method: str = "POST", target: str = "/", **more: str) -> dict[str, str]:
        """Those of a request, signed; `more` are further ones, with underscores for hyphens in their names."""
        given = {"Content-Type": FORM, **{name.replace("_", "-"): value for name, value in more.items()}}
        request: Any = AWSRequest(method=method, url=f"http://{host}{target}", data=body, headers=given)
        self._sign(SigV4Auth(self._credentials(), self.service, self.region), request)
        return {"Host": host, **dict(request.headers.items())}

    def presigned(self, host: str, form: bytes, *, seconds: int) -> str:
        """The target of a GET with its signature in the query, good for so many seconds."""
        request: Any = AWSRequest(method="GET", url=f"http://{host}/?{form.decode()}")
        self._sign(SigV4QueryAuth(self._credentials(), self.service, self.region, expires=seconds), request)
        return f"/?{urlsplit(request.url).query}"

    def _credentials(self) -> Credentials:
        return Credentials(self.access_key_id, self.secret_access_key, self.session_token)

    def _sign(self, auth: Any, request: Any) -> None:
        """What `add_auth` does, at another time."""
        request.context["timestamp"] = f"{datetime.now(UTC) + self.late:%Y%m%dT%H%M%SZ}"
        auth._modify_request_before_signing(request)
        text = auth.string_to_sign(request, auth.canonical_request(request))
        auth._inject_signature_to_request(request, auth.signature(text, request))

    def post(self, line: Line, body: bytes) -> Reply:
        return line.post(body, self.headers(line.host, body))
