"""The one door to every operation: authenticate → validate → authorize → claim → prepare → handle → audit.

A read is one transaction.  A write looks first, so that strangers never get in line for the writer's lock; then a try is claimed
in a short write, what takes long is worked out in a read, and the write itself asks everything again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import instep.services.operations  # noqa: F401  (registers every operation)
from instep.api.common import AWSError, InvalidAction
from instep.api.errors import ConcurrentModification
from instep.api.iam import IAM
from instep.api.shape import ServiceModel
from instep.api.sts import STS
from instep.domain.audit_event import AuditEvent
from instep.domain.identity import KeyUse, Principal
from instep.domain.ids import Random
from instep.domain.sigv4 import HTTPRequest, Signature, check_scope, read_signature
from instep.services.audit import audit_event
from instep.services.authenticate import authenticate
from instep.services.authorize import authorize, check_credentials
from instep.services.faults import Conflict, Fault
from instep.services.operation import REGISTRY, Call, Operation
from instep.services.ports import Store, Transaction, Vault
from instep.services.validate import validate
from instep.settings import Settings

_NO_REGION = "us-east-1"
_LONGEST_EVENT_NAME = 128
_LONGEST_ECHO = 256


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller brings to the door.

    `service` is None when the version names none; `signed` are SigV4 credentials still to be checked, `principal` somebody
    whom the console or a command has identified already: exactly one of the two is given.
    """

    service: ServiceModel | None
    action: str
    version: str | None
    parameters: Mapping[str, object] = field(repr=False)
    request_id: str
    source_ip: str
    user_agent: str
    signed: HTTPRequest | None = field(default=None, repr=False)
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    result: object | None = field(repr=False)
    headers: Mapping[str, str]
    principal: Principal


class Trail(Protocol):
    """Keeps what may be written a moment later: successful reads, and when a key was last used."""

    def later(self, event: AuditEvent) -> None: ...

    def used(self, access_key_id: str, use: KeyUse) -> None: ...

    def stranger(self, code: str, now: datetime) -> None:
        """A request without a known principal: counted, never kept, so that strangers cannot fill the disk."""


@dataclass(slots=True)
class _Passage:
    """How far a request came.  `written`: its audit event is in the same transaction as what it did."""

    principal: Principal
    asked: object | None = None
    call: Call | None = None
    prepared: Any = None
    result: object | None = None
    refusal: AWSError | None = None
    written: bool = False


class Gate:
    """Runs requests.  Time and randomness are passed in; the store retries each transaction as a whole."""

    def __init__(
        self, *, store: Store, vault: Vault, settings: Settings, trail: Trail, clock: Callable[[], datetime], random: Random
    ) -> None:
        self._store = store
        self._vault = vault
        self._settings = settings
        self._trail = trail
        self._clock = clock
        self._random = random

    def run(self, request: Request) -> Answer:
        """The operation's answer.  Raises AWSError for a refusal, Fault when it is ours."""
        now = self._clock()
        operation = REGISTRY.get(f"{request.service.name}:{request.action}") if request.service else None
        try:
            return self._run(request, operation, now)
        except Conflict:
            busy = "The database stayed busy and nothing was changed; send the request again."
            if operation is not None and ConcurrentModification in operation.model.errors:
                raise ConcurrentModification(busy) from None
            raise Fault(busy) from None

    def _run(self, request: Request, operation: Operation | None, now: datetime) -> Answer:
        try:
            signature = self._read_signature(request)
            passage = self._store.read(lambda tx: self._look(tx, request, signature, operation, now))
        except AWSError as refusal:
            self._trail.stranger(refusal.code, now)
            raise
        if operation is not None and operation.writes:
            passage = self._write(request, signature, operation, now, passage)
        elif passage.refusal is None:
            self._trail.later(self._event(request, signature, operation, now, passage))
            return self._answer(request, signature, now, passage)
        if not passage.written:
            # A refusal is written at once, and only now: a read never takes the writer's lock.
            event = self._event(request, signature, operation, now, passage)
            self._store.write(lambda tx: tx.audit_events.append([event]))
        return self._answer(request, signature, now, passage)

    def _write(
        self, request: Request, signature: Signature | None, operation: Operation, now: datetime, passage: _Passage
    ) -> _Passage:
        """Claim, prepare, act; each only when what came before was not refused."""
        if operation.claim is not None and passage.refusal is None:
            claim = operation.claim
            # Not waiting for the disk: the write that follows does, and a count that only a power cut can undo is good enough.
            passage = self._store.write(lambda tx: self._stage(tx, passage, claim, now), durable=False)
        if operation.prepare is not None and passage.refusal is None:
            prepare, claimed = operation.prepare, passage
            passage = self._store.read(lambda tx: self._stage(tx, claimed, prepare, now))
        if passage.refusal is None:
            ready = passage
            passage = self._store.write(lambda tx: self._act(tx, request, signature, operation, now, ready))
        return passage

    def _answer(self, request: Request, signature: Signature | None, now: datetime, passage: _Passage) -> Answer:
        if signature is not None and not passage.principal.temporary and request.service is not None:
            use = KeyUse(now, request.service.name, signature.region)
            self._trail.used(signature.access_key_id, use)
        if passage.refusal is not None:
            passage.refusal.caller = passage.principal.arn
            raise passage.refusal
        assert passage.call is not None
        return Answer(passage.result, passage.call.headers, passage.principal)

    def _read_signature(self, request: Request) -> Signature | None:
        if request.signed is None:
            return None
        signature = read_signature(request.signed)
        services = (request.service,) if request.service else (IAM, STS)
        check_scope(signature, [service.name for service in services])
        return signature

    def _identify(self, tx: Transaction, request: Request, signature: Signature | None, now: datetime) -> Principal:
        if request.signed is not None and signature is not None:
            return authenticate(tx, self._vault, request.signed, signature, now)
        if request.principal is None:
            raise TypeError("a request needs credentials or a principal")
        return request.principal

    def _look(
        self, tx: Transaction, request: Request, signature: Signature | None, operation: Operation | None, now: datetime
    ) -> _Passage:
        """Who it is and what they may do; of a read, everything.

        Raises AWSError only for strangers; a known principal's refusal is in the passage, to be written down.
        """
        passage = _Passage(self._identify(tx, request, signature, now))
        try:
            call = self._enter(tx, request, operation, now, passage)
            if operation is not None and not operation.writes:
                passage.result = operation.handle(call, passage.asked)
        except AWSError as refusal:
            passage.refusal = refusal
        return passage

    def _stage(self, tx: Transaction, before: _Passage, work: Callable[[Call, Any], Any], now: datetime) -> _Passage:
        """A claim or a preparation, in a transaction of its own; what it returns is there for the next one."""
        call = self._call(tx, before.principal, now, before.prepared)
        passage = replace(before, call=call)
        try:
            passage.prepared = work(call, before.asked)
        except AWSError as refusal:
            passage.refusal = refusal
        return passage

    def _act(
        self,
        tx: Transaction,
        request: Request,
        signature: Signature | None,
        operation: Operation,
        now: datetime,
        ready: _Passage,
    ) -> _Passage:
        """The write.  Who it is and what they may do is asked again: a key may have been deactivated in between."""
        passage = replace(ready, asked=None, call=None, written=True)
        try:
            passage.principal = self._identify(tx, request, signature, now)
            call = self._enter(tx, request, operation, now, passage)
            # The handler's writes go when it refuses; the audit event stays.
            with tx.savepoint():
                passage.result = operation.handle(call, passage.asked)
        except AWSError as refusal:
            passage.refusal = refusal
        tx.audit_events.append([self._event(request, signature, operation, now, passage)])
        return passage

    def _enter(self, tx: Transaction, request: Request, operation: Operation | None, now: datetime, passage: _Passage) -> Call:
        """Validate and authorize."""
        passage.call = call = self._call(tx, passage.principal, now, passage.prepared)
        if operation is None:
            raise _no_operation(request)
        check_credentials(passage.principal, operation)
        if operation.model.input is not None:
            passage.asked = validate(operation.model.input, request.parameters, operation.wording)
        if operation.on is not None:
            authorize(passage.principal, operation, operation.on(call, passage.asked))
        return call

    def _call(self, tx: Transaction, principal: Principal, now: datetime, prepared: Any) -> Call:
        return Call(
            principal=principal,
            now=now,
            tx=tx,
            vault=self._vault,
            settings=self._settings,
            random=self._random,
            prepared=prepared,
        )

    def _event(
        self,
        request: Request,
        signature: Signature | None,
        operation: Operation | None,
        now: datetime,
        passage: _Passage,
    ) -> AuditEvent:
        return audit_event(
            passage.principal,
            service=request.service.name if request.service else "signin",
            name=request.action[:_LONGEST_EVENT_NAME],
            reads=operation is None or not operation.writes,
            now=now,
            random=self._random,
            request_id=request.request_id,
            region=signature.region if signature else _NO_REGION,
            source_ip=request.source_ip,
            user_agent=request.user_agent,
            asked=passage.asked,
            answered=passage.result,
            refusal=passage.refusal,
            additional=passage.call.additional if passage.call else {},
        )


def _no_operation(request: Request) -> InvalidAction:
    if request.service is not None and request.action in request.service.operations:
        return InvalidAction(
            f"The operation {request.action} of version {request.version} is known but not built in this release of instep;"
            " docs/coverage.md lists those that are."
        )
    version = "NO_VERSION_SPECIFIED" if request.version is None else request.version[:_LONGEST_ECHO]
    return InvalidAction(f"Could not find operation {request.action[:_LONGEST_ECHO]} for version {version}")
