"""Policy documents, and users, groups and roles to hang them on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from tests.support.house import ACCOUNT, House

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}],
    }
)


def policy(action: str = "iam:ListUsers", *, length: int | None = None) -> str:
    """A policy that allows `action`, of exactly `length` characters when it is given, white space not counted."""
    statement = {"Sid": "", "Effect": "Allow", "Action": action, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    if length is not None:
        statement["Sid"] = "x" * (length - len(json.dumps(document, separators=(",", ":"))))
    else:
        del statement["Sid"]
    return json.dumps(document, indent=2)


_NUMBERS = count(1)


@dataclass(frozen=True)
class PolicyOwner:
    """A user, group or role, and the operations of that kind."""

    home: House
    kind: str
    name: str

    @classmethod
    def made(cls, home: House, kind: str) -> PolicyOwner:
        """A new one under a name of its own, so that tests may share a house."""
        owner = cls(home, kind, f"Richard{next(_NUMBERS)}")
        owner.create()
        return owner

    def create(self) -> None:
        trust = {"AssumeRolePolicyDocument": TRUST} if self.kind == "Role" else {}
        self.call("Create{}", **trust)

    def named(self, name: str) -> PolicyOwner:
        """The same under another spelling, or one that is not there."""
        return replace(self, name=name)

    @property
    def noun(self) -> str:
        """As AWS's sentences have it."""
        return self.kind.lower()

    def call(self, action: str, **parameters: object) -> Any:
        """`PutUserPolicy` and its like for "Put{}Policy"."""
        return self.home.call(f"iam:{action.format(self.kind)}", None, **{f"{self.kind}Name": self.name}, **parameters)

    def policy(self, name: str = "Own", **parameters: object) -> str:
        """The ARN of a new managed policy; its name begins with `name`."""
        named = {"PolicyName": f"{name}-{self.name}", "PolicyDocument": policy()}
        made = self.home.call("iam:CreatePolicy", **named, **parameters)
        found: str = made.policy.arn
        return found
