"""What an STS session token says: whose temporary key it is, how long it is good, and whether MFA stood behind it.

A token carries all of this itself, so that issuing one writes nothing and any server can check it.  The vault seals the encoded
claims; nothing here is secret-keeping or verified.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from instep.domain.identity import PrincipalKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_VERSION: Literal[1] = 1

# The whole calendar of `datetime`, in microseconds around 1970.
_Instant = Annotated[int, msgspec.Meta(ge=-62_135_596_800_000_000, le=253_402_300_799_999_999)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaims:
    """The content of a session token.

    `user_id` is the user's id, or the account's id for the root user (the holder); `parent_access_key_id` the long-term key that
    asked.  `mfa_at` and `mfa_serial`, when the code was checked and of which device, are there if and only if `mfa_present`.

    Raises ValueError for naive times, a kind that gets no tokens, or half an MFA context.
    """

    account_id: str
    kind: PrincipalKind
    user_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    mfa_present: bool
    mfa_at: datetime | None = None
    mfa_serial: str | None = None
    parent_access_key_id: str

    def __post_init__(self) -> None:
        if self.kind is PrincipalKind.OPERATOR:
            raise ValueError("session tokens are for the root user and IAM users")
        if any(at is not None and at.tzinfo is None for at in (self.issued_at, self.expires_at, self.mfa_at)):
            raise ValueError("the times of a session token have a time zone")
        if {self.mfa_at is not None, self.mfa_serial is not None} != {self.mfa_present}:
            raise ValueError("the MFA context of a session token is whole or absent")

    def encode(self) -> bytes:
        """Bytes for the vault to seal; they contain the secret key."""
        return msgspec.json.encode(
            _Encoded(
                _VERSION,
                self.account_id,
                self.kind,
                self.user_id,
                self.access_key_id,
                self.secret_access_key,
                _instant(self.issued_at),
                _instant(self.expires_at),
                self.parent_access_key_id,
                None if self.mfa_at is None else _instant(self.mfa_at),
                self.mfa_serial,
            )
        )

    @classmethod
    def decode(cls, encoded: bytes) -> SessionClaims:
        """The claims that `encode` wrote.  Raises ValueError for anything else, an unknown version included."""
        try:
            read = _DECODER.decode(encoded)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Without the cause, whose text could quote what was sealed.
            raise ValueError("not the claims of a session token") from None
        return cls(
            account_id=read.account_id,
            kind=read.kind,
            user_id=read.user_id,
            access_key_id=read.access_key_id,
            secret_access_key=read.secret_access_key,
            issued_at=_datetime(read.issued_at),
            expires_at=_datetime(read.expires_at),
            mfa_present=read.mfa_at is not None,
            mfa_at=None if read.mfa_at is None else _datetime(read.mfa_at),
            mfa_serial=read.mfa_serial,
            parent_access_key_id=read.parent_access_key_id,
        )


class _Encoded(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """The layout, an array without names for brevity.  A change of its fields takes a new version number."""

    version: Literal[1]
    account_id: str
    kind: PrincipalKind
    user_id: str
    access_key_id: str
    secret_access_key: str
    issued_at: _Instant
    expires_at: _Instant
    parent_access_key_id: str
    mfa_at: _Instant | None
    mfa_serial: str | None


_DECODER = msgspec.json.Decoder(_Encoded)


def _instant(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _datetime(instant: int) -> datetime:
    return _EPOCH + instant * _MICROSECOND
