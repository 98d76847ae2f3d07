"""Public keys of security keys, in COSE's form (RFC 9052, RFC 9053, RFC 8230): ES256, which U2F keys have as well, and RS256."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey

ALGORITHMS: tuple[int, ...] = (ES256.ALGORITHM, RS256.ALGORITHM)
"""By COSE's numbers, the better one first."""

UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    struct.error,
)
"""What the library may raise when it reads what somebody made up."""

_KEY_TYPE, _ALGORITHM, _CURVE, _X, _Y, _MODULUS, _EXPONENT = 1, 3, -1, -2, -3, -1, -2
_EC2, _RSA, _P256 = 2, 3, 1
_COORDINATE = 32
# Longer ones would take us long to verify with; shorter ones others not long enough to break.
_SHORTEST_MODULUS, _LONGEST_MODULUS = 2048, 4096
_LARGEST_EXPONENT = 1 << 32


class UnsupportedKey(Exception):
    """Of an algorithm that was not offered."""


def checked(key: Mapping[Any, Any]) -> bytes:
    """The key, encoded, without anything that is not part of it.

    Raises UnsupportedKey for one of another algorithm, ValueError for one that is no good.
    """
    match key.get(_ALGORITHM):
        case ES256.ALGORITHM:
            parts = _elliptic(key)
        case RS256.ALGORITHM:
            parts = _rsa(key)
        case _:
            raise UnsupportedKey
    return cbor.encode(parts)


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature was made over the message with the private half of a key that `checked` gave."""
    try:
        decoded: Any = cbor.decode(public_key)
        CoseKey.parse(decoded).verify(message, signature)
    except (InvalidSignature, UnsupportedAlgorithm, *UNREADABLE):
        return False
    return True


def _elliptic(key: Mapping[Any, Any]) -> dict[int, int | bytes]:
    x, y = key.get(_X), key.get(_Y)
    if key.get(_KEY_TYPE) != _EC2 or key.get(_CURVE) != _P256 or not isinstance(x, bytes) or not isinstance(y, bytes):
        raise ValueError("not a point on P-256")
    if len(x) != _COORDINATE or len(y) != _COORDINATE:
        raise ValueError("not a point on P-256")
    # Raises ValueError for a point beside the curve.
    ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()).public_key()
    return {_KEY_TYPE: _EC2, _ALGORITHM: ES256.ALGORITHM, _CURVE: _P256, _X: x, _Y: y}


def _rsa(key: Mapping[Any, Any]) -> dict[int, int | bytes]:
    modulus, exponent = key.get(_MODULUS), key.get(_EXPONENT)
    if key.get(_KEY_TYPE) != _RSA or not isinstance(modulus, bytes) or not isinstance(exponent, bytes):
        raise ValueError("not an RSA key")
    n, e = int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")
    if not _SHORTEST_MODULUS <= n.bit_length() <= _LONGEST_MODULUS or e > _LARGEST_EXPONENT:
        raise ValueError("not an RSA key that is any good")
    # Raises ValueError for an exponent that is even or too small.
    rsa.RSAPublicNumbers(e, n).public_key()
    return {_KEY_TYPE: _RSA, _ALGORITHM: RS256.ALGORITHM, _MODULUS: modulus, _EXPONENT: exponent}
