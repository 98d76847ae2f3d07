"""Resynchronizing a device before sign-in, by its holder, whose password was right.  It opens no session."""

from __future__ import annotations

from dataclasses import replace

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthenticationCode
from instep.domain.drift import Source
from instep.domain.mfa import Claimant, MFADevice
from instep.domain.sign_in import PAGE_OF, State
from instep.services import pairs
from instep.services.operation import Call, operation
from instep.services.pairs import Search
from instep.services.signin import sessions
from instep.services.signin.events import resync_by_holder
from instep.services.signin.model import ResyncBeforeSignInRequest, ResyncBeforeSignInResponse
from instep.services.signin.refusals import Waiting
from instep.services.signin.second_factor import RESYNC, has_stopped, held_device, may_resync


def _device(call: Call, request: ResyncBeforeSignInRequest) -> MFADevice:
    """Raises AccessDenied where a policy denies it explicitly."""
    sessions.of_caller(call, State.PASSWORD_OK)
    device = held_device(call, request.serial_number)
    if not may_resync(call):
        raise AccessDenied(f"User: {call.principal.arn} is explicitly denied: {RESYNC}")
    return device


def _is_repeated(call: Call, device: MFADevice, request: ResyncBeforeSignInRequest) -> bool:
    return pairs.is_repeated(call, device, request.authentication_code1, request.authentication_code2)


def _claim(call: Call, request: ResyncBeforeSignInRequest) -> None:
    device = _device(call, request)
    if _is_repeated(call, device, request):
        return
    if has_stopped(call, device):
        raise Waiting(None, stopped=True)
    try:
        pairs.claim(call, device, Claimant.OWNER)
    except InvalidAuthenticationCode:
        raise Waiting(None) from None


def _search(call: Call, request: ResyncBeforeSignInRequest) -> Search | None:
    """None for the pair that succeeded a moment ago, sent again."""
    device = _device(call, request)
    if _is_repeated(call, device, request):
        return None
    first, second = request.authentication_code1, request.authentication_code2
    return pairs.search(call, device, first, second, claimant=Claimant.OWNER, enabling=False)


@operation("signin:ResyncMFADevice", on=None, writes=True, claim=_claim, prepare=_search, told=resync_by_holder)
def resync_before_sign_in(call: Call, request: ResyncBeforeSignInRequest) -> ResyncBeforeSignInResponse:
    """The wrong codes of this sign-in came of the drift, so they count no longer either."""
    device = _device(call, request)
    # Also when its twin came first, after the claim.
    if call.prepared is None or _is_repeated(call, device, request):
        call.additional["repeated"] = True
        pairs.show_drift(call, device.tracking)
    else:
        pairs.accept(call, device, call.prepared, claimant=Claimant.OWNER, source=Source.RESYNC)
    session = sessions.of_caller(call, State.PASSWORD_OK)
    call.tx.sign_ins.put(replace(session, wrong_codes=0, entry=None))
    return ResyncBeforeSignInResponse(next=PAGE_OF[session.state], drift_seconds=call.additional["driftSeconds"])
