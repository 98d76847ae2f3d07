"""Security keys and passkeys: registering one, and proving that it is there (Web Authentication Level 3).

What goes to the browser and what it answers is JSON as `PublicKeyCredential.parseCreationOptionsFromJSON` and `toJSON` have it,
all bytes in base64url.  Attestation is not asked for, and its statement ignored: any make of key will do.  Challenges come from
the caller, who keeps each for one answer only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Any, TypeVar

import msgspec
from fido2.webauthn import AttestationObject, AuthenticatorData

from instep.domain import cose
from instep.domain.cose import UnsupportedKey
from instep.domain.security_key import Credential, SecurityKey

TIMEOUT = timedelta(seconds=60)

_CHALLENGE_BYTES = 16
_TRANSPORTS = ("usb", "nfc", "ble", "smart-card", "hybrid", "internal")
# Reading CBOR takes time with the square of its length.  The longest real answers, with chains of certificates that a client
# did not take out, have some ten thousand bytes.
_LONGEST_ANSWER = 40_000
_LONGEST_PART = 16_384
# WebAuthn §7.1: longer ones are refused.
_LONGEST_CREDENTIAL_ID = 1023

T = TypeVar("T")
Options = dict[str, Any]


class KeyRefusal(StrEnum):
    """Why a registration or an assertion is refused: for the audit trail, and for pages to choose their words by."""

    MALFORMED = "malformed"
    WRONG_CEREMONY = "wrong-ceremony"
    WRONG_CHALLENGE = "wrong-challenge"
    WRONG_ORIGIN = "wrong-origin"
    WRONG_RELYING_PARTY = "wrong-relying-party"
    NOT_TOUCHED = "not-touched"
    UNSUPPORTED_ALGORITHM = "unsupported-algorithm"
    ALREADY_REGISTERED = "already-registered"
    UNKNOWN_CREDENTIAL = "unknown-credential"
    WRONG_SIGNATURE = "wrong-signature"
    COUNTER_WENT_BACKWARDS = "counter-went-backwards"


class SecurityKeyRefused(Exception):
    """A registration or an assertion that is not believed.  It quotes nothing of the answer."""

    def __init__(self, reason: KeyRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom keys are registered with.  `id` is a domain; `origins` those of the pages that may ask, written as browsers do."""

    id: str
    name: str
    origins: frozenset[str]


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose key it is to be.  `holder_id` is the user's id, or the account's for the root user.

    `name` tells people their passkeys apart in the browser's list: user and account.
    """

    account_id: str
    holder_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A key that has proven to be there.  `sign_count` is to be kept; `user_verified`: it knew its owner by PIN or finger."""

    key: SecurityKey
    sign_count: int
    user_verified: bool


def registration_options(party: RelyingParty, holder: Holder, *, challenge: bytes, known: Iterable[Credential]) -> Options:
    """What `navigator.credentials.create` is asked with.  `known`: the holder's keys, none of which is registered again.

    Raises ValueError for a challenge under 128 bits.
    """
    return {
        "rp": {"id": party.id, "name": party.name},
        "user": {
            "id": _encode(_user_handle(holder.account_id, holder.holder_id)),
            "name": holder.name,
            "displayName": holder.name,
        },
        "challenge": _challenge(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in cose.ALGORITHMS],
        "timeout": _milliseconds(TIMEOUT),
        "excludeCredentials": _descriptors(known),
        # The name is typed before the key is asked for, so no key has to spend its memory on it.
        "authenticatorSelection": {
            "residentKey": "discouraged",
            "requireResidentKey": False,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }


def check_registration(party: RelyingParty, answer: str, *, challenge: bytes, known: Iterable[Credential]) -> Credential:
    """What is to be kept of a new key.  `challenge` and `known` are those of its options.

    Raises SecurityKeyRefused.
    """
    registration = _read(answer, _Registration)
    _check_client_data(party, registration.response.client_data, "webauthn.create", challenge)
    attestation = _attestation(registration.response.attestation_object)
    data = attestation.auth_data
    _check_authenticator_data(party, data)
    attested = data.credential_data
    if attested is None or not 0 < len(attested.credential_id) <= _LONGEST_CREDENTIAL_ID:
        raise SecurityKeyRefused(KeyRefusal.MALFORMED)
    credential_id = _encode(attested.credential_id)
    if any(one.credential_id == credential_id for one in known):
        raise SecurityKeyRefused(KeyRefusal.ALREADY_REGISTERED)
    try:
        public_key = cose.checked(attested.public_key)
    except UnsupportedKey:
        raise SecurityKeyRefused(KeyRefusal.UNSUPPORTED_ALGORITHM) from None
    except ValueError:
        raise SecurityKeyRefused(KeyRefusal.MALFORMED) from None
    named = registration.response.transports
    return Credential(
        credential_id=credential_id,
        public_key=public_key,
        sign_count=data.counter,
        # Those of a later day are left out rather than kept: they go into other people's browsers.
        transports=tuple(one for one in _TRANSPORTS if one in named),
        aaguid=str(attested.aaguid),
    )


def assertion_options(party: RelyingParty, *, challenge: bytes, known: Iterable[Credential]) -> Options:
    """What `navigator.credentials.get` is asked with.  `known`: the holder's keys, any of which will do.

    Raises ValueError for a challenge under 128 bits.
    """
    return {
        "challenge": _challenge(challenge),
        "timeout": _milliseconds(TIMEOUT),
        "rpId": party.id,
        "allowCredentials": _descriptors(known),
        "userVerification": "preferred",
    }


def check_assertion(party: RelyingParty, answer: str, *, challenge: bytes, keys: Sequence[SecurityKey]) -> Assertion:
    """Which of the holder's `keys` answered the challenge.

    Raises SecurityKeyRefused; with COUNTER_WENT_BACKWARDS when all is well but that the key seems to have a twin.
    """
    assertion = _read(answer, _Assertion)
    response = assertion.response
    credential_id = _encode(_decode(assertion.raw_id, _LONGEST_CREDENTIAL_ID))
    key = next((one for one in keys if one.credential.credential_id == credential_id), None)
    if key is None or not _is_of(key, response.user_handle):
        raise SecurityKeyRefused(KeyRefusal.UNKNOWN_CREDENTIAL)
    client_data = _check_client_data(party, response.client_data, "webauthn.get", challenge)
    signed = _decode(response.authenticator_data, _LONGEST_PART)
    data = _authenticator_data(signed)
    _check_authenticator_data(party, data)
    signature = _decode(response.signature, _LONGEST_PART)
    if not cose.verifies(key.credential.public_key, signature, signed + hashlib.sha256(client_data).digest()):
        raise SecurityKeyRefused(KeyRefusal.WRONG_SIGNATURE)
    if not _goes_on(key.credential.sign_count, data.counter):
        raise SecurityKeyRefused(KeyRefusal.COUNTER_WENT_BACKWARDS)
    return Assertion(key, data.counter, data.is_user_verified())


def _goes_on(kept: int, shown: int) -> bool:
    """Passkeys that live on several devices do not count: they always show zero (WebAuthn §6.1.1)."""
    return shown > kept or kept == shown == 0


class _ClientData(msgspec.Struct, rename="camel"):
    type: str
    challenge: str
    origin: str
    cross_origin: bool = False
    top_origin: str | None = None


class _AttestationResponse(msgspec.Struct, rename="camel"):
    client_data: str = msgspec.field(name="clientDataJSON")
    attestation_object: str
    transports: list[str] = []


class _Registration(msgspec.Struct, rename="camel"):
    raw_id: str
    response: _AttestationResponse


class _AssertionResponse(msgspec.Struct, rename="camel"):
    client_data: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str
    signature: str
    user_handle: str | None = None


class _Assertion(msgspec.Struct, rename="camel"):
    raw_id: str
    response: _AssertionResponse


def _read(answer: str | bytes, kind: type[T]) -> T:
    if len(answer) > _LONGEST_ANSWER:
        raise SecurityKeyRefused(KeyRefusal.MALFORMED)
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise SecurityKeyRefused(KeyRefusal.MALFORMED) from None


def _check_client_data(party: RelyingParty, encoded: str, ceremony: str, challenge: bytes) -> bytes:
    """The client data's bytes, once what the browser says in them is what was asked for."""
    plain = _decode(encoded, _LONGEST_PART)
    said = _read(plain, _ClientData)
    if said.type != ceremony:
        raise SecurityKeyRefused(KeyRefusal.WRONG_CEREMONY)
    if not compare_digest(_decode(said.challenge, _LONGEST_PART), challenge):
        raise SecurityKeyRefused(KeyRefusal.WRONG_CHALLENGE)
    # Our pages are never in anybody's frame.
    if said.origin not in party.origins or said.cross_origin or said.top_origin is not None:
        raise SecurityKeyRefused(KeyRefusal.WRONG_ORIGIN)
    return plain


def _check_authenticator_data(party: RelyingParty, data: AuthenticatorData) -> None:
    if not compare_digest(data.rp_id_hash, hashlib.sha256(party.id.encode()).digest()):
        raise SecurityKeyRefused(KeyRefusal.WRONG_RELYING_PARTY)
    if not data.is_user_present():
        raise SecurityKeyRefused(KeyRefusal.NOT_TOUCHED)
    if data.is_backed_up() and not data.is_backup_eligible():
        raise SecurityKeyRefused(KeyRefusal.MALFORMED)


def _attestation(encoded: str) -> AttestationObject:
    plain = _decode(encoded, _LONGEST_PART)
    try:
        return AttestationObject(plain)
    except cose.UNREADABLE:
        raise SecurityKeyRefused(KeyRefusal.MALFORMED) from None


def _authenticator_data(plain: bytes) -> AuthenticatorData:
    try:
        return AuthenticatorData(plain)
    except cose.UNREADABLE:
        raise SecurityKeyRefused(KeyRefusal.MALFORMED) from None


def _is_of(key: SecurityKey, user_handle: str | None) -> bool:
    """A key that says whom it was registered for was registered for this holder; those without memory do not say."""
    return not user_handle or compare_digest(_decode(user_handle, 64), _user_handle(key.account_id, key.holder_id))


def _user_handle(account_id: str, holder_id: str) -> bytes:
    """The same for all keys of a holder, and telling nothing of them, as keys show it to whoever finds them."""
    return hashlib.sha256(f"{account_id}/{holder_id}".encode()).digest()


def _descriptors(known: Iterable[Credential]) -> list[Mapping[str, Any]]:
    return [{"type": "public-key", "id": one.credential_id, "transports": list(one.transports)} for one in known]


def _challenge(challenge: bytes) -> str:
    if len(challenge) < _CHALLENGE_BYTES:
        raise ValueError("a challenge has 128 bits or more")
    return _encode(challenge)


def _milliseconds(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)


def _encode(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def _decode(text: str, longest: int) -> bytes:
    """Raises SecurityKeyRefused for what is not base64url, or stands for more than `longest` bytes."""
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SecurityKeyRefused(KeyRefusal.MALFORMED) from None
    if len(plain) > longest:
        raise SecurityKeyRefused(KeyRefusal.MALFORMED)
    return plain
