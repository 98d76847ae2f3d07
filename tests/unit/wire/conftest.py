from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from falcon.testing import TestClient
from structlog.typing import EventDict

from tests.unit.wire.door import Door, client_of


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def client(door: Door) -> TestClient:
    return client_of(door)


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines
