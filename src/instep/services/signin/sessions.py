"""Sessions of the console: whose cookie it is, and how a sign-in steps up under another id."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta

from instep.api.common import AccessDenied
from instep.domain.identity import Principal
from instep.domain.ids import Random
from instep.domain.sign_in import Session, State
from instep.services.operation import Call
from instep.services.ports import Transaction, Vault
from instep.services.signin.refusals import SessionExpired
from instep.settings import Settings

_ID_BYTES = 32
# In characters; an id has 43.
_LONGEST_ID = 128


def new_id(random: Random) -> str:
    """256 bits, for a cookie.  It is a secret: only its fingerprint is kept."""
    return base64.urlsafe_b64encode(random(_ID_BYTES)).decode().rstrip("=")


def key_of(vault: Vault, session_id: str) -> str:
    """What a session is found by."""
    return vault.fingerprint(b"session id\0" + session_id[:_LONGEST_ID].encode("utf-8", "replace"))


def csrf_token(vault: Vault, session_id: str) -> str:
    """What each form of the session carries, another after each step.  Nobody without the vault's key can work it out.

    Good for the id of a cookie before the password, too.
    """
    return vault.fingerprint(b"csrf token\0" + session_id[:_LONGEST_ID].encode("utf-8", "replace"))


def password_key(vault: Vault, password_hash: str) -> str:
    """The password that a sign-in began with, to notice when it was changed meanwhile."""
    return vault.fingerprint(b"password hash\0" + password_hash.encode())


def find(tx: Transaction, vault: Vault, settings: Settings, session_id: str, now: datetime) -> tuple[Session, Principal]:
    """The session of a cookie, and who is behind it.

    Raises SessionExpired when there is none, its time is over, or its user or their password is gone; before the sign-in is
    complete, also when the password was changed since.
    """
    session = tx.sign_ins.find(key_of(vault, session_id))
    if session is None or now >= session.ends_at(settings.signin.idle):
        raise SessionExpired
    holder, password_hash = _holder(tx, session)
    if session.state is not State.SIGNED_IN and session.password_key != password_key(vault, password_hash):
        raise SessionExpired
    principal = replace(
        holder,
        issued_at=session.began_at,
        mfa_present=session.mfa_at is not None,
        mfa_at=session.mfa_at,
        signing_in=session.state is not State.SIGNED_IN,
    )
    return session, principal


def authenticate(tx: Transaction, vault: Vault, settings: Settings, session_id: str, now: datetime) -> Principal:
    """Whose request it is.  Raises SessionExpired."""
    return find(tx, vault, settings, session_id, now)[1]


def of_caller(call: Call, *states: State) -> Session:
    """The caller's session, in one of these states.

    Raises SessionExpired when it has another one by now, AccessDenied for callers without a session.
    """
    access_key_id = call.principal.access_key_id
    if call.principal.issued_at is None or call.principal.temporary or access_key_id is None:
        raise AccessDenied("Only sessions of the console sign in.")
    session = call.tx.sign_ins.find_by_key(call.account_id, access_key_id)
    if session is None or session.state not in states:
        raise SessionExpired
    return session


def step_up(call: Call, session: Session, state: State) -> str:
    """The session's new id, in `state`; the old one is dead.  What `session` is otherwise is written along."""
    session_id = new_id(call.random)
    call.tx.sign_ins.put(
        replace(
            session,
            session_key=key_of(call.vault, session_id),
            state=state,
            began_at=call.now,
            seen_at=call.now,
            expires_at=call.now + length_of(call.settings, state),
            wrong_codes=0,
            entry=None,
        )
    )
    return session_id


def length_of(settings: Settings, state: State) -> timedelta:
    return settings.signin.session if state is State.SIGNED_IN else settings.signin.password_ok


def _holder(tx: Transaction, session: Session) -> tuple[Principal, str]:
    """The user or the root user, and their password's hash."""
    if session.of_root:
        root = tx.accounts.root_of(session.account_id)
        if root is None:
            raise SessionExpired
        return Principal.root(session.account_id, session.access_key_id), root.password_hash
    user = tx.users.find_by_id(session.account_id, session.holder_id)
    profile = tx.login_profiles.find(session.account_id, session.holder_id)
    if user is None or profile is None:
        raise SessionExpired
    return Principal.user(user, session.access_key_id), profile.password_hash
