"""Resynchronizing before sign-in: for whoever's password was right, unless it is denied; it opens no session."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthenticationCode
from instep.domain.drift import Tracking
from instep.domain.identity import Principal
from instep.domain.mfa import CodeTries
from instep.domain.practice import PracticeDevice
from instep.domain.sign_in import Next, State
from instep.services.signin.refusals import CodeRefused, SessionExpired, Waiting
from tests.support.house import ACCOUNT, House
from tests.unit.services.signin.people import call, enter, enter_root, prompted, shown, state_of, submit

DRIFTED = timedelta(hours=5)


def resync(home: House, session_id: str, serial_number: str, device: PracticeDevice) -> Any:
    return call(home, "signin:ResyncMFADevice", session_id, SerialNumber=serial_number, **home.pair(device))


def give_to_root(home: House, serial_number: str) -> None:
    def work(tx):  # type: ignore[no-untyped-def]
        device = tx.mfa_devices.find(ACCOUNT, serial_number)
        tx.mfa_devices.assign(replace(device, tracking=Tracking.unseen(home.clock.now)), ACCOUNT, home.clock.now)

    home.service.store.write(work)


def test_after_two_wrong_codes_a_resync_and_the_next_code_sign_in(home: House) -> None:
    serial_number, device = prompted(home)
    drifted = replace(device, drift=DRIFTED)
    session_id = enter(home).session_id
    for wrong in (1, 2):
        with pytest.raises(CodeRefused) as refused:
            submit(home, session_id, serial_number, shown(home, drifted))
        assert refused.value.prompts_resync is (wrong == 2)
        home.clock.advance(seconds=30)

    done = resync(home, session_id, serial_number, drifted)

    assert (done.next, done.drift_seconds // 60) == (Next.MFA, 300)
    assert state_of(home, session_id) is State.PASSWORD_OK
    event = home.events()[-1]
    assert (event["eventSource"], event["eventName"], event["eventType"]) == (
        "iam.amazonaws.com",
        "ResyncMFADevice",
        "AwsApiCall",
    )
    assert event["requestParameters"] == {"userName": "Richard", "serialNumber": serial_number}
    # The two codes are spent; the next one signs in without the password typed again.
    with pytest.raises(CodeRefused) as again:
        submit(home, session_id, serial_number, shown(home, drifted))
    assert (again.value.reason, again.value.wrong_codes) == ("spent", 1)
    home.clock.advance(seconds=30)
    assert submit(home, session_id, serial_number, shown(home, drifted)).next is Next.HOME


def test_no_allow_is_needed_and_an_explicit_deny_is_honored(home: House) -> None:
    serial_number, device = prompted(home)
    deny = {"Effect": "Deny", "Action": "iam:Resync*", "Resource": "*"}
    home.put_policy("Richard", {"Version": "2012-10-17", "Statement": deny})
    session_id = enter(home).session_id

    with pytest.raises(AccessDenied):
        resync(home, session_id, serial_number, replace(device, drift=DRIFTED))

    assert home.events()[-1]["errorCode"] == "AccessDenied"
    home.call("iam:DeleteUserPolicy", UserName="Richard", PolicyName="policy")
    assert resync(home, session_id, serial_number, replace(device, drift=DRIFTED)).next is Next.MFA


def test_the_root_user_resyncs_before_sign_in_whatever_guards_the_account(home: House) -> None:
    serial_number, device = home.virtual_device("RootsMFA")
    give_to_root(home, serial_number)
    guard = (
        {"Effect": "Deny", "Action": "iam:ResyncMFADevice", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": guard})
    home.call("instep:PutGuardPolicy", Principal.operator(ACCOUNT), PolicyDocument=document)
    home.clock.advance(days=1)
    session_id = enter_root(home).session_id
    drifted = replace(device, drift=DRIFTED)

    assert resync(home, session_id, serial_number, drifted).next is Next.MFA

    assert home.events()[-1]["requestParameters"]["userName"] == "AWS ROOT USER"
    home.clock.advance(seconds=30)
    assert submit(home, session_id, serial_number, shown(home, drifted)).next is Next.HOME


def test_when_the_password_was_right_too_long_ago_it_is_asked_again(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id
    home.clock.advance(minutes=5)

    with pytest.raises(SessionExpired):
        resync(home, session_id, serial_number, device)

    assert home.service.sign_in.session(session_id) is None


def test_refused_pairs_are_counted_and_waiting_ones_are_not_looked_at(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id
    wrong = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000001"}
    for _ in range(10):
        with pytest.raises(InvalidAuthenticationCode) as refused:
            call(home, "signin:ResyncMFADevice", session_id, SerialNumber=serial_number, **wrong)
        assert refused.value.headers == {}

    with pytest.raises(Waiting):
        resync(home, session_id, serial_number, device)


def test_a_device_that_has_stopped_is_started_again_by_somebody_else_only(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id

    def stop(tx):  # type: ignore[no-untyped-def]
        held = tx.mfa_devices.find(ACCOUNT, serial_number)
        free = CodeTries(free=200, first_wait=timedelta(0), longest_wait=timedelta(0), stop_after=200)
        for _ in range(100):
            tx.mfa_devices.claim_code(held, home.clock.now, free)

    home.service.store.write(stop)

    with pytest.raises(Waiting) as code:
        submit(home, session_id, serial_number, shown(home, device))
    with pytest.raises(Waiting) as pair:
        resync(home, session_id, serial_number, device)
    assert (code.value.stopped, code.value.until, pair.value.stopped) == (True, None, True)
    home.resync("Richard", serial_number, device)
    home.clock.advance(seconds=30)
    assert submit(home, session_id, serial_number, shown(home, device)).next is Next.HOME


def test_the_same_pair_sent_again_has_the_same_success_and_no_second_effect(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id
    drifted = replace(device, drift=DRIFTED)
    codes = home.pair(drifted)
    first = call(home, "signin:ResyncMFADevice", session_id, SerialNumber=serial_number, **codes)
    home.clock.advance(minutes=2)

    assert call(home, "signin:ResyncMFADevice", session_id, SerialNumber=serial_number, **codes) == first

    assert home.events()[-1]["additionalEventData"]["repeated"] is True
    home.clock.advance(minutes=2)
    with pytest.raises(InvalidAuthenticationCode):
        call(home, "signin:ResyncMFADevice", session_id, SerialNumber=serial_number, **codes)
