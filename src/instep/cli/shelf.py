"""Where practice devices are kept."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from instep.domain.practice import PracticeDevice
from instep.domain.totp import UnusableToken

FOLDER = "devices"

# AWS's alphabet for device names; a leading dot or hyphen would hide the file or pass for an option.
_NAME = re.compile(r"[A-Za-z0-9_+=,@][A-Za-z0-9_+=,.@-]{0,127}\Z")


class Shelf:
    """The practice devices of one data folder: `devices/NAME.json`, for their owner's eyes only."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER

    def names(self) -> list[str]:
        """Raises OSError."""
        if not self._folder.is_dir():
            return []
        return sorted(path.stem for path in self._folder.glob("*.json") if _NAME.match(path.stem))

    def load(self, name: str) -> PracticeDevice:
        """Raises UnusableToken when there is none of that name or its file is damaged, OSError when it cannot be read."""
        try:
            text = self._path(name).read_text("utf-8")
        except FileNotFoundError:
            raise UnusableToken(f"There is no practice device {name}; `instep device list` shows those there are.") from None
        except UnicodeDecodeError:
            text = ""
        try:
            data = json.loads(text)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise UnusableToken(f"The file of the practice device {name} is damaged: it is not a JSON object.")
        return PracticeDevice.from_dict(data)

    def add(self, device: PracticeDevice) -> None:
        """Raises UnusableToken when there is one of that name already, OSError when it cannot be written."""
        if self._path(device.name).exists():
            raise UnusableToken(f"There is a practice device {device.name} already.")
        self.save(device)

    def save(self, device: PracticeDevice) -> None:
        """As a whole or not at all.  Raises UnusableToken for a name unfit for a file, OSError when it cannot be written."""
        path = self._path(device.name)
        # One after the other: `parents=True` would make the data folder with everybody's rights.
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        # Were it there already, with more rights, `mkdir` left it so.
        self._folder.chmod(0o700)
        # Made by mkstemp, the file is 0600 from its first byte.
        handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(device.to_dict(), file, indent=2)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _path(self, name: str) -> Path:
        if not _NAME.match(name):
            raise UnusableToken(
                "A device's name has 1 to 128 of the characters A-Z a-z 0-9 _+=,.@- and begins with neither . nor -"
            )
        return self._folder / f"{name}.json"
