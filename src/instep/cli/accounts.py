"""`instep account`: accounts, each an installation's world of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from instep.app import Service
from instep.cli.folder import Folder, all_accounts, ask, with_folder
from instep.cli.output import output_option, print_json, print_table, table_option
from instep.domain import ids
from instep.domain.identity import Principal
from instep.services.operator.model import INSTEP, CreateAccountResponse


@dataclass(frozen=True, slots=True)
class NewAccount:
    """A new account, its root user's password and its administrator's access key, for the only time they are shown."""

    account_id: str
    alias: str | None
    root_email: str
    root_password: str = field(repr=False)
    user_name: str
    access_key_id: str
    secret_access_key: str = field(repr=False)

    def facts(self) -> dict[str, str | None]:
        return {
            "account_id": self.account_id,
            "alias": self.alias,
            "root_email": self.root_email,
            "root_password": self.root_password,
            "user_name": self.user_name,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key,
        }

    def lines(self) -> list[str]:
        alias = f" · alias {self.alias}" if self.alias else ""
        key = f"AWS access key {self.access_key_id} · secret access key {self.secret_access_key}"
        return [
            f"account {self.account_id}{alias} · root e-mail {self.root_email} · root password {self.root_password} (shown once)",
            f"IAM user {self.user_name} · {key} (shown once)",
        ]


def new_account(service: Service, *, account_id: str | None, alias: str | None, root_email: str | None) -> NewAccount:
    """Raises EntityAlreadyExists for an id, alias or e-mail that is taken, ValidationError for one that does not fit."""
    account_id = account_id or ids.account_id(service.random)
    # Nobody's mailbox, ever (RFC 6761), and like the id there is only one of it.
    root_email = root_email or f"root@{account_id}.localhost"
    optional = {"AccountAlias": alias} if alias else {}
    made: CreateAccountResponse = ask(
        service,
        Principal.operator(account_id),
        INSTEP,
        "CreateAccount",
        AccountId=account_id,
        RootEmail=root_email,
        **optional,
    )
    return NewAccount(account_id, alias, root_email, made.password, made.user_name, made.access_key_id, made.secret_access_key)


account_id_option = click.option("--account-id", metavar="DIGITS", help="Twelve digits.  [default: random]")
alias_option = click.option("--alias", help="A name for the account.")
root_email_option = click.option("--root-email", metavar="ADDRESS", help="[default: root@ID.localhost]")


@click.group()
def account() -> None:
    """Accounts.  None ever sees another."""


@account.command()
@account_id_option
@alias_option
@root_email_option
@output_option
@with_folder
def create(folder: Folder, account_id: str | None, alias: str | None, root_email: str | None, output: str) -> None:
    """Make an account, and show its root user's password and its administrator's access key this once."""
    with folder.service() as service:
        made = new_account(service, account_id=account_id, alias=alias, root_email=root_email)
        # Told before anything else can go wrong: nobody can ask for it again.
        if output == "json":
            print_json(made.facts())
        else:
            click.echo("\n".join(made.lines()))


@account.command("list")
@table_option
@with_folder
def list_(folder: Folder, output: str) -> None:
    """List the accounts of this installation."""
    with folder.service() as service:
        accounts = all_accounts(service)
        roots = service.store.read(lambda tx: {one.account_id: tx.accounts.root_of(one.account_id) for one in accounts})
    rows = []
    for one in accounts:
        root = roots[one.account_id]
        rows.append((one.account_id, one.alias, root.email if root else None, one.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")))
    if output == "json":
        print_json([dict(zip(("account_id", "alias", "root_email", "created_at"), row, strict=True)) for row in rows])
    else:
        print_table(("ACCOUNT", "ALIAS", "ROOT E-MAIL", "CREATED"), [[cell or "-" for cell in row] for row in rows])
