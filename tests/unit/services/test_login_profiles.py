"""Passwords that administrators give to users."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest

from instep.api.common import AWSError, ValidationError
from instep.api.errors import (
    EntityAlreadyExists,
    EntityTemporarilyUnmodifiable,
    NoSuchEntity,
    PasswordPolicyViolation,
)
from instep.domain.identity import LoginProfile
from instep.domain.password import is_password
from instep.services import new_passwords
from instep.services.operation import Call, Origin
from instep.services.policy_cache import PolicyCache
from instep.services.ports import Transaction
from tests.support.house import ACCOUNT, NOON, House

FIRST = "Correct horse 1"
SECOND = "Battery staple 2"


def message(error: type[AWSError], home: House, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, **parameters)
    return caught.value.message


def kept(home: House, name: str) -> LoginProfile:
    def work(tx: Transaction) -> LoginProfile | None:
        user = tx.users.find(ACCOUNT, name)
        return None if user is None else tx.login_profiles.find(ACCOUNT, user.user_id)

    profile = home.service.store.read(work)
    assert profile is not None
    return profile


def with_password(home: House, name: str = "Richard", **parameters: object) -> Any:
    home.user(name)
    return home.call("iam:CreateLoginProfile", UserName=name, Password=FIRST, **parameters).login_profile


def test_a_password_is_given_shown_and_taken_away(home: House) -> None:
    made = with_password(home, PasswordResetRequired="true")
    assert (made.user_name, made.create_date, made.password_reset_required) == ("Richard", NOON, True)
    assert home.call("iam:GetLoginProfile", UserName="RICHARD").login_profile == made
    assert is_password(FIRST, kept(home, "Richard").password_hash)

    home.call("iam:DeleteLoginProfile", UserName="richard")

    gone = "Login Profile for User Richard cannot be found."
    assert message(NoSuchEntity, home, "iam:GetLoginProfile", UserName="Richard") == gone
    assert message(NoSuchEntity, home, "iam:DeleteLoginProfile", UserName="Richard") == gone
    assert message(NoSuchEntity, home, "iam:UpdateLoginProfile", UserName="Richard", Password=SECOND) == gone
    assert message(NoSuchEntity, home, "iam:UpdateLoginProfile", UserName="Richard", PasswordResetRequired="true") == gone


def test_a_user_has_one_login_profile(home: House) -> None:
    with_password(home)

    twice = message(EntityAlreadyExists, home, "iam:CreateLoginProfile", UserName="richard", Password=SECOND)

    assert twice == "Login Profile for user Richard already exists."
    assert is_password(FIRST, kept(home, "Richard").password_hash)


def test_nobody_but_a_user_has_one(home: House) -> None:
    for action in ("CreateLoginProfile", "GetLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile"):
        said = message(NoSuchEntity, home, f"iam:{action}", UserName="nobody", Password=FIRST)
        assert said == "The user with name nobody cannot be found."
    for action in ("CreateLoginProfile", "GetLoginProfile", "DeleteLoginProfile"):
        said = message(ValidationError, home, f"iam:{action}", Password=FIRST)
        assert said == "Must specify userName when calling with non-User credentials"


def test_a_first_password_has_to_be_there(home: House) -> None:
    home.user("Richard")

    assert message(ValidationError, home, "iam:CreateLoginProfile", UserName="Richard") == (
        "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null"
    )


def test_what_is_not_named_in_an_update_stays_as_it_is(home: House) -> None:
    made = with_password(home, PasswordResetRequired="true")
    home.clock.advance(hours=1)

    home.call("iam:UpdateLoginProfile", UserName="Richard", Password=SECOND)
    assert is_password(SECOND, kept(home, "Richard").password_hash)
    assert kept(home, "Richard").reset_required
    assert (kept(home, "Richard").created_at, kept(home, "Richard").changed_at) == (made.create_date, home.clock.now)
    home.clock.advance(hours=1)
    home.call("iam:UpdateLoginProfile", UserName="Richard", PasswordResetRequired="false")

    assert is_password(SECOND, kept(home, "Richard").password_hash)
    assert not kept(home, "Richard").reset_required
    home.call("iam:UpdateLoginProfile", UserName="Richard")
    assert home.call("iam:GetLoginProfile", UserName="Richard").login_profile.password_reset_required is False


def test_passwords_of_users_obey_the_accounts_policy(home: House) -> None:
    home.call("iam:UpdateAccountPasswordPolicy", MinimumPasswordLength="16", RequireSymbols="true")
    home.user("Richard")

    said = message(PasswordPolicyViolation, home, "iam:CreateLoginProfile", UserName="Richard", Password=FIRST)

    assert said == "Password should have a minimum length of 16, Password should have at least one symbol"
    message(NoSuchEntity, home, "iam:GetLoginProfile", UserName="Richard")
    home.call("iam:CreateLoginProfile", UserName="Richard", Password=f"{FIRST}!")
    refused = message(PasswordPolicyViolation, home, "iam:UpdateLoginProfile", UserName="Richard", Password=FIRST)
    assert refused == said


def test_without_a_policy_a_password_is_not_the_accounts_alias_or_address(home: House) -> None:
    home.user("Richard")
    home.call("iam:CreateAccountAlias", AccountAlias="example-2026")

    for name in ("EXAMPLE-2026", f"root-{ACCOUNT}@example.com"):
        said = message(PasswordPolicyViolation, home, "iam:CreateLoginProfile", UserName="Richard", Password=name)
        assert said == "Password should not be identical to the AWS account name or email address"


def test_a_password_had_lately_is_not_given_again_even_to_a_profile_made_anew(home: House) -> None:
    home.call("iam:UpdateAccountPasswordPolicy", PasswordReusePrevention="2")
    with_password(home)
    again = "Policy constraint violation with password reuse prevention during password change."
    assert message(PasswordPolicyViolation, home, "iam:UpdateLoginProfile", UserName="Richard", Password=FIRST) == again
    home.call("iam:UpdateLoginProfile", UserName="Richard", Password=SECOND)
    assert message(PasswordPolicyViolation, home, "iam:UpdateLoginProfile", UserName="Richard", Password=FIRST) == again

    home.call("iam:DeleteLoginProfile", UserName="Richard")
    for password in (FIRST, SECOND):
        said = message(PasswordPolicyViolation, home, "iam:CreateLoginProfile", UserName="Richard", Password=password)
        assert said == again
    home.call("iam:CreateLoginProfile", UserName="Richard", Password="Third time lucky 3")

    # Two are remembered: this one and the one before it.
    assert message(PasswordPolicyViolation, home, "iam:UpdateLoginProfile", UserName="Richard", Password=SECOND) == again
    home.call("iam:UpdateLoginProfile", UserName="Richard", Password=FIRST)


def test_a_password_of_other_alphabets_is_refused_before_anything_else(home: House) -> None:
    home.user("Richard")

    said = message(ValidationError, home, "iam:CreateLoginProfile", UserName="Richard", Password="正しい馬 Correct 1")

    assert "'password'" in said
    assert "馬" not in said


def test_a_password_worked_out_before_another_was_set_is_not_put_in_its_place(home: House) -> None:
    with_password(home)
    user = home.service.store.read(lambda tx: tx.users.find(ACCOUNT, "Richard"))
    assert user is not None

    def call(tx: Transaction) -> Call:
        return Call(
            principal=home.root,
            origin=Origin(source_ip="192.0.2.7", user_agent="tests", secure=True, region="us-east-1"),
            now=home.clock.now,
            tx=tx,
            vault=home.service.vault,
            settings=home.service.settings,
            random=lambda length: b"\0" * length,
            policies=PolicyCache(),
            slow=nullcontext(),
        )

    new = home.service.store.read(lambda tx: new_passwords.work_out(call(tx), user, "Too late 3"))
    home.call("iam:UpdateLoginProfile", UserName="Richard", Password=SECOND)

    with pytest.raises(EntityTemporarilyUnmodifiable):
        home.service.store.write(lambda tx: new_passwords.put(call(tx), user, new, reset_required=False))

    assert is_password(SECOND, kept(home, "Richard").password_hash)


def test_no_password_gets_into_the_audit_trail(home: House) -> None:
    with_password(home)
    home.call("iam:UpdateLoginProfile", UserName="Richard", Password=SECOND)
    message(PasswordPolicyViolation, home, "iam:UpdateLoginProfile", UserName="Richard", Password="short")

    written = json.dumps(home.events(), ensure_ascii=False)

    assert "UpdateLoginProfile" in written
    assert not [password for password in (FIRST, SECOND, '"short"') if password in written]
    assert "$argon2" not in written
