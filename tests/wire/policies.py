"""Policies, roles and sessions for people of the served product, and the sentences in which it refuses them."""

from __future__ import annotations

import json
from typing import Any

from tests.wire.people import Account, Person, Phone, Refusal

PRESENT, AGE = "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"
INVALID_TOKEN = Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid")
"""What IAM answers to a session without MFA; without a full stop, as AWS prints it there."""


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str] = "*", resource: str | list[str] = "*", **conditions: dict[str, Any]) -> dict[str, Any]:
    return _statement("Allow", action, resource, conditions)


def deny(action: str | list[str] = "*", resource: str | list[str] = "*", **conditions: dict[str, Any]) -> dict[str, Any]:
    return _statement("Deny", action, resource, conditions)


def _statement(effect: str, action: str | list[str], resource: str | list[str], conditions: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": effect, "Action": action, "Resource": resource}
    return {**statement, "Condition": conditions} if conditions else statement


def trusting(*principals: str, **conditions: dict[str, Any]) -> str:
    """A trust policy for those ARNs or ids."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return document({**statement, "Condition": conditions} if conditions else statement)


def user_arn(account: Account, name: str, path: str = "/") -> str:
    return f"arn:aws:iam::{account.account_id}:user{path}{name}"


def restrict(account: Account, person: Person, text: str) -> None:
    """This is the user's policy from now on."""
    account.iam.put_user_policy(UserName=person.name, PolicyName="policy", PolicyDocument=text)


def new_role(account: Account, trust: str, *statements: dict[str, Any], **parameters: Any) -> str:
    """The ARN of a new role, whose policy has `statements`."""
    name = account.name("role")
    made = account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **parameters)["Role"]
    if statements:
        account.iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document(*statements))
    return str(made["Arn"])


def with_mfa(account: Account, person: Person, phone: Phone) -> dict[str, Any]:
    """Credentials from GetSessionToken with the next code of `phone`."""
    sts = account.client_of(person, "sts")
    return _kept(account, sts.get_session_token(SerialNumber=phone.serial_number, TokenCode=phone.code()))


def without_mfa(account: Account, person: Person) -> dict[str, Any]:
    """Credentials from GetSessionToken without any code."""
    return _kept(account, account.client_of(person, "sts").get_session_token())


def assume(account: Account, sts: Any, role_arn: str, **parameters: Any) -> dict[str, Any]:
    """A role session's credentials, for whoever `sts` signs as."""
    return _kept(account, sts.assume_role(RoleArn=role_arn, RoleSessionName="Session1", **parameters))


def _kept(account: Account, answer: Any) -> dict[str, Any]:
    credentials: dict[str, Any] = answer["Credentials"]
    account.secrets.words |= {credentials["SecretAccessKey"], credentials["SessionToken"]}
    return credentials


def denied(who: str, action: str, resource: str, because: str) -> Refusal:
    sentence = f"User: {who} is not authorized to perform: {action} on resource: {resource}"
    return Refusal(403, "AccessDenied", f"{sentence} {because}")


def implicitly(who: str, action: str, resource: str) -> Refusal:
    return denied(who, action, resource, f"because no identity-based policy allows the {action} action")


def explicitly(who: str, action: str, resource: str) -> Refusal:
    return denied(who, action, resource, "with an explicit deny in an identity-based policy")


def not_assumed(who: str, role_arn: str, action: str = "sts:AssumeRole") -> Refusal:
    """AWS gives no reason here: it would tell of another's trust policy."""
    return Refusal(403, "AccessDenied", f"User: {who} is not authorized to perform: {action} on resource: {role_arn}")
