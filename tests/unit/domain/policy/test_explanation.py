"""What people are told who wonder why a request was allowed or refused."""

from __future__ import annotations

from instep.domain.policy.evaluation import Layer, Outcome, Policies, ResourcePolicy
from instep.domain.policy.explanation import explain
from instep.domain.policy.subject import Subject
from tests.unit.domain.policy.making import (
    ACCOUNT,
    NO_MFA_KEYS,
    RICHARD,
    allow,
    deny,
    policy,
    published,
    request,
    trust,
    with_mfa,
)

SALLY = f"arn:aws:iam::{ACCOUNT}:user/Sally"
SEED = Policies(identity=(published("resync-only"),))


def reasons(policies: Policies, action: str, resource: str = "*", **more: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [verdict.reasons for verdict in explain(policies, request(action, resource, dict(more))).verdicts]


def test_every_statement_of_the_resync_page_says_why_it_does_not_apply() -> None:
    explanation = explain(SEED, request("iam:ListUsers", RICHARD, with_mfa()))

    assert explanation.decision.outcome is Outcome.IMPLICIT_DENY
    assert [(verdict.number, verdict.statement.sid, verdict.reasons) for verdict in explanation.verdicts] == [
        (1, "AllowListActions", ("action iam:ListUsers is not in Action (iam:ListVirtualMFADevices)",)),
        (
            2,
            "AllowUserToViewAndManageTheirOwnUserMFA",
            ("action iam:ListUsers is not in Action (iam:ListMFADevices or iam:ResyncMFADevice)",),
        ),
        (
            3,
            "BlockAllExceptListedIfNoMFA",
            ("aws:MultiFactorAuthPresent is true and BoolIfExists wants false",),
        ),
    ]


def test_the_statement_that_denies_is_among_those_that_apply() -> None:
    explanation = explain(SEED, request("iam:ListUsers", RICHARD, NO_MFA_KEYS))

    assert [verdict.applies for verdict in explanation.verdicts] == [False, False, True]
    assert [deciding.statement.sid for deciding in explanation.decision.statements] == ["BlockAllExceptListedIfNoMFA"]


def test_somebody_elses_user_does_not_match_what_the_variable_stands_for() -> None:
    (_, own, block) = reasons(SEED, "iam:ResyncMFADevice", SALLY)

    assert own == (f"resource {SALLY} does not match arn:aws:iam::*:user/${{aws:username}} (= arn:aws:iam::*:user/Richard)",)
    assert block == ("action iam:ResyncMFADevice is in NotAction (iam:ResyncMFADevice)",)


def test_a_variable_without_a_value_is_named() -> None:
    policies = Policies(identity=(policy(allow(resource="arn:aws:iam::*:user/${aws:PrincipalTag/Owns}")),))

    explanation = explain(policies, request("iam:GetUser", RICHARD))

    (reason,) = explanation.verdicts[0].reasons
    assert reason == (
        f"resource {RICHARD} does not match arn:aws:iam::*:user/${{aws:PrincipalTag/Owns}} "
        "(no single value for aws:PrincipalTag/Owns)"
    )
    assert explanation.missing_context_keys == ("aws:PrincipalTag/Owns",)


def test_a_resource_that_is_spared_says_by_which_pattern() -> None:
    sparing = {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::*", f"arn:aws:iam::{ACCOUNT}:user/*"]}

    assert reasons(Policies(identity=(policy(sparing),)), "iam:GetUser", RICHARD) == [
        (f"resource {RICHARD} is in NotResource (arn:aws:iam::{ACCOUNT}:user/*)",)
    ]


def test_all_reasons_are_told_and_long_lists_are_cut() -> None:
    statement = allow(
        [f"s3:Get{number}" for number in range(8)],
        "arn:aws:s3:::bucket",
        Bool={"aws:MultiFactorAuthPresent": "true"},
        IpAddress={"aws:SourceIp": "10.0.0.0/8"},
    )

    policies = Policies(identity=(policy(statement),))

    assert reasons(policies, "iam:GetUser", RICHARD, **{"aws:sourceip": ("192.0.2.7",)}) == [
        (
            "action iam:GetUser is not in Action (s3:Get0 or s3:Get1 or s3:Get2 or s3:Get3 or s3:Get4 or 3 more)",
            f"resource {RICHARD} does not match arn:aws:s3:::bucket",
            "aws:MultiFactorAuthPresent is absent and Bool needs it",
            "aws:SourceIp is 192.0.2.7 and IpAddress wants 10.0.0.0/8",
        )
    ]


def test_missing_keys_are_told_once_each_and_only_where_the_action_fits() -> None:
    policies = Policies(
        identity=(
            policy(
                allow(
                    "iam:*",
                    "*",
                    Bool={"aws:MultiFactorAuthPresent": "true"},
                    StringEquals={"aws:userid": "${aws:PrincipalTag/Id}"},
                ),
                allow("s3:*", "*", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
            ),
            policy(deny("iam:GetUser", "*", BoolIfExists={"AWS:multifactorauthpresent": "false"})),
        )
    )

    explanation = explain(policies, request("iam:GetUser"))

    assert explanation.missing_context_keys == ("aws:MultiFactorAuthPresent", "aws:userid", "aws:PrincipalTag/Id")


def test_a_key_that_is_there_is_not_missing() -> None:
    policies = Policies(identity=(policy(allow(Bool={"aws:MultiFactorAuthPresent": "true"})),))

    assert explain(policies, request("iam:GetUser", "*", with_mfa())).missing_context_keys == ()


def test_layers_come_in_the_order_in_which_a_refusal_names_them() -> None:
    everything = policy(allow())
    trusted = trust({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    policies = Policies(identity=(everything, everything), boundary=(everything,), session=(everything,), guard=(everything,))
    asked = ResourcePolicy(trusted, ACCOUNT, Subject(ACCOUNT, frozenset({RICHARD})), required=True)

    explanation = explain(policies, request("sts:AssumeRole"), resource=asked)

    assert [verdict.layer for verdict in explanation.verdicts] == [
        Layer.GUARD,
        Layer.RESOURCE,
        Layer.IDENTITY,
        Layer.IDENTITY,
        Layer.BOUNDARY,
        Layer.SESSION,
    ]
    assert explanation.decision.allowed


def test_of_the_root_user_only_what_limits_him_is_told() -> None:
    everything = policy(allow())
    policies = Policies(identity=(everything,), boundary=(everything,), guard=(everything,))

    explanation = explain(policies, request("iam:GetUser"), root=True)

    assert [verdict.layer for verdict in explanation.verdicts] == [Layer.GUARD]


def test_a_caller_whom_a_trust_policy_does_not_mean_is_told_so() -> None:
    other = f"arn:aws:iam::{ACCOUNT}:user/Other"
    trusted = trust(
        {"Effect": "Allow", "Principal": {"AWS": other}, "Action": "sts:AssumeRole"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": [RICHARD, ACCOUNT]}, "Action": "sts:AssumeRole"},
    )
    asked = ResourcePolicy(trusted, ACCOUNT, Subject(ACCOUNT, frozenset({RICHARD})), required=True)

    explanation = explain(Policies(), request("sts:AssumeRole"), resource=asked)

    assert [verdict.reasons for verdict in explanation.verdicts] == [
        ("the caller is not in Principal",),
        ("the caller is in NotPrincipal",),
    ]
    assert (explanation.decision.outcome, explanation.decision.layer) == (Outcome.IMPLICIT_DENY, Layer.RESOURCE)
