"""What commands print: tables for people, JSON for scripts, steps and waiting on standard error."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

output_option = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What is printed on standard output."
)
table_option = click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="What is printed."
)

_UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def command_to_type() -> str:
    """`instep`, or where it is when the shell would not find it: `./up` keeps it in an environment of its own."""
    beside = Path(sys.executable).with_name("instep")
    if shutil.which("instep") is not None or not beside.exists():
        return "instep"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def print_json(value: Any) -> None:
    click.echo(json.dumps(value))


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """On a terminal as wide as it is; else plain columns, each line whole, for grep and its like."""
    cleaned = [[plain(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(headings, cleaned)
        return
    table = [list(headings), *cleaned]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_rich(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    # Imported where they are used: `instep serve` and every pipe do without.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        # As Text: brackets in a name are no markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def plain(text: str) -> str:
    """Without what a terminal would obey: names and user agents are strangers' words."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def print_document(text: str) -> None:
    """As it is, so that it can be kept in a file; on a terminal line by line, without what that would obey."""
    if sys.stdout.isatty():
        # `splitlines` would break lines at control characters as well.
        text = "\n".join(plain(line.removesuffix("\r").expandtabs()) for line in text.split("\n"))
    sys.stdout.write(text)


def describe_drift(drift: timedelta) -> str:
    """`20 minutes slow`, `1 hour 30 minutes fast`, `on time`."""
    seconds = round(abs(drift).total_seconds())
    if not seconds:
        return "on time"
    words = []
    for unit, length in _UNITS.items():
        count, seconds = divmod(seconds, length)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return f"{' '.join(words)} {'slow' if drift < timedelta(0) else 'fast'}"


def rough_drift(drift: timedelta) -> str:
    """`20 min slow`, `9 h fast`, `on time`: to the minute, as two codes tell a clock's time to half a period of theirs."""
    seconds = round(abs(drift).total_seconds())
    if seconds < 15:
        return "on time"
    if seconds < 90:
        words = [f"{seconds} s"]
    else:
        hours, minutes = divmod(round(seconds / 60), 60)
        days, hours = divmod(hours, 24)
        words = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return f"{' '.join(words)} {'slow' if drift < timedelta(0) else 'fast'}"


def step(name: str, what: str) -> None:
    """One line for one thing done."""
    click.echo(f"{name:<8} {what}", err=True)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something takes its time."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415

    with Console(stderr=True).status(what):
        yield
