"""Two consecutive codes: claimed as a try, searched for in a read, then accepted in the write.

A search over a day costs thousands of HMACs, so it is never done while others wait for the writer's turn.  The write takes the
step that the search found and looks at everything again that may have changed since.
"""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from instep.api.errors import ConcurrentModification, InvalidAuthenticationCode
from instep.domain import drift, ids, totp
from instep.domain.drift import Sighting, Source, Tracking
from instep.domain.mfa import Claimant, DeviceKind, MFADevice, PairTries, ResyncReceipt
from instep.domain.totp import PairRefusal
from instep.services.codes import with_sightings
from instep.services.operation import Call
from instep.services.seeds import open_token

DRIFT_HEADER = "x-instep-drift-seconds"
REASON_HEADER = "x-instep-reason"


@dataclass(frozen=True, slots=True)
class Search:
    """What a search found in the token `token_id`: the second code's time step, or why the pair was refused."""

    token_id: str
    step: int | None
    refusal: PairRefusal | None


def claimant_for(call: Call, holder_id: str) -> Claimant:
    return Claimant.OWNER if call.principal.holder_id == holder_id else Claimant.OTHER


def refusal(claimant: Claimant, reason: PairRefusal | None) -> InvalidAuthenticationCode:
    """AWS's one sentence.  Why goes to the audit trail, and in a header to somebody who answers for other people's devices."""
    refused = InvalidAuthenticationCode(totp.REFUSAL, reason=reason)
    if reason is not None and claimant is Claimant.OTHER:
        refused.headers = {REASON_HEADER: reason.value}
    return refused


def search(call: Call, device: MFADevice, first: str, second: str, *, claimant: Claimant, enabling: bool) -> Search:
    """The pair, wherever in this claimant's reach it is.  The try has been claimed before."""
    token, tracking, windows = open_token(call, device), device.tracking, call.settings.totp
    reach = _reach(call, device, token.period, by_owner=claimant is Claimant.OWNER and not enabling)
    expected = drift.expected_step(tracking, call.now, period=token.period)

    def spent(step: int) -> bool:
        return step <= tracking.floor or bool(call.tx.mfa_devices.spent_among(device, (step,)))

    try:
        step = totp.resynchronize(token, first, second, expected=expected, within=reach, refused=spent)
        return Search(device.token_id, step, None)
    except InvalidAuthenticationCode:
        if claimant is Claimant.OWNER:
            # Nobody is told, so nothing more is worked out.
            return Search(device.token_id, None, None)
    why = totp.explain_refused_pair(
        token,
        first,
        second,
        within=reach,
        wide=drift.wide_reach(call.now, period=token.period, windows=windows),
        spent=spent,
    )
    return Search(device.token_id, None, why)


def claim(call: Call, device: MFADevice, claimant: Claimant) -> None:
    """Count a try before it is evaluated, so that parallel guesses cannot share a count.

    Raises InvalidAuthenticationCode (reason "waiting"), without counting, when this claimant's hour or day is used up.
    """
    if not call.tx.mfa_devices.claim_pair(device, claimant, call.now, _tries(call), ids.uuid4(call.random)):
        raise refusal(claimant, PairRefusal.WAITING)


def accept(call: Call, device: MFADevice, found: Search, *, claimant: Claimant, source: Source) -> None:
    """Spend both codes and start the device's drift anew from them; the claimed try was no miss.

    Raises InvalidAuthenticationCode when the search found nothing or the codes are spent by now.
    """
    if found.token_id != device.token_id:
        # Deleted and made again under the same name, between search and write.
        raise ConcurrentModification("The device was replaced while the request was on its way; send it again.")
    if found.step is None:
        raise refusal(claimant, found.refusal)
    period = open_token(call, device).period
    by_owner = claimant is Claimant.OWNER and source is not Source.ENABLE
    if found.step not in _reach(call, device, period, by_owner=by_owner):
        # A newer code was accepted since the search.
        raise refusal(claimant, PairRefusal.BEYOND_WINDOW)
    try:
        call.tx.mfa_devices.spend(device, found.step - 1, found.step, at=call.now)
    except InvalidAuthenticationCode:
        raise refusal(claimant, PairRefusal.SPENT) from None
    if drift.beyond_owner(device.tracking, found.step, windows=call.settings.totp):
        call.additional["fartherBackThanItsOwnerMay"] = True
    sighting = Sighting(call.now, found.step, source)
    tracking = drift.after_pair(
        with_sightings(call, device),
        sighting,
        hardware=device.kind is DeviceKind.HARDWARE,
        period=period,
    )
    by = call.principal.access_key_id if source is Source.RESYNC else None
    receipt = ResyncReceipt(by=by, at=call.now, step=found.step) if by is not None else None
    call.tx.mfa_devices.observe(device, tracking, sighting, receipt=receipt)
    show_drift(call, tracking)


def is_repeated(call: Call, device: MFADevice, first: str, second: str) -> bool:
    """Whether it is the very pair of a moment ago, from the same key or session: its answer was lost, and it is told the same."""
    receipt = device.receipt
    if receipt is None or receipt.by != call.principal.access_key_id:
        return False
    if call.now - receipt.at > call.settings.totp.repeat_within:
        return False
    code = totp.code_reader(open_token(call, device))
    return compare_digest(code(receipt.step - 1) + code(receipt.step), first + second)


def _reach(call: Call, device: MFADevice, period: int, *, by_owner: bool) -> range:
    return drift.reach(
        device.tracking,
        call.now,
        hardware=device.kind is DeviceKind.HARDWARE,
        by_owner=by_owner,
        period=period,
        windows=call.settings.totp,
    )


def show_drift(call: Call, tracking: Tracking) -> None:
    """In a header, as AWS's model has no field for it; and in the audit event."""
    seconds = round(tracking.drift.seconds_at(call.now))
    call.headers[DRIFT_HEADER] = str(seconds)
    call.additional["driftSeconds"] = seconds


def _tries(call: Call) -> PairTries:
    throttle = call.settings.throttle
    return PairTries(per_hour=throttle.failed_pairs_per_hour, per_day=throttle.failed_pairs_per_day)
