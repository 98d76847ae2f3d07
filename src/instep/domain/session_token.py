"""What an STS session token says: whose temporary key it is, how long it is good, and what limits or speaks for it.

A token carries all of this itself, so that issuing one writes nothing and any server can check it.  The vault seals the encoded
claims; nothing here is secret-keeping or verified.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from instep.domain.identity import PrincipalKind, SessionScope

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WITH_SCOPE = frozenset({PrincipalKind.ROLE, PrincipalKind.FEDERATED})

# The whole calendar of `datetime`, in microseconds around 1970.
_Instant = Annotated[int, msgspec.Meta(ge=-62_135_596_800_000_000, le=253_402_300_799_999_999)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClaims:
    """The content of a session token.

    `holder_id` is the id of the user or role, the account's for the root user, the user who asked for a federated one;
    `parent_access_key_id` the key that asked.  `scope` is there if and only if it is a role session or a federated user, which
    have no MFA context.  `mfa_at` and `mfa_serial`, when the code was checked and of which device, are there if and only if
    `mfa_present`.

    Raises ValueError for naive times, a kind that gets no tokens, a scope too many or too few, or half an MFA context.
    """

    account_id: str
    kind: PrincipalKind
    holder_id: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    mfa_present: bool = False
    mfa_at: datetime | None = None
    mfa_serial: str | None = None
    parent_access_key_id: str
    scope: SessionScope | None = None

    def __post_init__(self) -> None:
        if self.kind is PrincipalKind.OPERATOR:
            raise ValueError("operators get no session tokens")
        if any(at is not None and at.tzinfo is None for at in (self.issued_at, self.expires_at, self.mfa_at)):
            raise ValueError("the times of a session token have a time zone")
        if {self.mfa_at is not None, self.mfa_serial is not None} != {self.mfa_present}:
            raise ValueError("the MFA context of a session token is whole or absent")
        scoped = self.kind in _WITH_SCOPE
        if scoped is (self.scope is None) or (scoped and self.mfa_present):
            raise ValueError("the session token of a role or a federated user has a scope and no MFA context, others have none")

    def encode(self) -> bytes:
        """Bytes for the vault to seal; they contain the secret key.  With a scope they are compressed."""
        plain = msgspec.json.encode(
            _Encoded(
                self.account_id,
                self.kind,
                self.holder_id,
                self.access_key_id,
                self.secret_access_key,
                _instant(self.issued_at),
                _instant(self.expires_at),
                self.parent_access_key_id,
                None if self.mfa_at is None else _instant(self.mfa_at),
                self.mfa_serial,
                self.scope,
            )
        )
        return plain if self.scope is None else zlib.compress(plain)

    @classmethod
    def decode(cls, encoded: bytes) -> SessionClaims:
        """The claims that `encode` wrote, in this release or the one before.

        Raises ValueError for anything else, an unknown version included.
        """
        try:
            read = _DECODER.decode(encoded if encoded.startswith(b"[") else _decompress(encoded))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, zlib.error):
            # Without the cause, whose text could quote what was sealed.
            raise ValueError("not the claims of a session token") from None
        return cls(
            account_id=read.account_id,
            kind=read.kind,
            holder_id=read.holder_id,
            access_key_id=read.access_key_id,
            secret_access_key=read.secret_access_key,
            issued_at=_datetime(read.issued_at),
            expires_at=_datetime(read.expires_at),
            mfa_present=read.mfa_at is not None,
            mfa_at=None if read.mfa_at is None else _datetime(read.mfa_at),
            mfa_serial=read.mfa_serial,
            parent_access_key_id=read.parent_access_key_id,
            scope=read.scope if isinstance(read, _Encoded) else None,
        )


def packed_size(texts: Mapping[str, str] | tuple[str, ...]) -> int:
    """How many bytes of a token session policies or session tags take up, compressed as `encode` does."""
    return len(zlib.compress(msgspec.json.encode(texts))) if texts else 0


class _EncodedFirst(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True, tag=1):
    """The layout, an array without names for brevity.  A change of its fields takes a new version number, which is its tag.

    This is the first; a token of it lives for 36 hours at most.
    """

    account_id: str
    kind: PrincipalKind
    holder_id: str
    access_key_id: str
    secret_access_key: str
    issued_at: _Instant
    expires_at: _Instant
    parent_access_key_id: str
    mfa_at: _Instant | None
    mfa_serial: str | None


class _Encoded(_EncodedFirst, array_like=True, frozen=True, forbid_unknown_fields=True, tag=2):
    scope: SessionScope | None


_DECODER = msgspec.json.Decoder(_EncodedFirst | _Encoded)

# Far more than fits a token; what is compressed without end must not fill the memory.
_LONGEST = 1 << 20


def _decompress(encoded: bytes) -> bytes:
    """Raises zlib.error for what is cut short, followed by something else, or too long."""
    decompressor = zlib.decompressobj()
    plain = decompressor.decompress(encoded, _LONGEST)
    if not decompressor.eof or decompressor.unused_data:
        raise zlib.error("not one whole stream")
    return plain


def _instant(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _datetime(instant: int) -> datetime:
    return _EPOCH + instant * _MICROSECOND
