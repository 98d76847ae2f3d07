"""A database is brought up to date as a whole, belongs to one key, and is left alone by an older version."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from instep.services.faults import Fault
from instep.storage import migrations
from instep.storage.schema import metadata
from instep.storage.transaction import Store
from instep.storage.vault import Vault
from tests.storage.stores import VAULT_KEY, make_database

VAULT = Vault(VAULT_KEY, os.urandom)
OTHER_VAULT = Vault(bytes(32), os.urandom)


def database(url: str) -> sqlite3.Connection:
    return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)


def by_name(constraints: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(constraints, key=lambda one: str(one["name"]))


def contents(url: str) -> list[str]:
    with closing(database(url)) as connection:
        return list(connection.iterdump())


def test_the_migrations_make_what_the_schema_says(store: Store) -> None:
    differences = store.read(lambda tx: compare_metadata(MigrationContext.configure(tx.connection), metadata))

    assert differences == []


def test_the_migrations_make_the_same_constraints_as_the_schema(url: str) -> None:
    """Primary keys and what a reference does at a delete, which Alembic does not compare."""
    made, told = sa.create_engine(url), sa.create_engine("sqlite://")
    metadata.create_all(told)
    for table in metadata.tables:
        ours, theirs = sa.inspect(made), sa.inspect(told)
        assert ours.get_pk_constraint(table) == theirs.get_pk_constraint(table)
        assert ours.get_foreign_keys(table) == theirs.get_foreign_keys(table)
        # In whatever order they were written down.
        assert by_name(ours.get_unique_constraints(table)) == by_name(theirs.get_unique_constraints(table))
    made.dispose()
    told.dispose()


def test_an_up_to_date_database_is_left_as_it_is(url: str) -> None:
    before = contents(url)

    migrations.upgrade(url, VAULT)
    migrations.check(url, VAULT)

    assert contents(url) == before


def test_a_folder_of_a_newer_version_is_refused_and_left_alone(url: str) -> None:
    with closing(database(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = contents(url)

    for act in (migrations.upgrade, migrations.check):
        with pytest.raises(Fault, match=r"newer version of instep \(its schema is 9999\)\. Update instep"):
            act(url, VAULT)

    assert contents(url) == before


def test_a_database_of_an_older_version_is_told_with_what_to_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/instep.db"
    (tmp_path / "instep.db").touch(0o600)

    with pytest.raises(Fault, match=r"Run: instep db upgrade"):
        migrations.check(url, VAULT)


def test_a_missing_database_is_told_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(Fault, match=r"There is no database at .*instep\.db\. Run: instep init"):
        migrations.check(f"sqlite:///{tmp_path}/instep.db", VAULT)

    assert list(tmp_path.iterdir()) == []


def test_another_key_file_is_noticed_at_once(url: str) -> None:
    before = contents(url)

    for act in (migrations.upgrade, migrations.check):
        with pytest.raises(Fault, match=r"does not belong to this database\. Put back the key file"):
            act(url, OTHER_VAULT)

    assert contents(url) == before


def test_a_database_whose_key_was_never_noted_is_not_served(url: str) -> None:
    with closing(database(url)) as connection:
        connection.execute("DELETE FROM meta")

    with pytest.raises(Fault, match="Run: instep init"):
        migrations.check(url, VAULT)


def test_a_migration_that_fails_leaves_nothing_half_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/instep.db"
    with closing(database(url)) as connection:
        # In the way of the last tables that the first migration makes.
        connection.execute("CREATE TABLE spent_steps (n)")
    before = contents(url)

    with pytest.raises(Fault):
        migrations.upgrade(url, VAULT)

    assert contents(url) == before


def test_a_database_that_somebody_holds_is_told_as_busy(url: str) -> None:
    with closing(database(url)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(Fault, match="busy"):
            migrations.upgrade(url, VAULT)
        # Who only looks need not wait.
        migrations.check(url, VAULT)


def test_an_upgrade_says_nothing_and_touches_no_logging(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    handlers, level = logging.root.handlers[:], logging.root.level

    make_database(tmp_path)

    assert capfd.readouterr() == ("", "")
    assert (logging.root.handlers, logging.root.level) == (handlers, level)
    assert not logging.getLogger("instep").disabled
