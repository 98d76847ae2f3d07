"""What a simulation is asked, read and checked (API Reference, SimulateCustomPolicy)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Protocol

from instep.api.errors import InvalidInput
from instep.api.iam import ContextEntry, ContextKeyTypeEnum
from instep.domain import arn
from instep.domain.identity import Principal, PrincipalKind
from instep.domain.policy import effort
from instep.domain.policy import values as read
from instep.domain.policy.document import Document
from instep.domain.policy.effort import Extent, Reach
from instep.domain.policy.evaluation import Policy
from instep.domain.policy.reading import DocumentKind
from instep.domain.policy.subject import Subject
from instep.domain.policy.variables import Context
from instep.services.condition_keys import of_principal
from instep.services.iam.owners import OwnerKind
from instep.services.iam.policy_sources import Entity, document
from instep.services.iam.trials import ANY_RESOURCE, Attached, Simulation

MOST_TRIALS = 1000
_LONGEST_CONTEXT = 16_384
_MOST_EFFORT = 1_000_000
"""Microseconds, about: other requests wait that long for their turn."""
_TIMES = 3
"""A statement is asked together with all others, with those of its kind alone, and whether it is to be told."""

_ACTION = re.compile(r"[^\s:*?]+:[^\s:*?]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root")


class Simulated(Protocol):
    """What both operations are asked."""

    @property
    def action_names(self) -> tuple[str, ...]: ...
    @property
    def resource_arns(self) -> tuple[str, ...] | None: ...
    @property
    def resource_policy(self) -> str | None: ...
    @property
    def resource_owner(self) -> str | None: ...
    @property
    def permissions_boundary_policy_input_list(self) -> tuple[str, ...] | None: ...


def actions_and_resources(request: Simulated) -> tuple[Sequence[str], Sequence[str]]:
    """Raises InvalidInput for what is no action or resource, and for too many of them."""
    actions, resources = request.action_names, request.resource_arns or (ANY_RESOURCE,)
    if not actions:
        raise InvalidInput("ActionNames must name an action.")
    for action in actions:
        check_action(action)
    for resource in resources:
        check_resource(resource)
    if len(actions) * len(resources) > MOST_TRIALS:
        raise InvalidInput(
            f"{len(actions)} actions on {len(resources)} resources are more than {MOST_TRIALS} simulations; send fewer at a time."
        )
    return actions, resources


def check_action(action: str) -> None:
    """Raises InvalidInput for what is no action's name."""
    if not is_action(action):
        raise InvalidInput(f"ActionNames are not in a valid format: {action}.")


def check_resource(resource: str) -> None:
    """Raises InvalidInput for what is neither an ARN nor an asterisk."""
    if not is_resource(resource):
        raise InvalidInput(f"ResourceNames are not in a valid ARN format: {resource}.")


def is_action(text: str) -> bool:
    """Whether it names an action with its service; patterns name none."""
    return _ACTION.fullmatch(text) is not None


def is_resource(text: str) -> bool:
    return text == ANY_RESOURCE or arn.is_arn(text)


def context_of(entries: Sequence[ContextEntry], known: Context) -> Context:
    """What was given, over what is known of the caller.  Raises InvalidInput for values that are not of their type."""
    given = dict(known)
    length = 0
    for entry in entries:
        name, values = entry.context_key_name, entry.context_key_values
        if name is None or values is None:
            raise InvalidInput("A context entry must have ContextKeyName and ContextKeyValues.")
        length += len(name) + sum(len(value) for value in values)
        if length > _LONGEST_CONTEXT:
            raise InvalidInput(f"Context entries must not be longer than {_LONGEST_CONTEXT} characters together.")
        _check_type(name, values, entry.context_key_type)
        given[name.lower()] = values
    return given


def keys_of_caller(caller: Entity | None, principal: Principal | None) -> Context:
    """Who asks is known of itself.  Of `caller`, who is played, the ARN alone tells; `principal` is whose policies they are."""
    keys: dict[str, tuple[str, ...]] = {}
    if caller is None:
        if principal is not None:
            keys = of_principal(principal)
            if principal.kind is PrincipalKind.ROLE:
                # Each of the role's sessions has its own.
                del keys["aws:userid"]
        return keys
    keys["aws:principalaccount"] = (caller.account_id,)
    if caller.kind is not OwnerKind.GROUP:
        keys["aws:principalarn"] = (caller.arn,)
        keys["aws:principaltype"] = ("User" if caller.kind is OwnerKind.USER else "AssumedRole",)
    if caller.kind is OwnerKind.USER:
        keys["aws:username"] = (caller.name,)
    return keys


def attached_policy(request: Simulated, caller: Entity | None, holder_id: str | None) -> Attached | None:
    """The resource-based policy, if there is one.

    `caller`: None for nobody, whom no policy could name; `holder_id`: the unique id, where the caller is known by one.
    Raises InvalidInput.
    """
    owner = _owner(request.resource_owner)
    if request.resource_policy is None:
        return None
    if caller is None:
        raise InvalidInput("Invalid caller - Caller cannot be null or empty.")
    policy = Policy(document(request.resource_policy, DocumentKind.RESOURCE), "ResourcePolicy", "resource")
    return Attached(policy, _subject(caller, holder_id), owner or caller.account_id)


def _subject(caller: Entity, holder_id: str | None) -> Subject:
    names = frozenset(name for name in (caller.arn, holder_id) if name is not None)
    match caller.kind:
        case OwnerKind.USER:
            return Subject(caller.account_id, exact=names)
        case OwnerKind.ROLE:
            return Subject(caller.account_id, role=names)
        case OwnerKind.GROUP:
            # No policy can name a group.
            return Subject(caller.account_id)


def check_boundary(request: Simulated) -> None:
    """Raises InvalidInput for more than one."""
    if len(request.permissions_boundary_policy_input_list or ()) > 1:
        raise InvalidInput("Only one permissions boundary can be simulated at a time.")


def check_effort(simulation: Simulation, actions: int, resources: Sequence[str]) -> None:
    """Raises InvalidInput when an answer would take longer than others can wait."""
    reach = Reach(
        resource=max(map(len, resources)),
        keys={name: Extent(max(map(len, values), default=0), len(values)) for name, values in simulation.context.items()},
        others=Extent(0, values=0),
    )
    documents = list(_documents(simulation))
    each = _TIMES * len(resources) * sum(effort.of_document(document, reach) for document in documents)
    if actions * (each + sum(map(_of_missing, documents))) > _MOST_EFFORT:
        raise too_large()


def too_large() -> InvalidInput:
    return InvalidInput("These policies take too long to simulate; send fewer actions, resources or context values at a time.")


def _of_missing(document: Document) -> float:
    """Microseconds to look for keys that nobody gave, which is done once for each action."""
    texts = [
        text
        for statement in document.statements
        for text in chain(
            (pattern.text for pattern in statement.resources or ()),
            *(condition.values for condition in statement.conditions),
        )
    ]
    return len(document.statements) + len(texts) + 2 * sum(text.count("${") for text in texts)


def _documents(simulation: Simulation) -> Iterator[Document]:
    attached = () if simulation.attached is None else (simulation.attached.policy,)
    for policy in chain(simulation.identity, simulation.boundary or (), attached, *simulation.organization):
        yield policy.document


def _owner(resource_owner: str | None) -> str | None:
    if resource_owner is None:
        return None
    if _ACCOUNT.fullmatch(resource_owner):
        return resource_owner
    match = _ROOT.fullmatch(resource_owner)
    if match is None:
        # As AWS words it.
        raise InvalidInput(f"'{resource_owner}' is not a valid as a Resource Owner.")
    return match[1]


_READERS: dict[str, Callable[[str], Any]] = {
    "string": lambda text: text,
    "numeric": read.number,
    "boolean": lambda text: text if text.lower() in {"true", "false"} else None,
    "ip": read.network,
    "binary": read.data,
    "date": read.moment,
}


def _check_type(name: str, values: Sequence[str], kind: ContextKeyTypeEnum | None) -> None:
    if kind is None:
        return
    if not kind.value.endswith("List") and len(values) > 1:
        raise InvalidInput(f"The context key {name} is of type {kind.value} and has {len(values)} values.")
    reader = _READERS[kind.value.removesuffix("List")]
    if any(reader(value) is None for value in values):
        raise InvalidInput(f"The context key {name} has a value that is not of type {kind.value}.")
