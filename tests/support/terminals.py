"""What stands on a terminal's screen, and people who sit at one."""

from __future__ import annotations

import os
import pty
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.server import PATIENCE

_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[78]")
# Makes the terminal the process's own, as a login does, whatever its standard streams are.
_AT_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0); os.execv(sys.argv[2], sys.argv[2:])"
)


def screen(written: str) -> list[str]:
    """The lines on a screen as tall as need be, once `written` was sent there."""
    lines, row, column, saved = [""], 0, 0, (0, 0)
    position = 0
    while position < len(written):
        found = _SEQUENCE.match(written, position)
        position = found.end() if found else position + 1
        match found.group() if found else written[position - 1]:
            case "\n":
                row += 1
                lines += [""] * (row + 1 - len(lines))
            case "\r":
                column = 0
            case "\x1b7":
                saved = row, column
            case "\x1b8":
                row, column = saved
            case "\x1b[1A":
                row -= 1
            case "\x1b[K":
                lines[row] = lines[row][:column]
            case letter if len(letter) == 1:
                lines[row] = lines[row][:column].ljust(column) + letter + lines[row][column + 1 :]
                column += 1
            case sequence:
                # Colors move nothing; anything else would have to be understood.
                assert sequence.endswith("m"), repr(sequence)
    return [line.rstrip() for line in lines]


class Seat:
    """A command at a pseudo-terminal, and somebody who types.

        with Seat(command, environment) as seat:
            seat.sees("Code 1: ")
            seat.types("123456")

    With `piped` only the terminal itself is there (as /dev/tty): standard input is empty, output and errors go to `output`
    and `errors`.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, *, piped: bool = False) -> None:
        self._master, slave = pty.openpty()
        self._written = b""
        self._looked = 0
        streams = (subprocess.DEVNULL, subprocess.PIPE, subprocess.PIPE) if piped else (slave, slave, slave)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _AT_TERMINAL, str(slave), *command],
            cwd=folder,
            env={**environment, "TERM": "xterm", "COLUMNS": "120"},
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            pass_fds=[slave],
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(PATIENCE)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        os.close(self._master)

    @property
    def screen(self) -> list[str]:
        return screen(self._written.decode())

    def sees(self, text: str) -> None:
        """Returns once `text` was written since the last look; the test fails if that never comes."""
        before, deadline = len(self._written), time.monotonic() + PATIENCE
        while text.encode() not in self._written[self._looked :]:
            assert self._read(deadline), f"{text!r} did not come, but {self._written[before:]!r}"
        self._looked = self._written.index(text.encode(), self._looked) + len(text.encode())

    def types(self, text: str) -> None:
        os.write(self._master, f"{text}\n".encode())

    def leaves(self) -> int:
        """The exit status, once the command has ended by itself."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self._process.wait(PATIENCE)

    @property
    def output(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.read().decode()

    @property
    def errors(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read().decode()

    def _read(self, deadline: float) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            if not selector.select(deadline - time.monotonic()):
                return False
        try:
            part = os.read(self._master, 65536)
        except OSError:
            # EIO: the last one who had the terminal open has left.
            return False
        self._written += part
        return bool(part)
