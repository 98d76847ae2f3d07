"""Tags: who may set them, and what policies make of them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from instep.api.common import AccessDenied, AWSError
from instep.api.errors import InvalidInput
from instep.domain.identity import Principal
from instep.domain.policy.condition import Condition
from instep.domain.tag_key import tag_key
from tests.support.house import ACCOUNT, House
from tests.support.sessions import statement, trust

ARN = f"arn:aws:iam::{ACCOUNT}"
DOCUMENT = statement(Action="iam:List*", Resource="*")
MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "iam:CreateUser": ("iam:TagUser", f"{ARN}:user/new/x", {"UserName": "x", "Path": "/new/"}),
    "iam:CreateRole": (
        "iam:TagRole",
        f"{ARN}:role/new/x",
        {"RoleName": "x", "Path": "/new/", "AssumeRolePolicyDocument": trust(ACCOUNT)},
    ),
    "iam:CreatePolicy": (
        "iam:TagPolicy",
        f"{ARN}:policy/new/x",
        {"PolicyName": "x", "Path": "/new/", "PolicyDocument": DOCUMENT},
    ),
    "iam:CreateVirtualMFADevice": ("iam:TagMFADevice", f"{ARN}:mfa/new/x", {"VirtualMFADeviceName": "x", "Path": "/new/"}),
}
"""By what makes something: what tags take besides, on what, and the request."""


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def refused(home: House, action: str, as_: Principal | None, /, **parameters: object) -> AWSError:
    with pytest.raises(AWSError) as caught:
        home.call(action, as_, **parameters)
    return caught.value


def allowed(effect: str = "Allow", **elements: object) -> dict[str, object]:
    return {"Effect": effect, "Resource": "*", **elements}


def restrict(home: House, name: str, *statements: dict[str, object]) -> Principal:
    """The user, who has these statements and no others."""
    home.put_policy(name, {"Version": "2012-10-17", "Statement": list(statements)})
    return home.principal(name)


@pytest.mark.parametrize("action", MADE)
def test_nothing_is_made_with_tags_by_one_who_may_not_tag_it(home: House, action: str) -> None:
    tagging, arn, asked = MADE[action]
    home.user("Richard")
    richard = restrict(home, "Richard", allowed(Action=action))

    refusal = refused(home, action, richard, **asked, Tags=tags(team="a"))

    assert isinstance(refusal, AccessDenied)
    named = f"policy {arn}" if ":policy/" in arn else arn
    assert f"is not authorized to perform: {tagging} on resource: {named} because" in refusal.message
    # Nothing was: it can still be made, without tags.
    home.call(action, richard, **asked, Tags=[])


@pytest.mark.parametrize("action", MADE)
def test_tags_of_something_new_are_asked_for_as_they_are_given(home: House, action: str) -> None:
    tagging, arn, asked = MADE[action]
    home.user("Richard")
    richard = restrict(
        home,
        "Richard",
        allowed(Action=action),
        allowed(Action=tagging, Resource=arn, Condition={"StringEquals": {"aws:RequestTag/team": "a"}}),
    )

    assert f"to perform: {tagging} on" in refused(home, action, richard, **asked, Tags=tags(team="b")).message
    home.call(action, richard, **asked, Tags=tags(team="a"))


def test_a_tag_in_two_spellings_gets_nobody_past_a_condition(home: House) -> None:
    home.user("Richard")
    device, _ = home.virtual_device("Spare", Tags=tags(team="a"))
    policy = home.call("iam:CreatePolicy", PolicyName="p", PolicyDocument=DOCUMENT).policy.arn
    richard = restrict(
        home,
        "Richard",
        allowed(Action=["iam:TagMFADevice", "iam:TagPolicy"]),
        allowed("Deny", Action="iam:Tag*", Condition={"StringEquals": {"aws:RequestTag/team": "secret"}}),
    )
    twice = [{"Key": "Team", "Value": "secret"}, {"Key": "team", "Value": "a"}]

    for order in (twice, twice[::-1]):
        for action, asked in (("iam:TagMFADevice", {"SerialNumber": device}), ("iam:TagPolicy", {"PolicyArn": policy})):
            refusal = refused(home, action, richard, **asked, Tags=order)
            assert (type(refusal), refusal.message) == (InvalidInput, "Duplicate tag keys found.")
    home.call("iam:TagMFADevice", richard, SerialNumber=device, Tags=tags(TEAM="b"))
    (kept,) = home.call("iam:ListMFADeviceTags", SerialNumber=device).tags
    assert (kept.key, kept.value) == ("TEAM", "b")


@pytest.mark.parametrize("kept", [{"Team": "mine", "team": "theirs"}, {"team": "theirs", "Team": "mine"}])
def test_of_a_tag_that_is_stored_in_two_spellings_neither_value_is_believed(home: House, kept: dict[str, str]) -> None:
    home.user("Richard")
    arn = home.call("iam:CreatePolicy", PolicyName="p", PolicyDocument=DOCUMENT).policy.arn

    def keep(tags: dict[str, str]) -> None:
        """As an older release did."""

        def write(tx: Any) -> None:
            tx.managed_policies.set_tags(tx.managed_policies.find(ACCOUNT, arn), tags)

        home.service.store.write(write)

    keep(kept)
    richard = home.principal("Richard")
    for key in ("aws:ResourceTag/team", "iam:ResourceTag/TEAM"):
        for value in ("mine", "theirs"):
            richard = restrict(home, "Richard", allowed(Action="iam:GetPolicy", Condition={"StringEquals": {key: value}}))
            assert isinstance(refused(home, "iam:GetPolicy", richard, PolicyArn=arn), AccessDenied)

    home.call("iam:TagPolicy", PolicyArn=arn, Tags=tags(tEAM="theirs"))
    assert home.call("iam:GetPolicy", richard, PolicyArn=arn).policy.tags[0].key == "tEAM"
    keep(kept)
    home.call("iam:UntagPolicy", PolicyArn=arn, TagKeys=["TEAM"])
    assert home.call("iam:ListPolicyTags", PolicyArn=arn).tags == ()


def test_the_tag_keys_of_something_new_are_all_asked_about(home: House) -> None:
    home.user("Richard")
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    richard = restrict(home, "Richard", allowed(Action="iam:CreateUser"), allowed(Action="iam:TagUser", Condition=only))

    assert "iam:TagUser" in refused(home, "iam:CreateUser", richard, UserName="x", Tags=tags(team="a", cost="1")).message
    home.call("iam:CreateUser", richard, UserName="x", Tags=tags(team="a"))


@pytest.mark.parametrize("other", ["\u017ftatus", "STATUS"])
def test_a_tag_that_a_policy_protects_is_not_taken_away_under_another_spelling(home: House, other: str) -> None:
    """`\u017f` is a long s: one letter with `s` for some rules, and another for the rest.  There is one rule here."""
    eve = home.user("Eve", Tags=tags(status="blocked"))
    home.put_policy(
        "Eve",
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["iam:TagUser", "iam:UntagUser"], "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": ["iam:TagUser", "iam:UntagUser"],
                    "Resource": "*",
                    "Condition": {"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": "status"}},
                },
            ],
        },
    )

    for action, asked in (("iam:UntagUser", {"TagKeys": [other]}), ("iam:TagUser", {"Tags": tags(**{other: "free"})})):
        with suppress(AccessDenied):
            home.call(action, eve, UserName="Eve", **asked)

    kept = home.call("iam:ListUserTags", UserName="Eve").tags
    assert ("status", "blocked") in [(tag.key, tag.value) for tag in kept]


@given(st.text(max_size=3), st.text(max_size=3))
@example("\u017f", "s")
@example("ß", "ss")
@example("İ", "i̇")
def test_two_keys_are_one_tag_exactly_when_policies_cannot_tell_them_apart(one: str, other: str) -> None:
    condition = Condition.of("StringEquals", f"aws:RequestTag/{one}", ("x",), variables=False)
    given_other = {f"aws:requesttag/{tag_key(other)}": ("x",)}

    assert condition.holds(given_other) is (tag_key(one) == tag_key(other))
