"""Temporary credentials kept until they expire, for their owner's eyes only."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

# Programs ask again some minutes before their credentials expire; what would not outlast that is not given out again.
_SPARE = timedelta(minutes=5)
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Session:
    """What GetSessionToken gave out.  `expires_at` is aware."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires_at: datetime

    def for_process(self) -> dict[str, Any]:
        """As credential_process has to print it (AWS SDKs and Tools Reference Guide, "Process credential provider")."""
        return {
            "Version": 1,
            "AccessKeyId": self.access_key_id,
            "SecretAccessKey": self.secret_access_key,
            "SessionToken": self.session_token,
            "Expiration": self.expires_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What a kept session was asked for with; an empty serial number stands for the only device there is."""

    endpoint_url: str
    access_key_id: str
    serial_number: str

    @property
    def name(self) -> str:
        """Fit for a file, whatever stands in a serial number."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:32]


def cache_folder() -> Path:
    """`instep` in XDG_CACHE_HOME, else in ~/.cache (XDG Base Directory Specification: a relative one does not count)."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "instep"


class SessionCache:
    """One file for each key.  A file that is damaged, open to others or somebody else's counts as none.

    So does a whole folder that is a link or somebody else's: XDG_CACHE_HOME may be a place where others write.
    """

    def __init__(self, folder: Path, key: SessionKey) -> None:
        self._folder = folder
        self._key = key

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While others who want the same session wait, so that one of them asks for a code.  Raises OSError."""
        with self._made_folder() as folder:
            name = f"{self._key.name}.lock"
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def load(self, now: datetime) -> Session | None:
        """The session kept, if it lasts a while yet."""
        try:
            kept = json.loads(self._read())
            if kept["version"] != _VERSION or kept["key"] != asdict(self._key):
                return None
            session = Session(
                access_key_id=str(kept["session"]["access_key_id"]),
                secret_access_key=str(kept["session"]["secret_access_key"]),
                session_token=str(kept["session"]["session_token"]),
                expires_at=datetime.fromisoformat(kept["session"]["expires_at"]),
            )
            return session if now + _SPARE < session.expires_at else None
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            # Also for a time without a zone, which cannot be compared with ours.
            return None

    def save(self, session: Session) -> None:
        """As a whole or not at all.  Raises OSError."""
        kept = {
            "version": _VERSION,
            "key": asdict(self._key),
            "session": {**asdict(session), "expires_at": session.expires_at.isoformat()},
        }
        with self._made_folder() as folder:
            temporary = f".{secrets.token_hex(8)}.tmp"
            # The file is 0600 from its first byte.
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(kept, file)
                os.replace(temporary, self._name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise

    @property
    def _name(self) -> str:
        return f"{self._key.name}.json"

    @contextmanager
    def _made_folder(self) -> Iterator[int]:
        """Its descriptor, for the owner alone.  Raises OSError."""
        # One after the other: `mkdir(parents=True)` would make those above with everybody's rights.
        for path in reversed([path for path in (self._folder, *self._folder.parents) if not path.exists()]):
            # Where a link leads nowhere there is something, although nothing exists.
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
        with self._opened_folder() as folder:
            # Were it there already, with more rights, `mkdir` left it so.
            os.fchmod(folder, 0o700)
            yield folder

    @contextmanager
    def _opened_folder(self) -> Iterator[int]:
        """Its descriptor: what is done through that stays in this folder, whatever others put in its place.  Raises OSError."""
        # Asked by itself only for the words: opening a link would call it "Not a directory".
        if self._folder.is_symlink():
            raise OSError(errno.ELOOP, f"{self._folder} is a link")
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(folder).st_uid != os.geteuid():
                raise PermissionError(errno.EPERM, f"{self._folder} is somebody else's")
            yield folder
        finally:
            os.close(folder)

    def _read(self) -> bytes:
        with self._opened_folder() as folder:
            descriptor = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise PermissionError
            return file.read()
