"""The schema's history, and what a start asks of it.  Migrations only add or widen within a minor version."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from instep.services.faults import Fault
from instep.storage import engine as dialect
from instep.storage.schema import meta, metadata
from instep.storage.vault import Vault

_VAULT_CHECK: Final = "vault_check"


def upgrade(url: str, vault: Vault) -> None:
    """Bring the schema to this version, in one transaction, and note whose key seals what is in it.

    Raises Fault for a database of a newer version (it is left as it is), a key file of another database, or one that is damaged.
    """
    scripts = _scripts()
    engine = dialect.create_engine(url, threads=1)
    try:
        with engine.connect() as connection:
            transaction = dialect.begin(connection, write=True)
            _refuse_newer(connection, scripts)
            _migrate(connection, scripts)
            known = connection.execute(sa.select(meta.c.value).where(meta.c.name == _VAULT_CHECK)).scalar_one_or_none()
            if known is None:
                connection.execute(sa.insert(meta).values(name=_VAULT_CHECK, value=vault.check_value()))
            else:
                vault.verify_check_value(known)
            transaction.commit()
    except (DBAPIError, sqlite3.Error) as error:
        raise _fault(error) from error
    finally:
        engine.dispose()


def check(url: str, vault: Vault) -> None:
    """Raises Fault, saying what to do, unless the schema is of this version and sealed with this vault's key."""
    scripts = _scripts()
    path = dialect.database_file(url)
    if path is not None and not path.exists():
        raise Fault(f"There is no database at {path}. Run: instep init")
    engine = dialect.create_engine(url, threads=1)
    try:
        with engine.connect() as connection:
            dialect.begin(connection, write=False)
            _refuse_newer(connection, scripts)
            if _revision(connection) != scripts.get_current_head():
                raise Fault("The database was made by an older version of instep. Run: instep db upgrade")
            known = connection.execute(sa.select(meta.c.value).where(meta.c.name == _VAULT_CHECK)).scalar_one_or_none()
            if known is None:
                raise Fault("The database was not set up to its end. Run: instep init")
            vault.verify_check_value(known)
    except (DBAPIError, sqlite3.Error) as error:
        raise _fault(error) from error
    finally:
        engine.dispose()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    revision = _revision(connection)
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        raise Fault(
            f"The database was made by a newer version of instep (its schema is {revision}). Update instep;"
            " this version leaves the database as it is."
        )


def _migrate(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    # What alembic's own command does, which wants an env.py beside it.
    def steps(revision: str | tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        return scripts._upgrade_revs("head", revision)  # type: ignore[arg-type]  # noqa: SLF001

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()


def _fault(error: DBAPIError | sqlite3.Error) -> Fault:
    translated = dialect.translate(error)
    return translated if isinstance(translated, Fault) else Fault("The database is busy; try again in a moment.")
