"""Operations: what `@operation` registers, and the `Call` that a handler works from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from instep.api.iam import IAM
from instep.api.shape import OperationModel, ServiceModel
from instep.api.sts import STS
from instep.domain.identity import Principal, User
from instep.domain.ids import Random
from instep.services.operator.model import INSTEP
from instep.services.ports import Transaction, Vault
from instep.services.validate import Wording
from instep.settings import Settings

SERVICES: Mapping[str, ServiceModel] = {service.name: service for service in (IAM, STS, INSTEP)}

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(slots=True)
class Call:
    """One request on its way through: who, when, and everything a handler may touch.

    A handler writes `headers` (of the answer) and `additional` (of the audit event); `prepared` is what the operation's `claim`
    or `prepare` returned before.  `users` keeps those looked up by name: authorization asks for the same one as the handler.
    """

    principal: Principal
    now: datetime
    tx: Transaction
    vault: Vault
    settings: Settings
    random: Random
    prepared: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    additional: dict[str, Any] = field(default_factory=dict)
    users: dict[str, User | None] = field(default_factory=dict)

    @property
    def account_id(self) -> str:
        return self.principal.account_id


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the gate runs it.

    `on` gives the ARN it is authorized against; None means that no permission is needed and none can be denied.
    `claim` counts a try, in a write of its own before anything is evaluated; `prepare` then works out in a read what would take
    too long inside a write.  Both may refuse, and find what the one before returned in `call.prepared`.
    """

    service: str
    model: OperationModel
    wording: Wording
    handle: Callable[[Call, Any], Any]
    on: Callable[[Call, Any], str] | None
    writes: bool
    prepare: Callable[[Call, Any], Any] | None
    claim: Callable[[Call, Any], Any] | None

    @property
    def action(self) -> str:
        """As a policy names it: `iam:ResyncMFADevice`."""
        return f"{self.service}:{self.model.name}"


REGISTRY: dict[str, Operation] = {}
"""By action.  Filled when `instep.services.operations` is imported."""


def operation(
    action: str,
    *,
    on: Callable[[Call, Any], str] | None,
    writes: bool,
    prepare: Callable[[Call, Any], Any] | None = None,
    claim: Callable[[Call, Any], Any] | None = None,
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
            writes=writes,
            prepare=prepare,
            claim=claim,
        )
        return handle

    return register
