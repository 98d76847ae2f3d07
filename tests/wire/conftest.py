"""One served product for each process that runs these tests; whoever uses it keeps to names of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server
from tests.wire.aws_cli import AWS, client, with_endpoints
from tests.wire.people import Account, Person, Secrets
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


@pytest.fixture(params=["v1", "v2"])
def aws(request: pytest.FixtureRequest, tmp_path: Path) -> AWS:
    return client(request.param, tmp_path)


@pytest.fixture
def v1(tmp_path: Path) -> AWS:
    return client("v1", tmp_path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "aws_with_endpoint" in metafunc.fixturenames:
        metafunc.parametrize("aws_with_endpoint", with_endpoints(), indirect=True)


@pytest.fixture
def aws_with_endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> AWS:
    """Of a version that reads endpoint_url from a profile; for v2 that is not in every distribution yet."""
    return client(request.param, tmp_path)


@pytest.fixture
def line(server: Server) -> Iterator[Line]:
    """One connection, for this test alone."""
    with Line(server) as opened:
        yield opened


@pytest.fixture(scope="session")
def root(account: Account) -> Person:
    """The root user of `account`, with a key made for these tests."""
    return account.root()


@pytest.fixture
def admin(account: Account) -> Signer:
    """The administrator, at IAM."""
    return Signer(account.access_key_id, account.secret_access_key)


@pytest.fixture
def admins_sts(account: Account) -> Signer:
    """The administrator, at STS."""
    return Signer(account.access_key_id, account.secret_access_key, service="sts")
