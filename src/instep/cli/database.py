"""`instep db`: the database's schema."""

from __future__ import annotations

import click

from instep.app import initialize
from instep.cli.folder import Folder, require_set_up, with_folder
from instep.cli.output import waiting


@click.group()
def db() -> None:
    """The database behind the service."""


@db.command()
@with_folder
def upgrade(folder: Folder) -> None:
    """Bring the schema to this version's.  Stop the server first; `instep up` does it by itself."""
    settings = folder.settings()
    require_set_up(settings)
    with waiting("Upgrading the schema…"):
        initialize(settings, random=folder.around.random)
    click.echo("The schema is this version's.")
