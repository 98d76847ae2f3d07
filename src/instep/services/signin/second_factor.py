"""The second factor: the code of one chosen device.

The code after a refused one may make a pair with it and sign in; nothing tells the two cases apart beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from instep.api.errors import InvalidAuthenticationCode, NoSuchEntity
from instep.domain import drift, totp
from instep.domain.drift import Sighting, Source
from instep.domain.identity import PrincipalKind
from instep.domain.mfa import DeviceKind, MFADevice
from instep.domain.sign_in import PAGE_OF, PROMPT_FROM, PasswordAge, RefusedEntry, Session, State, password_age, state_after
from instep.services import codes, pairs
from instep.services.authorize import explicitly_denied
from instep.services.iam.targets import on_caller
from instep.services.operation import Call, operation
from instep.services.seeds import open_token
from instep.services.signin import factors, sessions
from instep.services.signin.events import console_login
from instep.services.signin.model import GetSignInResponse, Stepped, SubmitMFACodeRequest
from instep.services.signin.refusals import CodeRefused, Waiting

RESYNC = "iam:ResyncMFADevice"


@dataclass(frozen=True, slots=True)
class _Claimed:
    """`before`: the entry refused just before this one, if its time is not over; `wrong_codes`: with this one."""

    before: RefusedEntry | None
    wrong_codes: int


def may_resync(call: Call) -> bool:
    """Password and device are proof enough, so no Allow is asked for; a Deny against it is honored.  The root user may always."""
    return call.principal.kind is PrincipalKind.ROOT or not explicitly_denied(call, RESYNC, on_caller(call))


def held_device(call: Call, serial_number: str) -> MFADevice:
    """A device of the caller's that shows codes.  Raises NoSuchEntity, in the same words whoever else has one of that number."""
    device = call.tx.mfa_devices.find(call.account_id, serial_number)
    if device is None or device.holder_id != call.principal.holder_id:
        raise NoSuchEntity(f"MFA Device with serial number {serial_number} does not exist.")
    return device


@operation("signin:GetSignIn", on=None, writes=False)
def get_sign_in(call: Call, request: None) -> GetSignInResponse:
    """How far the sign-in has come, and by which devices it can go on."""
    session = sessions.of_caller(call, *State)
    account = call.tx.accounts.find(call.account_id)
    return GetSignInResponse(
        account_id=call.account_id,
        account_alias=account.alias if account else None,
        user_name=call.principal.user_name,
        next=PAGE_OF[session.state],
        factors=factors.of_holder(call.tx, call.account_id, session.holder_id),
        wrong_codes=session.wrong_codes,
        prompts_resync=session.wrong_codes >= PROMPT_FROM,
        may_resync=may_resync(call),
    )


def _claim(call: Call, request: SubmitMFACodeRequest) -> _Claimed:
    """Count the try and keep the code as the last refused one, before it is looked at: whatever becomes of it, it is the same."""
    session = sessions.of_caller(call, State.PASSWORD_OK)
    device = held_device(call, request.serial_number)
    try:
        codes.claim(call, device)
    except InvalidAuthenticationCode:
        stopped = has_stopped(call, device)
        raise Waiting(None if stopped else device.misses.next_code_at, stopped=stopped) from None
    sealed = call.vault.seal(request.token_code.encode(), **_sealed_in(session))
    entry = RefusedEntry(device.serial_number, sealed, call.now)
    call.tx.sign_ins.put(replace(session, wrong_codes=session.wrong_codes + 1, entry=entry))
    before = session.entry
    if before is not None and (
        before.serial_number != device.serial_number or call.now - before.at > call.settings.signin.remember_code
    ):
        before = None
    return _Claimed(before, session.wrong_codes + 1)


@operation("signin:SubmitMFACode", on=None, writes=True, claim=_claim, told=console_login)
def submit_mfa_code(call: Call, request: SubmitMFACodeRequest) -> Stepped:
    session = sessions.of_caller(call, State.PASSWORD_OK)
    device = held_device(call, request.serial_number)
    claimed: _Claimed = call.prepared
    try:
        paired = _accept(call, session, device, request.token_code, claimed.before)
    except InvalidAuthenticationCode as refusal:
        raise CodeRefused(reason=refusal.reason, wrong_codes=claimed.wrong_codes) from None
    if paired:
        call.additional["pairedWithRefusedCode"] = True
    state = state_after(factor_missing=False, must_change=must_change(call, session))
    proven = replace(session, mfa_serial=device.serial_number, mfa_at=call.now)
    return Stepped(session_id=sessions.step_up(call, proven, state), next=PAGE_OF[state], paired=paired)


def has_stopped(call: Call, device: MFADevice) -> bool:
    """After that many wrong codes only somebody else's resync starts the device again."""
    return device.misses.codes >= codes.tries(call.settings).stop_after


def _accept(call: Call, session: Session, device: MFADevice, code: str, before: RefusedEntry | None) -> bool:
    """Spend the code; True: together with the one before.  Raises InvalidAuthenticationCode as `codes.accept`."""
    if before is not None and may_resync(call):
        step = _successor(call, session, device, code, before)
        if step is not None:
            _accept_pair(call, device, step)
            return True
    codes.accept(call, device, code, Source.SIGNIN)
    return False


def _successor(call: Call, session: Session, device: MFADevice, code: str, before: RefusedEntry) -> int | None:
    """The step of `code`, when the code refused before it is the one of the step before: near, and both unspent."""
    token, tracking, reach = open_token(call, device), device.tracking, call.settings.signin.successor_reach
    first = call.vault.open(before.sealed_code, **_sealed_in(session)).decode()
    expected = drift.expected_step(tracking, call.now, period=token.period)

    def spent(step: int) -> bool:
        return step <= tracking.floor or bool(call.tx.mfa_devices.spent_among(device, (step,)))

    try:
        return totp.resynchronize(
            token, first, code, expected=expected, within=range(expected - reach + 1, expected + reach + 1), refused=spent
        )
    except InvalidAuthenticationCode:
        return None


def _accept_pair(call: Call, device: MFADevice, step: int) -> None:
    period = open_token(call, device).period
    call.tx.mfa_devices.spend(device, step - 1, step, at=call.now)
    sighting = Sighting(call.now, step, Source.SIGNIN)
    hardware = device.kind is DeviceKind.HARDWARE
    tracking = drift.after_pair(codes.with_sightings(call, device), sighting, hardware=hardware, period=period)
    call.tx.mfa_devices.observe(device, tracking, sighting)
    pairs.show_drift(call, tracking)


def must_change(call: Call, session: Session) -> bool:
    """Whether the password that was entered has to be changed first."""
    if session.of_root:
        return False
    profile = call.tx.login_profiles.find(session.account_id, session.holder_id)
    policy = call.tx.accounts.password_policy(session.account_id)
    return profile is not None and password_age(profile, policy, call.now) is not PasswordAge.GOOD


def _sealed_in(session: Session) -> dict[str, str]:
    return {"table": "sign_in_sessions", "column": "entry_code", "row": session.access_key_id}
