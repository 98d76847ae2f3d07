"""A database of the newest schema with two accounts in it, and a store over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from instep.storage.transaction import Store
from tests.storage.stores import ACCOUNT, OTHER_ACCOUNT, an_account, make_database, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return make_database(tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    for account_id in (ACCOUNT, OTHER_ACCOUNT):
        opened.write(lambda tx, account_id=account_id: tx.accounts.add(*an_account(account_id)))  # type: ignore[misc]
    yield opened
    opened.close()
