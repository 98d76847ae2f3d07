"""One code: claimed as a try, compared, spent, and its clock's drift learnt anew."""

from __future__ import annotations

from dataclasses import replace

from instep.api.errors import InvalidAuthenticationCode
from instep.domain import drift, totp
from instep.domain.drift import Sighting, Source, Tracking
from instep.domain.mfa import CodeTries, DeviceKind, MFADevice
from instep.services.operation import Call
from instep.services.seeds import open_token
from instep.settings import Settings


def tries(settings: Settings) -> CodeTries:
    throttle = settings.throttle
    return CodeTries(
        free=throttle.free_misses,
        first_wait=throttle.first_wait,
        longest_wait=throttle.longest_wait,
        stop_after=throttle.stop_after,
    )


def claim(call: Call, device: MFADevice) -> None:
    """Count a try before it is looked at, so that parallel guesses cannot share a count.

    Raises InvalidAuthenticationCode (reason "waiting"), without counting, while the device waits after misses.
    """
    if not call.tx.mfa_devices.claim_code(device, call.now, tries(call.settings)):
        raise InvalidAuthenticationCode(totp.REFUSAL, reason="waiting")


def accept(call: Call, device: MFADevice, code: str, source: Source) -> None:
    """Spend `code` and learn from it; the claimed try was no miss.

    Raises InvalidAuthenticationCode when it matches no step that is open, or only spent ones, or another request was quicker.
    """
    token = open_token(call, device)
    hardware, windows = device.kind is DeviceKind.HARDWARE, call.settings.totp
    candidates = drift.candidates(device.tracking, call.now, hardware=hardware, period=token.period, windows=windows)
    matching = totp.matching_steps(token, code, candidates)
    if not matching:
        raise InvalidAuthenticationCode(totp.REFUSAL, reason="no-match")
    spent = call.tx.mfa_devices.spent_among(device, matching)
    unspent = [step for step in matching if step not in spent]
    if not unspent:
        raise InvalidAuthenticationCode(totp.REFUSAL, reason="spent")
    sighting = Sighting(call.now, unspent[0], source)
    call.tx.mfa_devices.spend(device, sighting.step, at=call.now)
    tracking = drift.after_code(with_sightings(call, device), sighting, hardware=hardware, period=token.period, windows=windows)
    call.tx.mfa_devices.observe(device, tracking, sighting)


def with_sightings(call: Call, device: MFADevice) -> Tracking:
    """What is known of the device's clock, with the sightings it was learnt from."""
    return replace(device.tracking, sightings=call.tx.mfa_devices.sightings(device))
