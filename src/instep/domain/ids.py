"""Identifiers in AWS's forms, from random bytes that the caller brings."""

from __future__ import annotations

import base64
from collections.abc import Callable

Random = Callable[[int], bytes]
"""Gives that many unpredictable bytes."""

LONG_TERM_KEY = "AKIA"
TEMPORARY_KEY = "ASIA"
_DIGITS_OF_AN_ACCOUNT = 12


def account_id(random: Random) -> str:
    """Twelve digits, the first not zero, so that no spreadsheet eats it."""
    low, high = 10 ** (_DIGITS_OF_AN_ACCOUNT - 1), 10**_DIGITS_OF_AN_ACCOUNT
    return str(low + int.from_bytes(random(16), "big") % (high - low))


def user_id(random: Random) -> str:
    """AIDA and 17 characters; never used again, whatever becomes of the user."""
    return "AIDA" + _base32(random, 17)


def group_id(random: Random) -> str:
    return "AGPA" + _base32(random, 17)


def role_id(random: Random) -> str:
    """AROA and 17 characters; like a user's, never used again."""
    return "AROA" + _base32(random, 17)


def policy_id(random: Random) -> str:
    return "ANPA" + _base32(random, 17)


def access_key_id(random: Random) -> str:
    return LONG_TERM_KEY + _base32(random, 16)


def temporary_access_key_id(random: Random) -> str:
    return TEMPORARY_KEY + _base32(random, 16)


def secret_access_key(random: Random) -> str:
    """Forty characters of base64: 240 bits."""
    return base64.b64encode(random(30)).decode()


def token_id(random: Random) -> str:
    """Names a seed for life: the spent steps hang on it, through every reassignment of its device."""
    return "TOTP" + _base32(random, 16)


def security_key_suffix(random: Random) -> str:
    """Makes a security key's serial number unique, whatever it is called: 26 characters, 130 bits."""
    return _base32(random, 26)


def uuid4(random: Random) -> str:
    """A random UUID (RFC 9562 §5.4).  Written out, as there are two in each request and `uuid.UUID` takes its time."""
    digits = random(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def password(random: Random) -> str:
    """A first password: 120 bits, from characters that survive being read aloud."""
    text = base64.b32encode(random(15)).decode().lower()
    return "-".join(text[i : i + 6] for i in range(0, len(text), 6))


def _base32(random: Random, length: int) -> str:
    return base64.b32encode(random(length)).decode()[:length]
