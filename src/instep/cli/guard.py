"""`instep guard`: the ceiling over a whole account, its root user included."""

from __future__ import annotations

from typing import TextIO

import click

from instep.cli.folder import Folder, account_of, account_option, ask, with_folder
from instep.cli.output import print_document
from instep.domain.identity import Principal
from instep.services.faults import Fault
from instep.services.operator.model import INSTEP, GetGuardPolicyResponse


@click.group()
def guard() -> None:
    """The guard policy: what it does not allow, nobody in the account may do, the root user included.

    An account without one is not limited.  It is a policy document as any other; begin with one that allows everything and deny
    what shall never happen.
    """


@guard.command("set")
@click.argument("document", type=click.File(encoding="utf-8"))
@account_option
@with_folder
def set_(folder: Folder, document: TextIO, account: str | None) -> None:
    """Set it to the policy in the file DOCUMENT ("-" for standard input)."""
    try:
        text = document.read()
    except UnicodeDecodeError:
        raise Fault("The file is not UTF-8 text.") from None
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        ask(service, Principal.operator(account_id), INSTEP, "PutGuardPolicy", PolicyDocument=text)
    click.echo(f"The guard policy of {account_id} is set.")


@guard.command()
@account_option
@with_folder
def show(folder: Folder, account: str | None) -> None:
    """Print it as it was set."""
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        found: GetGuardPolicyResponse = ask(service, Principal.operator(account_id), INSTEP, "GetGuardPolicy")
    if found.policy_document is None:
        click.echo(f"{account_id} has no guard policy: nothing is limited.", err=True)
    else:
        print_document(found.policy_document.rstrip("\n") + "\n")


@guard.command()
@account_option
@with_folder
def remove(folder: Folder, account: str | None) -> None:
    """Remove it: nothing is limited any more."""
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        found: GetGuardPolicyResponse = ask(service, Principal.operator(account_id), INSTEP, "GetGuardPolicy")
        if found.policy_document is not None:
            ask(service, Principal.operator(account_id), INSTEP, "DeleteGuardPolicy")
    if found.policy_document is None:
        click.echo(f"{account_id} has no guard policy: nothing is limited.", err=True)
    else:
        click.echo(f"The guard policy of {account_id} is removed.")
