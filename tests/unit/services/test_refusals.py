"""What a refusal tells somebody who may not know: nothing that the request did not say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import NoSuchEntity
from instep.domain.identity import Principal
from instep.services.authorize import ENCODED_MESSAGE_HEADER
from tests.support.house import ACCOUNT, House
from tests.support.sessions import allow, statement, trust

ARN = f"arn:aws:iam::{ACCOUNT}"


def refused(home: House, action: str, as_: Principal, /, **parameters: object) -> AccessDenied:
    with pytest.raises(AccessDenied) as caught:
        home.call(action, as_, **parameters)
    return caught.value


def hide(home: House) -> None:
    """A user, a group, a role and a device of the name, in a path that strangers do not know."""
    tags = [{"Key": "project", "Value": "x" * 200}]
    home.call("iam:CreateUser", UserName="Bob", Path="/secret/", Tags=tags)
    home.call("iam:CreateGroup", GroupName="Bob", Path="/secret/")
    home.virtual_device("Bob", Path="/secret/", Tags=tags)
    home.call(
        "iam:CreateRole", RoleName="Bob", Path="/secret/", AssumeRolePolicyDocument=trust(ACCOUNT), Tags=tags, Description="x"
    )


@pytest.mark.parametrize(
    ("action", "asked", "shown"),
    [
        ("iam:GetUser", {"UserName": "bob"}, "user/bob"),
        ("iam:ListAccessKeys", {"UserName": "bob"}, "user/bob"),
        ("iam:UpdateUser", {"UserName": "bob", "NewUserName": "x"}, "user/bob"),
        ("iam:GetGroup", {"GroupName": "bob"}, "group/bob"),
        ("iam:UpdateGroup", {"GroupName": "bob", "NewGroupName": "x"}, "group/bob"),
        ("iam:GetRole", {"RoleName": "bob"}, "role/bob"),
        ("iam:UpdateAssumeRolePolicy", {"RoleName": "bob", "PolicyDocument": trust(ACCOUNT)}, "role/bob"),
        ("iam:ListMFADeviceTags", {"SerialNumber": f"{ARN}:mfa/secret/Bob"}, "mfa/secret/Bob"),
        (
            "iam:SimulatePrincipalPolicy",
            {"PolicySourceArn": f"{ARN}:user/secret/Bob", "ActionNames": ["iam:GetUser"]},
            "user/secret/Bob",
        ),
    ],
)
def test_a_refusal_is_the_same_whether_or_not_there_is_somebody(
    home: House, action: str, asked: dict[str, Any], shown: str
) -> None:
    stranger = home.user("Stranger")
    before = refused(home, action, stranger, **asked)
    hide(home)
    after = refused(home, action, stranger, **asked)

    assert after.message == before.message
    assert f"on resource: {ARN}:{shown} because" in after.message
    # Nor does the sealed message tell by its length.
    assert len(after.headers[ENCODED_MESSAGE_HEADER]) == len(before.headers[ENCODED_MESSAGE_HEADER])


def test_what_is_shown_decides_nothing(home: House) -> None:
    stranger = home.user("Stranger")
    hide(home)
    allow(
        home,
        "Stranger",
        ["iam:GetUser", "iam:GetGroup", "iam:GetRole"],
        [f"{ARN}:user/bob", f"{ARN}:group/bob", f"{ARN}:role/bob"],
    )
    for action, asked in (("GetUser", "UserName"), ("GetGroup", "GroupName"), ("GetRole", "RoleName")):
        refused(home, f"iam:{action}", stranger, **{asked: "bob"})

    allow(home, "Stranger", "iam:Get*", [f"{ARN}:{kind}/secret/Bob" for kind in ("user", "group", "role")])
    for action, asked in (("GetUser", "UserName"), ("GetGroup", "GroupName"), ("GetRole", "RoleName")):
        home.call(f"iam:{action}", stranger, **{asked: "bob"})


def test_users_are_shown_their_own_arn_as_it_is(home: House) -> None:
    bob = home.user("Bob", Path="/staff/")

    for asked in ({}, {"UserName": "Bob"}, {"UserName": "bob"}):
        assert f"on resource: {ARN}:user/staff/Bob because" in refused(home, "iam:GetUser", bob, **asked).message


@pytest.mark.parametrize(("kind", "action"), [("user", "iam:UpdateUser"), ("group", "iam:UpdateGroup")])
def test_renaming_shows_no_path_that_the_request_did_not_say(home: House, kind: str, action: str) -> None:
    stranger = home.user("Stranger")
    hide(home)
    allow(home, "Stranger", action, [f"{ARN}:{kind}/secret/Bob", f"{ARN}:{kind}/nobody"])
    name, new_name = f"{kind.title()}Name", f"New{kind.title()}Name"

    for asked, shown in (
        ({name: "bob", new_name: "x"}, "x"),
        ({name: "bob", "NewPath": "/ops/"}, "ops/bob"),
        # What may be done is asked before whether there is anybody to do it to.
        ({name: "nobody", new_name: "x"}, "x"),
    ):
        assert f"{action} on resource: {ARN}:{kind}/{shown} because" in refused(home, action, stranger, **asked).message
    with pytest.raises(NoSuchEntity):
        home.call(action, stranger, **{name: "nobody", "NewPath": "/"})


def test_whose_a_key_is_and_whether_there_is_one_is_told_to_nobody_else(home: House) -> None:
    stranger, bob = home.user("Stranger"), home.user("Bob", Path="/secret/")
    key = home.call("iam:CreateAccessKey", UserName="Bob").access_key.access_key_id

    for asked in (key, "AKIA0000000000000000"):
        refusal = refused(home, "iam:GetAccessKeyLastUsed", stranger, AccessKeyId=asked)
        assert refusal.message == (
            f"User: {stranger.arn} is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key {asked}"
        )
        assert ENCODED_MESSAGE_HEADER not in refusal.headers
    # Their own, as long as nothing allows it: the same.
    assert f"access key {key}" in refused(home, "iam:GetAccessKeyLastUsed", bob, AccessKeyId=key).message

    allow(home, "Stranger", "iam:GetAccessKeyLastUsed", f"{ARN}:user/secret/*")
    assert home.call("iam:GetAccessKeyLastUsed", stranger, AccessKeyId=key).user_name == "Bob"
    document = statement(Effect="Deny", Action="iam:GetAccessKeyLastUsed", Resource=f"{ARN}:user/secret/Bob")
    home.call("iam:PutUserPolicy", UserName="Stranger", PolicyName="deny", PolicyDocument=document)
    assert f"access key {key}" in refused(home, "iam:GetAccessKeyLastUsed", stranger, AccessKeyId=key).message


def test_whose_a_device_is_is_not_told_by_leaving_the_name_out(home: House) -> None:
    stranger = home.user("Stranger")
    bob = home.user("Bob", Path="/secret/")
    held, _ = home.enabled_device("Bob", "BobsMFA")
    free, _ = home.virtual_device("Spare")

    said = {
        refused(home, "iam:GetMFADevice", stranger, SerialNumber=serial_number).message
        for serial_number in (held, free, f"{ARN}:mfa/nothing")
    }

    assert len(said) == 1
    assert "iam:GetMFADevice on resource: * because" in said.pop()
    assert f"on resource: {ARN}:user/secret/Bob because" in refused(home, "iam:GetMFADevice", bob, SerialNumber=held).message
    allow(home, "Stranger", "iam:GetMFADevice", f"{ARN}:user/secret/*")
    assert home.call("iam:GetMFADevice", stranger, SerialNumber=held).user_name == "Bob"


@pytest.mark.parametrize(
    ("actions", "tag_length", "conditions", "whole"), [(1, 5, True, True), (1, 250, False, True), (70, 250, False, False)]
)
def test_a_refusal_always_carries_its_details_and_leaves_out_what_is_too_long(
    home: House, actions: int, tag_length: int, conditions: bool, whole: bool
) -> None:
    tags = [{"Key": f"tag{number}", "Value": "x" * tag_length} for number in range(10)]
    richard = home.user("Richard", Tags=tags)
    denied = ["iam:ListUsers", *(f"iam:SomethingElse{number:03d}" for number in range(actions - 1))]
    home.put_policy(
        "Richard",
        {"Version": "2012-10-17", "Statement": {"Sid": "Never", "Effect": "Deny", "Action": denied, "Resource": "*"}},
        name="guard",
    )

    sealed = refused(home, "iam:ListUsers", richard).headers[ENCODED_MESSAGE_HEADER]

    # What proxies commonly keep for all of an answer's headers.
    assert len(sealed) < 3_100
    told = json.loads(home.call("sts:DecodeAuthorizationMessage", EncodedMessage=sealed).decoded_message)
    (matched,) = told["matchedStatements"]["items"]
    assert (matched["statementId"], matched["sourcePolicy"], matched["effect"]) == ("Never", "guard", "DENY")
    assert ("actions" in matched) is whole
    assert bool(told["context"]["conditions"]["items"]) is conditions
