"""Users who change their own passwords, and the account's password policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import InvalidUserType, NoSuchEntity, PasswordPolicyViolation
from instep.domain.identity import Principal, Role, SessionScope
from instep.domain.password import is_password
from tests.support.house import ACCOUNT, NOON, House, house

FIRST = "Correct horse 1"
SECOND = "Battery staple 2"
WRONG = "The old password was incorrect."


def message(error: type[AWSError], home: House, as_: Principal, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, as_, **parameters)
    return caught.value.message


def has_password(home: House, user: Principal, password: str) -> bool:
    profile = home.service.store.read(lambda tx: tx.login_profiles.find(ACCOUNT, user.holder_id))
    return profile is not None and is_password(password, profile.password_hash)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """Where two wrong guesses are enough to have to wait: each takes a hash's time."""
    with house(tmp_path, throttle={"free_misses": 2}) as composed:
        yield composed


@pytest.fixture
def richard(home: House) -> Principal:
    """May change his own password."""
    principal = home.user("Richard")
    home.call("iam:CreateLoginProfile", UserName="Richard", Password=FIRST, PasswordResetRequired="true")
    home.call("iam:UpdateAccountPasswordPolicy", MinimumPasswordLength="8", AllowUsersToChangePassword="true")
    return principal


def refused(home: House, user: Principal, old: str, new: str = SECOND) -> str | None:
    """The reason, as the audit trail has it."""
    with pytest.raises(AccessDenied) as caught:
        home.call("iam:ChangePassword", user, OldPassword=old, NewPassword=new)
    assert caught.value.message == WRONG
    return caught.value.reason


def test_a_user_changes_their_own_password(home: House, richard: Principal) -> None:
    home.clock.advance(hours=1)

    home.call("iam:ChangePassword", richard, OldPassword=FIRST, NewPassword=SECOND)

    assert has_password(home, richard, SECOND)
    shown = home.call("iam:GetLoginProfile", UserName="Richard").login_profile
    assert (shown.create_date, shown.password_reset_required) == (NOON, False)
    assert refused(home, richard, FIRST) == "no-match"


def test_a_session_with_mfa_changes_it_too(home: House, richard: Principal) -> None:
    session = replace(richard, temporary=True, issued_at=NOON, mfa_present=True, mfa_at=NOON)

    home.call("iam:ChangePassword", session, OldPassword=FIRST, NewPassword=SECOND)

    assert has_password(home, richard, SECOND)


def test_a_wrong_old_password_changes_nothing_and_is_kept_nowhere(home: House, richard: Principal) -> None:
    assert refused(home, richard, "Guessed wrong 1") == "no-match"

    assert has_password(home, richard, FIRST)
    event = home.events()[-1]
    assert (event["errorCode"], event["errorMessage"]) == ("AccessDenied", WRONG)
    assert event["additionalEventData"] == {"reason": "no-match"}
    assert not [word for word in ("Guessed", "staple", "horse") if word in json.dumps(home.events())]


def test_guesses_at_the_old_password_have_to_wait_longer_and_longer(home: House, richard: Principal) -> None:
    assert [refused(home, richard, f"Guess {number}") for number in range(2)] == ["no-match"] * 2

    # The right one is not looked at either, and a try that is not looked at does not count.
    assert [refused(home, richard, FIRST) for _ in range(3)] == ["waiting"] * 3
    home.clock.advance(seconds=30)
    assert refused(home, richard, "Guess 3") == "no-match"
    home.clock.advance(seconds=59)
    assert refused(home, richard, FIRST) == "waiting"
    home.clock.advance(seconds=1)
    home.call("iam:ChangePassword", richard, OldPassword=FIRST, NewPassword=SECOND)

    assert [refused(home, richard, FIRST) for _ in range(2)] == ["no-match"] * 2


def test_a_new_password_that_the_policy_refuses_is_no_guess(home: House, richard: Principal) -> None:
    for _ in range(3):
        said = message(PasswordPolicyViolation, home, richard, "iam:ChangePassword", OldPassword="Guess", NewPassword="short")
        assert said == "Password should have a minimum length of 8"

    home.call("iam:ChangePassword", richard, OldPassword=FIRST, NewPassword=SECOND)


def test_a_password_is_not_used_again_while_the_policy_remembers_it(home: House, richard: Principal) -> None:
    home.call("iam:ChangePassword", richard, OldPassword=FIRST, NewPassword=FIRST)
    home.call("iam:UpdateAccountPasswordPolicy", PasswordReusePrevention="1", AllowUsersToChangePassword="true")

    again = message(PasswordPolicyViolation, home, richard, "iam:ChangePassword", OldPassword=FIRST, NewPassword=FIRST)

    assert again == "Policy constraint violation with password reuse prevention during password change."
    home.call("iam:ChangePassword", richard, OldPassword=FIRST, NewPassword=SECOND)
    home.call("iam:ChangePassword", richard, OldPassword=SECOND, NewPassword=FIRST)


def test_a_user_without_a_password_has_none_to_change(home: House, richard: Principal) -> None:
    home.call("iam:DeleteLoginProfile", UserName="Richard")

    said = message(NoSuchEntity, home, richard, "iam:ChangePassword", OldPassword=FIRST, NewPassword=SECOND)

    assert said == "Login Profile for User Richard cannot be found."


def test_only_users_change_their_own_passwords(home: House) -> None:
    role = Role(ACCOUNT, "AROAROLE", "Role", "/", NOON, "{}", timedelta(hours=1))
    session = Principal.role_session(role, SessionScope("session", role.arn), "ASIAROLEROLEROLEROLE")

    said = message(InvalidUserType, home, home.root, "iam:ChangePassword", OldPassword=FIRST, NewPassword=SECOND)
    assert said == "Only IAM Users can change their own password"
    operator = Principal.operator(ACCOUNT)
    message(InvalidUserType, home, operator, "iam:ChangePassword", OldPassword=FIRST, NewPassword=SECOND)
    # Nothing allows it to a role, whatever the password policy says.
    home.call("iam:UpdateAccountPasswordPolicy", AllowUsersToChangePassword="true")
    message(AccessDenied, home, session, "iam:ChangePassword", OldPassword=FIRST, NewPassword=SECOND)


def test_without_the_policys_leave_a_user_needs_a_permission(home: House, richard: Principal) -> None:
    home.call("iam:DeleteAccountPasswordPolicy")

    said = message(AccessDenied, home, richard, "iam:ChangePassword", OldPassword=FIRST, NewPassword=SECOND)

    assert "is not authorized to perform: iam:ChangePassword on resource:" in said
    assert has_password(home, richard, FIRST)


def test_an_account_has_no_password_policy_until_one_is_set(home: House) -> None:
    assert message(NoSuchEntity, home, home.root, "iam:GetAccountPasswordPolicy") == (
        f"The Password Policy with domain name {ACCOUNT} cannot be found."
    )
    assert message(NoSuchEntity, home, home.root, "iam:DeleteAccountPasswordPolicy") == (
        "The account policy with name PasswordPolicy cannot be found."
    )


def test_a_policy_set_without_anything_is_the_laxest(home: House) -> None:
    home.call("iam:UpdateAccountPasswordPolicy", MaxPasswordAge="90", HardExpiry="true", RequireNumbers="true")
    home.call("iam:UpdateAccountPasswordPolicy")

    policy = home.call("iam:GetAccountPasswordPolicy").password_policy

    assert policy.minimum_password_length == 6
    assert (policy.require_symbols, policy.require_numbers) == (False, False)
    assert (policy.require_uppercase_characters, policy.require_lowercase_characters) == (False, False)
    assert (policy.allow_users_to_change_password, policy.expire_passwords) == (False, False)
    assert (policy.max_password_age, policy.password_reuse_prevention, policy.hard_expiry) == (None, None, None)


def test_a_policy_is_shown_as_it_was_set(home: House) -> None:
    home.call(
        "iam:UpdateAccountPasswordPolicy",
        MinimumPasswordLength="14",
        PasswordReusePrevention="24",
        MaxPasswordAge="90",
        RequireSymbols="true",
        RequireUppercaseCharacters="true",
        HardExpiry="false",
    )

    policy = home.call("iam:GetAccountPasswordPolicy").password_policy

    assert (policy.minimum_password_length, policy.password_reuse_prevention, policy.max_password_age) == (14, 24, 90)
    assert (policy.require_symbols, policy.require_uppercase_characters, policy.require_numbers) == (True, True, False)
    assert (policy.expire_passwords, policy.hard_expiry) == (True, False)


@pytest.mark.parametrize(
    "asked", [{"MinimumPasswordLength": "5"}, {"MaxPasswordAge": "0"}, {"PasswordReusePrevention": "25"}], ids=str
)
def test_a_policy_beyond_the_limits_is_refused(home: House, asked: dict[str, str]) -> None:
    message(ValidationError, home, home.root, "iam:UpdateAccountPasswordPolicy", **asked)

    message(NoSuchEntity, home, home.root, "iam:GetAccountPasswordPolicy")
