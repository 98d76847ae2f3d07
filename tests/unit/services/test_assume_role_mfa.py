"""Codes at AssumeRole: when they are looked at, how they are refused, and that each is good once."""

from __future__ import annotations

import threading

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthenticationCode
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, House
from tests.support.sessions import Keys, allow, assume, keys_of, make_role, run, session_of, trust, who_is

BAD_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "
NOT_THEIRS = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid"
    " and associated with this user."
)
HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WITH_FRESH_MFA = {"NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}


def denied(home: House, principal: Principal, arn: str, **parameters: object) -> AccessDenied:
    with pytest.raises(AccessDenied) as caught:
        assume(home, principal, arn, **parameters)
    return caught.value


def misses(home: House, serial_number: str) -> int:
    device = home.service.store.read(lambda tx: tx.mfa_devices.find(ACCOUNT, serial_number))
    assert device is not None
    return device.misses.codes


def test_a_role_that_wants_mfa_takes_a_code(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn, Condition={**WITH_MFA, **WITH_FRESH_MFA}))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)

    assert denied(home, richard, arn).message == (
        f"User: {richard.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    )
    session = session_of(home, richard, arn, SerialNumber=serial_number, TokenCode=device.code(home.clock.now))
    # It is not carried into the role: present, and false.
    assert (session.mfa_present, session.mfa_at) == (False, None)


def test_a_policy_of_the_callers_that_wants_mfa_takes_a_code(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(ACCOUNT))
    allow(home, "Richard", "sts:AssumeRole", arn, Condition=WITH_MFA)
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)

    assert "is not authorized to perform: sts:AssumeRole" in denied(home, richard, arn).message
    assert assume(home, richard, arn, SerialNumber=serial_number, TokenCode=device.code(home.clock.now)).credentials


def test_a_session_with_mfa_needs_no_code_while_it_is_young_enough(home: House) -> None:
    richard = home.user("Richard")
    keys = keys_of(home, "Richard")
    arn = make_role(home, "Deploy", trust(richard.arn, Condition={**WITH_MFA, **WITH_FRESH_MFA}))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    code = device.code(home.clock.now)
    answer = run(home, keys, "sts:GetSessionToken", SerialNumber=serial_number, TokenCode=code)
    session = who_is(home, Keys.of(answer.credentials))

    assert assume(home, session, arn).credentials
    home.clock.advance(seconds=300)
    assert "is not authorized to perform: sts:AssumeRole" in denied(home, session, arn).message


def test_the_three_refusals_are_those_of_get_session_token(home: House) -> None:
    richard, diego = home.user("Richard"), home.user("Diego")
    arn = make_role(home, "Deploy", trust(richard.arn, diego.arn))
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")
    session = session_of(home, richard, arn)
    chained = make_role(home, "Chained", trust(arn))

    assert denied(home, richard, arn, SerialNumber=serial_number).message == HALF
    assert denied(home, richard, arn, TokenCode="123456").message == HALF
    bad = denied(home, richard, arn, SerialNumber=serial_number, TokenCode="000000")
    assert (bad.message, bad.reason) == (BAD_CODE, "no-match")
    for principal, role, serial in (
        (diego, arn, serial_number),
        (richard, arn, richard.arn),
        (richard, arn, f"arn:aws:iam::{ACCOUNT}:mfa/None"),
        (session, chained, serial_number),
    ):
        assert denied(home, principal, role, SerialNumber=serial, TokenCode="000000").message == NOT_THEIRS


def test_who_may_not_assume_the_role_neither_spends_a_code_nor_learns_whether_it_is_good(home: House) -> None:
    richard, diego = home.user("Richard"), home.user("Diego")
    arn = make_role(home, "Deploy", trust(diego.arn))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    code = device.code(home.clock.now)

    said = {denied(home, richard, arn, SerialNumber=serial_number, TokenCode=tried).message for tried in ["000000"] * 9 + [code]}

    assert said == {f"User: {richard.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"}
    assert misses(home, serial_number) == 0
    assert home.session(richard, serial_number, code)


def test_what_is_refused_for_another_reason_neither_counts_nor_spends_a_code(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    mfa = {"SerialNumber": serial_number, "TokenCode": device.code(home.clock.now)}

    for wrong in ({"DurationSeconds": "7200"}, {"Policy": "{}"}, {"TransitiveTagKeys": ["team"]}):
        with pytest.raises(Exception, match=r"."):
            assume(home, richard, arn, **mfa, **wrong)
    assert misses(home, serial_number) == 0
    assert assume(home, richard, arn, **mfa).credentials


def test_after_five_misses_a_device_waits_here_too(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")

    refusals = [denied(home, richard, arn, SerialNumber=serial_number, TokenCode="000000") for _ in range(6)]

    assert [refusal.reason for refusal in refusals] == ["no-match"] * 5 + ["waiting"]
    assert {refusal.message for refusal in refusals} == {BAD_CODE}


def test_a_code_used_at_one_door_is_used_at_all(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    mfa = {"SerialNumber": serial_number, "TokenCode": device.code(home.clock.now)}
    assume(home, richard, arn, **mfa)

    with pytest.raises(AccessDenied) as caught:
        home.call("sts:GetSessionToken", richard, **mfa)
    assert (caught.value.message, caught.value.reason) == (BAD_CODE, "spent")
    with pytest.raises(InvalidAuthenticationCode):
        home.resync("Richard", serial_number, device)
    home.clock.advance(minutes=2)
    home.resync("Richard", serial_number, device)
    after = denied(home, richard, arn, SerialNumber=serial_number, TokenCode=device.code(home.clock.now))
    assert (after.message, after.reason) == (BAD_CODE, "spent")


def test_fifty_at_once_with_one_code_are_one_success(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    code = device.code(home.clock.now)
    outcomes: list[str | None] = []

    def race() -> None:
        try:
            assume(home, richard, arn, SerialNumber=serial_number, TokenCode=code)
        except AccessDenied as refusal:
            outcomes.append(refusal.message)
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=race) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 50
    assert outcomes.count(None) == 1
    assert {outcome for outcome in outcomes if outcome is not None} == {BAD_CODE}
