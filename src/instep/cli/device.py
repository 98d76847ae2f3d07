"""`instep device`: software tokens with clocks of their own, each in a file, to practise with."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import click

from instep.domain.practice import FARTHEST, PracticeDevice
from instep.domain.totp import Algorithm, Token, UnusableToken

FOLDER = "devices"
# A photograph of a screen is well below these; a picture made to exhaust memory is not.
LARGEST_IMAGE_FILE = 16 * 1024 * 1024
LARGEST_IMAGE = 50_000_000
LONGEST_SECRET = 4096

# AWS's alphabet for device names; a leading dot or hyphen would hide the file or pass for an option.
_NAME = re.compile(r"[A-Za-z0-9_+=,@][A-Za-z0-9_+=,.@-]{0,127}\Z")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_LENGTH = re.compile(r"([+-]?)((?:[0-9]+[dhms])+|0)\Z")


def _utcnow() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a command takes from outside; `ctx.obj` may bring another."""

    clock: Callable[[], datetime] = _utcnow
    pause: Callable[[float], None] = time.sleep


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


@dataclass(frozen=True, slots=True)
class _Practice:
    shelf: Shelf
    clock: Callable[[], datetime]
    pause: Callable[[float], None]


class _Group(click.Group):
    """Words what goes wrong with files and tokens as one line, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UnusableToken as refusal:
            raise click.ClickException(str(refusal)) from None
        except OSError as trouble:
            raise click.ClickException(f"{trouble.filename or 'file'}: {trouble.strerror or trouble}") from None


class _Length(click.ParamType[timedelta]):
    """A length of time with a sign, such as -20m, 1h30m or +45s."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = _LENGTH.match(str(value))
        if match is None:
            self.fail(f"{value!r} is no length of time such as -20m, 1h30m or +45s.", param, ctx)
        seconds = sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]{1,12})([dhms])", match[2]))
        if seconds > FARTHEST.total_seconds():
            self.fail("A practice device is at most ten years off.", param, ctx)
        return timedelta(seconds=-seconds if match[1] == "-" else seconds)


_pass_practice = click.make_pass_decorator(_Practice)


@click.group(cls=_Group)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="INSTEP_DATA",
    default="instep-data",
    show_default=True,
    show_envvar=True,
    help="Data folder; devices live below it.",
)
@click.pass_context
def device(ctx: click.Context, data: Path) -> None:
    """Practice devices: software tokens whose clocks may wander."""
    around = Surroundings()
    ctx.obj = _Practice(Shelf(data), getattr(ctx.obj, "clock", around.clock), getattr(ctx.obj, "pause", around.pause))


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
@_pass_practice
def new(
    practice: _Practice,
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
    practice.shelf.add(made)
    click.echo(f"Device {name} is ready: {describe_drift(drift)}, a new code every {token.period} seconds.")


@device.command()
@click.argument("name")
@click.option("--next", "coming", is_flag=True, help="The code after the one it shows now.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_pass_practice
def code(practice: _Practice, name: str, coming: bool, output: str) -> None:
    """Show the code of the device NAME, and the seconds it still lives."""
    shown = practice.shelf.load(name)
    now = practice.clock()
    left = shown.seconds_left(now)
    digits = shown.next_code(now) if coming else shown.code(now)
    ends = left + shown.token.period if coming else left
    if output == "json":
        click.echo(json.dumps({"code": digits, "seconds_left": ends, "starts_in": left if coming else 0}))
    elif coming:
        click.echo(f"{digits}  {ends} s left, shown in {left} s")
    else:
        click.echo(f"{digits}  {ends} s left")


@device.command()
@click.argument("name")
@_pass_practice
def watch(practice: _Practice, name: str) -> None:
    """Show the codes of the device NAME as they come; Ctrl-C ends it."""
    live = sys.stdout.isatty()
    last = ""
    try:
        while True:
            # Read anew each time, so that `instep device drift` in another window shows here.
            shown = practice.shelf.load(name)
            now = practice.clock()
            digits, left = shown.code(now), shown.seconds_left(now)
            if live:
                click.echo(f"\r{digits}  {left:2d} s left  (then {shown.next_code(now)}) ", nl=False)
            elif digits != last:
                click.echo(f"{digits}  {left} s left")
            last = digits
            # To the device's next full second: its clock may tick between ours.
            practice.pause(1 - ((now + shown.drift).microsecond / 1_000_000))
    except KeyboardInterrupt:
        click.echo()


@device.command("list")
@_pass_practice
def list_(practice: _Practice) -> None:
    """List the devices and how far each is off."""
    names = practice.shelf.names()
    if not names:
        click.echo("There is no practice device yet.  Make one: instep device new NAME --secret-file FILE")
    for name in names:
        one = practice.shelf.load(name)
        click.echo(f"{name}  {one.token.algorithm}, {one.token.period} s, {describe_drift(one.drift)}")


# An argument such as -20m is a length of time here, not an option nobody knows.
@device.command("drift", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("drift", type=_Length())
@_pass_practice
def set_drift(practice: _Practice, name: str, drift: timedelta) -> None:
    """Let the clock of the device NAME be off by DRIFT: -20m is twenty minutes slow, 0 is right."""
    practice.shelf.save(replace(practice.shelf.load(name), drift=drift))
    click.echo(f"Device {name} is {describe_drift(drift)} now.")


def describe_drift(drift: timedelta) -> str:
    """`20m slow`, `1h30m fast`, `on time`."""
    seconds = round(abs(drift).total_seconds())
    if not seconds:
        return "on time"
    words = ""
    for unit, length in _UNITS.items():
        count, seconds = divmod(seconds, length)
        words += f"{count}{unit}" if count else ""
    return f"{words} {'slow' if drift < timedelta(0) else 'fast'}"


def read_qr(path: Path) -> str:
    """The otpauth address in a picture.

    Raises UnusableToken when there is none, or more than one; OSError when the file cannot be read.
    """
    # Imported here: no other command needs them, and they take longer to load than those take to run.
    import zxingcpp  # noqa: PLC0415
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    if path.stat().st_size > LARGEST_IMAGE_FILE:
        raise UnusableToken(f"{path} is larger than {LARGEST_IMAGE_FILE // 1024 // 1024} MiB.")
    grey = None
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            image = Image.open(path, formats=("PNG", "JPEG"))
        with image:
            # The header is read, the pixels are not yet.
            if image.width * image.height <= LARGEST_IMAGE:
                grey = image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        grey = None
    except (UnidentifiedImageError, SyntaxError, ValueError):
        raise UnusableToken(f"{path} is not a PNG or JPEG picture.") from None
    except OSError as trouble:
        if trouble.errno is not None:
            raise
        raise UnusableToken(f"The picture {path} is damaged.") from None
    if grey is None:
        raise UnusableToken(f"The picture {path} has more than {LARGEST_IMAGE // 1_000_000} million pixels.")
    texts = {found.text for found in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))}
    addresses = {text for text in texts if text.lower().startswith("otpauth://")}
    if not texts:
        raise UnusableToken(f"There is no QR code to be found in {path}.")
    if not addresses:
        raise UnusableToken(f"The QR code in {path} does not hold an otpauth address.")
    if len(addresses) > 1:
        raise UnusableToken(f"There are several otpauth addresses in {path}: cut out the one you mean.")
    return addresses.pop()


def _read_secret(file: BinaryIO) -> str:
    data = file.read(LONGEST_SECRET + 1)
    if len(data) > LONGEST_SECRET:
        raise UnusableToken(f"A seed or an address has at most {LONGEST_SECRET} bytes.")
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UnusableToken("What was read is not text.") from None
