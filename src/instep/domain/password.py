"""Passwords at rest: Argon2id (RFC 9106, the library's recommended parameters)."""

from __future__ import annotations

import argon2
from argon2.exceptions import VerifyMismatchError

_HASHER = argon2.PasswordHasher()
SALT_LENGTH = 16


def hash_password(password: str, *, salt: bytes) -> str:
    """The encoded hash, parameters and `salt` (16 random bytes) included.  Slow on purpose: never inside a write."""
    return _HASHER.hash(password, salt=salt)


def is_password(password: str, password_hash: str) -> bool:
    """Whether `password_hash` was made of this password, with whatever parameters.  As slow as hashing: never inside a write.

    Raises argon2's InvalidHashError for what is no hash at all.
    """
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False
