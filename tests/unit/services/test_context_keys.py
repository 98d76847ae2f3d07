"""Which context keys policies ask for."""

from __future__ import annotations

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import InvalidInput, NoSuchEntity
from tests.support.house import ACCOUNT, House
from tests.support.sessions import allow, statement

RICHARD = f"arn:aws:iam::{ACCOUNT}:user/Richard"
BY_IP = statement(Action="s3:*", Resource="*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
BY_IP_AGAIN = statement(Action="ec2:*", Resource="*", Condition={"NotIpAddress": {"AWS:SOURCEIP": "192.0.2.0/24"}})
OWN = statement(
    Action="iam:*",
    Resource="arn:aws:iam::*:user/${aws:username}",
    Condition={"StringEquals": {"aws:PrincipalTag/team": "${aws:ResourceTag/team, 'none'}"}},
)


def test_keys_of_conditions_and_variables_are_told_once_each(home: House) -> None:
    found = home.call("iam:GetContextKeysForCustomPolicy", None, PolicyInputList=[BY_IP, OWN, BY_IP_AGAIN])

    names = found.context_key_names
    assert [name.lower() for name in names] == ["aws:principaltag/team", "aws:resourcetag/team", "aws:sourceip", "aws:username"]


def test_a_policy_that_asks_for_nothing_has_no_keys(home: House) -> None:
    plain = statement(Action="*", Resource="*")

    assert home.call("iam:GetContextKeysForCustomPolicy", None, PolicyInputList=[plain]).context_key_names == ()


def test_all_that_is_attached_to_a_user_counts(home: House) -> None:
    ceiling = home.call(
        "iam:CreatePolicy",
        PolicyName="Ceiling",
        PolicyDocument=statement(Action="*", Resource="*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
    )
    home.user("Richard", PermissionsBoundary=ceiling.policy.arn)
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="own", PolicyDocument=OWN)
    home.call("iam:CreateGroup", GroupName="Staff")
    home.call("iam:AddUserToGroup", GroupName="Staff", UserName="Richard")
    home.call("iam:PutGroupPolicy", GroupName="Staff", PolicyName="by-ip", PolicyDocument=BY_IP)
    more = statement(Action="*", Resource="*", Condition={"Null": {"aws:MultiFactorAuthAge": "false"}})

    found = home.call("iam:GetContextKeysForPrincipalPolicy", None, PolicySourceArn=RICHARD, PolicyInputList=[more])
    of_group = home.call("iam:GetContextKeysForPrincipalPolicy", None, PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:group/Staff")

    assert found.context_key_names == (
        "aws:MultiFactorAuthAge",
        "aws:PrincipalTag/team",
        "aws:ResourceTag/team",
        "aws:SecureTransport",
        "aws:SourceIp",
        "aws:username",
    )
    assert of_group.context_key_names == ("aws:SourceIp",)


def test_what_is_no_policy_and_who_is_nobody_is_refused(home: House) -> None:
    with pytest.raises(InvalidInput) as malformed:
        home.call("iam:GetContextKeysForCustomPolicy", None, PolicyInputList=["{}"])
    with pytest.raises(NoSuchEntity) as nobody:
        home.call("iam:GetContextKeysForPrincipalPolicy", None, PolicySourceArn=RICHARD)
    with pytest.raises(InvalidInput, match="must not be longer than 131072 characters together"):
        home.call("iam:GetContextKeysForCustomPolicy", None, PolicyInputList=[BY_IP.ljust(70_000)] * 2)

    assert malformed.value.message == "Syntax errors in policy."
    assert nobody.value.message == "The user with name Richard cannot be found."


def test_asking_takes_a_permission_on_the_source(home: House) -> None:
    asker = home.user("Asker")
    home.user("Richard")
    allow(home, "Asker", "iam:GetContextKeysForPrincipalPolicy", f"arn:aws:iam::{ACCOUNT}:user/Asker")

    assert home.call("iam:GetContextKeysForPrincipalPolicy", asker, PolicySourceArn=asker.arn).context_key_names == ()
    with pytest.raises(AccessDenied, match=f"on resource: {RICHARD} because"):
        home.call("iam:GetContextKeysForPrincipalPolicy", asker, PolicySourceArn=RICHARD)
