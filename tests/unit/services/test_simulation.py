"""What policies would say: what SimulateCustomPolicy and SimulatePrincipalPolicy decide."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House, house
from tests.support.sessions import allow, statement, trust
from tests.support.simulations import (
    ALLOWED,
    BUCKET,
    EXPLICIT,
    IMPLICIT,
    OPS,
    RESYNC_PAGE,
    RICHARD,
    SALLY,
    STAFF,
    WITH_MFA,
    WITHOUT_MFA,
    bucket_policy,
    custom,
    decision,
    principal,
    simulated_house,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with simulated_house(tmp_path_factory.mktemp("house")) as shared:
        yield shared


def entries(**values: str | list[str]) -> list[dict[str, object]]:
    """Of keys of `aws:`."""
    return [
        {"ContextKeyName": f"aws:{key}", "ContextKeyValues": [given] if isinstance(given, str) else given}
        for key, given in values.items()
    ]


def denying(**elements: object) -> str:
    return statement(Effect="Deny", **{"Action": "*", "Resource": "*", **elements})


@pytest.mark.parametrize(
    ("action", "resource", "decisions"),
    [
        ("iam:ListVirtualMFADevices", "*", (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ListMFADevices", RICHARD, (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ListMFADevices", SALLY, (IMPLICIT, IMPLICIT, IMPLICIT)),
        ("iam:ResyncMFADevice", RICHARD, (ALLOWED, ALLOWED, ALLOWED)),
        ("iam:ResyncMFADevice", SALLY, (IMPLICIT, IMPLICIT, IMPLICIT)),
        ("iam:EnableMFADevice", RICHARD, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:DeactivateMFADevice", RICHARD, (EXPLICIT, EXPLICIT, IMPLICIT)),
        ("iam:GetUser", RICHARD, (EXPLICIT, EXPLICIT, IMPLICIT)),
        # The group allows it.
        ("iam:ListUsers", "*", (EXPLICIT, EXPLICIT, ALLOWED)),
    ],
)
def test_the_resync_page_with_an_access_key_without_mfa_and_with_it(
    home: House, action: str, resource: str, decisions: tuple[str, ...]
) -> None:
    assert decisions == tuple(
        decision(home, RICHARD, action, ResourceArns=[resource], ContextEntries=context)
        for context in ([], WITHOUT_MFA, WITH_MFA)
    )


@pytest.mark.parametrize(
    ("effect", "condition", "decisions"),
    [
        ("Deny", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, (EXPLICIT, EXPLICIT, ALLOWED)),
        ("Deny", {"Bool": {"aws:MultiFactorAuthPresent": "false"}}, (ALLOWED, EXPLICIT, ALLOWED)),
        ("Allow", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, (IMPLICIT, IMPLICIT, ALLOWED)),
        ("Allow", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, (ALLOWED, IMPLICIT, ALLOWED)),
        ("Allow", {"Null": {"aws:MultiFactorAuthPresent": "false"}}, (IMPLICIT, ALLOWED, ALLOWED)),
    ],
)
def test_the_usual_ways_to_ask_for_mfa(home: House, effect: str, condition: dict[str, Any], decisions: tuple[str, ...]) -> None:
    documents = [statement(Effect=effect, Action="*", Resource="*", Condition=condition)]
    if effect == "Deny":
        documents.append(statement(Action="*", Resource="*"))

    assert decisions == tuple(
        str(custom(home, *documents, ContextEntries=context)[0].eval_decision) for context in ([], WITHOUT_MFA, WITH_MFA)
    )


def test_the_statement_that_decided_is_told_with_its_policy_and_place(home: House) -> None:
    (result,) = principal(home, RICHARD, "iam:GetUser")

    (matched,) = result.matched_statements
    assert (matched.source_policy_id, matched.source_policy_type) == ("mfa", "user")
    lines = RESYNC_PAGE.splitlines()
    start, end = matched.start_position, matched.end_position
    assert lines[start.line - 1][start.column - 1] == "{"
    assert '"BlockAllExceptListedIfNoMFA"' in lines[start.line]
    assert lines[end.line - 1][: end.column - 1].endswith("}")


def test_what_may_be_done_is_told_with_every_statement_that_allows_it(home: House) -> None:
    more = statement(Action="iam:List*", Resource="*")
    (result,) = principal(home, RICHARD, "iam:ListUsers", ContextEntries=WITH_MFA, PolicyInputList=[more])

    told = [(one.source_policy_id, one.source_policy_type) for one in result.matched_statements]
    assert sorted(told) == [("PolicyInputList.1", "none"), ("listing", "group")]


def test_managed_policies_are_told_by_name(home: House) -> None:
    sally = home.call("iam:CreateUser", UserName="Managed").user
    own = home.call("iam:CreatePolicy", PolicyName="Own", Path="/a/", PolicyDocument=statement(Action="iam:*", Resource="*"))
    for policy_arn in (own.policy.arn, "arn:aws:iam::aws:policy/AdministratorAccess"):
        home.call("iam:AttachUserPolicy", UserName="Managed", PolicyArn=policy_arn)

    (result,) = principal(home, sally.arn, "iam:ListUsers")

    told = sorted((one.source_policy_id, one.source_policy_type) for one in result.matched_statements)
    assert told == [("AdministratorAccess", "aws-managed"), ("Own", "user-managed")]


def test_nothing_matched_when_nothing_allows(home: House) -> None:
    (result,) = principal(home, SALLY, "iam:GetUser")

    assert (result.eval_decision, result.matched_statements, result.eval_resource_name) == (IMPLICIT, (), "*")
    assert result.resource_specific_results is None
    assert result.eval_decision_details is None
    assert result.organizations_decision_detail is None
    assert result.permissions_boundary_decision_detail is None


def test_keys_that_statements_about_the_action_ask_for_are_told_when_they_were_not_given(home: House) -> None:
    asking = statement(
        Action="s3:*",
        Resource="arn:aws:s3:::${aws:PrincipalTag/home}/*",
        Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "StringEquals": {"AWS:sourceip": "x"}},
    )
    elsewhere = statement(Action="ec2:*", Resource="*", Condition={"Bool": {"aws:SecureTransport": "true"}})

    (result,) = custom(home, asking, elsewhere, actions="s3:GetObject")
    assert result.missing_context_values == ("aws:PrincipalTag/home", "aws:SourceIp")

    (result,) = custom(home, asking, actions="s3:GetObject", ContextEntries=entries(SourceIp="192.0.2.7"))
    assert result.missing_context_values == ("aws:PrincipalTag/home",)


def test_several_resources_are_one_result_with_the_strictest_decision_and_one_each(home: House) -> None:
    both = [statement(Action="iam:*", Resource=[RICHARD, SALLY]), denying(Resource=SALLY)]

    (result,) = custom(home, *both, ResourceArns=[RICHARD, SALLY, STAFF])

    assert (result.eval_decision, result.eval_resource_name) == (EXPLICIT, "*")
    assert [one.source_policy_id for one in result.matched_statements] == ["PolicyInputList.2"]
    each = result.resource_specific_results
    assert [(one.eval_resource_name, str(one.eval_resource_decision)) for one in each] == [
        (RICHARD, ALLOWED),
        (SALLY, EXPLICIT),
        (STAFF, IMPLICIT),
    ]
    assert [[one.source_policy_id for one in part.matched_statements] for part in each] == [
        ["PolicyInputList.1"],
        ["PolicyInputList.2"],
        [],
    ]
    # Within one account there is nothing to tell.
    assert result.eval_decision_details == {}


def test_who_asks_is_known_and_nothing_of_the_request(home: House) -> None:
    known = {
        "aws:username": "Richard",
        "aws:PrincipalArn": RICHARD,
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalType": "User",
        "aws:PrincipalTag/team": "blue",
    }
    as_richard = statement(Action="s3:*", Resource="*", Condition={"StringEquals": known})
    unknown = ["aws:MultiFactorAuthPresent", "aws:CurrentTime", "aws:SourceIp", "aws:TokenIssueTime"]
    nothing = statement(Action="ec2:*", Resource="*", Condition={"Null": dict.fromkeys(unknown, "true")})

    assert decision(home, RICHARD, "s3:GetObject", PolicyInputList=[as_richard]) == EXPLICIT
    assert decision(home, RICHARD, "s3:GetObject", PolicyInputList=[as_richard], ContextEntries=WITH_MFA) == ALLOWED
    assert decision(home, SALLY, "s3:GetObject", PolicyInputList=[as_richard]) == IMPLICIT
    assert decision(home, SALLY, "ec2:RunInstances", PolicyInputList=[nothing]) == ALLOWED


def test_what_is_given_comes_before_what_is_known(home: House) -> None:
    own = statement(Action="iam:GetUser", Resource=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")

    asked = {"PolicyInputList": [own], "ResourceArns": [RICHARD]}
    assert decision(home, SALLY, "iam:GetUser", **asked) == IMPLICIT
    assert decision(home, SALLY, "iam:GetUser", **asked, ContextEntries=entries(username="Richard")) == ALLOWED


def test_a_caller_plays_his_part_with_the_sources_policies(home: House) -> None:
    own = statement(Action="iam:GetUser", Resource=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    tagged = statement(Action="iam:TagUser", Resource="*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}})
    asked = {"PolicyInputList": [own, tagged], "CallerArn": RICHARD, "ResourceArns": [RICHARD]}

    assert decision(home, SALLY, "iam:GetUser", **asked) == ALLOWED
    # Whoever may simulate Sally has not been let to read what is on Richard.
    assert decision(home, SALLY, "iam:TagUser", **asked) == IMPLICIT


def test_a_group_is_simulated_by_its_own_policies(home: House) -> None:
    assert decision(home, STAFF, "iam:ListUsers") == ALLOWED
    assert decision(home, STAFF, "iam:ListVirtualMFADevices") == IMPLICIT


def test_a_role_is_simulated_for_all_its_sessions(home: House) -> None:
    assert decision(home, OPS, "s3:GetObject") == ALLOWED
    as_role = statement(
        Action="iam:*",
        Resource="*",
        Condition={"ArnEquals": {"aws:PrincipalArn": OPS}, "Null": {"aws:userid": "true", "aws:username": "true"}},
    )
    assert decision(home, OPS, "iam:ListUsers", PolicyInputList=[as_role]) == ALLOWED


def test_a_boundary_limits_and_one_that_is_given_takes_its_place(home: House) -> None:
    home.call("iam:CreatePolicy", PolicyName="Ceiling", PolicyDocument=statement(Action="iam:Get*", Resource="*"))
    ceiling = f"arn:aws:iam::{ACCOUNT}:policy/Ceiling"
    made = home.call("iam:CreateUser", UserName="Limited", PermissionsBoundary=ceiling).user
    allow(home, "Limited", "iam:*")

    results = principal(home, made.arn, "iam:GetUser", "iam:ListUsers")
    assert [(str(one.eval_decision), _by_boundary(one)) for one in results] == [(ALLOWED, True), (IMPLICIT, False)]
    assert results[1].matched_statements == ()

    other = statement(Action="iam:List*", Resource="*")
    results = principal(home, made.arn, "iam:GetUser", "iam:ListUsers", PermissionsBoundaryPolicyInputList=[other])
    assert [(str(one.eval_decision), _by_boundary(one)) for one in results] == [(IMPLICIT, False), (ALLOWED, True)]


def _by_boundary(result: Any) -> bool:
    detail = result.permissions_boundary_decision_detail
    assert detail is not None
    return bool(detail.allowed_by_permissions_boundary)


def test_the_guard_policy_counts_as_the_organizations(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        arn = home.call("iam:CreateUser", UserName="Richard").user.arn
        allow(home, "Richard", "*")
        guard = json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "iam:*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "iam:DeleteUser", "Resource": "*"},
                ],
            }
        )
        home.call("instep:PutGuardPolicy", Principal.operator(ACCOUNT), PolicyDocument=guard)

        results = principal(home, arn, "iam:GetUser", "iam:DeleteUser", "s3:GetObject", ResourceArns=[SALLY])

        assert [str(one.eval_decision) for one in results] == [ALLOWED, EXPLICIT, IMPLICIT]
        assert [one.organizations_decision_detail.allowed_by_organizations for one in results] == [True, False, False]
        assert [len(one.matched_statements) for one in results] == [1, 0, 0]
        # What the organization refuses is not gone into any further.
        assert [one.eval_decision_details for one in results] == [{}, None, None]

        without = [{"PolicyType": "scp"}]
        (result,) = principal(home, arn, "s3:GetObject", PolicyExclusionList=without)
        assert (str(result.eval_decision), result.organizations_decision_detail) == (ALLOWED, None)


def test_every_level_of_an_organization_has_to_allow(home: House) -> None:
    everything, reading = statement(Action="*", Resource="*"), statement(Action="s3:Get*", Resource="*")

    def said(*levels: list[str]) -> tuple[str, bool]:
        given = [{"ServiceControlPolicyInputList": level} for level in levels]
        asked = {"OrderedOrganizationPolicyInputList": given, "ResourceArns": [BUCKET]}
        (result,) = custom(home, everything, actions="s3:PutObject", **asked)
        return str(result.eval_decision), result.organizations_decision_detail.allowed_by_organizations

    assert said([everything]) == (ALLOWED, True)
    assert said([everything], [reading]) == (IMPLICIT, False)
    assert said([everything], [reading, everything]) == (ALLOWED, True)
    assert said([everything], [everything, denying()]) == (EXPLICIT, False)


def test_a_resource_based_policy_of_the_same_account_may_allow_by_itself(home: House) -> None:
    asked = {"ResourceArns": [BUCKET], "ContextEntries": WITH_MFA}

    (result,) = principal(home, SALLY, "s3:GetObject", ResourcePolicy=bucket_policy(SALLY), **asked)
    assert str(result.eval_decision) == ALLOWED
    assert [(one.source_policy_id, one.source_policy_type) for one in result.matched_statements] == [
        ("ResourcePolicy", "resource")
    ]
    assert result.eval_decision_details == {}
    # Naming the account hands the question on to the user's own policies.
    account = bucket_policy(f"arn:aws:iam::{ACCOUNT}:root")
    assert decision(home, SALLY, "s3:GetObject", ResourcePolicy=account, **asked) == IMPLICIT
    assert decision(home, SALLY, "s3:GetObject", ResourcePolicy=bucket_policy(RICHARD), **asked) == IMPLICIT
    elsewhere = bucket_policy(SALLY, Resource="arn:aws:s3:::other/*")
    assert decision(home, SALLY, "s3:GetObject", ResourcePolicy=elsewhere, **asked) == IMPLICIT


@pytest.mark.parametrize("owner", [OTHER_ACCOUNT, f"arn:aws:iam::{OTHER_ACCOUNT}:root"])
def test_across_accounts_both_sides_have_to_allow(home: House, owner: str) -> None:
    def said(source: str, policy: str) -> tuple[str, dict[str, str]]:
        (result,) = principal(home, source, "s3:GetObject", ResourceArns=[BUCKET], ResourcePolicy=policy, ResourceOwner=owner)
        assert result.resource_specific_results[0].eval_decision_details == result.eval_decision_details
        return str(result.eval_decision), {kind: str(one) for kind, one in result.eval_decision_details.items()}

    assert said(OPS, bucket_policy(OPS)) == (ALLOWED, {"IAM Policy": ALLOWED, "Resource Policy": ALLOWED})
    assert said(SALLY, bucket_policy(SALLY)) == (IMPLICIT, {"IAM Policy": IMPLICIT, "Resource Policy": ALLOWED})
    assert said(OPS, bucket_policy(SALLY)) == (IMPLICIT, {"IAM Policy": ALLOWED, "Resource Policy": IMPLICIT})
    against = bucket_policy(OPS, Effect="Deny")
    assert said(OPS, against) == (EXPLICIT, {"IAM Policy": ALLOWED, "Resource Policy": EXPLICIT})


def test_a_trust_policy_decides_who_may_assume_a_role(home: House) -> None:
    asking = trust(RICHARD, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    asked = {"ResourceArns": [OPS], "ResourcePolicy": asking}

    assert decision(home, RICHARD, "sts:AssumeRole", **asked) == EXPLICIT
    assert decision(home, RICHARD, "sts:AssumeRole", **asked, ContextEntries=WITH_MFA) == ALLOWED
    anything = [statement(Action="*", Resource="*")]
    assert decision(home, SALLY, "sts:AssumeRole", **asked, PolicyInputList=anything, ContextEntries=WITH_MFA) == IMPLICIT


@pytest.mark.parametrize(
    ("excluded", "decided"),
    [
        ({"PolicyType": "inline"}, IMPLICIT),
        ({"PolicyType": "user-managed"}, EXPLICIT),
        ({"InlinePolicyIdentifier": {"PolicyName": "mfa", "AttachmentType": "user", "AttachmentName": "richard"}}, ALLOWED),
        ({"InlinePolicyIdentifier": {"PolicyName": "mfa", "AttachmentType": "group", "AttachmentName": "Staff"}}, EXPLICIT),
        ({"PolicyArn": "arn:aws:iam::aws:policy/*"}, EXPLICIT),
    ],
)
def test_policies_are_left_out_on_demand(home: House, excluded: dict[str, object], decided: str) -> None:
    assert decision(home, RICHARD, "iam:ListUsers", PolicyExclusionList=[excluded]) == decided


def test_managed_policies_are_left_out_by_a_pattern_of_their_arn(home: House) -> None:
    made = home.call("iam:CreateUser", UserName="Excluding").user
    home.call("iam:AttachUserPolicy", UserName="Excluding", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")

    def left(pattern: str) -> str:
        return decision(home, made.arn, "iam:ListUsers", PolicyExclusionList=[{"PolicyArn": pattern}])

    assert left("arn:aws:iam::aws:policy/IAM*") == IMPLICIT
    assert left("arn:aws:iam::aws:policy/IAMFullAcces?") == IMPLICIT
    assert left("arn:aws:iam::aws:policy/S3*") == ALLOWED
