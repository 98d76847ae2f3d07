"""A security key and the browser before it, made after the specifications (Web Authentication Level 3, CTAP 2.1)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ES256, EDDSA, RS256 = -7, -8, -257
PRESENT, VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 0x01, 0x04, 0x08, 0x10, 0x40

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def b64(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value: Any) -> bytes:
    """The few kinds that a security key writes (RFC 8949)."""
    match value:
        case int() if value >= 0:
            return _head(0, value)
        case int():
            return _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(cbor(one) for one in value)
        case dict():
            return _head(5, len(value)) + b"".join(cbor(key) + cbor(one) for key, one in value.items())
        case _:
            raise TypeError(type(value))


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    length = next(length for length in (1, 2, 4, 8) if argument < 1 << 8 * length)
    return bytes([major << 5 | 23 + length.bit_length()]) + argument.to_bytes(length, "big")


@cache
def private_key(algorithm: int, number: int = 0) -> PrivateKey:
    """The same for the same number: those of RSA take long to make."""
    match algorithm:
        case -7:
            return ec.generate_private_key(ec.SECP256R1())
        case -257:
            return rsa.generate_private_key(65537, 2048)
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def cose_key(key: PrivateKey) -> dict[int, Any]:
    """RFC 9053 §7.1, RFC 8230 §4."""
    match key:
        case ec.EllipticCurvePrivateKey():
            point = key.public_key().public_numbers()
            return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        case rsa.RSAPrivateKey():
            numbers = key.public_key().public_numbers()
            size = numbers.n.bit_length() // 8
            return {1: 3, 3: RS256, -1: numbers.n.to_bytes(size, "big"), -2: numbers.e.to_bytes(3, "big")}
        case _:
            raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {1: 1, 3: EDDSA, -1: 6, -2: raw}


def sign(key: PrivateKey, message: bytes) -> bytes:
    match key:
        case ec.EllipticCurvePrivateKey():
            return key.sign(message, ec.ECDSA(hashes.SHA256()))
        case rsa.RSAPrivateKey():
            return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        case _:
            return key.sign(message)


@dataclass
class Authenticator:
    """One credential.  What a test gives in `client` and `data` stands in the place of what would be said honestly.

    `counts`: whether its signature counter goes up; those of synchronized passkeys stay at zero.
    """

    key: PrivateKey = field(default_factory=lambda: private_key(ES256))
    credential_id: bytes = b"credential number one"
    origin: str = "https://id.example.com"
    fmt: str = "none"
    aaguid: bytes = bytes(16)
    counts: bool = True
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    transports: tuple[str, ...] = ("usb", "nfc")
    public_key: Mapping[int, Any] | None = None
    user_handle: str | None = None

    def but(self, **other: Any) -> Authenticator:
        """The same credential, shown otherwise."""
        return replace(self, **other)

    def register(self, options: Mapping[str, Any], **client: Any) -> str:
        """`navigator.credentials.create`, as `toJSON` writes its answer down."""
        client_data = self._client_data("webauthn.create", options["challenge"], client)
        attested = self.aaguid + len(self.credential_id).to_bytes(2, "big") + self.credential_id
        attested += cbor(dict(self.public_key or cose_key(self.key)))
        data = self._data(options["rp"]["id"], self.flags | ATTESTED) + attested
        statement = self._statement(data, client_data)
        return self._answer(
            clientDataJSON=b64(client_data),
            attestationObject=b64(cbor({"fmt": self.fmt, "attStmt": statement, "authData": data})),
            transports=list(self.transports),
        )

    def prove(self, options: Mapping[str, Any], **client: Any) -> str:
        """`navigator.credentials.get`, as `toJSON` writes its answer down."""
        self.counter += self.counts
        client_data = self._client_data("webauthn.get", options["challenge"], client)
        data = self._data(options["rpId"], self.flags)
        return self._answer(
            clientDataJSON=b64(client_data),
            authenticatorData=b64(data),
            signature=b64(sign(self.key, data + hashlib.sha256(client_data).digest())),
            userHandle=self.user_handle,
        )

    def _answer(self, **response: Any) -> str:
        name = b64(self.credential_id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": response},
        )

    def _client_data(self, ceremony: str, challenge: str, other: Mapping[str, Any]) -> bytes:
        said: dict[str, Any] = {"type": ceremony, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps({**said, **other}).encode()

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _statement(self, data: bytes, client_data: bytes) -> dict[str, Any]:
        """What a browser passes on that was asked for none, and does not take out what the key said."""
        digest = hashlib.sha256(client_data).digest()
        match self.fmt:
            case "fido-u2f":
                point = cose_key(self.key)
                message = b"\0" + data[:32] + digest + self.credential_id + b"\4" + point[-2] + point[-3]
                return {"x5c": [b"a certificate"], "sig": sign(self.key, message)}
            case "packed":
                return {"alg": cose_key(self.key)[3], "sig": sign(self.key, data + digest)}
            case _:
                return {}


def u2f_key(**other: Any) -> Authenticator:
    """Registered with CTAP1: no PIN, no model, a statement of its own format, a key handle for a credential id."""
    made = Authenticator(credential_id=bytes(range(64)), fmt="fido-u2f", flags=PRESENT, transports=("usb",))
    return replace(made, **other)


def passkey(**other: Any) -> Authenticator:
    """Synchronized between somebody's devices, so it does not count; it says whose it is."""
    made = Authenticator(
        credential_id=b"passkey",
        counts=False,
        flags=PRESENT | VERIFIED | BACKUP_ELIGIBLE | BACKED_UP,
        transports=("hybrid", "internal"),
        aaguid=bytes.fromhex("fbfc3007154e4ecc8c0b6e020557d7bd"),
    )
    return replace(made, **other)
