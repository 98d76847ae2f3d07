"""The vault: seals seeds and secret keys so that they open only with the key file, and only in their own place.

AES-256-GCM under subkeys drawn from the key file with HKDF-SHA-256 (RFC 5869), one for each purpose.  Table, column and row are
associated data: a ciphertext copied to another row, column or table does not open there.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import os
import stat
import struct
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from instep.domain.ids import Random
from instep.services.faults import Fault

_KEY_LENGTH: Final = 32
_NONCE_LENGTH: Final = 12
_TAG_LENGTH: Final = 16
_FORMAT: Final = b"\x01"  # leads everything sealed; another cipher would take another
_SHORTEST: Final = len(_FORMAT) + _NONCE_LENGTH + _TAG_LENGTH
_SESSION_TOKEN: Final = b"session token"
_MESSAGE: Final = b"authorization message of "
_SMALLEST_FILL: Final = 64
_FILL_STEP: Final = 48
_CHECK_PLACE: Final = ("meta", "value", "vault_check")
_CHECK_TEXT: Final = b"instep"


class UnreadableSessionToken(ValueError):
    """The text is no session token that was sealed with this key."""

    def __init__(self) -> None:
        super().__init__("The session token was not sealed here.")


class Vault:
    """`key` is the content of the key file; `random` brings the nonces."""

    __slots__ = ("_fingerprint_key", "_message", "_random", "_seal", "_session")

    def __init__(self, key: bytes, random: Random) -> None:
        if len(key) != _KEY_LENGTH:
            raise ValueError(f"a vault key has {_KEY_LENGTH} bytes")
        self._random = random
        self._seal = AESGCM(_subkey(key, b"instep seal 1"))
        self._session = AESGCM(_subkey(key, b"instep session token 1"))
        self._message = AESGCM(_subkey(key, b"instep authorization message 1"))
        self._fingerprint_key = _subkey(key, b"instep fingerprint 1")

    @classmethod
    def from_key_file(cls, path: Path, random: Random) -> Vault:
        """Raises Fault, saying how to mend it, for a key file that is missing, open to others or no key."""
        return cls(load_key_file(path), random)

    def seal(self, plaintext: bytes, *, table: str, column: str, row: str) -> bytes:
        return self._encrypt(self._seal, plaintext, _place(table, column, row))

    def open(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Raises Fault for anything that was not sealed for this very place with this key."""
        try:
            return _decrypt(self._seal, sealed, _place(table, column, row))
        except InvalidTag:
            raise Fault(
                f"A sealed value in {table}.{column} does not open: it was damaged, moved or sealed with another key."
                " Restore the data folder from a backup."
            ) from None

    def fingerprint(self, data: bytes) -> str:
        """64 hexadecimal digits: the same for the same data under this key, and no way back (HMAC-SHA-256)."""
        return hmac.digest(self._fingerprint_key, data, "sha256").hex()

    def seal_session_token(self, claims: bytes) -> str:
        """At least 124 characters of URL-safe base64, in steps of 64, so that its length says little about the claims."""
        # Filled as ISO/IEC 7816-4 does.  The lengths are such that base64 needs no "=" and has no idle bits:
        # there is one spelling of each session token and no other.
        steps = max(0, -(-(len(claims) + 1 - _SMALLEST_FILL) // _FILL_STEP))
        filled = (claims + b"\x80").ljust(_SMALLEST_FILL + steps * _FILL_STEP, b"\0")
        return base64.urlsafe_b64encode(self._encrypt(self._session, filled, _SESSION_TOKEN)).decode("ascii")

    def open_session_token(self, session_token: str) -> bytes:
        """The claims.  Raises UnreadableSessionToken for anything that was not sealed by `seal_session_token` with this key."""
        try:
            sealed = base64.urlsafe_b64decode(session_token.encode("ascii"))
            # The decoder passes over what is not its own, and over "=" at the end.
            if base64.urlsafe_b64encode(sealed).decode("ascii") != session_token:
                raise UnreadableSessionToken
            filled = _decrypt(self._session, sealed, _SESSION_TOKEN)
        except (InvalidTag, ValueError):
            raise UnreadableSessionToken from None
        return filled[: filled.rindex(b"\x80")]

    def seal_message(self, account_id: str, message: bytes) -> str:
        """For a client to carry: it opens for the same account only."""
        sealed = self._encrypt(self._message, message, _MESSAGE + account_id.encode())
        return base64.urlsafe_b64encode(sealed).decode("ascii")

    def open_message(self, account_id: str, sealed: str) -> bytes:
        """Raises ValueError for anything that was not sealed by `seal_message` for this account with this key."""
        try:
            return _decrypt(self._message, base64.urlsafe_b64decode(sealed.encode("ascii")), _MESSAGE + account_id.encode())
        except (InvalidTag, ValueError):
            raise ValueError("The message was not sealed here.") from None

    def check_value(self) -> bytes:
        """To be kept beside what this vault seals, so that another key is noticed at the start and not at the first sign-in."""
        table, column, row = _CHECK_PLACE
        return self.seal(_CHECK_TEXT, table=table, column=column, row=row)

    def verify_check_value(self, sealed: bytes) -> None:
        """Raises Fault, saying how to mend it, when `sealed` is not the check value of this key."""
        table, column, row = _CHECK_PLACE
        try:
            self.open(sealed, table=table, column=column, row=row)
        except Fault:
            raise Fault(
                "The vault's key file does not belong to this database. Put back the key file that was made with the data folder;"
                " without it the seeds and keys in the database cannot be read."
            ) from None

    def _encrypt(self, cipher: AESGCM, plaintext: bytes, associated: bytes) -> bytes:
        nonce = self._random(_NONCE_LENGTH)
        return _FORMAT + nonce + cipher.encrypt(nonce, plaintext, associated)


def create_key_file(path: Path, random: Random) -> None:
    """Write a new key, for its owner alone.  Raises Fault when there is a file already: a key is never overwritten."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise Fault(f"The vault's key file {path} exists already; a key is never overwritten.") from None
    except OSError as error:
        raise Fault(f"The vault's key file {path} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(random(_KEY_LENGTH))
            file.flush()
            # Whatever is sealed with it would be lost if a power cut took the key.
            os.fsync(file.fileno())
        _sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def load_key_file(path: Path) -> bytes:
    """The key.  Raises Fault, saying how to mend it, for a file that is missing, open to others or no key."""
    try:
        # A pipe in its place would keep us waiting for whoever writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Fault(
            f"The vault's key file {path} is missing. Put back the one that was made with the data folder; "
            "without it the seeds and keys in the database cannot be read."
        ) from None
    except OSError as error:
        raise Fault(f"The vault's key file {path} cannot be read: {error.strerror}.") from error
    try:
        # Of what was opened: the name may stand for something else a moment later.
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise Fault(
                f"The vault's key file {path} is not a file. Put back the one that was made with the data folder,"
                " or correct the setting vault.key_file."
            )
        if state.st_mode & 0o077:
            raise Fault(f"Others may read the vault's key file {path}. Run: chmod 600 {path}")
        key = os.read(descriptor, _KEY_LENGTH + 1)
    finally:
        os.close(descriptor)
    if len(key) != _KEY_LENGTH:
        raise Fault(
            f"The vault's key file {path} does not hold a key: it has {state.st_size} bytes instead of {_KEY_LENGTH}. "
            "Put back the one that was made with the data folder."
        )
    return key


def _subkey(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_LENGTH, salt=None, info=purpose).derive(key)


def _place(table: str, column: str, row: str) -> bytes:
    """Each part led by its length, so that no two places are spelled alike."""
    parts = [part.encode() for part in (table, column, row)]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _decrypt(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    """Raises InvalidTag for whatever does not open."""
    if len(sealed) < _SHORTEST or not sealed.startswith(_FORMAT):
        raise InvalidTag
    nonce = sealed[len(_FORMAT) : len(_FORMAT) + _NONCE_LENGTH]
    return cipher.decrypt(nonce, sealed[len(_FORMAT) + _NONCE_LENGTH :], associated)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
