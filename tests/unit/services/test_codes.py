"""Single codes at GetSessionToken: acceptance, waiting after misses, and what the credentials may call."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from instep.api.common import AccessDenied, InvalidClientTokenId
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, House

BAD_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
NOT_THEIRS = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid"
    " and associated with this user."
)
HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."


def denied(home: House, principal: Principal, **parameters: str) -> AccessDenied:
    with pytest.raises(AccessDenied) as caught:
        home.call("sts:GetSessionToken", principal, **parameters)
    return caught.value


def test_a_code_counts_once_whoever_brings_it(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(seconds=30)
    code = device.code(home.clock.now)
    home.session(richard, serial_number, code)

    again = denied(home, replace(richard, access_key_id="AKIAANOTHERANOTHERAA"), SerialNumber=serial_number, TokenCode=code)

    assert (again.message, again.reason) == (BAD_CODE, "spent")


def test_codes_a_step_early_or_late_are_accepted_and_two_steps_are_not(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(hours=1)
    home.session(richard, serial_number, device.code(home.clock.now))  # confirms the drift
    home.clock.advance(hours=1)
    step = device.step(home.clock.now)

    for distance in (-2, 2):
        assert denied(home, richard, SerialNumber=serial_number, TokenCode=device.token.code(step + distance)).message == BAD_CODE
    for distance in (-1, 1, 0):
        home.session(richard, serial_number, device.token.code(step + distance))


def test_a_phone_put_right_again_works_at_once(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    slow = replace(device, drift=timedelta(minutes=-20))
    home.resync("Richard", serial_number, slow)
    home.clock.advance(minutes=1)
    home.session(richard, serial_number, slow.code(home.clock.now))
    home.clock.advance(days=2)

    assert home.session(richard, serial_number, device.code(home.clock.now))


def test_after_five_misses_a_device_waits_and_each_further_one_doubles_it(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=5)

    def miss() -> str | None:
        return denied(home, richard, SerialNumber=serial_number, TokenCode="000000").reason

    assert [miss() for _ in range(6)] == ["no-match"] * 5 + ["waiting"]
    right = denied(home, richard, SerialNumber=serial_number, TokenCode=device.code(home.clock.now))
    assert (right.message, right.reason) == (BAD_CODE, "waiting")
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        home.clock.advance(seconds=seconds - 1)
        assert miss() == "waiting"  # tries while waiting do not lengthen the wait
        home.clock.advance(seconds=1)
        assert miss() == "no-match"
    home.clock.advance(seconds=900)
    home.session(richard, serial_number, device.code(home.clock.now))
    assert [miss() for _ in range(5)] == ["no-match"] * 5


def test_a_server_clock_set_back_does_not_lengthen_a_wait(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(days=1)
    for _ in range(5):
        denied(home, richard, SerialNumber=serial_number, TokenCode="000000")

    home.clock.advance(hours=-3)

    assert home.session(richard, serial_number, device.code(home.clock.now))


def test_a_serial_number_that_is_not_theirs_counts_against_nobody(home: House) -> None:
    richard, diego = home.user("Richard"), home.user("Diego")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    for _ in range(20):
        assert denied(home, diego, SerialNumber=serial_number, TokenCode="000000").message == NOT_THEIRS

    home.session(richard, serial_number, device.code(home.clock.now))
    assert denied(home, diego, SerialNumber="arn:aws:iam::123456789012:mfa/None", TokenCode="000000").message == NOT_THEIRS
    assert denied(home, diego, SerialNumber=richard.arn, TokenCode="000000").message == NOT_THEIRS


def test_half_of_serial_number_and_code_is_refused(home: House) -> None:
    richard = home.user("Richard")

    assert denied(home, richard, SerialNumber="arn:aws:iam::123456789012:mfa/RichardsMFA").message == HALF
    assert denied(home, richard, TokenCode="123456").message == HALF


def test_the_root_user_gets_an_hour_at_most(home: House) -> None:
    for asked in ({}, {"DurationSeconds": "43200"}):
        credentials = home.call("sts:GetSessionToken", **asked).credentials
        assert credentials.expiration - home.clock.now.replace(microsecond=0) == timedelta(hours=1)
    assert home.call("sts:GetSessionToken", DurationSeconds="900").credentials.expiration == home.clock.now + timedelta(
        minutes=15
    )


def test_sessions_without_mfa_do_not_reach_iam_and_sessions_get_no_sessions(home: House) -> None:
    plain = replace(home.root, temporary=True, mfa_present=False)
    with_mfa = replace(home.root, temporary=True, mfa_present=True, mfa_at=home.clock.now)

    with pytest.raises(InvalidClientTokenId) as caught:
        home.call("iam:ListUsers", plain)
    assert caught.value.message == "The security token included in the request is invalid"
    assert [user.user_name for user in home.call("iam:ListUsers", with_mfa).users] == ["admin"]
    for session in (plain, with_mfa):
        assert denied(home, session).message == "Cannot call GetSessionToken with session credentials"
        assert home.call("sts:GetCallerIdentity", session).account == ACCOUNT


def test_a_users_key_reaches_the_two_sts_calls_and_nothing_else(home: House) -> None:
    richard = home.user("Richard")

    assert home.call("sts:GetCallerIdentity", richard).arn == f"arn:aws:iam::{ACCOUNT}:user/Richard"
    assert home.call("sts:GetSessionToken", richard).credentials.session_token
    with pytest.raises(AccessDenied) as caught:
        home.call("iam:ListUsers", richard)
    assert caught.value.message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/Richard is not authorized to perform: iam:ListUsers"
        f" on resource: arn:aws:iam::{ACCOUNT}:user/ because no identity-based policy allows the iam:ListUsers action"
    )
    assert home.events()[-1]["errorCode"] == "AccessDenied"
