"""The person's terminal: lines that are typed, while the line above the prompt goes on changing."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from math import ceil
from typing import Self, TextIO

import click

_BAR = 8
# Save the cursor, go to the line above and clear it; afterwards back to where the person is typing.
_ABOVE, _BACK = "\x1b7\x1b[1A\r\x1b[K", "\x1b8"


def _readable(keyboard: int, seconds: float | None) -> bool:
    return bool(select.select([keyboard], [], [], seconds)[0])


class Terminal:
    """Reads whole lines, as the terminal itself lets people correct what they type.

    `ready` waits so many seconds (None: for ever) until a line can be read, and says whether one can.  `environment` tells what
    the terminal can do (TERM, NO_COLOR).
    """

    def __init__(
        self,
        keyboard: int,
        screen: TextIO,
        ready: Callable[[int, float | None], bool] = _readable,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._keyboard = keyboard
        # Imported where it is used: no other command waits for it to load.
        from rich.console import Console  # noqa: PLC0415

        self._screen = screen
        self._ready = ready
        self._typed = b""
        self._console = Console(file=screen, force_terminal=True, _environ=environment)

    @classmethod
    def of_person(cls) -> Self | None:
        """The one that somebody sits at; None in a script.  Standard output may go elsewhere."""
        if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        return cls(sys.stdin.fileno(), sys.stderr)

    @classmethod
    @contextmanager
    def controlling(cls) -> Iterator[Self]:
        """That of the session, whatever standard input and output are.  Raises OSError when there is none."""
        with open("/dev/tty", "rb", buffering=0) as keyboard, open("/dev/tty", "w", errors="replace") as screen:  # noqa: PTH123
            yield cls(keyboard.fileno(), screen)

    def say(self, text: str) -> None:
        self._write(f"{text}\n")

    def line(self, prompt: str, above: Callable[[], tuple[str, float | None]] | None = None) -> str:
        """What is typed after `prompt`.  `above` is the line above it now, and the seconds until that changes (None: never).

        Raises click.Abort when the terminal is closed, or Ctrl-D typed.
        """
        self._write(prompt)
        while b"\n" not in self._typed:
            seconds = None
            if above is not None:
                text, seconds = above()
                self._write_above(text)
            if self._ready(self._keyboard, seconds):
                self._read()
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace")

    def bar(self, left: float, of: float) -> str:
        """`left` of `of`, as wide as eight letters at most."""
        from rich.progress_bar import ProgressBar  # noqa: PLC0415

        with self._console.capture() as captured:
            self._console.print(ProgressBar(total=of, completed=left, width=_BAR), end="")
        return captured.get()

    def _read(self) -> None:
        part = b""
        # EIO: the terminal is gone.
        with suppress(OSError):
            part = os.read(self._keyboard, 4096)
        if not part:
            raise click.Abort
        self._typed += part

    def _write_above(self, text: str) -> None:
        # In a line that wraps, "above" would be somebody else's line.
        if not self._console.is_dumb_terminal and len(click.unstyle(text)) < self._columns():
            self._write(f"{_ABOVE}{text}{_BACK}")

    def _columns(self) -> int:
        # A terminal that does not know its width says 0.
        return os.get_terminal_size(self._keyboard).columns or 80

    def _write(self, text: str) -> None:
        self._screen.write(text)
        self._screen.flush()


class Countdown:
    """To the moment by which a device has shown another code, bound to when the person entered the one before."""

    def __init__(self, terminal: Terminal, clock: Callable[[], datetime], seconds: int) -> None:
        self._terminal = terminal
        self._clock = clock
        self._seconds = seconds
        self._started = clock()

    def after(self, words: str) -> tuple[str, float | None]:
        """`words` and the time left, down to 0 s; then the seconds until that reads otherwise (None: it stays)."""
        # Within bounds, as the computer's clock may be set meanwhile.
        left = min(max(self._seconds - (self._clock() - self._started).total_seconds(), 0), self._seconds)
        shown = ceil(left)
        return f"{words} {self._terminal.bar(shown, self._seconds)} {shown} s", left - (shown - 1) if shown else None
