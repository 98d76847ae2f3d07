"""What MFA changes: the policy of the guide's re-sync page, cell by cell, and the usual ways to ask for MFA in a policy."""

from __future__ import annotations

from typing import Any

import pytest

from instep.domain.policy.evaluation import Outcome, Policies, decide
from instep.domain.policy.variables import Context
from tests.unit.domain.policy.making import (
    ACCOUNT,
    NO_MFA_KEYS,
    RICHARD,
    WITHOUT_MFA,
    allow,
    deny,
    policy,
    published,
    request,
    with_mfa,
)

ALLOWED, EXPLICIT, IMPLICIT = Outcome.ALLOWED, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY
SALLY = f"arn:aws:iam::{ACCOUNT}:user/Sally"
DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/Richard"

# Action, resource; what becomes of it with an access key, with a session or token without MFA, with MFA.
RESYNC_PAGE = [
    ("iam:ListVirtualMFADevices", f"arn:aws:iam::{ACCOUNT}:mfa/", ALLOWED, ALLOWED, ALLOWED),
    ("iam:ListMFADevices", RICHARD, ALLOWED, ALLOWED, ALLOWED),
    ("iam:ListMFADevices", SALLY, IMPLICIT, IMPLICIT, IMPLICIT),
    ("iam:ResyncMFADevice", RICHARD, ALLOWED, ALLOWED, ALLOWED),
    ("iam:ResyncMFADevice", SALLY, IMPLICIT, IMPLICIT, IMPLICIT),
    ("iam:CreateVirtualMFADevice", DEVICE, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:EnableMFADevice", RICHARD, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:DeactivateMFADevice", RICHARD, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:DeleteVirtualMFADevice", DEVICE, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:GetUser", RICHARD, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:ListUsers", f"arn:aws:iam::{ACCOUNT}:user/", EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:GetLoginProfile", RICHARD, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:ListAccessKeys", RICHARD, EXPLICIT, EXPLICIT, IMPLICIT),
    ("s3:GetObject", "arn:aws:s3:::bucket/key", EXPLICIT, EXPLICIT, IMPLICIT),
]


@pytest.mark.parametrize(("action", "resource", "access_key", "without", "with_it"), RESYNC_PAGE)
def test_the_policy_of_the_resync_page_does_what_its_page_says(
    action: str, resource: str, access_key: Outcome, without: Outcome, with_it: Outcome
) -> None:
    policies = Policies(identity=(published("resync-only"),))

    assert decide(policies, request(action, resource, NO_MFA_KEYS)).outcome is access_key
    assert decide(policies, request(action, resource, WITHOUT_MFA)).outcome is without
    assert decide(policies, request(action, resource, with_mfa())).outcome is with_it


@pytest.mark.parametrize("context", [NO_MFA_KEYS, WITHOUT_MFA, with_mfa()])
def test_a_user_with_a_path_gets_nothing_from_the_policy_of_the_resync_page(context: Context) -> None:
    policies = Policies(identity=(published("resync-only"),))

    decision = decide(policies, request("iam:ResyncMFADevice", f"arn:aws:iam::{ACCOUNT}:user/div/Richard", context))

    assert decision.outcome is IMPLICIT


@pytest.mark.parametrize("name", ["richard", "RICHARD", "Richard2", "*", "Richar?"])
def test_users_whose_names_are_alike_do_not_pass_for_one_another(name: str) -> None:
    policies = Policies(identity=(published("resync-only"),))

    assert not decide(policies, request("iam:ResyncMFADevice", RICHARD, with_mfa(), user=name)).allowed


def test_without_a_user_name_the_policy_of_the_resync_page_gives_nothing_of_ones_own() -> None:
    policies = Policies(identity=(published("resync-only"),))
    nameless = request("iam:ResyncMFADevice", RICHARD, {**with_mfa(), "aws:username": ()})

    assert not decide(policies, nameless).allowed


PRESENT, AGE = "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"
YES, NO = True, False

# The statement; whether it applies to an access key, to temporary credentials without MFA and to those with MFA, ten minutes old.
CONSTRUCTS: list[tuple[dict[str, Any], bool, bool, bool]] = [
    (deny(BoolIfExists={PRESENT: "false"}), YES, YES, NO),
    (deny(Bool={PRESENT: "false"}), NO, YES, NO),
    (allow(Bool={PRESENT: "true"}), NO, NO, YES),
    (allow(BoolIfExists={PRESENT: "true"}), YES, NO, YES),
    (allow(Null={PRESENT: "false"}), NO, YES, YES),
    (allow(NumericLessThan={AGE: "3600"}), NO, NO, YES),
    (deny(NumericGreaterThanIfExists={AGE: "3600"}), YES, YES, NO),
]


@pytest.mark.parametrize(("statement", "access_key", "without", "with_it"), CONSTRUCTS)
def test_each_way_to_ask_for_mfa_applies_where_the_guide_says(
    statement: dict[str, Any], access_key: bool, without: bool, with_it: bool
) -> None:
    others = (policy(allow()),) if statement["Effect"] == "Deny" else ()
    policies = Policies(identity=(policy(statement), *others))
    applied = EXPLICIT if statement["Effect"] == "Deny" else ALLOWED

    for context, applies in ((NO_MFA_KEYS, access_key), (WITHOUT_MFA, without), (with_mfa(600), with_it)):
        assert (decide(policies, request("s3:GetObject", "*", context)).outcome is applied) is applies


@pytest.mark.parametrize(("age", "allowed"), [(0, True), (3599, True), (3600, False), (3601, False), (129600, False)])
def test_an_allow_by_the_age_of_mfa_ends_when_it_is_that_old(age: int, allowed: bool) -> None:
    policies = Policies(identity=(policy(allow(NumericLessThan={AGE: "3600"})),))

    assert decide(policies, request("s3:GetObject", "*", with_mfa(age))).allowed is allowed


@pytest.mark.parametrize(("age", "denied"), [(0, False), (3599, False), (3600, False), (3601, True), (129600, True)])
def test_a_deny_by_the_age_of_mfa_begins_once_it_is_older(age: int, denied: bool) -> None:
    policies = Policies(identity=(policy(allow(), deny(NumericGreaterThanIfExists={AGE: "3600"})),))

    assert decide(policies, request("s3:GetObject", "*", with_mfa(age))).allowed is not denied
