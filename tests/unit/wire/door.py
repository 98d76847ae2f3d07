"""A stand-in for the gate, and a client of the wire in front of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import falcon
from falcon.testing import Result, TestClient

from instep.api.common import AWSError, InvalidAction
from instep.api.iam import IAM, ListMFADevicesResponse, MFADevice
from instep.api.sts import STS, GetCallerIdentityResponse
from instep.domain.identity import Principal
from instep.services.gate import Answer, Request
from instep.wire.resource import QueryResource

REQUEST_ID = "7a62c49f-347e-4fc4-9331-6e8e4a1b2c3d"
NOW = datetime(2026, 11, 23, 15, 15, 32, 123_456, tzinfo=UTC)
ROOT = Principal.root("123456789012")
FORM = "application/x-www-form-urlencoded; charset=utf-8"
DEVICES = ListMFADevicesResponse(
    is_truncated=False,
    mfa_devices=(
        MFADevice(
            user_name="Bob",
            serial_number="arn:aws:iam::123456789012:mfa/Bob",
            enable_date=datetime(2019, 10, 28, 20, 37, 9, tzinfo=UTC),
        ),
    ),
)
IDENTITY = GetCallerIdentityResponse(user_id="123456789012", account="123456789012", arn=ROOT.arn)


class Teapot(AWSError):
    code = "Teapot"
    status = 418


class Door:
    """Stands in for the gate: keeps what it was asked and answers as it was told."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda request: Answer(None, {}, ROOT)

    def run(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answer(request)

    def answers(self, result: object | None, headers: dict[str, str] | None = None) -> None:
        self.answer = lambda request: Answer(result, headers or {}, ROOT)

    def raises(self, error: Exception) -> None:
        def refuse(request: Request) -> Answer:
            raise error

        self.answer = refuse

    def finds_no_operation(self) -> None:
        """As the gate words it, so that the whole document can be seen here."""

        def refuse(request: Request) -> Answer:
            version = "NO_VERSION_SPECIFIED" if request.version is None else request.version
            raise InvalidAction(f"Could not find operation {request.action} for version {version}")

        self.answer = refuse


def client_of(door: Door) -> TestClient:
    resource = QueryResource(
        door, (IAM, STS), region="us-east-1", clock=lambda: NOW, new_request_id=lambda: REQUEST_ID, turns=nullcontext()
    )
    app = falcon.App()
    app.add_route("/", resource)
    app.add_sink(resource.refuse_path, "")
    return TestClient(app)


def post(client: TestClient, body: str | bytes, **others: Any) -> Result:
    return client.simulate_post("/", body=body, **{"headers": {"Content-Type": FORM}, **others})


def fault_document(code: str, message: str) -> str:
    return (
        '<ErrorResponse xmlns="http://webservices.amazon.com/AWSFault/2005-15-09">\n'
        "  <Error>\n"
        "    <Type>Sender</Type>\n"
        f"    <Code>{code}</Code>\n"
        f"    <Message>{message}</Message>\n"
        "  </Error>\n"
        f"  <RequestId>{REQUEST_ID}</RequestId>\n"
        "</ErrorResponse>\n"
    )
