"""Actions tried on resources against a set of policies, and told as the simulation tells it (API Reference, EvaluationResult)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from instep.api import iam
from instep.api.iam import (
    EvaluationResult,
    OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail,
    PolicyEvaluationDecisionType,
    PolicySourceType,
    ResourceSpecificResult,
)
from instep.domain import arn
from instep.domain.policy import subject as subjects
from instep.domain.policy.document import Effect, Position, Statement
from instep.domain.policy.evaluation import AccessRequest, Layer, Outcome, Policies, Policy, ResourcePolicy, Rule, decide
from instep.domain.policy.subject import Grant, Subject
from instep.domain.policy.variables import Context
from instep.domain.policy.wording import missing_keys

ANY_RESOURCE = "*"
# A trust policy alone says who may do these, whatever the caller's own policies allow.
_ASSUMES = "sts:assumerole"
_SEVERITY = {Outcome.ALLOWED: 0, Outcome.IMPLICIT_DENY: 1, Outcome.EXPLICIT_DENY: 2}


@dataclass(frozen=True, slots=True)
class Attached:
    """The resource-based policy that every resource is tried with, who asks, and whose the resources are that do not say so."""

    policy: Policy
    subject: Subject
    owner_account: str
    made: dict[tuple[str, bool], ResourcePolicy] = field(default_factory=dict, repr=False, compare=False)

    def to(self, action: str, resource: str) -> ResourcePolicy:
        """As attached to this resource."""
        parts = arn.segments(resource)
        owner = parts[4] if len(parts) > 4 and parts[4].isdecimal() else self.owner_account
        required = action.lower().startswith(_ASSUMES)
        if (owner, required) not in self.made:
            self.made[owner, required] = ResourcePolicy(self.policy, owner, self.subject, required)
        return self.made[owner, required]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is the same for all actions and resources.

    `identity` are the policies that permit, `boundary` what limits them, None when nothing does.  `organization` are the levels
    of the organization, or the guard policy, each of which must allow as well.
    """

    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None
    context: Context
    organization: tuple[tuple[Policy, ...], ...] = ()
    attached: Attached | None = None
    own: Policies = field(init=False, repr=False)
    alone: Policies = field(init=False, repr=False)
    """Each kind as if there were no other."""
    boundary_alone: Policies | None = field(init=False, repr=False)
    levels: tuple[Policies, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "own", Policies(identity=self.identity, boundary=self.boundary))
        object.__setattr__(self, "alone", Policies(identity=self.identity))
        object.__setattr__(self, "boundary_alone", None if self.boundary is None else Policies(identity=self.boundary))
        object.__setattr__(self, "levels", tuple(Policies(identity=level) for level in self.organization))


@dataclass(frozen=True, slots=True)
class _Trial:
    """`matched`: the statements that it comes from; `details`, what each kind of policy says, where two accounts are in it."""

    resource: str
    outcome: Outcome
    matched: tuple[iam.Statement, ...]
    by_organization: bool | None
    by_boundary: bool | None
    details: Mapping[str, PolicyEvaluationDecisionType] | None


def evaluate(simulation: Simulation, action: str, resources: Sequence[str]) -> EvaluationResult:
    """One result for the action: on all resources together what the strictest says, and then on each."""
    trials = [_trial(simulation, action, resource) for resource in resources]
    missing = _missing(simulation, action)
    outcome = _strictest(trial.outcome for trial in trials)
    organization = [trial.by_organization for trial in trials if trial.by_organization is not None]
    boundary = [trial.by_boundary for trial in trials if trial.by_boundary is not None]
    everything = tuple(resources) == (ANY_RESOURCE,)
    return EvaluationResult(
        eval_action_name=action,
        eval_resource_name=resources[0] if len(resources) == 1 else ANY_RESOURCE,
        eval_decision=_as_told(outcome),
        # Most resources match the same statements, so each is told once.
        matched_statements=tuple(
            dict.fromkeys(statement for trial in trials if trial.outcome is outcome for statement in trial.matched)
        ),
        missing_context_values=missing,
        organizations_decision_detail=_organizations(organization),
        permissions_boundary_decision_detail=_boundary(boundary),
        eval_decision_details=_of_all(trials),
        resource_specific_results=None if everything else tuple(_of_resource(trial, missing) for trial in trials),
    )


def _of_resource(trial: _Trial, missing: tuple[str, ...]) -> ResourceSpecificResult:
    return ResourceSpecificResult(
        eval_resource_name=trial.resource,
        eval_resource_decision=_as_told(trial.outcome),
        matched_statements=trial.matched,
        missing_context_values=missing,
        eval_decision_details=trial.details,
        permissions_boundary_decision_detail=_boundary([] if trial.by_boundary is None else [trial.by_boundary]),
    )


def _trial(simulation: Simulation, action: str, resource: str) -> _Trial:
    request = AccessRequest(action, resource, simulation.context)
    attached = simulation.attached.to(action, resource) if simulation.attached is not None else None
    own = decide(simulation.own, request, resource=attached).outcome
    levels = [decide(level, request).outcome for level in simulation.levels]
    outcome = _strictest((own, *levels))
    by_organization = all(level is Outcome.ALLOWED for level in levels) if levels else None
    boundary = None if simulation.boundary_alone is None else decide(simulation.boundary_alone, request).outcome
    return _Trial(
        resource,
        outcome,
        matched=tuple(_told(rule) for rule in _matching(simulation.own, attached, request, outcome)),
        by_organization=by_organization,
        by_boundary=None if boundary is None else boundary is Outcome.ALLOWED,
        details=None if by_organization is False else _details(simulation, attached, request, boundary),
    )


def _matching(policies: Policies, attached: ResourcePolicy | None, request: AccessRequest, outcome: Outcome) -> Iterator[Rule]:
    """All that allow, or all that deny; nothing makes an implicit denial.  Statements of the organization are not told."""
    if outcome is Outcome.IMPLICIT_DENY:
        return
    effect = Effect.DENY if outcome is Outcome.EXPLICIT_DENY else Effect.ALLOW
    action = request.action.lower()
    if attached is not None:
        for rule in attached.rules:
            statement = rule.deciding.statement
            if statement.effect is effect and _meant(statement, attached.subject) and rule.covers(action, request):
                yield rule
    # What a boundary allows decides nothing by itself; what it denies does.
    layers = (Layer.IDENTITY, Layer.BOUNDARY) if effect is Effect.DENY else (Layer.IDENTITY,)
    rules = policies.denies if effect is Effect.DENY else policies.allows
    for layer in layers:
        for rule in rules.get(layer, ()):
            if rule.covers(action, request):
                yield rule


def _details(
    simulation: Simulation, attached: ResourcePolicy | None, request: AccessRequest, boundary: Outcome | None
) -> Mapping[str, PolicyEvaluationDecisionType] | None:
    """Empty within one account, and not there at all where no resource is named."""
    if request.resource == ANY_RESOURCE:
        return None
    if attached is None or not attached.abroad:
        return {}
    said = {"IAM Policy": decide(simulation.alone, request).outcome, "Resource Policy": _of_attached(attached, request)}
    if boundary is not None:
        said["Permissions Boundary Policy"] = boundary
    return {kind: _as_told(outcome) for kind, outcome in said.items()}


def _of_attached(attached: ResourcePolicy, request: AccessRequest) -> Outcome:
    action = request.action.lower()
    if attached.deny(action, request) is not None:
        return Outcome.EXPLICIT_DENY
    _, rule = attached.allow(action, request)
    return Outcome.IMPLICIT_DENY if rule is None else Outcome.ALLOWED


def _meant(statement: Statement, subject: Subject) -> bool:
    if statement.effect is Effect.DENY:
        return subjects.denies(statement, subject)
    return subjects.grant(statement, subject) is not Grant.NONE


def _told(rule: Rule) -> iam.Statement:
    policy, statement = rule.deciding.policy, rule.deciding.statement
    return iam.Statement(
        source_policy_id=policy.name.rpartition("/")[2],
        source_policy_type=PolicySourceType(policy.source_type),
        start_position=_position(statement.start),
        end_position=_position(statement.end),
    )


def _position(position: Position) -> iam.Position:
    return iam.Position(line=position.line, column=position.column)


def _missing(simulation: Simulation, action: str) -> tuple[str, ...]:
    """Keys that statements about this action ask for and nobody gave, each once."""
    found: dict[str, str] = {}
    for statement in _statements(simulation):
        if any(pattern.matches(action, {}) for pattern in statement.actions) is not statement.negated_actions:
            for key in _asked(statement, simulation.context):
                found.setdefault(key.lower(), key)
    return tuple(found.values())


def _statements(simulation: Simulation) -> Iterator[Statement]:
    attached = simulation.attached
    if attached is not None:
        of_resource = attached.policy.document.statements
        yield from (statement for statement in of_resource if _meant(statement, attached.subject))
    for policy in (*simulation.identity, *(simulation.boundary or ())):
        yield from policy.document.statements


def _asked(statement: Statement, context: Context) -> Iterator[str]:
    for pattern in statement.resources or ():
        yield from missing_keys(pattern.template, context)
    for condition in statement.conditions:
        yield from condition.missing(context)


def _strictest(outcomes: Iterable[Outcome]) -> Outcome:
    return max(outcomes, key=_SEVERITY.__getitem__)


def _of_all(trials: Sequence[_Trial]) -> Mapping[str, PolicyEvaluationDecisionType] | None:
    """What each kind of policy says at its strictest."""
    given = [trial.details for trial in trials if trial.details is not None]
    if not given:
        return None
    kinds = dict.fromkeys(kind for details in given for kind in details)
    return {kind: _as_told(_strictest(Outcome(one[kind].value) for one in given if kind in one)) for kind in kinds}


def _as_told(outcome: Outcome) -> PolicyEvaluationDecisionType:
    return PolicyEvaluationDecisionType(outcome.value)


def _organizations(said: Sequence[bool]) -> OrganizationsDecisionDetail | None:
    return OrganizationsDecisionDetail(allowed_by_organizations=all(said)) if said else None


def _boundary(said: Sequence[bool]) -> PermissionsBoundaryDecisionDetail | None:
    return PermissionsBoundaryDecisionDetail(allowed_by_permissions_boundary=all(said)) if said else None
