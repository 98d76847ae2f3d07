"""Two consecutive codes, as somebody reads them off a device."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import click

from instep.cli.terminal import Countdown, Terminal

# Most devices'.  Those with 60 s show their next code later, and whoever holds one sees it.
_PERIOD = 30
_BETWEEN = re.compile(r"[\s-]+")
_CODE = re.compile(r"[0-9]{6}")
NO_CODE = "A code is six digits."


def normalized(text: str) -> str | None:
    """The code that was meant: Japanese keyboards write full-width digits, and devices show a gap in the middle.  None: none."""
    code = _BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    return code if _CODE.fullmatch(code) else None


class Code(click.ParamType[str]):
    """As an option; what was typed is not repeated where it is wrong."""

    name = "CODE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        code = normalized(str(value))
        if code is None:
            self.fail(NO_CODE, param, ctx)
        return code


def ask_code(terminal: Terminal, prompt: str) -> str:
    while (code := normalized(terminal.line(prompt))) is None:
        terminal.say(NO_CODE)
    return code


def ask_pair(terminal: Terminal, clock: Callable[[], datetime]) -> tuple[str, str]:
    """Both codes; between them a countdown, during which the second may be typed as soon as the device shows it."""
    first = ask_code(terminal, "Code 1: ")
    countdown = Countdown(terminal, clock, _PERIOD)
    words = f"Code 1: {first}    wait for the next code …"
    while True:
        second = normalized(terminal.line("Code 2: ", above=partial(countdown.after, words)))
        if second is not None and second != first:
            return first, second
        words = NO_CODE if second is None else "That is the first code again; wait for the next one."
        terminal.say(words)
