"""`/` for AWS clients: one request to the gate, one document back."""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote

import falcon
import structlog

from instep.api.common import AWSError, InvalidAction, RequestEntityTooLarge
from instep.api.errors import ServiceFailure
from instep.api.shape import OperationModel, ServiceModel
from instep.domain.sigv4 import HTTPRequest
from instep.services.faults import Fault
from instep.services.gate import Answer, Request
from instep.wire.query import loose, parse
from instep.wire.received import received
from instep.wire.xml import FAULT_NAMESPACE, error_document, result_document

FORM = "application/x-www-form-urlencoded"
PRODUCT_PAGE = "https://aws.amazon.com/iam"
"""Where AWS sends a browser that opens the API's address."""

_UNKNOWN_FAILURE = "The request processing has failed because of an unknown error, exception or failure."
# Everything a Location may hold as it stands; the rest of a query string is escaped.
_SAFE_IN_QUERY = "!$&'()*+,-./:;=?@_~%"

log = structlog.get_logger("instep.wire")


class Door(Protocol):
    """What stands behind the wire; `services.gate.Gate` is one."""

    def run(self, request: Request) -> Answer:
        """Answers `request`.  Raises AWSError or Fault."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: `error` is the code of a refusal, for the log."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None


@dataclass(slots=True)
class Exchange:
    """One request on its way, and what has been learnt of it so far."""

    request_id: str
    started: float
    service: ServiceModel | None = None
    operation: OperationModel | None = None
    principal: str | None = None

    @property
    def operation_name(self) -> str | None:
        """Such as `iam:ListUsers`.  None unless the model knows it: a stranger's Action may be anything, a password included."""
        if self.service is None or self.operation is None:
            return None
        return f"{self.service.name}:{self.operation.name}"


_PREFLIGHT = Reply(
    200,
    headers={"access-control-allow-origin": "*", "access-control-allow-methods": "POST", "access-control-max-age": "172800"},
)
_NO_SUCH_METHOD = Reply(405, headers={"allow": "GET, OPTIONS, POST"}, error="MethodNotAllowed")
_NO_SUCH_PATH = Reply(404, b"<UnknownOperationException/>", error="UnknownOperationException")


class QueryResource:
    """The resource of `/`.

    `services` are told apart by the Version a request names.  `region` appears in STS's extended request id only.  `turns` is
    entered for each request once it has been read.
    """

    def __init__(
        self,
        gate: Door,
        services: Iterable[ServiceModel],
        *,
        region: str,
        clock: Callable[[], datetime],
        new_request_id: Callable[[], str],
        turns: AbstractContextManager[None],
    ) -> None:
        self._gate = gate
        self._services = MappingProxyType({service.version: service for service in services})
        self._region = region
        self._clock = clock
        self._new_request_id = new_request_id
        self._turns = turns

    def on_get(self, http: falcon.Request, response: falcon.Response) -> None:
        self._exchange(http, response)

    def on_post(self, http: falcon.Request, response: falcon.Response) -> None:
        self._exchange(http, response)

    def on_options(self, http: falcon.Request, response: falcon.Response) -> None:
        self._exchange(http, response, _PREFLIGHT)

    def refuse_method(self, http: falcon.Request, response: falcon.Response) -> None:
        self._exchange(http, response, _NO_SUCH_METHOD)

    def refuse_unheard_method(
        self, req: falcon.Request, resp: falcon.Response, _error: falcon.HTTPError, _params: object
    ) -> None:
        """A handler for Falcon's own refusals: with this resource, that of methods nobody knows, which reach no other."""
        self._exchange(req, resp, _NO_SUCH_METHOD)

    def refuse_path(self, req: falcon.Request, resp: falcon.Response, **_: Any) -> None:
        """A Falcon sink, which explains its arguments' names, for every path that nobody else serves."""
        self._exchange(req, resp, _NO_SUCH_PATH)

    def _exchange(self, http: falcon.Request, response: falcon.Response, reply: Reply | None = None) -> None:
        """One request, answered and logged; `reply` is given where it needs no reading."""
        exchange = Exchange(request_id=self._new_request_id(), started=perf_counter())
        if http.path != "/":
            # Falcon's router takes more for `/` than that: `//`, for one, whose signature would be another.
            reply = _NO_SUCH_PATH
        elif reply is None:
            reply = self._reply(exchange, http)
        response.status = reply.status
        response.content_type = "text/xml"
        response.data = reply.body
        response.set_header("x-amzn-requestid", exchange.request_id)
        if exchange.service is not None and exchange.service.name == "sts":
            response.set_header("x-amz-sts-extended-request-id", self._extended_request_id(exchange.request_id))
        for name, value in reply.headers.items():
            response.set_header(name, value)
        log.info(
            "request",
            request_id=exchange.request_id,
            method=http.method,
            operation=exchange.operation_name,
            principal=exchange.principal,
            source_ip=http.env.get("REMOTE_ADDR", ""),
            status=reply.status,
            error=reply.error,
            ms=round((perf_counter() - exchange.started) * 1000, 3),
        )

    def _reply(self, exchange: Exchange, http: falcon.Request) -> Reply:
        try:
            return self._serve(exchange, http)
        except RequestEntityTooLarge as error:
            return Reply(error.status, headers=error.headers, error=error.code)
        except AWSError as error:
            exchange.principal = error.caller
            return _refusal(exchange, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a document and the log the place
            return _failure(exchange, error)

    def _serve(self, exchange: Exchange, http: falcon.Request) -> Reply:
        signed = received(http.env)
        # Not before: a body may take its sender as long as it likes.
        with self._turns:
            return self._heard(exchange, http, signed)

    def _heard(self, exchange: Exchange, http: falcon.Request, signed: HTTPRequest) -> Reply:
        # Never refused here, and the bytes that the signature is checked over.
        query = signed.query.encode("latin-1", "backslashreplace")
        if signed.method == "POST" and _media_type(http.env.get("CONTENT_TYPE", "")) != FORM:
            return _redirection()
        parameters = parse(signed.body, query) if signed.method == "POST" else parse(query)
        if "Action" not in parameters:
            return _redirection(query if signed.method == "GET" else b"")
        return self._answer(exchange, http, signed, parameters)

    def _answer(self, exchange: Exchange, http: falcon.Request, signed: HTTPRequest, parameters: Mapping[str, str]) -> Reply:
        action, version = parameters["Action"], parameters.get("Version")
        service = self._services.get(version) if version else None
        operation = service.operations.get(action) if service else None
        exchange.service, exchange.operation = service, operation
        # An unknown action or version goes on to the gate: only a caller it can name is told what does not exist.
        answer = self._gate.run(
            Request(
                service=service,
                action=action,
                version=version,
                parameters=loose(parameters, operation.input) if operation and operation.input else {},
                signed=signed,
                principal=None,
                request_id=exchange.request_id,
                source_ip=http.env.get("REMOTE_ADDR", ""),
                user_agent=http.env.get("HTTP_USER_AGENT", ""),
                secure=http.env.get("wsgi.url_scheme") == "https",
            )
        )
        exchange.principal = answer.principal.arn
        if service is None or operation is None:
            raise Fault("The gate answered a request for an operation that does not exist.")
        return Reply(200, result_document(service, operation, answer.result, exchange.request_id), answer.headers)

    def _extended_request_id(self, request_id: str) -> str:
        milliseconds = int(self._clock().timestamp() * 1000)
        # AWS ends it with eight characters of its own; ours are the request id's, so that either leads to one line of the log.
        return b64encode(f"1:{self._region}:S:{milliseconds}:R:{request_id[-8:]}".encode()).decode("ascii")


# Falcon would refuse the other methods by itself, but in JSON, without a request id and without a line in the log.
for _method in set(falcon.COMBINED_METHODS) - {"GET", "POST", "OPTIONS"}:
    setattr(QueryResource, f"on_{_method.lower()}", QueryResource.refuse_method)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _redirection(query: bytes = b"") -> Reply:
    location = f"{PRODUCT_PAGE}?{quote(query, safe=_SAFE_IN_QUERY)}" if query else PRODUCT_PAGE
    return Reply(302, headers={"location": location})


def _refusal(exchange: Exchange, error: AWSError) -> Reply:
    unknown = exchange.service is None or isinstance(error, InvalidAction)
    document = error_document(
        namespace=FAULT_NAMESPACE if exchange.service is None or unknown else exchange.service.namespace,
        fault=error.fault,
        code=error.code,
        message=error.message,
        request_id=exchange.request_id,
    )
    return Reply(error.status, document, error.headers, error.code)


def _failure(exchange: Exchange, error: Exception) -> Reply:
    """500.  A Fault's sentence is meant to be read; any other exception's may quote a parameter: never sent nor logged."""
    message = error.message if isinstance(error, Fault) else _UNKNOWN_FAILURE
    log.error(
        "failed",
        request_id=exchange.request_id,
        operation=exchange.operation_name,
        failure=message,
        traceback=_traceback(error),
    )
    return _refusal(exchange, ServiceFailure(message))


def _traceback(error: BaseException) -> str:
    """Where `error` and what led to it arose, oldest first, with the types' names in place of their messages."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        parts.append("".join(traceback.format_tb(cause.__traceback__)) + f"{type(cause).__module__}.{type(cause).__qualname__}\n")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join(reversed(parts))
