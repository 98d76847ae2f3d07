"""What holds for all policies, whatever is in them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from instep.domain.policy.document import Effect
from instep.domain.policy.evaluation import AccessRequest, Outcome, Policies, Policy, decide
from instep.domain.policy.explanation import explain
from instep.domain.policy.variables import Context
from tests.unit.domain.policy.making import ACCOUNT, policy

ACTIONS = ["iam:GetUser", "iam:ListUsers", "iam:ResyncMFADevice", "s3:GetObject", "sts:AssumeRole"]
RESOURCES = ["*", f"arn:aws:iam::{ACCOUNT}:user/Richard", f"arn:aws:iam::{ACCOUNT}:user/div/Sally", "arn:aws:s3:::bucket/key"]

LAYERS = ["identity", "boundary", "session", "guard"]

action_patterns = st.sampled_from(
    [
        *ACTIONS,
        "*",
        "iam:*",
        "iam:get*",
        "iam:*User*",
        "iam:?etUser",
        "s3:*Object",
        "sts:*",
        "IAM:LISTUSERS",
        "iam:*Device",
        "s3:?*",
    ]
)
resource_patterns = st.sampled_from(
    [
        *RESOURCES,
        "arn:aws:iam::*:user/${aws:username}",
        "arn:aws:iam::*:user/*/${aws:username}",
        "arn:aws:iam::*:user/*",
        "arn:aws:iam::*:*",
        "arn:aws:s3:::bucket/?ey",
    ]
)
condition_lines = st.sampled_from(
    [
        ("Bool", "aws:MultiFactorAuthPresent", "true"),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", "false"),
        ("Null", "aws:MultiFactorAuthAge", "true"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "3600"),
        ("NumericGreaterThanIfExists", "aws:MultiFactorAuthAge", "3600"),
        ("IpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ("StringNotLike", "aws:username", "R*"),
        ("ForAllValues:StringEquals", "aws:TagKeys", "team"),
        ("ForAnyValue:StringEquals", "aws:TagKeys", "team"),
    ]
)


@st.composite
def statements(draw: st.DrawFn, *, effects: st.SearchStrategy[str] = st.sampled_from(["Allow", "Deny"])) -> dict[str, Any]:  # noqa: B008
    action = draw(st.sampled_from(["Action", "Action", "NotAction"]))
    resource = draw(st.sampled_from(["Resource", "Resource", "NotResource"]))
    statement: dict[str, Any] = {
        "Effect": draw(effects),
        action: draw(st.lists(action_patterns, min_size=1, max_size=3)),
        resource: draw(st.lists(resource_patterns, min_size=1, max_size=3)),
    }
    lines = draw(st.lists(condition_lines, max_size=2))
    if lines:
        statement["Condition"] = {operator: {key: value} for operator, key, value in lines}
    return statement


contexts = st.fixed_dictionaries(
    {"aws:username": st.sampled_from([("Richard",), ("Sally",)])},
    optional={
        "aws:multifactorauthpresent": st.sampled_from([("true",), ("false",)]),
        "aws:multifactorauthage": st.sampled_from([("0",), ("3600",), ("9999",)]),
        "aws:sourceip": st.sampled_from([("192.0.2.7",), ("2001:db8::1",)]),
        "aws:tagkeys": st.sampled_from([(), ("team",), ("team", "cost")]),
    },
)


def _request(action: str, resource: str, context: Context) -> AccessRequest:
    return AccessRequest(action, resource, context)


requests = st.builds(_request, st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), contexts)
some_statements = st.lists(statements(), min_size=1, max_size=3)
some_policies = st.lists(some_statements.map(lambda drawn: policy(*drawn)), max_size=2).map(tuple)
limits = st.none() | some_policies
all_policies = st.builds(Policies, identity=some_policies, boundary=limits, session=limits, guard=limits)


@given(policies=all_policies, request=requests)
def test_an_explicit_deny_always_wins_and_nothing_else_is_one(policies: Policies, request: AccessRequest) -> None:
    explanation = explain(policies, request)
    denied = [verdict.layer for verdict in explanation.verdicts if verdict.applies and verdict.statement.effect is Effect.DENY]

    assert (explanation.decision.outcome is Outcome.EXPLICIT_DENY) is bool(denied)
    if denied:
        assert explanation.decision.layer is denied[0]


@given(policies=all_policies, request=requests)
def test_a_request_is_allowed_exactly_when_nothing_denies_it_and_every_layer_has_an_allow(
    policies: Policies, request: AccessRequest
) -> None:
    applying = [verdict for verdict in explain(policies, request).verdicts if verdict.applies]
    allowing = {verdict.layer for verdict in applying if verdict.statement.effect is Effect.ALLOW}
    denied = any(verdict.statement.effect is Effect.DENY for verdict in applying)

    assert decide(policies, request).allowed is (not denied and allowing == set(policies.layers()))


@given(policies=all_policies, request=requests)
def test_the_statements_named_are_statements_that_apply(policies: Policies, request: AccessRequest) -> None:
    decision, verdicts = explain(policies, request).decision, explain(policies, request).verdicts
    applying = [(verdict.layer, verdict.policy, verdict.statement) for verdict in verdicts if verdict.applies]

    assert decision == decide(policies, request)
    assert all((deciding.layer, deciding.policy, deciding.statement) in applying for deciding in decision.statements)


@given(policies=all_policies, request=requests, added=statements(effects=st.just("Deny")), layer=st.sampled_from(LAYERS))
def test_adding_a_deny_never_allows_more(policies: Policies, request: AccessRequest, added: dict[str, Any], layer: str) -> None:
    more = _with(policies, layer, policy(added))

    # A limiting layer that there was not limits by being there, so it is allowed less there, too.
    assert decide(policies, request).allowed or not decide(more, request).allowed


@given(policies=all_policies, request=requests, added=statements(effects=st.just("Allow")))
def test_adding_an_allow_never_allows_less(policies: Policies, request: AccessRequest, added: dict[str, Any]) -> None:
    more = _with(policies, "identity", policy(added))

    assert decide(more, request).allowed or not decide(policies, request).allowed


@given(listed=st.lists(action_patterns, min_size=1, max_size=4), request=requests, effect=st.sampled_from(["Allow", "Deny"]))
def test_not_action_is_the_complement_of_action(listed: list[str], request: AccessRequest, effect: str) -> None:
    on_everything = {"Effect": effect, "Resource": "*"}
    applies = [
        explain(Policies(identity=(policy({**on_everything, element: listed}),)), request).verdicts[0].applies
        for element in ("Action", "NotAction")
    ]

    assert applies in ([True, False], [False, True])


@given(
    listed=st.lists(resource_patterns.filter(lambda text: text != "*"), min_size=1, max_size=4),
    request=requests,
    effect=st.sampled_from(["Allow", "Deny"]),
)
def test_not_resource_is_the_complement_of_resource(listed: list[str], request: AccessRequest, effect: str) -> None:
    everything = {"Effect": effect, "Action": "*"}
    applies = [
        explain(Policies(identity=(policy({**everything, element: listed}),)), request).verdicts[0].applies
        for element in ("Resource", "NotResource")
    ]

    assert applies in ([True, False], [False, True])


@given(data=st.data(), drawn=some_statements, request=requests)
def test_the_order_of_statements_and_their_spread_over_policies_never_matter(
    data: st.DataObject, drawn: list[dict[str, Any]], request: AccessRequest
) -> None:
    shuffled = data.draw(st.permutations(drawn))
    cut = data.draw(st.integers(0, len(drawn) - 1))
    spread = tuple(policy(*part) for part in (shuffled[:cut], shuffled[cut:]) if part)

    one = decide(Policies(identity=(policy(*drawn),)), request)
    other = decide(Policies(identity=spread), request)

    assert (one.outcome, one.layer) == (other.outcome, other.layer)


@given(policies=all_policies, request=requests)
def test_the_case_of_an_action_never_matters(policies: Policies, request: AccessRequest) -> None:
    outcomes = {
        decide(policies, AccessRequest(action, request.resource, request.context)).outcome
        for action in (request.action, request.action.upper(), request.action.lower())
    }

    assert len(outcomes) == 1


@given(policies=all_policies, request=requests)
def test_the_root_user_is_limited_by_the_guard_alone(policies: Policies, request: AccessRequest) -> None:
    guard_alone = Policies(identity=(policy({"Effect": "Allow", "Action": "*", "Resource": "*"}),), guard=policies.guard)

    as_root, guarded = decide(policies, request, root=True), decide(guard_alone, request)

    assert (as_root.outcome, as_root.layer) == (guarded.outcome, guarded.layer)


def _with(policies: Policies, layer: str, added: Policy) -> Policies:
    there = {name: getattr(policies, name) for name in LAYERS}
    return Policies(**{**there, layer: (*(there[layer] or ()), added)})
