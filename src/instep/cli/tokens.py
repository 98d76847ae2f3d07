"""`instep tokens`: hardware tokens in an account's inventory."""

from __future__ import annotations

from pathlib import Path

import click

from instep.app import Service
from instep.cli.folder import Folder, account_of, account_option, ask, with_folder
from instep.cli.output import print_json, print_table, table_option, waiting
from instep.domain import token_file
from instep.domain.identity import Principal
from instep.domain.mfa import ListedDevice
from instep.domain.token_file import Row
from instep.services.faults import Fault
from instep.services.operator.model import INSTEP
from instep.services.operator.tokens import ImportRefused
from instep.services.ports import Transaction

# Some hundred thousand rows; what is larger is no token file.
LARGEST_FILE = 32 * 1024 * 1024
_PAGE = 1000


@click.group()
def tokens() -> None:
    """Hardware tokens, as their vendor delivers them."""


@tokens.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@account_option
@table_option
@with_folder
@click.pass_context
def import_(ctx: click.Context, folder: Folder, file: Path, account: str | None, output: str) -> None:
    """Put the tokens of FILE into the account's inventory: all of them, or none when one row is bad.

    Rows are serial,seed,TOTP,digits,period and, where it is not SHA1, the algorithm as a sixth column: seeds hexadecimal or
    base32, six digits, 30 or 60 seconds.  Semicolons or tabs may stand for the commas.  FILE may be - for standard input.
    """
    text = _read(file)
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        try:
            with waiting("Importing tokens…"):
                ask(service, Principal.operator(account_id), INSTEP, "ImportTokens", Csv=text)
        except ImportRefused as refusal:
            _report(account_id, refusal.rows, output, imported=False)
            click.echo(f"Error: {refusal.message}", err=True)
            ctx.exit(1)
    rows = token_file.read(text)
    _report(account_id, rows, output, imported=True)
    click.echo(f"{len(rows)} tokens are now in the inventory of account {account_id}.", err=True)


def _report(account_id: str, rows: list[Row], output: str, *, imported: bool) -> None:
    """Row by row; never a seed: of a row that has one in the wrong place, only the line is named."""
    if output == "json":
        told = [
            {"line": row.line, "serial_number": row.serial_number or None, "imported": imported, "problem": row.problem}
            for row in rows
        ]
        print_json({"account_id": account_id, "imported": imported, "rows": told})
        return
    good = "imported" if imported else "good, but not imported"
    print_table(("LINE", "SERIAL", "RESULT"), [(str(row.line), row.serial_number or "-", row.problem or good) for row in rows])


def _read(file: Path) -> str:
    """Raises Fault for what is too large or no text."""
    with click.open_file(str(file), "rb") as stream:
        data: bytes = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Fault(f"{file} is larger than {LARGEST_FILE // (1024 * 1024)} MiB; split it.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Fault(f"{file} is not text in UTF-8. Save it as CSV in UTF-8.") from None


@tokens.command("list")
@account_option
@table_option
@with_folder
def list_(folder: Folder, account: str | None, output: str) -> None:
    """List the account's hardware tokens, who holds them and since when."""
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        found = _inventory(service, account_id)
        holders = {device.holder_id for device in found if device.holder_id is not None}
        users = service.store.read(lambda tx: tx.users.find_many(account_id, holders))
    names = {account_id: "root user", **{user_id: user.user_name for user_id, user in users.items()}}
    rows = [(device, names.get(device.holder_id or "")) for device in found]
    if output == "json":
        print_json(
            [
                {
                    "serial_number": device.serial_number,
                    "state": _state(device),
                    "holder": holder,
                    "enabled_at": device.enabled_at.strftime("%Y-%m-%dT%H:%M:%SZ") if device.enabled_at else None,
                }
                for device, holder in rows
            ]
        )
    else:
        print_table(
            ("SERIAL", "STATE", "HOLDER", "SINCE"),
            [
                (
                    device.serial_number,
                    _state(device),
                    holder or "-",
                    device.enabled_at.strftime("%Y-%m-%d") if device.enabled_at and device.holder_id else "-",
                )
                for device, holder in rows
            ],
        )


def _inventory(service: Service, account_id: str) -> list[ListedDevice]:
    found: list[ListedDevice] = []

    def look(tx: Transaction) -> list[ListedDevice]:
        return tx.mfa_devices.list_hardware(account_id, after=found[-1].serial_number if found else None, limit=_PAGE)

    while page := service.store.read(look):
        found += page
    return found


def _state(device: ListedDevice) -> str:
    return "free" if device.holder_id is None else "held"
