"""ResyncMFADevice: who may reach how far, waiting, repeats, late pairs, and what is told to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthenticationCode, NoSuchEntity
from instep.domain.practice import PracticeDevice
from tests.support.house import House, house

BAD_CODE = "Authentication code for device is not valid."


def wandered(device: PracticeDevice, **length: float) -> PracticeDevice:
    return replace(device, drift=device.drift + timedelta(**length))


def refused(home: House, serial_number: str, first: str, second: str, user: str = "Richard") -> InvalidAuthenticationCode:
    with pytest.raises(InvalidAuthenticationCode) as caught:
        home.call(
            "iam:ResyncMFADevice",
            UserName=user,
            SerialNumber=serial_number,
            AuthenticationCode1=first,
            AuthenticationCode2=second,
        )
    assert caught.value.message == BAD_CODE
    return caught.value


@pytest.mark.parametrize("minutes", [-1439, -20, -1, 0, 1, 20, 1439])
def test_a_wandered_device_works_again_with_its_very_next_code(home: House, minutes: int) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    device = wandered(device, minutes=minutes)

    home.resync("Richard", serial_number, device)
    home.clock.advance(seconds=30)

    assert home.session(richard, serial_number, device.code(home.clock.now)).access_key_id.startswith("ASIA")


def test_a_wandered_device_is_refused_until_it_is_resynchronized(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    device = wandered(device, minutes=-20)

    with pytest.raises(AccessDenied) as caught:
        home.session(richard, serial_number, device.code(home.clock.now))

    assert caught.value.message == "MultiFactorAuthentication failed with invalid MFA one time pass code. "


def test_success_tells_the_drift_in_a_header(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)

    headers = home.resync("Richard", serial_number, wandered(device, minutes=-20)).headers

    assert abs(int(headers["x-instep-drift-seconds"]) + 1200) <= 15
    assert home.answer("iam:GetMFADevice", SerialNumber=serial_number).headers == headers


def test_the_drift_is_learnt_even_when_the_pair_is_typed_late(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    device = wandered(device, minutes=-20)
    pair = home.pair(device)

    home.clock.advance(minutes=4)  # typed eight steps late: the clock looks four minutes slower than it is
    home.call("iam:ResyncMFADevice", UserName="Richard", SerialNumber=serial_number, **pair)

    home.clock.advance(seconds=30)
    assert home.session(richard, serial_number, device.code(home.clock.now))
    home.clock.advance(hours=30)  # the allowance is over, and the drift is right by now
    assert home.session(richard, serial_number, device.code(home.clock.now))


def test_both_codes_are_spent(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    device = wandered(device, minutes=-20)
    home.resync("Richard", serial_number, device)

    for code in home.pair(device).values():
        with pytest.raises(AccessDenied):
            home.session(richard, serial_number, code)


def test_reversed_equal_and_gapped_pairs_are_refused_and_an_administrator_is_told_why(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=5)
    step = device.step(home.clock.now)
    code = device.token.code

    assert refused(home, serial_number, code(step), code(step - 1)).headers == {"x-instep-reason": "reversed"}
    assert refused(home, serial_number, code(step - 2), code(step)).headers == {"x-instep-reason": "gap"}
    assert refused(home, serial_number, code(step), code(step)).headers == {"x-instep-reason": "gap"}
    assert refused(home, serial_number, "000000", "000001").headers == {"x-instep-reason": "no-match-in-7-days"}
    far = step + 2 * 2880
    assert refused(home, serial_number, code(far - 1), code(far)).headers == {"x-instep-reason": "beyond-window"}


def test_a_spent_pair_is_refused_as_spent(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")

    spent = refused(home, serial_number, *home.pair(device).values())

    assert spent.headers == {"x-instep-reason": "spent"}


@pytest.mark.parametrize(("minutes", "allowed"), [(-58, True), (-62, False), (1430, True), (1450, False)])
def test_an_owner_reaches_an_hour_back_and_a_day_ahead(home: House, minutes: int, allowed: bool) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(hours=3)  # so that the newest accepted step does not stand in the way
    device = wandered(device, minutes=minutes)

    assert succeeds(lambda: home.resync("Richard", serial_number, device, home.owner("Richard"))) is allowed


def test_an_owner_reaches_no_more_than_ten_steps_behind_the_newest_accepted_one(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    owner = home.owner("Richard")

    slower = wandered(device, minutes=-8)  # twelve steps behind the ones that enabled it
    assert not succeeds(lambda: home.resync("Richard", serial_number, slower, owner))
    home.resync("Richard", serial_number, slower)

    flagged = home.events()[-1]
    assert flagged["eventName"] == "ResyncMFADevice"
    assert flagged["additionalEventData"]["fartherBackThanItsOwnerMay"] is True


def test_an_owner_is_not_told_why_a_pair_was_refused(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")

    with pytest.raises(InvalidAuthenticationCode) as caught:
        home.resync("Richard", serial_number, device, home.owner("Richard"))

    assert caught.value.headers == {}


def test_the_same_pair_sent_again_within_three_minutes_has_the_same_success_once(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    device = wandered(device, minutes=-20)
    pair = home.pair(device)
    ask = {"UserName": "Richard", "SerialNumber": serial_number, **pair}
    first = home.answer("iam:ResyncMFADevice", **ask)

    home.clock.advance(minutes=2, seconds=59)
    again = home.answer("iam:ResyncMFADevice", **ask)

    assert again.headers == first.headers
    assert home.events()[-1]["additionalEventData"]["repeated"] is True
    with pytest.raises(InvalidAuthenticationCode):  # another key is another caller
        home.answer("iam:ResyncMFADevice", replace(home.root, access_key_id="AKIAANOTHERANOTHERAA"), **ask)
    home.clock.advance(seconds=2)
    with pytest.raises(InvalidAuthenticationCode):
        home.answer("iam:ResyncMFADevice", **ask)


def test_ten_failed_pairs_an_hour_are_looked_at_and_no_more(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=2)
    for _ in range(10):
        assert refused(home, serial_number, "000000", "000001").headers == {"x-instep-reason": "no-match-in-7-days"}

    right = home.pair(device)
    assert refused(home, serial_number, *right.values()).headers == {"x-instep-reason": "waiting"}
    home.resync("Richard", serial_number, device, home.owner("Richard"))  # counted apart, and a success clears the count
    home.clock.advance(minutes=1)
    home.resync("Richard", serial_number, device)


def test_thirty_failed_pairs_a_day_are_looked_at_and_no_more(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    for _ in range(3):
        for _ in range(10):
            assert refused(home, serial_number, "000000", "000001").reason != "waiting"
        home.clock.advance(hours=1, seconds=1)

    assert refused(home, serial_number, "000000", "000001").reason == "waiting"
    home.clock.advance(hours=22)
    home.resync("Richard", serial_number, device)


def test_a_device_stopped_by_wrong_codes_is_started_by_somebody_else_only(tmp_path: Path) -> None:
    with house(tmp_path, throttle={"free_misses": 5, "stop_after": 6}) as home:
        richard = home.user("Richard")
        serial_number, device = home.enabled_device("Richard", "RichardsMFA")
        for _ in range(6):
            home.clock.advance(minutes=16)
            assert not succeeds(lambda: home.session(richard, serial_number, "000000"))
        home.clock.advance(days=3)
        code = device.code(home.clock.now)

        assert not succeeds(lambda: home.session(richard, serial_number, code))
        assert not succeeds(lambda: home.resync("Richard", serial_number, device, home.owner("Richard")))
        home.resync("Richard", serial_number, device)
        home.clock.advance(seconds=30)
        assert home.session(richard, serial_number, device.code(home.clock.now))


def test_serials_of_others_of_no_one_and_of_nothing_are_not_found(home: House) -> None:
    home.user("Richard")
    home.user("Diego")
    diegos, device = home.enabled_device("Diego", "DiegosMFA")
    unassigned, _ = home.virtual_device("Spare")
    deleted, _ = home.virtual_device("Gone")
    home.call("iam:DeleteVirtualMFADevice", SerialNumber=deleted)

    for serial_number, message in {
        diegos: "MFA Device invalid for user.",
        unassigned: "MFA Device invalid for user.",
        deleted: f"MFA Device with serial number {deleted} does not exist.",
    }.items():
        with pytest.raises(NoSuchEntity) as caught:
            home.resync("Richard", serial_number, device)
        assert caught.value.message == message
    with pytest.raises(NoSuchEntity, match=r"The user with name Nobody cannot be found\."):
        home.resync("Nobody", diegos, device)


def test_enable_date_stays_as_it_was(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    (before,) = home.call("iam:ListMFADevices", UserName="Richard").mfa_devices
    home.clock.advance(days=5)

    home.resync("Richard", serial_number, wandered(device, minutes=-20))

    assert home.call("iam:ListMFADevices", UserName="Richard").mfa_devices == (before,)


def test_no_event_holds_a_code(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    refused(home, serial_number, *home.pair(device).values())

    kept = home.events()[-1]

    assert kept["requestParameters"] == {"userName": "Richard", "serialNumber": serial_number}
    assert kept["errorCode"] == "InvalidAuthenticationCodeException"
    assert kept["errorMessage"] == BAD_CODE
    for code in home.pair(device).values():
        assert code not in str({**kept, "eventID": "", "requestID": ""})


def succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (InvalidAuthenticationCode, AccessDenied):
        return False
    return True
