"""Passwords at rest: Argon2id (RFC 9106, the library's recommended parameters)."""

from __future__ import annotations

import argon2

_HASHER = argon2.PasswordHasher()
SALT_LENGTH = 16


def hash_password(password: str, *, salt: bytes) -> str:
    """The encoded hash, parameters and `salt` (16 random bytes) included.  Slow on purpose: never inside a write."""
    return _HASHER.hash(password, salt=salt)
