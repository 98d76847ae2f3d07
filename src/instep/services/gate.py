"""The one door to every operation: authenticate → validate → authorize → claim → prepare → handle → audit.

A read is one transaction.  A write looks first, so that strangers never get in line for the writer's lock; then a try is claimed
in a short write, what takes long is worked out in a read, and the write itself asks everything again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
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
from instep.domain.identity import KeyUse, Principal, PrincipalKind, RoleUse
from instep.domain.ids import Random
from instep.domain.sigv4 import HTTPRequest, Signature, check_scope, read_signature
from instep.services.audit import audit_event
from instep.services.authenticate import authenticate
from instep.services.authorize import authorize, check_credentials
from instep.services.faults import Conflict, Fault
from instep.services.operation import REGISTRY, Call, Operation, Origin
from instep.services.policy_cache import PolicyCache
from instep.services.ports import Store, Transaction, Vault
from instep.services.signin import sessions
from instep.services.validate import validate
from instep.settings import Settings

_NO_REGION = "us-east-1"
_LONGEST_EVENT_NAME = 128
_LONGEST_ECHO = 256
# What policies may compare is bounded, as comparing costs more the longer both sides are.
_LONGEST_USER_AGENT = 1024


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller brings to the door.

    `service` is None when the version names none; `signed` are SigV4 credentials still to be checked, `session_id` is the one in
    a console's cookie, `principal` somebody whom a command has identified already: exactly one of the three is given.  `secure`
    means over TLS.
    """

    service: ServiceModel | None
    action: str
    version: str | None
    parameters: Mapping[str, object] = field(repr=False)
    request_id: str
    source_ip: str
    user_agent: str
    secure: bool = False
    signed: HTTPRequest | None = field(default=None, repr=False)
    session_id: str | None = field(default=None, repr=False)
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

    def role_used(self, account_id: str, role_id: str, use: RoleUse) -> None: ...

    def stranger(self, code: str, now: datetime) -> None:
        """A request without a known principal: counted, never kept, so that strangers cannot fill the disk."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A request as it came, for all its transactions; `operation` is None when there is none of that name."""

    request: Request
    signature: Signature | None
    operation: Operation | None
    now: datetime


@dataclass(slots=True)
class _Passage:
    """How far a request came.  `written`: its audit event is in the same transaction as what it did."""

    principal: Principal
    asked: object | None = field(default=None, repr=False)
    call: Call | None = field(default=None, repr=False)
    prepared: Any = field(default=None, repr=False)
    result: object | None = field(default=None, repr=False)
    refusal: AWSError | None = None
    written: bool = False


class Gate:
    """Runs requests.  Time and randomness are passed in; the store retries each transaction as a whole."""

    def __init__(
        self,
        *,
        store: Store,
        vault: Vault,
        settings: Settings,
        trail: Trail,
        clock: Callable[[], datetime],
        random: Random,
        slow: AbstractContextManager[None],
    ) -> None:
        self._store = store
        self._vault = vault
        self._settings = settings
        self._trail = trail
        self._clock = clock
        self._random = random
        self._slow = slow
        self._policies = PolicyCache()

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
            arrival = _Arrival(request, _signature(request), operation, now)
            passage = self._store.read(lambda tx: self._look(tx, arrival))
        except AWSError as refusal:
            self._trail.stranger(refusal.code, now)
            raise
        if operation is not None and operation.writes:
            passage = self._write(arrival, operation, passage)
        elif passage.refusal is None:
            self._trail.later(self._event(arrival, passage))
            return self._answer(arrival, passage)
        if not passage.written:
            # A refusal is written at once, and only now: a read never takes the writer's lock.
            event = self._event(arrival, passage)
            self._store.write(lambda tx: tx.audit_events.append([event]))
        return self._answer(arrival, passage)

    def _write(self, arrival: _Arrival, operation: Operation, passage: _Passage) -> _Passage:
        """Claim, prepare, act; each only when what came before was not refused."""
        if operation.claim is not None and passage.refusal is None:
            claim = operation.claim
            # Not waiting for the disk: the write that follows does, and a count that only a power cut can undo is good enough.
            passage = self._store.write(lambda tx: self._stage(tx, arrival, passage, claim), durable=False)
        if operation.prepare is not None and passage.refusal is None:
            prepare, claimed = operation.prepare, passage
            passage = self._store.read(lambda tx: self._stage(tx, arrival, claimed, prepare))
        if passage.refusal is None:
            ready = passage
            passage = self._store.write(lambda tx: self._act(tx, arrival, operation, ready))
        return passage

    def _answer(self, arrival: _Arrival, passage: _Passage) -> Answer:
        principal, signature, service = passage.principal, arrival.signature, arrival.request.service
        if signature is not None and service is not None:
            if not principal.temporary:
                self._trail.used(signature.access_key_id, KeyUse(arrival.now, service.name, signature.region))
            elif principal.kind is PrincipalKind.ROLE:
                self._trail.role_used(principal.account_id, principal.holder_id, RoleUse(arrival.now, signature.region))
        if passage.refusal is not None:
            passage.refusal.caller = principal.arn
            raise passage.refusal
        assert passage.call is not None
        return Answer(passage.result, passage.call.headers, principal)

    def _identify(self, tx: Transaction, arrival: _Arrival) -> Principal:
        request, signature = arrival.request, arrival.signature
        if request.signed is not None and signature is not None:
            return authenticate(tx, self._vault, request.signed, signature, arrival.now)
        if request.session_id is not None:
            return sessions.authenticate(tx, self._vault, self._settings, request.session_id, arrival.now)
        if request.principal is None:
            raise TypeError("a request needs credentials, a session or a principal")
        return request.principal

    def _look(self, tx: Transaction, arrival: _Arrival) -> _Passage:
        """Who it is and what they may do; of a read, everything.

        Raises AWSError only for strangers; a known principal's refusal is in the passage, to be written down.
        """
        passage, operation = _Passage(self._identify(tx, arrival)), arrival.operation
        try:
            call = self._enter(tx, arrival, passage)
            if operation is not None and not operation.writes:
                passage.result = operation.handle(call, passage.asked)
        except AWSError as refusal:
            passage.refusal = refusal
        return passage

    def _stage(self, tx: Transaction, arrival: _Arrival, before: _Passage, work: Callable[[Call, Any], Any]) -> _Passage:
        """A claim or a preparation, in a transaction of its own; what it returns is there for the next one."""
        call = self._call(tx, arrival, before.principal, before.prepared)
        passage = replace(before, call=call)
        try:
            passage.prepared = work(call, before.asked)
        except AWSError as refusal:
            passage.refusal = refusal
        return passage

    def _act(self, tx: Transaction, arrival: _Arrival, operation: Operation, ready: _Passage) -> _Passage:
        """The write.  Who it is and what they may do is asked again: a key may have been deactivated in between."""
        passage = replace(ready, asked=None, call=None, written=True)
        try:
            passage.principal = self._identify(tx, arrival)
            call = self._enter(tx, arrival, passage)
            # The handler's writes go when it refuses; the audit event stays.
            with tx.savepoint():
                passage.result = operation.handle(call, passage.asked)
        except AWSError as refusal:
            passage.refusal = refusal
        tx.audit_events.append([self._event(arrival, passage)])
        return passage

    def _enter(self, tx: Transaction, arrival: _Arrival, passage: _Passage) -> Call:
        """Validate and authorize."""
        request, operation = arrival.request, arrival.operation
        passage.call = call = self._call(tx, arrival, passage.principal, passage.prepared)
        if operation is None:
            raise _no_operation(request)
        check_credentials(passage.principal, operation)
        if operation.model.input is not None:
            passage.asked = validate(operation.model.input, request.parameters, operation.wording)
        if operation.on is not None:
            authorize(call, operation.action, operation.on(call, passage.asked), passage.asked)
        if operation.check is not None:
            call.checked = operation.check(call, passage.asked)
        return call

    def _call(self, tx: Transaction, arrival: _Arrival, principal: Principal, prepared: Any) -> Call:
        request, signature = arrival.request, arrival.signature
        # IAM is one for the whole world and answers from one region, whatever region a client signs for.
        region = signature.region if signature is not None and request.service is STS else _NO_REGION
        return Call(
            principal=principal,
            origin=Origin(request.source_ip, request.user_agent[:_LONGEST_USER_AGENT], request.secure, region),
            now=arrival.now,
            tx=tx,
            vault=self._vault,
            settings=self._settings,
            random=self._random,
            policies=self._policies,
            slow=self._slow,
            prepared=prepared,
        )

    def _event(self, arrival: _Arrival, passage: _Passage) -> AuditEvent:
        request, operation = arrival.request, arrival.operation
        event = audit_event(
            passage.principal,
            service=request.service.name if request.service else "signin",
            name=request.action[:_LONGEST_EVENT_NAME],
            reads=operation is None or not operation.writes,
            now=arrival.now,
            random=self._random,
            request_id=request.request_id,
            region=arrival.signature.region if arrival.signature else _NO_REGION,
            source_ip=request.source_ip,
            user_agent=request.user_agent,
            asked=passage.asked,
            answered=passage.result,
            refusal=passage.refusal,
            additional=passage.call.additional if passage.call else {},
        )
        if operation is not None and operation.told is not None and passage.call is not None:
            return replace(event, event=operation.told(passage.call, event.event))
        return event


def _signature(request: Request) -> Signature | None:
    if request.signed is None:
        return None
    signature = read_signature(request.signed)
    services = (request.service,) if request.service else (IAM, STS)
    check_scope(signature, [service.name for service in services])
    return signature


def _no_operation(request: Request) -> InvalidAction:
    if request.service is not None and request.action in request.service.operations:
        return InvalidAction(
            f"The operation {request.action} of version {request.version} is known but not built in this release of instep;"
            " docs/coverage.md lists those that are."
        )
    version = "NO_VERSION_SPECIFIED" if request.version is None else request.version[:_LONGEST_ECHO]
    return InvalidAction(f"Could not find operation {request.action[:_LONGEST_ECHO]} for version {version}")
