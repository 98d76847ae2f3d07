"""An installation of the previous release is upgraded, and its keys, users, sessions and devices go on working."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from instep import app
from instep.api.common import AccessDenied, InvalidClientTokenId
from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from instep.services.faults import Fault
from instep.services.pairs import DRIFT_HEADER
from instep.settings import Settings
from instep.storage import migrations
from instep.storage.vault import Vault, create_key_file
from tests.storage.stores import VAULT_KEY
from tests.support.house import Clock, House
from tests.support.sessions import Keys, allow, run, signed, who_is

ROWS = (Path(__file__).parents[1] / "vectors" / "installation_0001.sql").read_text()
# What its account was told when it was made, and a session that its user got with a code.
ROOT = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
RICHARD = Keys("AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY")
SESSION = Keys(
    "ASIAMSLCTKYKTAGKOCKE",
    "FKV8qlGP7nUvzaz5XalkjMdo8+gI3J/asbgn7aoT",
    "AU-Rqff9zSIjF2EBtjOzD9nUy57Hlt6QQ66Y9P4BWXtLUjeVKql4Z-mPNx2zjNkhO7uTVDwPeNvsyP9_H9gmteo2B-fBfcSWQ19zopI6_bGhy7AaVgfDTwb7"
    "ODwLbhhz2yLIHXNFWc_6-spQEAp23VU-4Wz2mhDdReXHXnYwb5f-LOSE9P-GoJ_WwS0ydrohlbL8EgsJfMFMvsY80D1ojEP59IJX40OUE5jp4M72dL6imvsh"
    "70gZmCMo-Xc7fEjfF4IU0UvHJAICLWkMhgXX2n8HXN-HzIq09k1gWp9NKI8d5xwLI5mRhpnApKsVCcMcSAaQvyUQ_8d29BdI4JqjehQJ5zavOG8CaEGlZ9Wk"
    "pMpWkR5r8HhmhOjmAucu",
)
PHONE = "arn:aws:iam::123456789012:mfa/RichardsPhone"
TOKEN = Token.from_base32("OACTMMJO5V3LJCEJNIVTOAWFA4GEJUZTS2KGHL3KYPN72QPGS5PH6GPCV2SJFAWK")
# The last code that was taken before, and a time at which it would still be, seconds after the last thing that happened.
SPENT = TOKEN.code(59850240)
UPGRADED_AT = datetime(2026, 11, 24, 8, 0, 45, tzinfo=UTC)


def migrate_to_0001(url: str) -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    engine = sa.create_engine(url)

    def steps(revision: Any, _context: object) -> Any:
        return scripts._upgrade_revs("0001", revision)

    with (
        engine.begin() as connection,
        EnvironmentContext(Config(), scripts, fn=steps, destination_rev="0001") as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()
    engine.dispose()


def rows(settings: Settings, columns: dict[str, list[str]]) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(settings.data / "instep.db")) as connection:
        return {
            table: connection.execute(f"SELECT {', '.join(names)} FROM {table} ORDER BY 1, 2").fetchall()
            for table, names in columns.items()
        }


def columns_of(settings: Settings) -> dict[str, list[str]]:
    """By table, but for the schema's own number."""
    with closing(sqlite3.connect(settings.data / "instep.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {
            table: [column for _, column, *_ in connection.execute(f"PRAGMA table_info({table})")]
            for table in tables
            if table != "alembic_version"
        }


@pytest.fixture
def installation(tmp_path: Path) -> Settings:
    """As the previous release left it."""
    settings = Settings.defaults(tmp_path / "data")
    settings.data.mkdir(mode=0o700)
    create_key_file(settings.vault.key_file, lambda length: VAULT_KEY[:length])
    migrate_to_0001(settings.database.url)
    with closing(sqlite3.connect(settings.data / "instep.db")) as connection:
        connection.executescript(f"PRAGMA foreign_keys = ON; BEGIN; {ROWS} COMMIT;")
    (settings.data / "instep.db").chmod(0o600)
    return settings


@pytest.fixture
def home(installation: Settings) -> Iterator[House]:
    """The service over it, after `instep up` or `instep db upgrade`."""
    clock = Clock(UPGRADED_AT)
    assert app.initialize(installation) is False
    service = app.open_service(installation, clock=clock)
    yield House(service, clock)
    service.close()


def phone(**slow: float) -> PracticeDevice:
    return PracticeDevice("RichardsPhone", TOKEN, -timedelta(**slow))


def get_session_token(home: House, code: str) -> Any:
    return run(home, RICHARD, "sts:GetSessionToken", SerialNumber=PHONE, TokenCode=code).credentials


def test_before_the_upgrade_it_is_refused_with_what_to_run_and_left_alone(installation: Settings) -> None:
    columns = columns_of(installation)
    before = rows(installation, columns)
    vault = Vault.from_key_file(installation.vault.key_file, bytes)

    with pytest.raises(Fault) as refused:
        migrations.check(installation.database.url, vault)
    with pytest.raises(Fault) as unopened:
        app.open_service(installation)

    assert str(refused.value) == "The database was made by an older version of instep. Run: instep db upgrade"
    assert str(unopened.value) == str(refused.value)
    assert columns_of(installation) == columns
    assert rows(installation, columns) == before


def test_the_upgrade_changes_no_row(installation: Settings) -> None:
    columns = columns_of(installation)
    before = rows(installation, columns)
    assert all(before[table] for table in columns if table != "pair_tries")

    app.initialize(installation)

    assert rows(installation, columns) == before
    assert columns_of(installation) != columns


def test_the_root_key_goes_on_working(home: House) -> None:
    assert who_is(home, ROOT).arn == "arn:aws:iam::123456789012:root"

    (user,) = run(home, ROOT, "iam:ListUsers").users
    assert (user.user_name, user.arn) == ("Richard", "arn:aws:iam::123456789012:user/staff/Richard")
    (tag,) = run(home, ROOT, "iam:GetUser", UserName="Richard").user.tags
    assert (tag.key, tag.value) == ("team", "blue")


def test_an_administrator_is_made_with_the_root_key_which_is_then_deleted(home: House) -> None:
    """As the changes say."""
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    run(home, ROOT, "iam:CreateUser", UserName="admin")
    run(home, ROOT, "iam:AttachUserPolicy", UserName="admin", PolicyArn=everything)
    key = run(home, ROOT, "iam:CreateAccessKey", UserName="admin").access_key
    run(home, ROOT, "iam:DeleteAccessKey", AccessKeyId=ROOT.access_key_id)

    admin = Keys(key.access_key_id, key.secret_access_key)
    assert [user.user_name for user in run(home, admin, "iam:ListUsers").users] == ["admin", "Richard"]
    with pytest.raises(InvalidClientTokenId):
        run(home, ROOT, "iam:ListUsers")


def test_a_user_is_known_and_may_do_nothing_until_given_a_policy(home: House) -> None:
    assert who_is(home, RICHARD).arn == "arn:aws:iam::123456789012:user/staff/Richard"
    with pytest.raises(AccessDenied, match="because no identity-based policy allows the iam:ListUsers action"):
        run(home, RICHARD, "iam:ListUsers")

    allow(home, "Richard", "iam:ListUsers")

    assert [user.user_name for user in run(home, RICHARD, "iam:ListUsers").users] == ["Richard"]


def test_a_device_goes_on_working_and_no_code_works_twice(home: House) -> None:
    with pytest.raises(AccessDenied):
        get_session_token(home, SPENT)

    assert home.events()[-1]["additionalEventData"] == {"reason": "spent"}
    assert get_session_token(home, phone().code(home.clock.advance(minutes=1))).access_key_id.startswith("ASIA")


def test_a_device_that_wandered_is_resynchronized_by_the_root_user(home: House) -> None:
    home.clock.advance(days=60)
    slow = phone(minutes=40)
    with pytest.raises(AccessDenied):
        get_session_token(home, slow.code(home.clock.now))

    home.clock.advance(minutes=2)
    resync = signed(home, ROOT, "iam:ResyncMFADevice", UserName="Richard", SerialNumber=PHONE, **home.pair(slow))
    answer = home.service.gate.run(resync)

    assert answer.headers == {DRIFT_HEADER: "-2400"}
    home.clock.advance(minutes=1)
    assert get_session_token(home, slow.code(home.clock.now)).access_key_id.startswith("ASIA")


def test_a_session_given_out_before_stays_good_as_long_as_its_access_key(home: House) -> None:
    principal = who_is(home, SESSION)
    assert (principal.arn, principal.mfa_present) == ("arn:aws:iam::123456789012:user/staff/Richard", True)

    run(home, ROOT, "iam:UpdateAccessKey", UserName="Richard", AccessKeyId=RICHARD.access_key_id, Status="Inactive")

    with pytest.raises(InvalidClientTokenId):
        who_is(home, SESSION)


def test_the_audit_trail_goes_on_where_it_ended(home: House) -> None:
    run(home, ROOT, "iam:CreateUser", UserName="Sally")

    assert [event["eventName"] for event in home.events()] == ["EnableMFADevice", "GetSessionToken", "CreateUser"]
