"""Policies are compiled once for each principal, and never outlive a change; what callers bring crowds nobody out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instep.api.common import AccessDenied
from instep.domain.identity import Principal
from instep.domain.policy.evaluation import Policies
from instep.services.operation import SERVICES
from instep.services.policy_cache import PolicyCache
from tests.support.house import ACCOUNT, House, house
from tests.support.sessions import allow, make_role, session_of, trust


def policies(home: House, cache: PolicyCache, principal: Principal) -> Policies:
    return home.service.store.read(lambda tx: cache.of(tx, principal))


def test_policies_are_compiled_once_until_any_policy_of_the_account_changes(home: House) -> None:
    cache, richard = PolicyCache(), home.user("Richard")
    home.allow("Richard", "iam:ListUsers")
    first = policies(home, cache, richard)

    assert policies(home, cache, richard) is first

    home.user("Saanvi")
    home.allow("Saanvi", "iam:ListUsers")
    assert policies(home, cache, richard) is not first


def test_a_policy_changed_beside_the_server_holds_on_the_next_request(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        richard = home.user("Richard")
        home.allow("Richard", "iam:ListUsers")
        home.call("iam:ListUsers", richard)

        # As a command beside the server does it, or another server on the same database.
        beside = PolicyCache()
        assert policies(home, beside, richard).identity
        home.service.store.write(lambda tx: tx.inline_policies.delete(ACCOUNT, richard.holder_id, "allowed"))

        with pytest.raises(AccessDenied):
            home.call("iam:ListUsers", richard)
        assert not policies(home, beside, richard).identity


def test_policies_that_sessions_bring_do_not_crowd_out_those_of_others(home: House) -> None:
    cache, richard = PolicyCache(), home.user("Richard")
    allow(home, "Richard", "sts:AssumeRole")
    arn = make_role(home, "Auditor", trust(ACCOUNT))
    own = policies(home, cache, richard)

    kept = set()
    for number in range(70):
        document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}
        text = json.dumps(document).ljust(9_000 + number)
        session = session_of(home, richard, arn, RoleSessionName=f"s{number}", Policy=text)
        kept.add(id(policies(home, cache, session)))

    assert policies(home, cache, richard) is own
    assert cache._of_sessions._length <= 500_000


@pytest.mark.parametrize("action", sorted(SERVICES["instep"].operations))
def test_what_limits_an_account_is_for_nobody_in_it(home: House, action: str) -> None:
    for principal in (home.principal("admin"), home.root):
        with pytest.raises(AccessDenied, match="for operators of the installation"):
            home.call(f"instep:{action}", principal)


def test_a_renamed_user_s_policies_are_told_under_the_new_name(home: House) -> None:
    cache, richard = PolicyCache(), home.user("Richard")
    home.allow("Richard", "iam:ListUsers")
    assert policies(home, cache, richard).identity[0].owner == "Richard"

    home.call("iam:UpdateUser", UserName="Richard", NewUserName="Rick")

    assert policies(home, cache, home.principal("Rick")).identity[0].owner == "Rick"


def test_policies_that_take_too_long_together_are_not_asked_and_root_can_take_them_away(home: House) -> None:
    richard = home.user("Richard")
    home.allow("Richard", "iam:ListUsers")
    slow = [f"*{number}${{aws:PrincipalTag/team}}*" for number in range(60)]
    document = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Deny",
                "Action": "s3:*",
                "Resource": "*",
                "Condition": {"ForAnyValue:StringLike": {"aws:TagKeys": slow}},
            },
        }
    )
    arns = []
    refusal = None
    for number in range(10):
        arns.append(home.call("iam:CreatePolicy", PolicyName=f"slow{number}", PolicyDocument=document).policy.arn)
        home.call("iam:AttachUserPolicy", UserName="Richard", PolicyArn=arns[-1])
        try:
            home.call("iam:ListUsers", richard)
        except AccessDenied as refused:
            refusal = refused
            break

    assert refusal is not None
    assert "all their policies together take too long to evaluate. Detach some of them" in refusal.message
    home.call("iam:DetachUserPolicy", UserName="Richard", PolicyArn=arns[-1])
    home.call("iam:ListUsers", richard)


def test_a_renamed_group_s_policies_are_told_under_the_new_name(home: House) -> None:
    cache, richard = PolicyCache(), home.user("Richard")
    home.call("iam:CreateGroup", GroupName="Staff")
    home.call("iam:AddUserToGroup", GroupName="Staff", UserName="Richard")
    document = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}}'
    home.call("iam:PutGroupPolicy", GroupName="Staff", PolicyName="list", PolicyDocument=document)
    assert policies(home, cache, richard).identity[0].owner == "Staff"

    home.call("iam:UpdateGroup", GroupName="Staff", NewGroupName="Team")

    assert policies(home, cache, richard).identity[0].owner == "Team"
