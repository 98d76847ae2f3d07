"""Operations: what `@operation` registers, and the `Call` that a handler works from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from instep.api.iam import IAM
from instep.api.shape import OperationModel, ServiceModel
from instep.api.sts import STS
from instep.domain.identity import Principal, User
from instep.domain.ids import Random
from instep.services.operator.model import INSTEP
from instep.services.policy_cache import PolicyCache
from instep.services.ports import Transaction, Vault
from instep.services.signin.model import SIGNIN
from instep.services.validate import Wording
from instep.settings import Settings

SERVICES: Mapping[str, ServiceModel] = {service.name: service for service in (IAM, STS, INSTEP, SIGNIN)}

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Resource:
    """What an operation is authorized against: its ARN, and what policies may ask of it.

    `permissions_boundary` is that of the user or role it is.  `shown` is the ARN in a refusal, where the caller may not know that
    there is a resource, or how its ARN is written; it never decides anything.
    """

    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: str | None = None
    shown: str | None = None


EVERYTHING = Resource("*")
"""For operations that AWS authorizes against no resource."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, and how: what condition keys tell of it.  `secure` means over TLS."""

    source_ip: str
    user_agent: str
    secure: bool
    region: str


@dataclass(slots=True)
class Call:
    """One request on its way through: who, when, and everything a handler may touch.

    `slow` is entered for what takes long and needs nothing of the rest, such as hashing a password; never inside a write.
    A handler writes `headers` (of the answer) and `additional` (of the audit event); `prepared` is what the operation's `claim`
    or `prepare` returned before.  `users` keeps those looked up by name: authorization asks for the same one as the handler.
    """

    principal: Principal
    origin: Origin
    now: datetime
    tx: Transaction
    vault: Vault
    settings: Settings
    random: Random
    policies: PolicyCache
    slow: AbstractContextManager[None]
    prepared: Any = field(default=None, repr=False)
    checked: Any = field(default=None, repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    additional: dict[str, Any] = field(default_factory=dict)
    users: dict[str, User | None] = field(default_factory=dict)

    @property
    def account_id(self) -> str:
        return self.principal.account_id


Told = Callable[[Call, Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the gate runs it.

    `on` gives the resource it is authorized against; `check` authorizes in its own way where that takes more than a resource, and
    what it found out is in `call.checked` for the handler.
    With neither, no permission is needed and none can be denied.
    `claim` counts a try, in a write of its own before anything is evaluated; `prepare` then works out in a read what would take
    too long inside a write.  Both may refuse, and find what the one before returned in `call.prepared`.
    `told` makes another audit event of the one for an API call, where CloudTrail tells of it in another shape.
    """

    service: str
    model: OperationModel
    wording: Wording
    handle: Callable[[Call, Any], Any]
    on: Callable[[Call, Any], Resource] | None
    check: Callable[[Call, Any], Any] | None
    writes: bool
    prepare: Callable[[Call, Any], Any] | None
    claim: Callable[[Call, Any], Any] | None
    told: Told | None

    @property
    def action(self) -> str:
        """As a policy names it: `iam:ResyncMFADevice`."""
        return f"{self.service}:{self.model.name}"


REGISTRY: dict[str, Operation] = {}
"""By action.  Filled when `instep.services.operations` is imported."""


def operation(
    action: str,
    *,
    on: Callable[[Call, Any], Resource] | None,
    check: Callable[[Call, Any], Any] | None = None,
    writes: bool,
    prepare: Callable[[Call, Any], Any] | None = None,
    claim: Callable[[Call, Any], Any] | None = None,
    told: Told | None = None,
) -> Callable[[Callable[[Call, In], Out]], Callable[[Call, In], Out]]:
    """Register a handler for `action`, which one of the service models knows."""
    service, _, name = action.partition(":")

    def register(handle: Callable[[Call, In], Out]) -> Callable[[Call, In], Out]:
        if action in REGISTRY:
            raise ValueError(f"{action} is registered twice")
        REGISTRY[action] = Operation(
            service=service,
            model=SERVICES[service].operations[name],
            wording=Wording.STS if service == STS.name else Wording.IAM,
            handle=handle,
            on=on,
            check=check,
            writes=writes,
            prepare=prepare,
            claim=claim,
            told=told,
        )
        return handle

    return register
