"""Simulations in a house of a few people, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from instep.api.common import AWSError
from tests.support.house import ACCOUNT, House, house
from tests.support.sessions import make_role, statement, trust

RICHARD = f"arn:aws:iam::{ACCOUNT}:user/Richard"
SALLY = f"arn:aws:iam::{ACCOUNT}:user/Sally"
STAFF = f"arn:aws:iam::{ACCOUNT}:group/Staff"
OPS = f"arn:aws:iam::{ACCOUNT}:role/Ops"
BUCKET = "arn:aws:s3:::bucket/key"
RESYNC_PAGE = (Path(__file__).parents[1] / "vectors" / "policies" / "resync-only.json").read_text("utf-8")
WITHOUT_MFA = [{"ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"}]
WITH_MFA = [{"ContextKeyName": "aws:MultiFactorAuthPresent", "ContextKeyValues": ["true"], "ContextKeyType": "boolean"}]
ALLOWED, EXPLICIT, IMPLICIT = "allowed", "explicitDeny", "implicitDeny"


@contextmanager
def simulated_house(folder: Path) -> Iterator[House]:
    """Richard has the resync page's policy and is in Staff, who may list users; Ops may do anything with S3."""
    with house(folder) as shared:
        shared.user("Richard", Tags=[{"Key": "team", "Value": "blue"}])
        shared.user("Sally")
        shared.call("iam:PutUserPolicy", UserName="Richard", PolicyName="mfa", PolicyDocument=RESYNC_PAGE)
        shared.call("iam:CreateGroup", GroupName="Staff")
        shared.call("iam:AddUserToGroup", GroupName="Staff", UserName="Richard")
        listing = statement(Action="iam:ListUsers", Resource="*")
        shared.call("iam:PutGroupPolicy", GroupName="Staff", PolicyName="listing", PolicyDocument=listing)
        make_role(shared, "Ops", trust(RICHARD))
        shared.call("iam:PutRolePolicy", RoleName="Ops", PolicyName="s3", PolicyDocument=statement(Action="s3:*", Resource="*"))
        yield shared


def custom(home: House, *documents: str, actions: str | list[str] = "iam:GetUser", **parameters: object) -> list[Any]:
    names = [actions] if isinstance(actions, str) else actions
    answer = home.call("iam:SimulateCustomPolicy", None, PolicyInputList=list(documents), ActionNames=names, **parameters)
    return list(answer.evaluation_results)


def principal(home: House, source: str, *actions: str, **parameters: object) -> list[Any]:
    answer = home.call("iam:SimulatePrincipalPolicy", None, PolicySourceArn=source, ActionNames=list(actions), **parameters)
    return list(answer.evaluation_results)


def decision(home: House, source: str, action: str, **parameters: object) -> str:
    (result,) = principal(home, source, action, **parameters)
    return str(result.eval_decision)


def refusal(home: House, error: type[AWSError], operation: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(operation, None, **parameters)
    return caught.value.message


def bucket_policy(*principals: str, **elements: object) -> str:
    """Of the bucket that `BUCKET` is in, for these principals."""
    return statement(
        **{"Principal": {"AWS": list(principals)}, "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*", **elements}
    )
