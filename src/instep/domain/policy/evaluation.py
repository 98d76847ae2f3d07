"""Whether a request is allowed, and which statements decided (IAM User Guide, "Policy evaluation logic")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from instep.domain.policy import subject as subjects
from instep.domain.policy.document import Document, Effect, Statement
from instep.domain.policy.pattern import Pattern
from instep.domain.policy.subject import Grant, Subject
from instep.domain.policy.variables import Context


class Layer(StrEnum):
    """Where a policy stands.  Of several reasons for a refusal the one named is of the first layer in this order."""

    GUARD = "guard"
    RESOURCE = "resource"
    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SESSION = "session"


class Outcome(StrEnum):
    """As SimulatePrincipalPolicy words it."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Policy:
    """`name`: an inline policy's, a managed one's ARN, or `PolicyInputList.1`; `source_type`: as SimulateCustomPolicy has it.

    `owner`: the name of the user, group or role that an inline policy is part of.
    """

    document: Document
    name: str
    source_type: str = "none"
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """`action` as policies write it, `iam:ResyncMFADevice`; `resource`, the ARN that it is authorized against, or `*`."""

    action: str
    resource: str
    context: Context


@dataclass(frozen=True, slots=True)
class Deciding:
    """A statement in its place."""

    policy: Policy
    statement: Statement
    layer: Layer


@dataclass(frozen=True, slots=True)
class Decision:
    """`layer`: which one refused; None when allowed.

    `statements`: the Deny that refused, or an Allow of each layer that had to give one; none after an implicit deny.
    """

    outcome: Outcome
    layer: Layer | None = None
    statements: tuple[Deciding, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.outcome is Outcome.ALLOWED

    def because(self, action: str) -> str:
        """What AWS's AccessDenied sentence ends with (IAM User Guide, "Troubleshoot access denied error messages")."""
        if self.layer is None:
            return ""
        article, policy = _WORDS[self.layer]
        # Of service control policies AWS says the same whether one denies or none allows.
        if self.outcome is Outcome.EXPLICIT_DENY or self.layer is Layer.GUARD:
            return f"with an explicit deny in {article} {policy}"
        return f"because no {policy} allows the {action} action"


_WORDS = {
    Layer.GUARD: ("a", "service control policy"),
    Layer.RESOURCE: ("a", "resource-based policy"),
    Layer.IDENTITY: ("an", "identity-based policy"),
    Layer.BOUNDARY: ("a", "permissions boundary"),
    Layer.SESSION: ("a", "session policy"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A statement made ready for many requests."""

    deciding: Deciding
    exact_actions: frozenset[str]
    action_prefixes: tuple[str, ...]
    other_actions: tuple[Pattern, ...]
    any_resource: bool

    @classmethod
    def of(cls, deciding: Deciding) -> Rule:
        statement = deciding.statement
        # Nearly all actions are written out, or end in their only asterisk: a set and `startswith` see to all of those at once.
        exact, prefixes, others = set(), [], []
        for pattern in statement.actions:
            text = pattern.text.lower()
            wildcards = sum(text.count(wildcard) for wildcard in "*?")
            if not wildcards:
                exact.add(text)
            elif wildcards == 1 and text.endswith("*"):
                prefixes.append(text[:-1])
            else:
                others.append(pattern)
        # A trust policy has no Resource element: the role is its resource.
        any_resource = statement.resources is None or (
            not statement.negated_resources and any(pattern.text == "*" for pattern in statement.resources)
        )
        return cls(deciding, frozenset(exact), tuple(prefixes), tuple(others), any_resource)

    def covers(self, action: str, request: AccessRequest) -> bool:
        """Whether action, resource and conditions fit; principals are not looked at.  `action`: the request's, in lower case."""
        statement, context = self.deciding.statement, request.context
        listed = action in self.exact_actions or action.startswith(self.action_prefixes)
        if not listed and self.other_actions:
            listed = any(pattern.matches(action, context) for pattern in self.other_actions)
        if listed is statement.negated_actions:
            return False
        if not (self.any_resource or fits_resource(statement, request)):
            return False
        # Not `all` of a generator: this runs for many statements on each request.
        for condition in statement.conditions:  # noqa: SIM110
            if not condition.holds(context):
                return False
        return True


Rules: TypeAlias = dict[Layer, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True)
class Policies:
    """All that says what a principal may do, made ready once for many requests.

    Of guard, boundary and session policy None says that there is none, and nothing is limited; an empty tuple, that there is one
    which is gone or empty, and allows nothing.
    """

    identity: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] | None = None
    session: tuple[Policy, ...] | None = None
    guard: tuple[Policy, ...] | None = None
    denies: Rules = field(init=False, repr=False, compare=False)
    allows: Rules = field(init=False, repr=False, compare=False)
    """A layer is in here when there is one, whether anything in it allows or not."""

    def __post_init__(self) -> None:
        rules = {layer: _rules(layer, policies) for layer, policies in self.layers().items()}
        object.__setattr__(self, "denies", {layer: _of_effect(Effect.DENY, of_layer) for layer, of_layer in rules.items()})
        object.__setattr__(self, "allows", {layer: _of_effect(Effect.ALLOW, of_layer) for layer, of_layer in rules.items()})

    def layers(self) -> dict[Layer, tuple[Policy, ...]]:
        """Those that there are."""
        all_of_them = {
            Layer.GUARD: self.guard,
            Layer.IDENTITY: self.identity,
            Layer.BOUNDARY: self.boundary,
            Layer.SESSION: self.session,
        }
        return {layer: policies for layer, policies in all_of_them.items() if policies is not None}


@dataclass(frozen=True, slots=True)
class ResourcePolicy:
    """The policy of what is asked for, such as a role's trust policy, and who asks.

    `required`: nothing else can stand for an Allow in here.  It never can when the caller is of another account than the owner.
    """

    policy: Policy
    owner_account: str
    subject: Subject
    required: bool
    rules: tuple[Rule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rules", _rules(Layer.RESOURCE, (self.policy,)))

    @property
    def abroad(self) -> bool:
        return self.subject.account_id != self.owner_account

    def deny(self, action: str, request: AccessRequest) -> Rule | None:
        for rule in _of_effect(Effect.DENY, self.rules):
            if subjects.denies(rule.deciding.statement, self.subject) and rule.covers(action, request):
                return rule
        return None

    def allow(self, action: str, request: AccessRequest) -> tuple[Grant, Rule | None]:
        """The Allow that carries the caller furthest."""
        best: tuple[Grant, Rule | None] = (Grant.NONE, None)
        for rule in _of_effect(Effect.ALLOW, self.rules):
            grant = subjects.grant(rule.deciding.statement, self.subject)
            if grant > best[0] and rule.covers(action, request):
                best = grant, rule
        return best


_OWN = (Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION)
# What still has to allow when the resource's policy allows, of the caller's own.
_STILL_ASKED = {Grant.NONE: _OWN, Grant.ACCOUNT: _OWN, Grant.ROLE: (Layer.BOUNDARY, Layer.SESSION), Grant.EXACT: ()}


def decide(policies: Policies, request: AccessRequest, *, root: bool = False, resource: ResourcePolicy | None = None) -> Decision:
    """`root`: the caller is the root user, whom only the guard and the policy of the resource limit."""
    action = request.action.lower()
    # One explicit Deny settles it, so Deny is looked for before any Allow is believed.
    denying = _explicit_deny(policies, action, request, root=root, resource=resource)
    if denying is not None:
        return Decision(Outcome.EXPLICIT_DENY, denying.deciding.layer, (denying.deciding,))
    allowing: list[Deciding] = []
    asked: tuple[Layer, ...] = () if root else _OWN
    if not _layer_allows(policies, Layer.GUARD, action, request, allowing):
        return Decision(Outcome.IMPLICIT_DENY, Layer.GUARD)
    if resource is not None:
        grant, rule = resource.allow(action, request)
        if rule is not None:
            allowing.append(rule.deciding)
        elif resource.required or resource.abroad:
            return Decision(Outcome.IMPLICIT_DENY, Layer.RESOURCE)
        # Of another account's resource both sides must allow, however the caller is named.
        if not root and not resource.abroad:
            asked = _STILL_ASKED[grant]
    for layer in asked:
        if not _layer_allows(policies, layer, action, request, allowing):
            return Decision(Outcome.IMPLICIT_DENY, layer)
    return Decision(Outcome.ALLOWED, None, tuple(allowing))


def _explicit_deny(
    policies: Policies, action: str, request: AccessRequest, *, root: bool, resource: ResourcePolicy | None
) -> Rule | None:
    rule = _first(policies.denies.get(Layer.GUARD, ()), action, request)
    if rule is None and resource is not None:
        rule = resource.deny(action, request)
    if rule is None and not root:
        for layer in _OWN:
            rule = _first(policies.denies.get(layer, ()), action, request)
            if rule is not None:
                break
    return rule


def _layer_allows(policies: Policies, layer: Layer, action: str, request: AccessRequest, allowing: list[Deciding]) -> bool:
    """Notes in `allowing` what allows.  A layer that there is not does not stand in the way."""
    rules = policies.allows.get(layer)
    if rules is None:
        return True
    rule = _first(rules, action, request)
    if rule is None:
        return False
    allowing.append(rule.deciding)
    return True


def _first(rules: Iterable[Rule], action: str, request: AccessRequest) -> Rule | None:
    for rule in rules:
        if rule.covers(action, request):
            return rule
    return None


def fits_resource(statement: Statement, request: AccessRequest) -> bool:
    """Always, where the statement has no Resource element."""
    if statement.resources is None:
        return True
    listed = any(pattern.matches(request.resource, request.context) for pattern in statement.resources)
    if not statement.negated_resources:
        return listed
    # A variable without a value lists nothing.  An Allow for all but nothing must not become one for everything.
    if statement.effect is Effect.ALLOW and not all(pattern.settled(request.context) for pattern in statement.resources):
        return False
    return not listed


def _rules(layer: Layer, policies: Iterable[Policy]) -> tuple[Rule, ...]:
    return tuple(Rule.of(Deciding(policy, statement, layer)) for policy in policies for statement in policy.document.statements)


def _of_effect(effect: Effect, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if rule.deciding.statement.effect is effect)
