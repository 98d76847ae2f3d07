"""Disks that can be filled: a small one, mounted for the test, or a limit on the server's files, which looks much the same."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.support.server import Server

_SYS_ADMIN = 21  # CAP_SYS_ADMIN's number, capability(7)
_MIB = 1024 * 1024


class Disk(Protocol):
    """`folder` lies on it."""

    folder: Path

    def fill(self, server: Server) -> None:
        """From now on no file of the server grows by much."""

    def free(self, server: Server) -> None:
        """There is room again; the server may have ended meanwhile."""


class SmallDisk:
    """A file system of its own, in memory, of a few megabytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self, server: Server) -> None:
        with self._filler.open("wb", buffering=0) as filler:
            for size in (_MIB, 4096, 1):
                with suppress(OSError):
                    while True:
                        filler.write(bytes(size))
        assert shutil.disk_usage(self.folder).free == 0

    def free(self, server: Server) -> None:
        self._filler.unlink()


class LimitedFiles:
    """RLIMIT_FSIZE on every process of the server: writing beyond it fails as on a disk that is full (EFBIG for ENOSPC)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._limited: list[int] = []

    def fill(self, server: Server) -> None:
        log = server.data / "instep.db-wal"
        # Standard error is a file here too, and short: a limit above what either holds now leaves it room.
        size = max(log.stat().st_size, server.log.stat().st_size) + 256 * 1024
        self._limited = processes(server.pid)
        for pid in self._limited:
            # The soft limit alone, so that it can be lifted again.
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def free(self, server: Server) -> None:
        for pid in self._limited:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def kinds() -> list[str]:
    """Those that this machine lets us have; a mount takes an administrator."""
    capabilities = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:"))
    may_mount = int(capabilities.split()[1], 16) >> _SYS_ADMIN & 1
    return ["small disk", "limited files"] if may_mount else ["limited files"]


@contextmanager
def disk(kind: str, folder: Path) -> Iterator[Disk]:
    if kind == "limited files":
        yield LimitedFiles(folder)
        return
    place = folder / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "none", str(place)], check=True, capture_output=True)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)


def processes(pid: int) -> list[int]:
    """`pid` and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(descendant for child in children for descendant in processes(int(child)))]
