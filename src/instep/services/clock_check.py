"""Is it the server's own clock that is wrong?  Asked at start and by `instep doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from instep.domain.drift import MEASURES, Sighting, common_shift
from instep.domain.mfa import MFADevice
from instep.domain.totp import Token
from instep.services.ports import Transaction, Vault
from instep.services.seeds import sealed_in

# A clock being put right goes back by so much now and then without harm.
_SLEW = timedelta(seconds=5)
# A device counts when it was seen so lately, and what it showed is compared with what it showed that long before.
_LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.  `fine` is None when it could not tell; `advice` says what to do when something is wrong."""

    check: str
    fine: bool | None
    what: str
    advice: str = ""


def check_clock(tx: Transaction, vault: Vault, now: datetime, *, kept_right: bool | None) -> list[Finding]:
    """`kept_right`: whether the system says that something keeps its clock right, None when it does not say."""
    newest = tx.audit_events.latest(None, limit=1)
    return [
        _synchronized(kept_right),
        _not_before(newest[-1].at if newest else None, now),
        _not_shifted(changes(tx.mfa_devices.all_tracked(None), now, lambda device: _period(vault, device))),
    ]


def changes(devices: Iterable[MFADevice], now: datetime, period_of: Callable[[MFADevice], int]) -> list[tuple[float, float]]:
    """For each device seen of late: the drift that its older sightings speak for, and that of its newest one, in seconds."""
    found = []
    for device in devices:
        # In the device's own order: a server whose clock was set back notes the newest sighting as an older one.
        sightings = sorted(device.tracking.sightings, key=lambda one: one.step)
        if len(sightings) < 2 or abs(now - sightings[-1].at) > _LATELY:
            continue
        period = period_of(device)
        older = _older(sightings, period)
        if older:
            before = median(one.measure(period) for one in older[-MEASURES:])
            found.append((before, sightings[-1].measure(period)))
    return found


def _older(sightings: list[Sighting], period: int) -> list[Sighting]:
    horizon = sightings[-1].step - _LATELY // timedelta(seconds=period)
    return [one for one in sightings if one.step < horizon]


def _synchronized(kept_right: bool | None) -> Finding:
    if kept_right is None:
        return Finding("clock source", None, "this system does not say whether its clock is kept right")
    if kept_right:
        return Finding("clock source", True, "the system keeps its clock right")
    return Finding(
        "clock source",
        False,
        "nothing keeps the clock of this system right",
        "Start a time service such as chrony or systemd-timesyncd (timedatectl set-ntp true); in a container, on its host.",
    )


def _not_before(newest: datetime | None, now: datetime) -> Finding:
    if newest is None or newest - now <= _SLEW:
        return Finding("clock and audit trail", True, f"the clock shows {_second(now)}, no earlier than the newest audit event")
    return Finding(
        "clock and audit trail",
        False,
        f"the clock shows {_second(now)}, but there is an audit event of {_second(newest)}",
        "Set the clock: it is slow now, or it was fast when that event was kept.",
    )


def _not_shifted(moves: list[tuple[float, float]]) -> Finding:
    shift = common_shift(moves)
    if shift is None:
        return Finding("clock and devices", True, f"{len(moves)} devices seen in the last day do not speak of a wrong clock")
    seconds = round(abs(shift).total_seconds())
    which = "slow" if shift > timedelta(0) else "fast"
    return Finding(
        "clock and devices",
        False,
        f"the devices seen in the last day moved together by {seconds} s: this server is {seconds} s {which}",
        "Set the server's clock; do not resynchronize the devices one by one.",
    )


def _period(vault: Vault, device: MFADevice) -> int:
    return Token.from_bytes(vault.open(device.sealed_token, **sealed_in(device.token_id))).period


def _second(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
