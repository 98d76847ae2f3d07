"""Whose clock is wrong: the server's, when many devices say so together."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from instep.domain.drift import Sighting, Source, Tracking
from instep.domain.mfa import DeviceKind, MFADevice
from instep.services.clock_check import changes, check_clock
from tests.support.house import NOON, House

DAY = timedelta(days=1)


def device(*showings: tuple[datetime, float]) -> MFADevice:
    """Seen at these times of the server's clock, each with the drift in seconds that it showed."""
    sightings = tuple(Sighting(at, round((at.timestamp() + drift) / 30 - 0.5), Source.STS) for at, drift in showings)
    return MFADevice(
        account_id="123456789012",
        serial_number="ABCD12345678",
        kind=DeviceKind.HARDWARE,
        token_id="TOTP",
        sealed_token=b"",
        seed_fingerprint="",
        created_at=NOON,
        tracking=replace(Tracking.unseen(NOON), sightings=sightings),
        holder_id="AIDA",
    )


def moves(*devices: MFADevice, now: datetime = NOON) -> list[int]:
    return [round(latest - before) for before, latest in changes(devices, now, lambda one: 30)]


def test_a_device_is_compared_with_itself_a_day_before() -> None:
    assert moves(device((NOON - 9 * DAY, 60), (NOON - 8 * DAY, 60), (NOON, 360))) == [300]


def test_what_it_showed_on_the_same_day_does_not_hide_the_move() -> None:
    hour = timedelta(hours=1)
    assert moves(device((NOON - 9 * DAY, 0), (NOON - 2 * hour, 300), (NOON - hour, 300), (NOON, 300))) == [300]


def test_a_device_not_seen_of_late_says_nothing() -> None:
    assert moves(device((NOON - 9 * DAY, 0), (NOON - 2 * DAY, 300))) == []


def test_a_device_seen_once_or_only_today_says_nothing() -> None:
    assert moves(device((NOON, 300)), device((NOON - timedelta(hours=2), 0), (NOON, 300))) == []


def test_a_server_set_back_beyond_the_older_sightings_is_seen_through() -> None:
    # Its clock went back by ten days: the newest sighting looks older than all others.
    back = NOON - 10 * DAY
    assert moves(device((NOON - 3 * DAY, 0), (NOON - 2 * DAY, 0), (back, 864_000)), now=back) == [864_000]


def test_devices_that_moved_together_accuse_the_server(home: House) -> None:
    for number in range(6):
        home.user(f"User{number}")
    phones = [home.enabled_device(f"User{number}", f"Phone{number}") for number in range(6)]
    home.clock.advance(days=3)

    def findings() -> dict[str, bool | None]:
        service = home.service
        found = service.store.read(lambda tx: check_clock(tx, service.vault, home.clock(), kept_right=True))
        return {one.check: one.fine for one in found}

    assert findings() == {"clock source": True, "clock and audit trail": True, "clock and devices": True}

    # The server is ten minutes slow now: to it, every phone is ten minutes fast.
    for number, (serial_number, phone) in enumerate(phones):
        home.resync(f"User{number}", serial_number, replace(phone, drift=timedelta(minutes=10)))

    assert findings()["clock and devices"] is False
