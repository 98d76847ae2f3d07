"""What security keys are asked to sign: random, one at a time in a session, for one answer, which has to come soon."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from instep.domain.sign_in import Session
from instep.services.operation import Call
from instep.services.signin.refusals import CHALLENGE_OVER, SecurityKeyNotAccepted

GOOD_FOR: Final = timedelta(minutes=2)
"""Longer than browsers wait for a key."""

ASSERTION: Final = "assertion"

_BYTES = 32


def registration_of(holder_id: str) -> str:
    """A purpose: what was asked for one holder's new key registers none for another."""
    return f"registration {holder_id}"


def issue(call: Call, session: Session, purpose: str) -> bytes:
    """A new one, good for `purpose` alone.  One that was issued before is good for nothing any more."""
    challenge = call.random(_BYTES)
    sealed = call.vault.seal(challenge + purpose.encode(), **_sealed_in(session))
    call.tx.sign_ins.keep_challenge(session, sealed, call.now)
    return challenge


def take(call: Call, session: Session, purpose: str) -> bytes:
    """The one issued last.  Whatever the answer to it, it is used up, so this belongs into a claim.

    Raises SecurityKeyNotAccepted when there is none, its time is over, or it was for something else.
    """
    kept = call.tx.sign_ins.take_challenge(session)
    if kept is None:
        raise SecurityKeyNotAccepted(CHALLENGE_OVER)
    sealed, issued_at = kept
    opened = call.vault.open(sealed, **_sealed_in(session))
    if call.now - issued_at > GOOD_FOR or opened[_BYTES:] != purpose.encode():
        raise SecurityKeyNotAccepted(CHALLENGE_OVER)
    return opened[:_BYTES]


def _sealed_in(session: Session) -> dict[str, str]:
    return {"table": "sign_in_sessions", "column": "challenge", "row": session.access_key_id}
