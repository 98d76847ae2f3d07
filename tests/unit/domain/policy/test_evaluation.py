"""Who wins when several policies speak: identity, boundary, session, guard and resource, and the root user."""

from __future__ import annotations

from typing import Any

import pytest

from instep.domain.policy.evaluation import AccessRequest, Decision, Layer, Outcome, Policies, decide
from tests.unit.domain.policy.making import ACCOUNT, RICHARD, Counting, allow, deny, policy, request

ALL = policy(allow())
DENY = policy(deny())
OTHER = policy(allow("s3:*"))
ASK = request("iam:GetUser", RICHARD)


def outcome(policies: Policies, **more: Any) -> tuple[Outcome, Layer | None]:
    decision = decide(policies, ASK, **more)
    return decision.outcome, decision.layer


def test_without_any_policy_nothing_is_allowed() -> None:
    assert outcome(Policies()) == (Outcome.IMPLICIT_DENY, Layer.IDENTITY)


def test_one_allow_among_identity_policies_is_enough_and_is_named() -> None:
    decision = decide(Policies(identity=(OTHER, ALL)), ASK)

    assert decision.allowed
    assert decision.layer is None
    assert [(deciding.policy, deciding.layer) for deciding in decision.statements] == [(ALL, Layer.IDENTITY)]


def test_one_deny_is_enough_and_is_named() -> None:
    decision = decide(Policies(identity=(ALL, DENY)), ASK)

    assert (decision.outcome, decision.layer) == (Outcome.EXPLICIT_DENY, Layer.IDENTITY)
    assert [deciding.statement for deciding in decision.statements] == list(DENY.document.statements)


@pytest.mark.parametrize("layer", ["boundary", "session", "guard"])
def test_a_limiting_layer_has_to_allow_as_well(layer: str) -> None:
    assert outcome(Policies(identity=(ALL,), **{layer: (ALL,)})) == (Outcome.ALLOWED, None)
    assert outcome(Policies(identity=(ALL,), **{layer: (OTHER, ALL)})) == (Outcome.ALLOWED, None)
    assert outcome(Policies(identity=(ALL,), **{layer: (OTHER,)})) == (Outcome.IMPLICIT_DENY, Layer(layer))
    assert outcome(Policies(identity=(ALL,), **{layer: (ALL, DENY)})) == (Outcome.EXPLICIT_DENY, Layer(layer))


@pytest.mark.parametrize("layer", ["boundary", "session", "guard"])
def test_a_limiting_layer_that_is_there_but_empty_allows_nothing(layer: str) -> None:
    assert outcome(Policies(identity=(ALL,), **{layer: ()})) == (Outcome.IMPLICIT_DENY, Layer(layer))
    assert outcome(Policies(identity=(ALL,), **{layer: None})) == (Outcome.ALLOWED, None)


@pytest.mark.parametrize("layer", ["boundary", "session", "guard"])
def test_a_limiting_layer_grants_nothing_of_its_own(layer: str) -> None:
    assert outcome(Policies(**{layer: (ALL,)})) == (Outcome.IMPLICIT_DENY, Layer.IDENTITY)


def test_an_allowed_request_names_one_allow_of_each_layer() -> None:
    decision = decide(Policies(identity=(ALL, ALL), boundary=(ALL,), session=(ALL,), guard=(ALL,)), ASK)

    assert [deciding.layer for deciding in decision.statements] == [Layer.GUARD, Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION]


@pytest.mark.parametrize("silent", [(), ("guard",), ("guard", "identity"), ("guard", "identity", "boundary")])
def test_of_several_reasons_one_is_named_in_a_fixed_order(silent: tuple[str, ...]) -> None:
    order = ("guard", "identity", "boundary", "session")
    denied = Policies(**{layer: (ALL,) if layer in silent else (DENY,) for layer in order})
    unsaid = Policies(**{layer: (ALL,) if layer in silent else (OTHER,) for layer in order})
    first = Layer(order[len(silent)])

    assert outcome(denied) == (Outcome.EXPLICIT_DENY, first)
    assert outcome(unsaid) == (Outcome.IMPLICIT_DENY, first)


def test_an_explicit_deny_is_named_before_an_implicit_one_of_an_earlier_layer() -> None:
    assert outcome(Policies(guard=(), identity=(), session=(DENY,))) == (Outcome.EXPLICIT_DENY, Layer.SESSION)


def test_the_root_user_is_allowed_everything_that_the_guard_does_not_keep_from_him() -> None:
    assert outcome(Policies(), root=True) == (Outcome.ALLOWED, None)
    assert outcome(Policies(identity=(DENY,), boundary=(), session=(DENY,)), root=True) == (Outcome.ALLOWED, None)
    assert outcome(Policies(guard=(ALL,)), root=True) == (Outcome.ALLOWED, None)
    assert outcome(Policies(guard=(OTHER,)), root=True) == (Outcome.IMPLICIT_DENY, Layer.GUARD)
    assert outcome(Policies(guard=(ALL, DENY)), root=True) == (Outcome.EXPLICIT_DENY, Layer.GUARD)


@pytest.mark.parametrize(
    ("listed", "action", "expected"),
    [
        ("iam:GetUser", "iam:GetUser", True),
        ("IAM:getuser", "iam:GetUser", True),
        ("iam:GetUser", "IAM:GETUSER", True),
        ("iam:Get*", "iam:GetUser", True),
        ("iam:*User", "iam:GetUser", True),
        ("iam:G?tUser", "iam:GetUser", True),
        ("iam:Get*User*", "iam:GetUser", True),
        ("iam:*", "iam:GetUser", True),
        ("*", "iam:GetUser", True),
        ("iam:GetUser", "iam:GetUserPolicy", False),
        ("iam:Get", "iam:GetUser", False),
        ("s3:*", "iam:GetUser", False),
        ("iam:GetUser?", "iam:GetUser", False),
    ],
)
def test_actions_are_matched_ignoring_case_and_with_wildcards(listed: str, action: str, expected: bool) -> None:
    not_listed = {"Effect": "Allow", "NotAction": listed, "Resource": "*"}

    assert decide(Policies(identity=(policy(allow(listed)),)), request(action)).allowed is expected
    assert decide(Policies(identity=(policy(not_listed),)), request(action)).allowed is not expected


def test_a_deny_of_not_action_leaves_what_it_lists_to_others() -> None:
    blocking = policy({"Effect": "Deny", "NotAction": "iam:GetUser", "Resource": "*"})

    assert outcome(Policies(identity=(blocking,))) == (Outcome.IMPLICIT_DENY, Layer.IDENTITY)
    assert outcome(Policies(identity=(blocking, ALL))) == (Outcome.ALLOWED, None)
    assert decide(Policies(identity=(blocking, ALL)), request("iam:ListUsers")).outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("listed", "resource", "expected"),
    [
        ("*", "*", True),
        ("*", RICHARD, True),
        (RICHARD, RICHARD, True),
        (RICHARD, RICHARD.lower(), False),
        (f"arn:aws:iam::{ACCOUNT}:user/*", f"arn:aws:iam::{ACCOUNT}:user/div/Richard", True),
        ("arn:aws:iam::*:user/${aws:username}", RICHARD, True),
        (f"arn:aws:iam::{ACCOUNT}:user/Richard", f"arn:aws:iam::{ACCOUNT}:user/Richard2", False),
        (f"arn:aws:iam::{ACCOUNT}:user/*", "*", False),
    ],
)
def test_resources_are_matched_with_wildcards_and_variables(listed: str, resource: str, expected: bool) -> None:
    not_listed = {"Effect": "Allow", "Action": "*", "NotResource": listed}
    ask = request("iam:GetUser", resource)

    assert decide(Policies(identity=(policy(allow(resource=listed)),)), ask).allowed is expected
    if listed != "*":
        assert decide(Policies(identity=(policy(not_listed),)), ask).allowed is not expected


def test_a_resource_whose_variable_has_no_value_matches_nothing() -> None:
    own = policy(allow(resource="arn:aws:iam::*:user/${aws:PrincipalTag/owns}"))

    assert not decide(Policies(identity=(own,)), ASK).allowed
    assert not decide(Policies(identity=(own,)), request("iam:GetUser", "arn:aws:iam::1:user/")).allowed


def test_in_older_documents_a_variable_is_plain_text() -> None:
    own = policy(allow(resource="arn:aws:iam::*:user/${aws:username}"), version="2008-10-17")

    assert not decide(Policies(identity=(own,)), ASK).allowed


def test_all_conditions_of_a_statement_have_to_hold() -> None:
    both = policy(allow(Bool={"aws:MultiFactorAuthPresent": "true"}, StringEquals={"aws:username": "Richard", "aws:userid": "x"}))
    fitting = {"aws:multifactorauthpresent": ("true",), "aws:userid": ("x",)}

    assert decide(Policies(identity=(both,)), request("iam:GetUser", context=fitting)).allowed
    for key in fitting:
        assert not decide(Policies(identity=(both,)), request("iam:GetUser", context={**fitting, key: ("y",)})).allowed


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        (Decision(Outcome.ALLOWED), ""),
        (
            Decision(Outcome.IMPLICIT_DENY, Layer.IDENTITY),
            "because no identity-based policy allows the iam:ListUsers action",
        ),
        (Decision(Outcome.EXPLICIT_DENY, Layer.IDENTITY), "with an explicit deny in an identity-based policy"),
        (
            Decision(Outcome.IMPLICIT_DENY, Layer.BOUNDARY),
            "because no permissions boundary allows the iam:ListUsers action",
        ),
        (Decision(Outcome.EXPLICIT_DENY, Layer.BOUNDARY), "with an explicit deny in a permissions boundary"),
        (Decision(Outcome.IMPLICIT_DENY, Layer.SESSION), "because no session policy allows the iam:ListUsers action"),
        (Decision(Outcome.EXPLICIT_DENY, Layer.SESSION), "with an explicit deny in a session policy"),
        (Decision(Outcome.IMPLICIT_DENY, Layer.GUARD), "with an explicit deny in a service control policy"),
        (Decision(Outcome.EXPLICIT_DENY, Layer.GUARD), "with an explicit deny in a service control policy"),
        (
            Decision(Outcome.IMPLICIT_DENY, Layer.RESOURCE),
            "because no resource-based policy allows the iam:ListUsers action",
        ),
        (Decision(Outcome.EXPLICIT_DENY, Layer.RESOURCE), "with an explicit deny in a resource-based policy"),
    ],
)
def test_a_refusal_is_worded_as_aws_words_it(decision: Decision, words: str) -> None:
    assert decision.because("iam:ListUsers") == words


def test_a_not_resource_whose_variable_has_no_value_allows_nothing_and_still_denies() -> None:
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    of_role = AccessRequest("iam:DeleteUser", RICHARD, {})
    all_but_own = policy({"Effect": "Allow", "Action": "*", "NotResource": own})
    deny_all_but_own = policy({"Effect": "Deny", "Action": "*", "NotResource": own})

    assert not decide(Policies(identity=(all_but_own,)), of_role).allowed
    assert decide(Policies(identity=(all_but_own,)), request("iam:DeleteUser", RICHARD, user="Saanvi")).allowed
    assert decide(Policies(identity=(deny_all_but_own,)), of_role).outcome is Outcome.EXPLICIT_DENY


def test_a_long_text_is_not_made_to_see_whether_its_variables_have_values() -> None:
    many = "arn:aws:iam::*:user/" + "${aws:UserAgent}" * 600
    context = Counting({"aws:useragent": ("a" * 1024,)})
    all_but_those = Policies(identity=(policy({"Effect": "Allow", "Action": "*", "NotResource": many}),))

    assert decide(all_but_those, AccessRequest("iam:GetUser", RICHARD, context)).allowed
    assert context.asked <= 1 + 600
    assert not decide(all_but_those, AccessRequest("iam:GetUser", RICHARD, {})).allowed
