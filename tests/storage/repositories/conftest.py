"""Nobody waits here: whoever sleeps moves the clock and goes on at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from instep.storage.transaction import Store
from tests.storage.repositories.builders import ACCOUNT, OTHER_ACCOUNT, account, root_user
from tests.storage.stores import Stopwatch, timed_store


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with timed_store(url, Stopwatch()) as opened:
        opened.write(lambda tx: tx.accounts.add(account(ACCOUNT, "example"), root_user(ACCOUNT)))
        opened.write(lambda tx: tx.accounts.add(account(OTHER_ACCOUNT), root_user(OTHER_ACCOUNT)))
        yield opened
