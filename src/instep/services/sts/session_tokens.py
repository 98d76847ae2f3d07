"""GetSessionToken: temporary credentials, with MFA when a code came along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from instep.api.common import AccessDenied
from instep.api.errors import InvalidAuthenticationCode
from instep.api.sts import Credentials, GetSessionTokenRequest, GetSessionTokenResponse
from instep.domain import ids
from instep.domain.drift import Source
from instep.domain.identity import PrincipalKind
from instep.domain.mfa import MFADevice
from instep.domain.session_token import SessionClaims
from instep.services import codes
from instep.services.operation import Call, operation

_DEFAULT = timedelta(hours=12)
# A longer request by the root user silently becomes one hour (API Reference, GetSessionToken).
_LONGEST_FOR_ROOT = timedelta(hours=1)

_HALF = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
# Two spaces after the first sentence, as AWS prints it.
_NOT_THEIRS = (
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid"
    " and associated with this user."
)
# One trailing space, as AWS prints it: clients compare the whole text.
_BAD_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code. "


def claim_code(call: Call, request: GetSessionTokenRequest) -> None:
    """Count the try.  A serial number that is not the caller's counts against nobody."""
    if (request.serial_number is None) != (request.token_code is None):
        raise AccessDenied(_HALF)
    if request.serial_number is None:
        return
    device = _own_device(call, request.serial_number)
    with _in_words_of_sts():
        codes.claim(call, device)


@operation("sts:GetSessionToken", on=None, writes=True, claim=claim_code)
def get_session_token(call: Call, request: GetSessionTokenRequest) -> GetSessionTokenResponse:
    if request.serial_number is not None and request.token_code is not None:
        device = _own_device(call, request.serial_number)
        with _in_words_of_sts():
            codes.accept(call, device, request.token_code, Source.STS)
    return GetSessionTokenResponse(credentials=_credentials(call, request))


@contextmanager
def _in_words_of_sts() -> Iterator[None]:
    try:
        yield
    except InvalidAuthenticationCode as refusal:
        raise AccessDenied(_BAD_CODE, reason=refusal.reason) from None


def _own_device(call: Call, serial_number: str) -> MFADevice:
    device = call.tx.mfa_devices.find(call.account_id, serial_number)
    if device is None or device.holder_id != call.principal.holder_id:
        raise AccessDenied(_NOT_THEIRS)
    return device


def _credentials(call: Call, request: GetSessionTokenRequest) -> Credentials:
    principal = call.principal
    if principal.kind is PrincipalKind.OPERATOR:
        raise AccessDenied("Cannot call GetSessionToken as an operator; use an access key of a user.")
    claims = SessionClaims(
        account_id=principal.account_id,
        kind=principal.kind,
        user_id=principal.holder_id,
        access_key_id=ids.temporary_access_key_id(call.random),
        secret_access_key=ids.secret_access_key(call.random),
        issued_at=call.now,
        expires_at=_expiration(call, request.duration_seconds),
        mfa_present=request.serial_number is not None,
        mfa_at=call.now if request.serial_number is not None else None,
        mfa_serial=request.serial_number,
        parent_access_key_id=principal.access_key_id or "",
    )
    return Credentials(
        access_key_id=claims.access_key_id,
        secret_access_key=claims.secret_access_key,
        session_token=call.vault.seal_session_token(claims.encode()),
        expiration=claims.expires_at,
    )


def _expiration(call: Call, seconds: int | None) -> datetime:
    duration = _DEFAULT if seconds is None else timedelta(seconds=seconds)
    if call.principal.kind is PrincipalKind.ROOT:
        duration = min(duration, _LONGEST_FOR_ROOT)
    # Whole seconds, as the wire prints no smaller part.
    return call.now.replace(microsecond=0) + duration
