"""`instep mfa`: people put their own devices back in step, with their AWS profile and over the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import click

from instep.cli.aws import AWS, Exit, Failed, drift_seconds, error_code, refusal_reason, with_aws
from instep.cli.output import output_option, plain, print_json, print_table, rough_drift, table_option
from instep.cli.pair import Code, ask_pair
from instep.cli.terminal import Terminal
from instep.domain.totp import PairRefusal

user_name_option = click.option("--user-name", metavar="NAME", help="Whose device it is.  [default: whose keys these are]")
serial_number_option = click.option(
    "--serial-number",
    "--serial",
    metavar="SERIAL",
    help="The device's ARN, or the number on a hardware token.  [default: the only one]",
)

_OWNERS_REFUSAL = (
    "The codes were refused. Wait for the next two codes and send them at once; if those are refused too, somebody else who may"
    " has to resynchronize the device."
)
_REFUSALS = {
    PairRefusal.REVERSED: "The newer code came first. Wait for the next two codes and send them in the order they are shown in.",
    PairRefusal.GAP: "The codes do not follow one another. Wait for the next two codes, then send them at once.",
    PairRefusal.SPENT: "One of the codes was used before. Wait for the next two codes, then send them at once.",
    PairRefusal.BEYOND_WINDOW: "The device's clock is farther off than is searched for. Set its clock right, then try again.",
    PairRefusal.NO_MATCH: (
        "These are not this device's codes. Check the serial number; if it is right, the device was set up anew:"
        " deactivate it and enable it again."
    ),
    PairRefusal.WAITING: "Too many pairs of codes were refused. Wait an hour or, if there were very many, until tomorrow.",
}


class Kind(StrEnum):
    VIRTUAL = "virtual"
    HARDWARE = "hardware"
    SECURITY_KEY = "security key"

    @classmethod
    def of(cls, serial_number: str) -> Kind:
        """AWS's lists do not say, but serial numbers tell: only hardware tokens have their vendor's."""
        if ":u2f/" in serial_number:
            return cls.SECURITY_KEY
        return cls.VIRTUAL if serial_number.startswith("arn:") else cls.HARDWARE


@click.group()
def mfa() -> None:
    """MFA devices, over the wire with your own AWS profile: of this service or of AWS."""


@mfa.command()
@user_name_option
@serial_number_option
@click.option("--code1", type=Code(), help="For scripts: the code the device shows.")
@click.option("--code2", type=Code(), help="And the one it shows next.")
@output_option
@with_aws
def resync(aws: AWS, user_name: str | None, serial_number: str | None, code1: str | None, code2: str | None, output: str) -> None:
    """Put a device back in step, by two codes that it shows one after the other.

    \b
    Ends with 0 when it is done, or
      1  something else failed         4  not permitted
      2  the command is wrong          5  no device, or several
      3  the codes were refused        6  the service cannot be reached
    """
    terminal = Terminal.of_person()
    codes = _given(code1, code2)
    if codes is None and terminal is None:
        raise Failed("Nobody is at a terminal to type codes: give --code1 and --code2.", Exit.USAGE)
    user_name = user_name or aws.user_name()
    serial_number = serial_number or only_device(aws, user_name, terminal)
    if codes is None and terminal is not None:
        terminal.say(f"Device {plain(serial_number)}")
        codes = ask_pair(terminal, aws.around.clock)
    drift = _resync(aws, user_name, serial_number, codes or ("", ""))
    if output == "json":
        print_json({"user_name": user_name, "serial_number": serial_number, "drift_seconds": drift})
    else:
        was = "" if drift is None else f" It was {rough_drift(timedelta(seconds=drift))}."
        click.echo(f"In step again.{was}")


def _given(code1: str | None, code2: str | None) -> tuple[str, str] | None:
    if code1 is None and code2 is None:
        return None
    if code1 is None or code2 is None:
        raise Failed("Give both --code1 and --code2, or neither.", Exit.USAGE)
    if code1 == code2:
        raise Failed("Both codes are the same; wait for the device to show the next one.", Exit.USAGE)
    return code1, code2


def _resync(aws: AWS, user_name: str, serial_number: str, codes: tuple[str, str]) -> int | None:
    """How many seconds the device is off, where the service says so.  Raises Failed when it refuses the codes."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    asked = {"UserName": user_name, "SerialNumber": serial_number}
    try:
        answer = aws.client("iam").resync_mfa_device(**asked, AuthenticationCode1=codes[0], AuthenticationCode2=codes[1])
    except ClientError as refusal:
        if error_code(refusal) != "InvalidAuthenticationCode":
            raise
        raise Failed(_explained(refusal_reason(refusal)), Exit.CODES_REFUSED) from None
    return drift_seconds(answer)


def _explained(reason: str | None) -> str:
    """Only those hear a reason who answer for somebody else's device."""
    if reason is None:
        return _OWNERS_REFUSAL
    try:
        return _REFUSALS[PairRefusal(reason)]
    except ValueError:
        return f"The codes were refused ({reason}). Wait for the next two codes, then send them at once."


def only_device(aws: AWS, user_name: str | None, terminal: Terminal | None) -> str:
    """The serial number of the one device that shows codes, or of the one that a person at a terminal chooses.

    Raises Failed when there is none, or there are several and nobody to ask.
    """
    listed = [device for device in aws.devices(user_name) if Kind.of(device["SerialNumber"]) is not Kind.SECURITY_KEY]
    serial_numbers = [str(device["SerialNumber"]) for device in listed]
    if not serial_numbers:
        raise Failed(f"{user_name or 'Whoever has these keys'} has no device that shows codes.", Exit.WHICH_DEVICE)
    if len(serial_numbers) == 1:
        return serial_numbers[0]
    if terminal is None:
        raise Failed(
            f"There are several devices; say with --serial-number which one is meant: {', '.join(serial_numbers)}.",
            Exit.WHICH_DEVICE,
        )
    for number, device in enumerate(listed, 1):
        terminal.say(f"{number:>3}  {plain(device['SerialNumber'])}  {_kind_and_date(device)}")
    return serial_numbers[_choice(terminal, len(listed))]


def _kind_and_date(device: dict[str, Any]) -> str:
    return f"{Kind.of(device['SerialNumber'])}, since {device['EnableDate']:%Y-%m-%d}"


def _choice(terminal: Terminal, count: int) -> int:
    while True:
        typed = terminal.line(f"Which device, 1 to {count}? ").strip()
        # Python reads full-width digits as well.
        if typed.isdecimal() and 1 <= int(typed) <= count:
            return int(typed) - 1


@mfa.command()
@user_name_option
@table_option
@with_aws
def status(aws: AWS, user_name: str | None, output: str) -> None:
    """Show the devices: since when they are enabled and, to those who may ask, how far each is off."""
    user_name = user_name or aws.user_name()
    rows = [(device, *_drift(aws, user_name, device["SerialNumber"])) for device in aws.devices(user_name)]
    if output == "json":
        print_json(
            [
                {
                    "user_name": user_name,
                    "serial_number": device["SerialNumber"],
                    "kind": str(Kind.of(device["SerialNumber"])),
                    "enabled_at": _utc(device["EnableDate"]),
                    "drift_seconds": seconds,
                    "drift_shown": shown,
                }
                for device, shown, seconds in rows
            ]
        )
    elif not rows:
        click.echo(f"{plain(user_name)} has no MFA device.")
    else:
        print_table(
            ("SERIAL NUMBER", "KIND", "ENABLED", "DRIFT"),
            [
                (
                    device["SerialNumber"],
                    str(Kind.of(device["SerialNumber"])),
                    _utc(device["EnableDate"]),
                    "-" if seconds is None and shown else _drift_in_words(seconds),
                )
                for device, shown, seconds in rows
            ],
        )


def _drift(aws: AWS, user_name: str, serial_number: str) -> tuple[bool, int | None]:
    """Whether the caller may ask how far it is off, and the seconds where the service knows."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    try:
        return True, drift_seconds(aws.client("iam").get_mfa_device(UserName=user_name, SerialNumber=serial_number))
    except ClientError as refusal:
        if error_code(refusal) != "AccessDenied":
            raise
        return False, None


def _drift_in_words(seconds: int | None) -> str:
    return "not shown to you" if seconds is None else rough_drift(timedelta(seconds=seconds))


def _utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
