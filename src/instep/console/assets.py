"""Style sheets, scripts and pictures under addresses that change when any of them does, so browsers may keep them for good."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePosixPath

_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """`files` by name.  `base` stands before every address and ends in a slash; `digest` is of all files together.

    One digest in the folder's place, not one in each name: modules import one another by names that need no rewriting.
    """

    base: str
    digest: str
    files: Mapping[str, Asset]

    def address(self, name: str) -> str:
        """Where the browser finds `name`.  Raises KeyError when there is no such file: a template is wrong."""
        if name not in self.files:
            raise KeyError(name)
        return f"{self.base}{self.digest}/{name}"

    def find(self, path: str) -> Asset | None:
        """The file at `path`, which is what follows the base; None for what there is not, or no longer."""
        digest, _, name = path.partition("/")
        return self.files.get(name) if digest == self.digest else None


def read_assets(base: str = "/static/") -> Assets:
    """Everything in the package's folder `static`."""
    folder = resources.files("instep.console") / "static"
    files = {
        entry.name: Asset(_CONTENT_TYPES[PurePosixPath(entry.name).suffix], entry.read_bytes())
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if PurePosixPath(entry.name).suffix in _CONTENT_TYPES
    }
    total = hashlib.sha256()
    for name, asset in files.items():
        total.update(f"{name}\0{len(asset.content)}\0".encode() + asset.content)
    return Assets(base, total.hexdigest()[:16], files)
