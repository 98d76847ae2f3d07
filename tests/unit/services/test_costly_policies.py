"""Policies that would hold up everybody: none is saved, whoever brings it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from instep.api.errors import MalformedPolicyDocument
from tests.support.house import House, house
from tests.support.sessions import make_role, statement, trust

COSTLY = statement(Action="*", Resource="*", Condition={"StringLike": {"aws:TagKeys": ["*a*"] * 500}})
COSTLY_TRUST = statement(
    Action="sts:AssumeRole", Principal="*", Condition={"StringLike": {"sts:TransitiveTagKeys": ["*${sts:ExternalId}*"] * 120}}
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, quotas={"trust_policy_size": 4096, "user_policy_size": 10_240}) as opened:
        opened.user("Richard")
        make_role(opened, "Deploy", trust("*"))
        yield opened


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("iam:PutUserPolicy", {"UserName": "Richard", "PolicyName": "own", "PolicyDocument": COSTLY}),
        ("iam:CreatePolicy", {"PolicyName": "Own", "PolicyDocument": COSTLY}),
        ("iam:CreateRole", {"RoleName": "Own", "AssumeRolePolicyDocument": COSTLY_TRUST}),
        ("iam:UpdateAssumeRolePolicy", {"RoleName": "Deploy", "PolicyDocument": COSTLY_TRUST}),
    ],
)
def test_a_policy_that_takes_too_long_to_evaluate_is_not_saved(home: House, action: str, parameters: dict[str, str]) -> None:
    with pytest.raises(MalformedPolicyDocument, match="takes too long to evaluate: use fewer wildcards and variables"):
        home.call(action, **parameters)

    assert home.call("iam:ListUserPolicies", UserName="Richard").policy_names == ()
    assert home.call("iam:ListPolicies", Scope="Local").policies == ()
    assert [role.role_name for role in home.call("iam:ListRoles").roles] == ["Deploy"]
