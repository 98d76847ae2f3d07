"""The code at sign-in: one device's, the pair that a refused code and its successor make, waiting, and the prompt to resync."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from instep.api.common import AccessDenied, ValidationError
from instep.api.errors import NoSuchEntity
from instep.domain.practice import PracticeDevice
from instep.domain.sign_in import Next, State
from instep.services.signin.model import FactorKind
from instep.services.signin.refusals import CodeRefused, SessionExpired, Waiting
from tests.support.house import House
from tests.unit.services.signin.people import call, enter, enter_root, prompted, shown, state_of, submit, with_password

DENY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Deny", "Action": "iam:ResyncMFADevice", "Resource": "*"},
}


def refused(home: House, session_id: str, serial_number: str, code: str) -> CodeRefused:
    with pytest.raises(CodeRefused) as caught:
        submit(home, session_id, serial_number, code)
    return caught.value


def steps(device: PracticeDevice, number: int) -> PracticeDevice:
    """The device with a clock so many steps off."""
    return replace(device, drift=timedelta(seconds=30 * number))


def test_password_and_code_sign_in_with_mfa(home: House) -> None:
    serial_number, device = prompted(home)
    entered = enter(home)
    assert entered.next is Next.MFA

    done = submit(home, entered.session_id, serial_number, shown(home, device))

    assert (done.next, done.paired) == (Next.HOME, False)
    session = home.service.sign_in.session(done.session_id)
    assert session is not None
    assert (session.state, session.principal.mfa_present, session.principal.mfa_at) == (
        State.SIGNED_IN,
        True,
        home.clock.now.replace(microsecond=0),
    )
    asked, login = home.events()[-2:]
    assert (asked["eventName"], asked["responseElements"], asked["additionalEventData"]) == (
        "CheckMfa",
        {"CheckMfa": "Success"},
        {"MfaType": "Virtual MFA"},
    )
    assert (login["eventName"], login["responseElements"]) == ("ConsoleLogin", {"ConsoleLogin": "Success"})
    assert login["additionalEventData"] == {
        "LoginTo": "http://localhost:8700/console/",
        "MobileVersion": "No",
        "MFAUsed": "Yes",
        "MFAIdentifier": serial_number,
    }
    assert asked["userIdentity"]["accessKeyId"] == login["userIdentity"]["accessKeyId"]


def test_the_session_of_the_password_is_dead_after_the_code(home: House) -> None:
    serial_number, device = prompted(home)
    before = enter(home).session_id

    after = submit(home, before, serial_number, shown(home, device)).session_id

    assert after != before
    assert home.service.sign_in.session(before) is None
    with pytest.raises(SessionExpired):
        submit(home, before, serial_number, shown(home, device, 1))
    with pytest.raises(SessionExpired):  # nor is the new one at this step any more
        submit(home, after, serial_number, shown(home, device, 1))


def test_the_password_alone_reaches_nothing_but_the_sign_in(home: House) -> None:
    prompted(home)
    home.allow("Richard", "*")
    session_id = enter(home).session_id

    for action in ("iam:GetUser", "iam:ListMFADevices", "sts:GetCallerIdentity", "sts:GetSessionToken"):
        with pytest.raises(AccessDenied, match="before the sign-in is complete"):
            call(home, action, session_id)


def test_a_code_counts_once_and_only_then_is_called_used(home: House) -> None:
    serial_number, device = prompted(home)
    code = shown(home, device)
    submit(home, enter(home).session_id, serial_number, code)
    again = enter(home).session_id

    assert refused(home, again, serial_number, code).reason == "spent"
    assert refused(home, again, serial_number, shown(home, device, 15)).reason == "no-match"


def test_a_wrong_code_is_written_down_as_a_failed_login(home: House) -> None:
    serial_number, device = prompted(home)
    code = shown(home, device, 500)
    refused(home, enter(home).session_id, serial_number, code)

    event = home.events()[-1]

    assert (event["eventName"], event["eventType"]) == ("ConsoleLogin", "AwsConsoleSignIn")
    assert (event["errorMessage"], event["responseElements"]) == ("Failed authentication", {"ConsoleLogin": "Failure"})
    assert event["additionalEventData"]["MFAUsed"] == "Yes"
    assert event["additionalEventData"]["MFAIdentifier"] == serial_number
    assert event["userIdentity"]["accessKeyId"] == ""
    assert "arn" not in event["userIdentity"]
    assert code not in str(event)


@pytest.mark.parametrize("off", [-15, -4, 10, 15])
def test_a_refused_code_and_the_one_after_it_sign_in_together_and_mend_the_drift(home: House, off: int) -> None:
    serial_number, device = prompted(home)
    device = steps(device, off)
    session_id = enter(home).session_id
    first = refused(home, session_id, serial_number, shown(home, device))
    assert (first.reason, first.wrong_codes, first.prompts_resync) == ("no-match", 1, False)
    home.clock.advance(seconds=30)

    done = submit(home, session_id, serial_number, shown(home, device))

    assert (done.next, done.paired) == (Next.HOME, True)
    assert home.events()[-1]["additionalEventData"]["pairedWithRefusedCode"] is True
    # Both are spent, and the very next code works by itself.
    again = enter(home).session_id
    assert refused(home, again, serial_number, shown(home, device)).reason == "spent"
    home.clock.advance(seconds=30)
    assert submit(home, again, serial_number, shown(home, device)).next is Next.HOME


def test_a_pair_beyond_the_reach_a_gap_and_the_wrong_order_do_not_sign_in(home: House) -> None:
    serial_number, device = prompted(home)
    far = steps(device, 21)
    session_id = enter(home).session_id

    for code in (
        shown(home, far),
        shown(home, far, 1),  # both more than twenty steps ahead
        shown(home, device, 10),
        shown(home, device, 12),  # a gap
    ):
        refused(home, session_id, serial_number, code)
    other = enter(home).session_id
    # Not one after the other, but the other way round; four codes were wrong before, so a fifth one is the last for now.
    refused(home, other, serial_number, shown(home, device, 13))
    with pytest.raises(Waiting):
        submit(home, other, serial_number, shown(home, device, 12))


def test_the_pair_has_three_minutes_one_sign_in_and_one_device(home: House) -> None:
    serial_number, device = prompted(home)
    other_serial, _ = home.enabled_device("Richard", "Other")
    home.clock.advance(days=1)
    device = steps(device, 15)
    session_id = enter(home).session_id
    refused(home, session_id, serial_number, shown(home, device))
    home.clock.advance(minutes=3, seconds=1)
    refused(home, session_id, serial_number, device.token.code(device.step(home.clock.now) - 5))

    # In another sign-in nothing is remembered of this one.
    another = enter(home).session_id
    refused(home, another, serial_number, device.token.code(device.step(home.clock.now) - 4))
    # An entry for another device comes between: it is the one that is remembered.
    refused(home, another, other_serial, "000000")
    refused(home, another, serial_number, device.token.code(device.step(home.clock.now) - 3))


def test_an_explicit_deny_switches_the_pair_off(home: House) -> None:
    serial_number, device = prompted(home)
    home.put_policy("Richard", DENY)
    device = steps(device, 10)
    session_id = enter(home).session_id
    assert not call(home, "signin:GetSignIn", session_id).may_resync
    refused(home, session_id, serial_number, shown(home, device))
    home.clock.advance(seconds=30)

    second = refused(home, session_id, serial_number, shown(home, device))

    assert (second.reason, second.wrong_codes, second.prompts_resync) == ("no-match", 2, True)


def test_from_the_second_wrong_code_on_the_page_leads_to_resync(home: House) -> None:
    serial_number, _ = prompted(home)
    session_id = enter(home).session_id

    assert not refused(home, session_id, serial_number, "000000").prompts_resync
    assert not call(home, "signin:GetSignIn", session_id).prompts_resync
    assert refused(home, session_id, serial_number, "000001").prompts_resync
    shows = call(home, "signin:GetSignIn", session_id)
    assert (shows.wrong_codes, shows.prompts_resync, shows.may_resync, shows.next) == (2, True, True, Next.MFA)


def test_a_device_that_waits_says_until_when_and_looks_at_nothing(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id
    for number in range(5):
        refused(home, session_id, serial_number, f"00000{number}")

    with pytest.raises(Waiting) as waiting:
        submit(home, session_id, serial_number, shown(home, device))

    assert (waiting.value.until, waiting.value.stopped) == (
        home.clock.now.replace(microsecond=0) + timedelta(seconds=30),
        False,
    )
    home.clock.advance(seconds=30)
    assert submit(home, session_id, serial_number, shown(home, device)).next is Next.HOME


def test_only_the_chosen_device_is_asked_and_the_one_used_last_comes_first(home: House) -> None:
    first_serial, first = prompted(home)
    second_serial, _ = home.enabled_device("Richard", "Another")
    home.clock.advance(days=2)
    session_id = enter(home).session_id
    assert home.events()[-1]["additionalEventData"] == {"MfaType": "Multiple MFA Devices"}
    factors = call(home, "signin:GetSignIn", session_id).factors
    assert [(one.serial_number, one.kind) for one in factors] == [
        (second_serial, FactorKind.VIRTUAL),
        (first_serial, FactorKind.VIRTUAL),
    ]

    refused(home, session_id, second_serial, shown(home, first))
    submit(home, session_id, first_serial, shown(home, first))

    assert call(home, "signin:GetSignIn", enter(home).session_id).factors[0].serial_number == first_serial


def test_a_device_of_somebody_else_counts_against_nobody(home: House) -> None:
    prompted(home)
    others_serial, others = home.enabled_device("admin", "AdminsMFA")
    home.clock.advance(days=2)
    session_id = enter(home).session_id
    for serial_number in (others_serial, "arn:aws:iam::123456789012:mfa/None"):
        for _ in range(10):
            with pytest.raises(NoSuchEntity):
                submit(home, session_id, serial_number, shown(home, others))

    assert call(home, "signin:GetSignIn", session_id).wrong_codes == 0


def test_one_code_brought_by_many_sessions_at_once_signs_one_in(home: House) -> None:
    serial_number, device = prompted(home)
    code = shown(home, device)
    sessions = [enter(home).session_id for _ in range(4)]

    def bring(session_id: str) -> bool:
        try:
            submit(home, session_id, serial_number, code)
        except CodeRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(bring, sessions)) == [False, False, False, True]


def test_what_is_no_code_is_refused_before_it_counts(home: House) -> None:
    serial_number, _ = prompted(home)
    session_id = enter(home).session_id

    for code in ("12345", "1234567", "12345a", "１２３４５６", ""):
        with pytest.raises(ValidationError):
            submit(home, session_id, serial_number, code)

    assert call(home, "signin:GetSignIn", session_id).wrong_codes == 0


def test_the_right_code_leads_on_to_a_password_that_must_be_changed(home: House) -> None:
    serial_number, device = prompted(home)
    home.call("iam:UpdateLoginProfile", UserName="Richard", PasswordResetRequired="true")
    done = submit(home, enter(home).session_id, serial_number, shown(home, device))

    assert done.next is Next.CHANGE_PASSWORD
    assert state_of(home, done.session_id) is State.MUST_CHANGE_PASSWORD


def test_the_root_user_without_a_device_has_no_mfa(home: House) -> None:
    session = home.service.sign_in.session(enter_root(home).session_id)

    assert session is not None
    assert (session.principal.mfa_present, session.principal.signing_in) == (False, False)


def test_callers_without_a_session_of_the_console_do_not_sign_in(home: House) -> None:
    with_password(home)

    for principal in (home.principal("Richard"), replace(home.principal("Richard"), temporary=True, issued_at=home.clock.now)):
        with pytest.raises(AccessDenied, match="Only sessions of the console"):
            home.call("signin:GetSignIn", principal)
