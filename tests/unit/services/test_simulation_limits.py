"""What SimulateCustomPolicy and SimulatePrincipalPolicy refuse, what an answer may cost, and how it comes in pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import InvalidInput, NoSuchEntity
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House
from tests.support.sessions import allow, statement
from tests.support.simulations import (
    ALLOWED,
    BUCKET,
    RESYNC_PAGE,
    RICHARD,
    SALLY,
    STAFF,
    bucket_policy,
    custom,
    decision,
    refusal,
    simulated_house,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with simulated_house(tmp_path_factory.mktemp("house")) as shared:
        yield shared


def test_actions_come_page_by_page(home: House) -> None:
    actions = [f"iam:Get{letter}" for letter in "ABCDE"]
    asked = {"PolicyInputList": [RESYNC_PAGE], "ActionNames": actions, "MaxItems": "2"}

    first = home.call("iam:SimulateCustomPolicy", None, **asked)
    second = home.call("iam:SimulateCustomPolicy", None, **asked, Marker=first.marker)
    third = home.call("iam:SimulateCustomPolicy", None, **asked, Marker=second.marker)

    pages = [[one.eval_action_name for one in page.evaluation_results] for page in (first, second, third)]
    assert pages == [actions[:2], actions[2:4], actions[4:]]
    assert [page.is_truncated for page in (first, second, third)] == [True, True, False]
    assert third.marker is None
    for marker in ("nonsense", first.marker + "0"):
        assert refusal(home, ValidationError, "iam:SimulateCustomPolicy", **asked, Marker=marker) == "Invalid Marker."
    shorter = {**asked, "ActionNames": actions[:2], "Marker": second.marker}
    assert refusal(home, ValidationError, "iam:SimulateCustomPolicy", **shorter) == "Invalid Marker."


def test_a_hundred_actions_are_a_page_unless_said_otherwise(home: House) -> None:
    asked = {"PolicyInputList": [RESYNC_PAGE], "ActionNames": [f"iam:Get{number}" for number in range(101)]}

    answer = home.call("iam:SimulateCustomPolicy", None, **asked)

    assert (len(answer.evaluation_results), answer.is_truncated) == (100, True)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/Session1",
            InvalidInput,
            f"Invalid Entity Arn: arn:aws:sts::{ACCOUNT}:assumed-role/Ops/Session1 does not clearly define entity type and name.",
        ),
        (
            f"arn:aws:iam::{ACCOUNT}:root",
            InvalidInput,
            f"Invalid Entity Arn: arn:aws:iam::{ACCOUNT}:root does not clearly define entity type and name.",
        ),
        (
            "x" * 2048,
            InvalidInput,
            f"Invalid Entity Arn: {'x' * 2048} does not clearly define entity type and name.",
        ),
        (f"arn:aws:iam::{ACCOUNT}:user/Nobody", NoSuchEntity, "The user with name Nobody cannot be found."),
        (f"arn:aws:iam::{ACCOUNT}:user/path/Richard", NoSuchEntity, "The user with name Richard cannot be found."),
        (f"arn:aws:iam::{ACCOUNT}:user/richard", NoSuchEntity, "The user with name richard cannot be found."),
        (f"arn:aws:iam::{OTHER_ACCOUNT}:user/Richard", NoSuchEntity, "The user with name Richard cannot be found."),
        (f"arn:aws:iam::{ACCOUNT}:group/Nobody", NoSuchEntity, "The group with name Nobody cannot be found."),
        (f"arn:aws:iam::{ACCOUNT}:role/Nobody", NoSuchEntity, "The role with name Nobody cannot be found."),
    ],
)
def test_only_users_groups_and_roles_of_the_account_are_sources(
    home: House, source: str, error: type[AWSError], message: str
) -> None:
    asked = {"PolicySourceArn": source, "ActionNames": ["iam:GetUser"]}

    assert refusal(home, error, "iam:SimulatePrincipalPolicy", **asked) == message


def test_a_resource_based_policy_needs_somebody_it_could_name(home: House) -> None:
    asked = {"ActionNames": ["s3:GetObject"], "ResourcePolicy": bucket_policy(SALLY), "ResourceArns": [BUCKET]}
    nobody = "Invalid caller - Caller cannot be null or empty."

    assert refusal(home, InvalidInput, "iam:SimulatePrincipalPolicy", PolicySourceArn=STAFF, **asked) == nobody
    assert refusal(home, InvalidInput, "iam:SimulateCustomPolicy", PolicyInputList=[RESYNC_PAGE], **asked) == nobody
    assert decision(home, STAFF, "s3:GetObject", ResourcePolicy=bucket_policy(SALLY), ResourceArns=[BUCKET], CallerArn=SALLY) == (
        ALLOWED
    )


def test_only_one_boundary_is_given(home: House) -> None:
    ceiling = statement(Action="iam:*", Resource="*")
    asked = {"PolicySourceArn": SALLY, "ActionNames": ["iam:GetUser"], "PermissionsBoundaryPolicyInputList": [ceiling] * 2}

    assert refusal(home, InvalidInput, "iam:SimulatePrincipalPolicy", **asked) == (
        "Only one permissions boundary can be simulated at a time."
    )


@pytest.mark.parametrize(
    "pattern", ["arn:aws:iam::aws:policy/*x*", "arn:aws:s3:::a-bucket-of-ours", "arn:aws:iam::*:policy/IAMFullAccess"]
)
def test_a_pattern_of_policies_that_aws_does_not_take_is_refused(home: House, pattern: str) -> None:
    asked = {"PolicySourceArn": SALLY, "ActionNames": ["iam:ListUsers"], "PolicyExclusionList": [{"PolicyArn": pattern}]}

    assert refusal(home, InvalidInput, "iam:SimulatePrincipalPolicy", **asked) == f"ARN {pattern} is not valid."


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ActionNames": ["iam:*"]}, "ActionNames are not in a valid format: iam:*."),
        ({"ActionNames": ["GetUser"]}, "ActionNames are not in a valid format: GetUser."),
        ({"ActionNames": []}, "ActionNames must name an action."),
        ({"ResourceArns": ["bucket"]}, "ResourceNames are not in a valid ARN format: bucket."),
        ({"ResourceOwner": "somebody"}, "'somebody' is not a valid as a Resource Owner."),
        ({"CallerArn": "Richard"}, "Invalid Entity Arn: Richard does not clearly define entity type and name."),
        ({"PolicyInputList": ["{"]}, "Syntax errors in policy."),
        ({"ResourcePolicy": "[]", "CallerArn": RICHARD}, "Syntax errors in policy."),
        ({"ResourcePolicy": RESYNC_PAGE, "CallerArn": RICHARD}, "Missing required field Principal"),
        ({"PermissionsBoundaryPolicyInputList": ["x"]}, "Syntax errors in policy."),
        (
            {"OrderedOrganizationPolicyInputList": [{"ServiceControlPolicyInputList": ["x"]}]},
            "Syntax errors in policy.",
        ),
        ({"ContextEntries": [{"ContextKeyName": "aws:x"}]}, "A context entry must have ContextKeyName and ContextKeyValues."),
        (
            {"ContextEntries": [{"ContextKeyName": "aws:x", "ContextKeyValues": ["1", "2"], "ContextKeyType": "numeric"}]},
            "The context key aws:x is of type numeric and has 2 values.",
        ),
        (
            {"ContextEntries": [{"ContextKeyName": "aws:x", "ContextKeyValues": ["yes"], "ContextKeyType": "booleanList"}]},
            "The context key aws:x has a value that is not of type booleanList.",
        ),
        (
            {"ContextEntries": [{"ContextKeyName": "aws:x", "ContextKeyValues": ["x" * 20_000]}]},
            "Context entries must not be longer than 16384 characters together.",
        ),
        (
            {"PolicyInputList": [RESYNC_PAGE.ljust(100_000)] * 2},
            "The policies of one request must not be longer than 131072 characters together.",
        ),
        (
            {"ActionNames": ["iam:GetUser"] * 11, "ResourceArns": [RICHARD] * 100},
            "11 actions on 100 resources are more than 1000 simulations; send fewer at a time.",
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_words(home: House, parameters: dict[str, object], message: str) -> None:
    asked = {"PolicyInputList": [RESYNC_PAGE], "ActionNames": ["iam:GetUser"], **parameters}

    assert refusal(home, InvalidInput, "iam:SimulateCustomPolicy", **asked) == message


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("string", ["anything"], None),
        ("numericList", ["1", "-2.5"], "one"),
        ("boolean", ["TRUE"], "1"),
        ("ip", ["2001:db8::1"], "example"),
        ("binary", ["YQ=="], "?"),
        ("dateList", ["2026-11-24T12:00:00Z", "1764000000"], "noon"),
    ],
)
def test_values_are_of_the_type_that_they_are_said_to_be(home: House, kind: str, good: list[str], bad: str | None) -> None:
    def entry(values: list[str]) -> list[dict[str, object]]:
        return [{"ContextKeyName": "aws:key", "ContextKeyValues": values, "ContextKeyType": kind}]

    assert custom(home, RESYNC_PAGE, ContextEntries=entry(good))
    if bad is not None:
        with pytest.raises(InvalidInput, match="not of type"):
            custom(home, RESYNC_PAGE, ContextEntries=entry([bad]))


def test_a_thousand_simulations_of_the_resync_page_are_answered(home: House) -> None:
    resources = [f"arn:aws:iam::{ACCOUNT}:user/user-{number}" for number in range(100)]

    results = custom(home, RESYNC_PAGE, actions=[f"iam:Get{number}" for number in range(10)], ResourceArns=resources)

    assert len(results) == 10
    assert all(len(result.resource_specific_results) == 100 for result in results)


@pytest.mark.parametrize(
    "statements",
    [
        {"Action": ["iam:GetUser"] * 8000, "Resource": "*"},
        {"Action": "iam:*", "Resource": ["arn:aws:s3:::*" + "?a" * 900 + "b*"] * 60},
        {"Action": "iam:*", "Resource": "*", "Condition": {"Null": {f"aws:{number}": "true" for number in range(100)}}},
        {"Action": "iam:*", "Resource": "*", "Condition": {"StringLike": {"aws:key": ["?a" * 40 + "*b"] * 1000}}},
    ],
)
def test_what_would_keep_others_waiting_is_refused(home: House, statements: dict[str, Any]) -> None:
    resources = ["arn:aws:s3:::" + "a" * 2000 + str(number) for number in range(1000)]
    values = [{"ContextKeyName": "aws:key", "ContextKeyValues": ["a" * 90] * 20}]

    with pytest.raises(InvalidInput, match="take too long to simulate"):
        custom(home, statement(**statements), ResourceArns=resources, ContextEntries=values)


def test_what_variables_become_counts_rather_than_how_they_are_written(home: House) -> None:
    document = statement(Action="iam:*", Resource=["arn:aws:s3:::*${aws:key}*"] * 50)
    resources = ["arn:aws:s3:::" + "a" * 2000 + str(number) for number in range(40)]

    def simulated(value: str) -> list[Any]:
        given = [{"ContextKeyName": "aws:key", "ContextKeyValues": [value]}]
        return custom(home, document, ResourceArns=resources, ContextEntries=given)

    assert simulated("b")
    with pytest.raises(InvalidInput, match="take too long to simulate"):
        simulated("b" * 900)


def test_keys_that_nobody_gave_are_not_looked_for_in_a_long_policy_again_and_again(home: House) -> None:
    condition = {"StringEquals": {"aws:none": "${aws:none}" * 8000}}
    document = statement(Action="iam:*", Resource="*", Condition=condition)

    assert custom(home, document)
    with pytest.raises(InvalidInput, match="take too long to simulate"):
        custom(home, document, actions=[f"iam:Get{number}" for number in range(100)])


def test_simulating_takes_a_permission_on_the_source(home: House) -> None:
    may = home.user("Simulating")
    allow(home, "Simulating", "iam:SimulatePrincipalPolicy", SALLY)
    asked = {"ActionNames": ["iam:GetUser"]}

    assert home.call("iam:SimulatePrincipalPolicy", may, PolicySourceArn=SALLY, **asked).evaluation_results
    for elsewhere in (RICHARD, f"{SALLY}x"):
        with pytest.raises(AccessDenied, match=f"iam:SimulatePrincipalPolicy on resource: {elsewhere} because no identity-based"):
            home.call("iam:SimulatePrincipalPolicy", may, PolicySourceArn=elsewhere, **asked)
    with pytest.raises(AccessDenied, match=r"iam:SimulateCustomPolicy on resource: \* because no identity-based"):
        home.call("iam:SimulateCustomPolicy", may, PolicyInputList=[RESYNC_PAGE], **asked)
    allow(home, "Simulating", "iam:SimulateCustomPolicy")
    assert home.call("iam:SimulateCustomPolicy", may, PolicyInputList=[RESYNC_PAGE], **asked).evaluation_results
