"""`instep root`: access keys of an account's root user, whom no policy of the account limits."""

from __future__ import annotations

import click

from instep.api.errors import LimitExceeded
from instep.cli.folder import Folder, account_of, account_option, ask, with_folder
from instep.cli.output import output_option, print_json, print_table, table_option
from instep.domain.identity import Principal
from instep.services.faults import Fault
from instep.services.operator.model import INSTEP, CreateRootAccessKeyResponse, ListRootAccessKeysResponse


@click.group()
def root() -> None:
    """Access keys of the root user, made on demand only: prefer IAM users, whose permissions end somewhere."""


@root.command("create-access-key")
@account_option
@output_option
@with_folder
def create_access_key(folder: Folder, account: str | None, output: str) -> None:
    """Make an access key of the root user, and show its secret this once."""
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        try:
            made: CreateRootAccessKeyResponse = ask(service, Principal.operator(account_id), INSTEP, "CreateRootAccessKey")
        except LimitExceeded as full:
            raise Fault(
                f"{full.message} ({full.code}). See with `instep root list-access-keys` which there are, and delete one with"
                " `instep root delete-access-key`."
            ) from None
    if output == "json":
        print_json({"account_id": account_id, "access_key_id": made.access_key_id, "secret_access_key": made.secret_access_key})
    else:
        click.echo(
            f"root user of {account_id} · AWS access key {made.access_key_id}"
            f" · secret access key {made.secret_access_key} (shown once)"
        )


@root.command("list-access-keys")
@account_option
@table_option
@with_folder
def list_access_keys(folder: Folder, account: str | None, output: str) -> None:
    """List the root user's access keys."""
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        listed: ListRootAccessKeysResponse = ask(service, Principal.operator(account_id), INSTEP, "ListRootAccessKeys")
    rows = [(key.access_key_id, key.status, key.create_date.strftime("%Y-%m-%dT%H:%M:%SZ")) for key in listed.access_keys]
    if output == "json":
        print_json([dict(zip(("access_key_id", "status", "created_at"), row, strict=True)) for row in rows])
    else:
        print_table(("ACCESS KEY", "STATUS", "CREATED"), rows)


@root.command("delete-access-key")
@click.argument("access_key_id")
@account_option
@with_folder
def delete_access_key(folder: Folder, access_key_id: str, account: str | None) -> None:
    """Delete an access key of the root user."""
    with folder.service() as service:
        account_id = account_of(service, account).account_id
        ask(service, Principal.operator(account_id), INSTEP, "DeleteRootAccessKey", AccessKeyId=access_key_id)
    click.echo(f"Access key {access_key_id} of the root user of {account_id} is deleted.")
