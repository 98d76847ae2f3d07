"""`instep device`: software tokens with clocks of their own, each in a file, to practise with."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import click

from instep.cli.folder import Folder, with_folder
from instep.cli.output import describe_drift, output_option, print_json
from instep.cli.qr import read_qr
from instep.cli.shelf import Shelf
from instep.domain.practice import FARTHEST, PracticeDevice
from instep.domain.totp import Algorithm, Token, UnusableToken
from instep.settings import duration

LONGEST_SECRET = 4096


class _Length(click.ParamType[timedelta]):
    """A length of time with a sign, such as -20m, 1h30m or +45s."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            length = duration(str(value), signed=True)
        except ValueError:
            self.fail(f"{value!r} is no length of time such as -20m, 1h30m or +45s.", param, ctx)
        if abs(length) > FARTHEST:
            self.fail("A practice device is at most ten years off.", param, ctx)
        return length


@click.group()
def device() -> None:
    """Practice devices: software tokens whose clocks may wander."""


@device.command()
@click.argument("name")
@click.option("--secret", metavar="BASE32", help="The seed.  Others on this machine can see it: rather use --secret-file.")
@click.option("--uri", metavar="ADDRESS", help="An otpauth://totp/… address.  As visible to others as --secret.")
@click.option("--qr", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A PNG or JPEG with the QR code.")
@click.option(
    "--secret-file", type=click.File("rb"), metavar="FILE", help="A file with the seed or the address; - reads standard input."
)
@click.option("--drift", type=_Length(), default="0", help="How far its clock is off: -20m is twenty minutes slow.")
@click.option("--period", type=click.Choice(["30", "60"]), help="Seconds a code lives, when only a seed is given.  [default: 30]")
@click.option(
    "--algorithm",
    type=click.Choice([str(one) for one in Algorithm], case_sensitive=False),
    help="Likewise.  [default: SHA1]",
)
@with_folder
def new(
    folder: Folder,
    name: str,
    secret: str | None,
    uri: str | None,
    qr: Path | None,
    secret_file: BinaryIO | None,
    drift: timedelta,
    period: str | None,
    algorithm: str | None,
) -> None:
    """Make the device NAME from a seed, an otpauth address or a QR code.

    Other users of this machine can read a command's arguments (with ps); a seed that matters comes from a file or standard input:

        instep device new phone --secret-file - < seed.txt
    """
    if sum(one is not None for one in (secret, uri, qr, secret_file)) != 1:
        raise click.UsageError("Give one of --secret, --uri, --qr and --secret-file.")
    if qr is not None:
        uri = read_qr(qr)
    if secret_file is not None:
        secret = _read_secret(secret_file)
        if secret.lower().startswith("otpauth:"):
            secret, uri = None, secret
    if uri is not None:
        if period or algorithm:
            raise click.UsageError("An otpauth address brings its own period and algorithm: leave out --period and --algorithm.")
        token = Token.from_uri(uri)
    else:
        token = Token.from_base32(secret or "", algorithm=Algorithm((algorithm or "SHA1").upper()), period=int(period or 30))
    made = PracticeDevice(name, token, drift)
    _shelf(folder).add(made)
    click.echo(f"Device {name} is ready: {describe_drift(drift)}, a new code every {token.period} seconds.")


@device.command()
@click.argument("name")
@click.option("--next", "coming", is_flag=True, help="The code after the one it shows now.")
@output_option
@with_folder
def code(folder: Folder, name: str, coming: bool, output: str) -> None:
    """Show the code of the device NAME, and the seconds it still lives."""
    shown = _shelf(folder).load(name)
    now = folder.around.clock()
    left = shown.seconds_left(now)
    digits = shown.next_code(now) if coming else shown.code(now)
    ends = left + shown.token.period if coming else left
    if output == "json":
        print_json({"code": digits, "seconds_left": ends, "starts_in": left if coming else 0})
    elif coming:
        click.echo(f"{digits}  {ends} s left, shown in {left} s")
    else:
        click.echo(f"{digits}  {ends} s left")


@device.command()
@click.argument("name")
@with_folder
def watch(folder: Folder, name: str) -> None:
    """Show the codes of the device NAME as they come; Ctrl-C ends it."""
    shelf = _shelf(folder)
    live = sys.stdout.isatty()
    last = ""
    try:
        while True:
            # Read anew each time, so that `instep device drift` in another window shows here.
            shown = shelf.load(name)
            now = folder.around.clock()
            digits, left = shown.code(now), shown.seconds_left(now)
            if live:
                click.echo(f"\r{digits}  {left:2d} s left  (then {shown.next_code(now)}) ", nl=False)
            elif digits != last:
                click.echo(f"{digits}  {left} s left")
            last = digits
            # To the device's next full second: its clock may tick between ours.
            folder.around.pause(1 - ((now + shown.drift).microsecond / 1_000_000))
    except KeyboardInterrupt:
        click.echo()


@device.command("list")
@with_folder
def list_(folder: Folder) -> None:
    """List the devices and how far each is off."""
    shelf = _shelf(folder)
    names = shelf.names()
    if not names:
        click.echo("There is no practice device yet.  Make one: instep device new NAME --secret-file FILE")
    for name in names:
        one = shelf.load(name)
        click.echo(f"{name}  {one.token.algorithm}, {one.token.period} s, {describe_drift(one.drift)}")


# An argument such as -20m is a length of time here, not an option nobody knows.
@device.command("drift", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("drift", type=_Length())
@with_folder
def set_drift(folder: Folder, name: str, drift: timedelta) -> None:
    """Let the clock of the device NAME be off by DRIFT: -20m is twenty minutes slow, 0 is right."""
    shelf = _shelf(folder)
    shelf.save(replace(shelf.load(name), drift=drift))
    click.echo(f"Device {name} is {describe_drift(drift)} now.")


def _shelf(folder: Folder) -> Shelf:
    return Shelf(folder.settings().data)


def _read_secret(file: BinaryIO) -> str:
    data = file.read(LONGEST_SECRET + 1)
    if len(data) > LONGEST_SECRET:
        raise UnusableToken(f"A seed or an address has at most {LONGEST_SECRET} bytes.")
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UnusableToken("What was read is not text.") from None
