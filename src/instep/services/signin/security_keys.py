"""The second factor by a security key: it signs a challenge, and the sign-in goes on.

Any of the holder's keys will do, as the browser finds out which one is there.  That nobody touched it in time is between the
browser and the person: nothing is sent then, and the next challenge takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import structlog

from instep.api.errors import NoSuchEntity
from instep.domain import fido
from instep.domain.fido import Assertion, KeyRefusal, SecurityKeyRefused
from instep.domain.security_key import SecurityKey
from instep.domain.sign_in import PAGE_OF, Session, State, state_after
from instep.services.operation import Call, operation
from instep.services.signin import challenges, sessions
from instep.services.signin.events import console_login, without_answer
from instep.services.signin.model import SecurityKeyOptions, Stepped, SubmitSecurityKeyRequest
from instep.services.signin.refusals import SecurityKeyNotAccepted
from instep.services.signin.relying_party import relying_party
from instep.services.signin.second_factor import must_change

log = structlog.get_logger("instep.signin")


@operation("signin:StartSecurityKey", on=None, writes=True, told=without_answer)
def start_security_key(call: Call, request: None) -> SecurityKeyOptions:
    """What the browser asks the caller's keys with.  Raises NoSuchEntity for somebody without any."""
    session = sessions.of_caller(call, State.PASSWORD_OK)
    keys = _keys(call, session)
    if not keys:
        raise NoSuchEntity("The user has no security key.")
    challenge = challenges.issue(call, session, challenges.ASSERTION)
    known = [key.credential for key in keys]
    options = fido.assertion_options(relying_party(call.settings), challenge=challenge, known=known)
    return SecurityKeyOptions(options=msgspec.json.encode(options).decode())


def _claim(call: Call, request: SubmitSecurityKeyRequest) -> bytes:
    """The challenge counts once, whatever becomes of the answer."""
    return challenges.take(call, sessions.of_caller(call, State.PASSWORD_OK), challenges.ASSERTION)


@operation("signin:SubmitSecurityKey", on=None, writes=True, claim=_claim, told=console_login)
def submit_security_key(call: Call, request: SubmitSecurityKeyRequest) -> Stepped:
    session = sessions.of_caller(call, State.PASSWORD_OK)
    # Checked inside the write, as the counter has to be the newest: the longest answers take a few milliseconds.
    assertion = _proven(call, _keys(call, session), request.answer)
    key = assertion.key
    call.tx.security_keys.record_use(key, sign_count=assertion.sign_count, at=call.now)
    state = state_after(factor_missing=False, must_change=must_change(call, session))
    proven = replace(session, mfa_serial=key.serial_number, mfa_at=call.now)
    return Stepped(session_id=sessions.step_up(call, proven, state), next=PAGE_OF[state])


def _proven(call: Call, keys: Sequence[SecurityKey], answer: str) -> Assertion:
    """Raises SecurityKeyNotAccepted."""
    named = _named(answer, keys)
    if named is not None:
        call.additional["MFAIdentifier"] = named.serial_number
    try:
        return fido.check_assertion(relying_party(call.settings), answer, challenge=call.prepared, keys=keys)
    except SecurityKeyRefused as refused:
        if refused.reason is KeyRefusal.COUNTER_WENT_BACKWARDS and named is not None:
            # All was right but the counter: whoever watches over the installation should know, too.
            log.warning("the counter of a security key went backwards: it may have a twin", serial_number=named.serial_number)
        raise SecurityKeyNotAccepted(refused.reason) from None


class _Named(msgspec.Struct, rename="camel"):
    raw_id: str


def _named(answer: str, keys: Sequence[SecurityKey]) -> SecurityKey | None:
    """The key that an answer is said to come from, for the audit trail: nothing of it is proven yet."""
    try:
        credential_id = msgspec.json.decode(answer, type=_Named).raw_id.rstrip("=")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return next((key for key in keys if key.credential.credential_id == credential_id), None)


def _keys(call: Call, session: Session) -> list[SecurityKey]:
    return call.tx.security_keys.of_holder(session.account_id, session.holder_id)
