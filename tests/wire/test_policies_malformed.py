"""Policies that are none, as real clients send them: refused with AWS's code, and nothing of them is kept."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from tests.vectors.policies.malformed import MALFORMED, WORDS
from tests.vectors.policies.malformed_trust import MALFORMED_TRUST
from tests.wire.people import Account, refusal
from tests.wire.policies import allow, document, new_role, trusting

SAMPLE = 30
GOOD = document(allow("iam:ListUsers"))
# What the form of a document refuses already, before anything is read: its length, and characters that no XML may have.
BY_FORM = "ValidationError"


def sample(texts: list[tuple[str, str]]) -> list[Any]:
    """The same ones every time, so that a failure can be looked at; empty texts never leave a client."""
    chosen = Random("thirty of them").sample([one for one in texts if one[1]], SAMPLE)
    return [pytest.param(text, id=name) for name, text in chosen]


class Target:
    """A user, a role and a managed policy that malformed documents are meant for."""

    def __init__(self, account: Account) -> None:
        self.iam = account.iam
        self.user = account.name()
        self.iam.create_user(UserName=self.user)
        self.iam.put_user_policy(UserName=self.user, PolicyName="good", PolicyDocument=GOOD)
        self.role = new_role(account, trusting(account.account_id)).rpartition("/")[2]
        self.policy = self.iam.create_policy(PolicyName=account.name("policy"), PolicyDocument=GOOD)["Policy"]["Arn"]
        self.unmade = account.name("unmade")
        self.before = self.state()

    def state(self) -> Any:
        """All of it that a refused document could have changed."""
        iam = self.iam
        versions = iam.list_policy_versions(PolicyArn=self.policy)["Versions"]
        return (
            iam.list_user_policies(UserName=self.user)["PolicyNames"],
            iam.get_user_policy(UserName=self.user, PolicyName="good")["PolicyDocument"],
            iam.list_role_policies(RoleName=self.role)["PolicyNames"],
            iam.get_role(RoleName=self.role)["Role"]["AssumeRolePolicyDocument"],
            [version["VersionId"] for version in versions],
            [policy["PolicyName"] for policy in iam.list_policies(Scope="Local", MaxItems=1000)["Policies"]],
        )


@pytest.fixture(scope="module")
def target(account: Account) -> Target:
    return Target(account)


@pytest.mark.parametrize("text", sample(MALFORMED))
def test_a_malformed_policy_is_refused_wherever_it_is_put_and_nothing_is_kept(
    target: Target, text: str, request: pytest.FixtureRequest
) -> None:
    iam = target.iam
    answers = [
        refusal(iam.put_user_policy, UserName=target.user, PolicyName="bad", PolicyDocument=text),
        refusal(iam.put_user_policy, UserName=target.user, PolicyName="good", PolicyDocument=text),
        refusal(iam.put_role_policy, RoleName=target.role, PolicyName="bad", PolicyDocument=text),
        refusal(iam.create_policy, PolicyName=target.unmade, PolicyDocument=text),
        refusal(iam.create_policy_version, PolicyArn=target.policy, PolicyDocument=text, SetAsDefault=True),
    ]

    assert len({(one.status, one.code, one.message) for one in answers}) == 1
    assert answers[0].status == 400
    assert answers[0].code in ("MalformedPolicyDocument", BY_FORM)
    words = WORDS.get(request.node.callspec.id)
    if words is not None:
        assert answers[0].message == words
    assert target.state() == target.before


@pytest.mark.parametrize("text", sample(MALFORMED_TRUST))
def test_a_malformed_trust_policy_is_refused_and_nothing_is_kept(target: Target, text: str) -> None:
    iam = target.iam
    answers = [
        refusal(iam.create_role, RoleName=target.unmade, AssumeRolePolicyDocument=text),
        refusal(iam.update_assume_role_policy, RoleName=target.role, PolicyDocument=text),
    ]

    assert {(one.status, one.code in ("MalformedPolicyDocument", BY_FORM)) for one in answers} == {(400, True)}
    assert refusal(iam.get_role, RoleName=target.unmade).code == "NoSuchEntity"
    assert target.state() == target.before


@pytest.mark.parametrize("text", sample(MALFORMED))
def test_a_malformed_session_policy_opens_no_session(account: Account, target: Target, text: str) -> None:
    sts, role = account.sts(), f"arn:aws:iam::{account.account_id}:role/{target.role}"

    for refused in (
        refusal(sts.assume_role, RoleArn=role, RoleSessionName="Session1", Policy=text),
        refusal(sts.get_federation_token, Name="Bob", Policy=text),
    ):
        assert refused.status == 400
        assert refused.code in ("MalformedPolicyDocument", "PackedPolicyTooLarge", BY_FORM)


def test_a_policy_as_long_as_ever_allowed_is_kept_and_a_character_more_is_not(target: Target) -> None:
    def of_length(length: int) -> str:
        statement = {"Sid": "", "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        statement["Sid"] = "x" * (length - len(json.dumps(policy, separators=(",", ":"))))
        # White space does not count.
        return json.dumps(policy, indent=4)

    iam = target.iam
    iam.put_user_policy(UserName=target.user, PolicyName="long", PolicyDocument=of_length(2048 - len(GOOD.replace(" ", ""))))
    refused = refusal(iam.put_user_policy, UserName=target.user, PolicyName="longer", PolicyDocument=of_length(2048))
    iam.delete_user_policy(UserName=target.user, PolicyName="long")

    assert (refused.status, refused.code) == (409, "LimitExceeded")
    assert refused.message == f"Maximum policy size of 2048 bytes exceeded for user {target.user}"
    assert target.state() == target.before
