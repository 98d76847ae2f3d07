"""What requests say of MFA where no signature reaches: at the console, for federated users, and once a session has grown old."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from instep.api.common import AccessDenied
from instep.domain.identity import Principal, SessionScope
from instep.services import condition_keys
from instep.services.operation import EVERYTHING
from tests.support.house import ACCOUNT, NOON, House
from tests.support.sessions import Keys, keys_of, run

PRESENT, AGE = "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge"
CONSTRUCTS: list[tuple[str, dict[str, dict[str, str]], bool, bool]] = [
    # Effect, condition; whether it lets through who came with a password alone, and with a password and a code.
    ("Deny", {"BoolIfExists": {PRESENT: "false"}}, False, True),
    ("Deny", {"Bool": {PRESENT: "false"}}, False, True),
    ("Allow", {"Bool": {PRESENT: "true"}}, False, True),
    ("Allow", {"BoolIfExists": {PRESENT: "true"}}, False, True),
    ("Allow", {"Null": {PRESENT: "false"}}, True, True),
    ("Allow", {"NumericLessThan": {AGE: "3600"}}, False, True),
    ("Deny", {"NumericGreaterThanIfExists": {AGE: "3600"}}, False, True),
]


def restrict(home: House, name: str, effect: str, condition: Mapping[str, Mapping[str, str]]) -> None:
    """A Deny stands beside an Allow of everything."""
    statements: list[dict[str, Any]] = [{"Effect": effect, "Action": "*", "Resource": "*", "Condition": condition}]
    if effect == "Deny":
        statements.append({"Effect": "Allow", "Action": "*", "Resource": "*"})
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    home.call("iam:PutUserPolicy", UserName=name, PolicyName="policy", PolicyDocument=document)


def gets_through(home: House, principal: Principal) -> bool:
    try:
        home.call("iam:GetUser", principal)
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize(("effect", "condition", "password", "password_and_code"), CONSTRUCTS)
def test_the_console_lets_through_whom_the_guide_says(
    home: House, effect: str, condition: dict[str, dict[str, str]], password: bool, password_and_code: bool
) -> None:
    inside = replace(home.user("Richard"), access_key_id=None, mfa_present=False)
    restrict(home, "Richard", effect, condition)

    assert gets_through(home, inside) is password
    assert gets_through(home, replace(inside, mfa_present=True, mfa_at=home.clock.now)) is password_and_code


@pytest.mark.parametrize(
    ("effect", "operator", "last"), [("Allow", "NumericLessThan", 3599), ("Deny", "NumericGreaterThanIfExists", 3600)]
)
def test_a_session_outlives_what_its_age_allows(home: House, effect: str, operator: str, last: int) -> None:
    home.user("Richard")
    key, (serial_number, device) = keys_of(home, "Richard"), home.enabled_device("Richard", "RichardsMFA")
    restrict(home, "Richard", effect, {operator: {AGE: "3600"}})
    home.clock.advance(minutes=1)
    code = device.code(home.clock.now)
    session = Keys.of(run(home, key, "sts:GetSessionToken", SerialNumber=serial_number, TokenCode=code).credentials)

    home.clock.advance(seconds=last)
    assert run(home, session, "iam:GetUser").user.user_name == "Richard"
    home.clock.advance(seconds=1)
    with pytest.raises(AccessDenied):
        run(home, session, "iam:GetUser")


def test_neither_keys_nor_roots_keys_nor_federated_users_have_mfa_to_show(home: House) -> None:
    richard = home.user("Richard")
    bob = Principal.federated_user(richard, SessionScope("Bob", richard.arn), "ASIABOBBOBBOBBOBBOBB")

    def told(principal: Principal) -> dict[str, tuple[str, ...]]:
        keys = condition_keys.expected(principal, EVERYTHING, NOON)
        return {key: values for key, values in keys.items() if "multifactor" in key}

    assert told(richard) == {}
    assert told(Principal.root(ACCOUNT, "AKIAROOTROOTROOTROOT")) == {}
    assert told(bob) == {"aws:multifactorauthpresent": ("false",)}
    proven = replace(richard, mfa_present=True, mfa_at=NOON - timedelta(seconds=90))
    assert told(proven) == {"aws:multifactorauthpresent": ("true",), "aws:multifactorauthage": ("90",)}
    # A clock that was set back makes nobody's code come from the future.
    ahead = replace(richard, mfa_present=True, mfa_at=NOON + timedelta(seconds=90))
    assert told(ahead)["aws:multifactorauthage"] == ("0",)
