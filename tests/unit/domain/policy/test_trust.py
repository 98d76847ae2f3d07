"""Policies of resources, such as a role's trust policy: whom they name, and how far that carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from instep.domain.policy.evaluation import Decision, Layer, Outcome, Policies, Policy, ResourcePolicy, decide
from instep.domain.policy.subject import Grant, Subject, grant
from tests.unit.domain.policy.making import ACCOUNT, RICHARD, allow, deny, policy, request, trust

ALL = policy(allow())
ELSEWHERE = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Ops"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/alice"
USER_ID, ROLE_ID = "AIDAEXAMPLEEXAMPLE12", "AROAEXAMPLEEXAMPLE12"
GONE = "AIDAGONEGONEGONEGONE1"
"""What is left in a policy of a user who was deleted."""
USER = Subject(ACCOUNT, exact=frozenset({USER_ID, RICHARD}))
ROLE_SESSION = Subject(ACCOUNT, exact=frozenset({SESSION}), role=frozenset({ROLE_ID, ROLE}))
ROOT = Subject(ACCOUNT)
ROOT_ARN = f"arn:aws:iam::{ACCOUNT}:root"
TARGET = f"arn:aws:iam::{ACCOUNT}:role/Target"
OWN_ALLOW = Policies(identity=(ALL,))


def trusting(effect: str, principal: Any, *, element: str = "Principal", **more: Any) -> Policy:
    return trust({"Effect": effect, element: principal, "Action": "sts:AssumeRole", **more})


def assume(
    trusted: Policy,
    subject: Subject = USER,
    policies: Policies | None = None,
    *,
    owner: str = ACCOUNT,
    required: bool = True,
    root: bool = False,
    **context: tuple[str, ...],
) -> Decision:
    asked = ResourcePolicy(trusted, owner, subject, required)
    ask = request("sts:AssumeRole", TARGET, {f"aws:{key}": values for key, values in context.items()})
    return decide(policies or Policies(), ask, resource=asked, root=root)


@pytest.mark.parametrize("name", [USER_ID, RICHARD])
def test_a_user_named_himself_needs_no_policy_of_his_own(name: str) -> None:
    trusted = trusting("Allow", {"AWS": name})

    decision = assume(trusted)

    assert decision.allowed
    assert [(deciding.policy, deciding.layer) for deciding in decision.statements] == [(trusted, Layer.RESOURCE)]
    assert assume(trusted, policies=Policies(boundary=(), session=())).allowed


def test_a_user_named_himself_is_still_kept_out_by_a_deny_or_the_guard() -> None:
    trusted = trusting("Allow", {"AWS": RICHARD})

    for layer in ("identity", "boundary", "session", "guard"):
        decision = assume(trusted, policies=Policies(**{layer: (ALL, policy(deny()))}))
        assert (decision.outcome, decision.layer) == (Outcome.EXPLICIT_DENY, Layer(layer))
    assert assume(trusted, policies=Policies(guard=())).layer is Layer.GUARD


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ACCOUNT}, {"AWS": ROOT_ARN}, {"AWS": [GONE, ACCOUNT]}])
def test_naming_the_account_or_everybody_leaves_it_to_the_callers_own_policies(principal: Any) -> None:
    trusted = trusting("Allow", principal)

    refused = assume(trusted)

    assert (refused.outcome, refused.layer) == (Outcome.IMPLICIT_DENY, Layer.IDENTITY)
    assert assume(trusted, policies=OWN_ALLOW).allowed
    assert assume(trusted, policies=Policies(identity=(ALL,), boundary=())).layer is Layer.BOUNDARY
    assert assume(trusted, ROOT, root=True).allowed


@pytest.mark.parametrize("name", [ROLE, ROLE_ID])
def test_naming_a_sessions_role_stands_for_identity_policies_only(name: str) -> None:
    trusted = trusting("Allow", {"AWS": name})

    assert assume(trusted, ROLE_SESSION).allowed
    assert assume(trusted, ROLE_SESSION, Policies(boundary=(ALL,), session=(ALL,))).allowed
    assert assume(trusted, ROLE_SESSION, Policies(identity=(ALL,), boundary=())).layer is Layer.BOUNDARY
    assert assume(trusted, ROLE_SESSION, Policies(identity=(ALL,), session=())).layer is Layer.SESSION


def test_naming_the_session_itself_goes_further_than_naming_its_role() -> None:
    trusted = trust(
        {"Effect": "Allow", "Principal": {"AWS": ROLE_ID}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"AWS": SESSION}, "Action": "sts:AssumeRole"},
    )

    assert assume(trusted, ROLE_SESSION, Policies(boundary=(), session=())).allowed


@pytest.mark.parametrize(
    "principal",
    [{"AWS": GONE}, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/richard"}, {"AWS": ELSEWHERE}, {"Service": "ec2.amazonaws.com"}],
)
def test_whom_a_trust_policy_does_not_name_stays_out_whatever_his_own_policies_say(principal: Any) -> None:
    decision = assume(trusting("Allow", principal), policies=OWN_ALLOW)

    assert (decision.outcome, decision.layer) == (Outcome.IMPLICIT_DENY, Layer.RESOURCE)


def test_even_the_root_user_has_to_be_named_by_a_trust_policy() -> None:
    assert assume(trusting("Allow", {"AWS": ELSEWHERE}), ROOT, root=True).layer is Layer.RESOURCE


def test_where_an_allow_of_the_resource_is_not_required_the_callers_own_will_do() -> None:
    silent = trusting("Allow", {"AWS": GONE})

    assert assume(silent, policies=OWN_ALLOW, required=False).allowed
    assert assume(silent, required=False).layer is Layer.IDENTITY


@pytest.mark.parametrize("principal", ["*", {"AWS": RICHARD}, {"AWS": ACCOUNT}])
def test_across_accounts_both_sides_have_to_allow(principal: Any) -> None:
    trusted = trusting("Allow", principal)

    assert assume(trusted, owner=ELSEWHERE).layer is Layer.IDENTITY
    assert assume(trusted, policies=OWN_ALLOW, owner=ELSEWHERE).allowed
    assert assume(trusted, policies=Policies(identity=(ALL,), boundary=()), owner=ELSEWHERE).layer is Layer.BOUNDARY
    silent = trusting("Allow", {"AWS": GONE})
    assert assume(silent, policies=OWN_ALLOW, owner=ELSEWHERE, required=False).layer is Layer.RESOURCE


@pytest.mark.parametrize("principal", ["*", {"AWS": USER_ID}, {"AWS": RICHARD}, {"AWS": ACCOUNT}, {"AWS": ROOT_ARN}])
def test_a_deny_that_names_the_caller_in_any_way_keeps_him_out(principal: Any) -> None:
    trusted = trust(
        {"Effect": "Allow", "Principal": {"AWS": RICHARD}, "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "Principal": principal, "Action": "sts:AssumeRole"},
    )

    decision = assume(trusted, policies=OWN_ALLOW)

    assert (decision.outcome, decision.layer) == (Outcome.EXPLICIT_DENY, Layer.RESOURCE)


@pytest.mark.parametrize(
    ("spared", "subject", "out"),
    [
        ([RICHARD, ROOT_ARN], USER, False),
        ([USER_ID, ACCOUNT], USER, False),
        ([RICHARD], USER, True),
        ([ROOT_ARN], USER, True),
        ([GONE, ROOT_ARN], USER, True),
        ([ROOT_ARN], ROOT, False),
        ([RICHARD], ROOT, True),
        ([ROLE, ROOT_ARN], ROLE_SESSION, False),
        ([SESSION, ROLE, ROOT_ARN], ROLE_SESSION, False),
        ([SESSION.replace("alice", "bob"), ROLE, ROOT_ARN], ROLE_SESSION, True),
        ([SESSION, ROOT_ARN], ROLE_SESSION, True),
        ([ROLE], ROLE_SESSION, True),
    ],
)
def test_a_deny_of_not_principal_spares_whoever_is_listed_with_role_and_account(
    spared: list[str], subject: Subject, out: bool
) -> None:
    trusted = trust(
        {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": spared}, "Action": "sts:AssumeRole"},
    )

    decision = assume(trusted, subject, OWN_ALLOW, root=subject is ROOT)

    assert (decision.outcome is Outcome.EXPLICIT_DENY) is out
    assert decision.allowed is not out


def test_an_allow_of_not_principal_lets_nobody_in() -> None:
    (statement,) = trusting("Allow", {"AWS": GONE}).document.statements

    assert grant(replace(statement, negated_principals=True), USER) is Grant.NONE


def test_a_service_is_named_as_a_service() -> None:
    service = Subject("", service="ec2.amazonaws.com")

    assert assume(trusting("Allow", {"Service": "ec2.amazonaws.com"}), service, owner="").allowed
    assert not assume(trusting("Allow", {"Service": "lambda.amazonaws.com"}), service, owner="").allowed
    assert not assume(trusting("Allow", {"AWS": "*"}), service, owner="").allowed


def test_a_trust_policy_may_ask_for_mfa() -> None:
    trusted = trusting("Allow", {"AWS": ACCOUNT}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})

    assert assume(trusted, policies=OWN_ALLOW, multifactorauthpresent=("true",)).allowed
    assert assume(trusted, policies=OWN_ALLOW).layer is Layer.RESOURCE
    assert assume(trusted, policies=OWN_ALLOW, multifactorauthpresent=("false",)).layer is Layer.RESOURCE


def test_a_trust_policy_allows_the_actions_it_lists_only() -> None:
    tagging = trust({"Effect": "Allow", "Principal": {"AWS": RICHARD}, "Action": "sts:TagSession"})

    assert assume(tagging).layer is Layer.RESOURCE
