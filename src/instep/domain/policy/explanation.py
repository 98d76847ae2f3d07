"""Why a request is allowed or not, statement by statement, for people who wonder about their policies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from instep.domain.policy import subject as subjects
from instep.domain.policy.document import Effect, Statement
from instep.domain.policy.evaluation import (
    AccessRequest,
    Decision,
    Layer,
    Policies,
    Policy,
    ResourcePolicy,
    decide,
    fits_resource,
)
from instep.domain.policy.pattern import Pattern
from instep.domain.policy.subject import Grant
from instep.domain.policy.variables import Context
from instep.domain.policy.wording import missing_keys, with_values

# Of a long list of patterns so many are shown.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one statement says to the request.

    `number` counts within the policy, from 1.  `reasons`: all that keeps it from applying, in clauses; none when it applies.
    `missing`: keys, as written, that it asks for and the request does not have; told where action and principal fit.
    """

    layer: Layer
    policy: Policy
    number: int
    statement: Statement
    reasons: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def applies(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Explanation:
    """`verdicts`: on every statement that counts for this caller, in the order of layers, policies and statements."""

    decision: Decision
    verdicts: tuple[Verdict, ...]

    @property
    def missing_context_keys(self) -> tuple[str, ...]:
        """Keys that the statements ask for and the request does not have, each once, in the order they are first met."""
        found: dict[str, str] = {}
        for verdict in self.verdicts:
            for key in verdict.missing:
                found.setdefault(key.lower(), key)
        return tuple(found.values())


def explain(
    policies: Policies, request: AccessRequest, *, root: bool = False, resource: ResourcePolicy | None = None
) -> Explanation:
    """Decides as `evaluation.decide` does, and tells of every statement whether it applies and if not, why."""
    decision = decide(policies, request, root=root, resource=resource)
    return Explanation(decision, tuple(_verdicts(policies, request, root=root, resource=resource)))


def _verdicts(policies: Policies, request: AccessRequest, *, root: bool, resource: ResourcePolicy | None) -> Iterator[Verdict]:
    layers = policies.layers()
    if root:
        # Nothing of its own limits the root user.
        layers = {layer: of_layer for layer, of_layer in layers.items() if layer is Layer.GUARD}
    if resource is not None:
        layers[Layer.RESOURCE] = (resource.policy,)
    for layer in Layer:
        asking = resource if layer is Layer.RESOURCE else None
        for policy in layers.get(layer, ()):
            for number, statement in enumerate(policy.document.statements, start=1):
                yield _verdict(layer, policy, number, statement, request, asking)


def _verdict(
    layer: Layer, policy: Policy, number: int, statement: Statement, request: AccessRequest, asking: ResourcePolicy | None
) -> Verdict:
    reasons = [*_principal(statement, asking), *_action(statement, request)]
    missing = () if reasons else tuple(_missing(statement, request.context))
    reasons += _resource(statement, request)
    clauses = (condition.explain(request.context) for condition in statement.conditions)
    reasons += [clause for clause in clauses if clause is not None]
    return Verdict(layer, policy, number, statement, tuple(reasons), missing)


def _principal(statement: Statement, asking: ResourcePolicy | None) -> list[str]:
    if asking is None:
        return []
    if statement.effect is Effect.DENY:
        meant = subjects.denies(statement, asking.subject)
    else:
        meant = subjects.grant(statement, asking.subject) is not Grant.NONE
    if meant:
        return []
    return ["the caller is in NotPrincipal" if statement.negated_principals else "the caller is not in Principal"]


def _action(statement: Statement, request: AccessRequest) -> list[str]:
    matching = [pattern for pattern in statement.actions if pattern.matches(request.action, request.context)]
    if bool(matching) is not statement.negated_actions:
        return []
    if statement.negated_actions:
        return [f"action {request.action} is in NotAction ({_listed(matching, request.context)})"]
    return [f"action {request.action} is not in Action ({_listed(statement.actions, request.context)})"]


def _resource(statement: Statement, request: AccessRequest) -> list[str]:
    if fits_resource(statement, request) or statement.resources is None:
        return []
    if statement.negated_resources:
        matching = [pattern for pattern in statement.resources if pattern.matches(request.resource, request.context)]
        if not matching:
            return [f"a variable in NotResource has no value ({_listed(statement.resources, request.context)})"]
        return [f"resource {request.resource} is in NotResource ({_listed(matching, request.context)})"]
    return [f"resource {request.resource} does not match {_listed(statement.resources, request.context)}"]


def _listed(patterns: Sequence[Pattern], context: Context) -> str:
    shown = [with_values(pattern.template, context) for pattern in patterns[:_SHOWN]]
    more = len(patterns) - len(shown)
    return " or ".join(shown) + (f" or {more} more" if more else "")


def _missing(statement: Statement, context: Context) -> Iterator[str]:
    for pattern in statement.resources or ():
        yield from missing_keys(pattern.template, context)
    for condition in statement.conditions:
        yield from condition.missing(context)
