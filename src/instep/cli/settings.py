"""`instep settings`: what is in force, and from where."""

from __future__ import annotations

import click

from instep.cli.folder import Folder, with_folder
from instep.cli.output import print_json, print_table, table_option
from instep.settings import describe


@click.command()
@table_option
@with_folder
def settings(folder: Folder, output: str) -> None:
    """Show every setting in force, where it comes from and what it means.

    Each is a key of instep.toml in the data folder and an environment variable: server.port is INSTEP_SERVER__PORT.
    """
    rows = describe(folder.settings())
    if output == "json":
        print_json(
            [{"key": row.key, "value": row.value, "origin": row.origin or "default", "meaning": row.meaning} for row in rows]
        )
    else:
        print_table(
            ("KEY", "VALUE", "FROM", "MEANING"), [(row.key, row.value, row.origin or "default", row.meaning) for row in rows]
        )
