"""Every table could live in any database: keys that lead with the account, ids of ours, and types that all of them have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from instep.storage.schema import JSONText, UTCTimestamp, metadata

TABLES = sorted(metadata.tables.values(), key=lambda table: table.name)
OF_ACCOUNTS = [table for table in TABLES if table.name not in ("meta", "sign_in_waits")]
ALLOWED = (sa.Text, sa.BigInteger, sa.LargeBinary, sa.Boolean, UTCTimestamp, JSONText)
DIALECT = sqlite.dialect()


def named(table: sa.Table) -> str:
    return table.name


@pytest.mark.parametrize("table", OF_ACCOUNTS, ids=named)
def test_the_account_leads_every_primary_key(table: sa.Table) -> None:
    assert next(column.name for column in table.primary_key) == "account_id"


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_no_table_counts_its_rows_for_an_id(table: sa.Table) -> None:
    assert table.autoincrement_column is None
    for column in table.columns:
        assert column.default is None
        assert column.server_default is None
        assert column.identity is None
    made = str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "SERIAL" not in made
    assert "SEQUENCE" not in made


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_columns_are_of_types_that_every_database_has(table: sa.Table) -> None:
    for column in table.columns:
        assert type(column.type) in ALLOWED, column
        if isinstance(column.type, sa.Text):
            assert column.type.collation is None
            assert column.type.length is None


@pytest.mark.parametrize("table", OF_ACCOUNTS, ids=named)
def test_a_reference_stays_within_the_account(table: sa.Table) -> None:
    for reference in table.foreign_key_constraints:
        assert reference.column_keys[0] == "account_id"
        assert reference.elements[0].column.name == "account_id"


def test_every_constraint_has_a_name_and_no_name_is_given_twice() -> None:
    names = [
        DIALECT.identifier_preparer.format_constraint(one)  # type: ignore[arg-type]
        for table in TABLES
        for one in (*table.constraints, *table.indexes)
    ]

    assert None not in names
    assert len(set(names)) == len(names)
    # PostgreSQL cuts names at 63 bytes.
    assert max(len(str(name)) for name in names) <= 63


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_are_kept_to_the_millisecond(at: datetime) -> None:
    kept = UTCTimestamp().process_bind_param(at, DIALECT)

    read = UTCTimestamp().process_result_value(kept, DIALECT)

    assert read is not None
    assert read.tzinfo is UTC
    assert timedelta(0) <= at - read < timedelta(milliseconds=1)
    assert kept == UTCTimestamp.milliseconds(at)


def test_a_time_of_another_zone_comes_back_as_the_same_moment_in_utc() -> None:
    tokyo = datetime(2026, 11, 24, 21, 0, 10, 123000, tzinfo=timezone(timedelta(hours=9)))

    read = UTCTimestamp().process_result_value(UTCTimestamp().process_bind_param(tokyo, DIALECT), DIALECT)

    assert read == datetime(2026, 11, 24, 12, 0, 10, 123000, tzinfo=UTC)
    assert read.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        UTCTimestamp().process_bind_param(datetime(2026, 11, 24), DIALECT)  # noqa: DTZ001


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_mapping_comes_back_as_it_was(tags: dict[str, str]) -> None:
    kept = JSONText().process_bind_param(tags, DIALECT)

    assert JSONText().process_result_value(kept, DIALECT) == tags
