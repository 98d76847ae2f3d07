"""Temporary credentials: made up, told once, and kept nowhere but in their own session token."""

from __future__ import annotations

from datetime import timedelta

from instep.api.common import AccessDenied
from instep.api.sts import Credentials
from instep.domain import ids
from instep.domain.identity import PrincipalKind, SessionScope
from instep.domain.session_token import SessionClaims
from instep.services.operation import Call

# What a root user asks for beyond this silently becomes one hour (API Reference, GetSessionToken and GetFederationToken).
_LONGEST_FOR_ROOT = timedelta(hours=1)


def asking_key(call: Call, operation_name: str) -> str:
    """The id of the access key that asks.  Raises AccessDenied for an operator, who has none: a session hangs on a key."""
    principal = call.principal
    if principal.kind is PrincipalKind.OPERATOR or principal.access_key_id is None:
        raise AccessDenied(f"Cannot call {operation_name} without an access key; use one of a user.")
    return principal.access_key_id


def long_session(call: Call, seconds: int | None) -> timedelta:
    """How long credentials of the caller's own are good, of the `seconds` asked for, or of twelve hours."""
    duration = timedelta(hours=12) if seconds is None else timedelta(seconds=seconds)
    return min(duration, _LONGEST_FOR_ROOT) if call.principal.kind is PrincipalKind.ROOT else duration


def issue(
    call: Call,
    *,
    kind: PrincipalKind,
    account_id: str,
    holder_id: str,
    parent_access_key_id: str,
    duration: timedelta,
    mfa_serial: str | None = None,
    scope: SessionScope | None = None,
) -> Credentials:
    """New ones.  `mfa_serial`: the device whose code has just been accepted; the rest as in SessionClaims."""
    claims = SessionClaims(
        account_id=account_id,
        kind=kind,
        holder_id=holder_id,
        access_key_id=ids.temporary_access_key_id(call.random),
        secret_access_key=ids.secret_access_key(call.random),
        issued_at=call.now,
        # Whole seconds, as the wire prints no smaller part.
        expires_at=call.now.replace(microsecond=0) + duration,
        mfa_present=mfa_serial is not None,
        mfa_at=None if mfa_serial is None else call.now,
        mfa_serial=mfa_serial,
        parent_access_key_id=parent_access_key_id,
        scope=scope,
    )
    return Credentials(
        access_key_id=claims.access_key_id,
        secret_access_key=claims.secret_access_key,
        session_token=call.vault.seal_session_token(claims.encode()),
        expiration=claims.expires_at,
    )
