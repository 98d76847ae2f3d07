"""One served product for each process that runs these tests; whoever uses it keeps to names of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.server import Server
from tests.wire.people import Account, Secrets
from tests.wire.raw import Line, Signer


@pytest.fixture(scope="session")
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, secrets: Secrets) -> Iterator[Server]:
    """Looked over at its end: it stops cleanly, no request made it fail, and its log keeps what was told in confidence."""
    first_account = ("--account-id", "123456789012", "--alias", "example", "--root-email", "root@example.com")
    with Server(tmp_path_factory.mktemp("wire"), *first_account) as served:
        yield served
        served.stop()
        log = served.log_text()
        assert '"status":200' in log
        assert '"status":5' not in log
        assert "Traceback" not in log
        assert secrets.leaked_into(log) == 0


@pytest.fixture(scope="session")
def account(server: Server, secrets: Secrets) -> Account:
    return Account.first(server, secrets)


@pytest.fixture(scope="session")
def other_account(server: Server, secrets: Secrets) -> Account:
    """On the same server."""
    return Account.another(server, secrets)


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    """One connection, for this test alone."""
    with Line(server) as opened:
        yield opened


@pytest.fixture
def root(account: Account) -> Signer:
    """The root user, at IAM."""
    return Signer(account.access_key_id, account.secret_access_key)


@pytest.fixture
def roots_sts(account: Account) -> Signer:
    """The root user, at STS."""
    return Signer(account.access_key_id, account.secret_access_key, service="sts")
