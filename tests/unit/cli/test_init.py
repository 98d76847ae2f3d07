"""`instep init`: the set-up, which `instep up` does as well."""

from __future__ import annotations

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from instep.api.common import AccessDenied
from instep.api.iam import IAM
from instep.cli.demo import find_demo
from instep.cli.folder import ask
from instep.domain.identity import Principal
from tests.unit.cli.conftest import Desk


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_makes_a_folder_for_its_owner_alone(empty_desk: Desk) -> None:
    assert empty_desk.type("init").exit_code == 0

    assert mode(empty_desk.data) == 0o700
    assert {path.name: mode(path) & 0o077 for path in empty_desk.data.iterdir() if mode(path) & 0o077} == {}


def test_each_step_is_told_on_standard_error(empty_desk: Desk) -> None:
    steps = empty_desk.type("init").stderr.splitlines()

    assert [line.split()[0] for line in steps] == ["keys", "schema", "account"]


def test_a_first_account_has_a_random_id_and_its_secrets_are_shown_once(empty_desk: Desk) -> None:
    first = empty_desk.facts("init")

    assert len(first["account_id"]) == 12
    assert first["account_id"].isdigit()
    assert first["root_email"] == f"root@{first['account_id']}.localhost"
    assert first["root_password"]
    assert first["user_name"] == "admin"
    assert first["access_key_id"].startswith("AKIA")
    assert len(first["secret_access_key"]) == 40
    assert empty_desk.facts("init") == {"account_id": first["account_id"]}


def test_the_options_name_the_first_account(empty_desk: Desk) -> None:
    words = ("init", "--account-id", "111122223333", "--alias", "acme", "--root-email", "boss@acme.example")

    facts = empty_desk.facts(*words)

    assert (facts["account_id"], facts["alias"], facts["root_email"]) == ("111122223333", "acme", "boss@acme.example")


def test_people_read_the_secrets_in_two_lines(empty_desk: Desk) -> None:
    lines = empty_desk.type("init", "--account-id", "111122223333", "--alias", "acme").stdout.splitlines()

    assert lines[0].startswith("account 111122223333 · alias acme · root e-mail root@111122223333.localhost · root password ")
    assert lines[0].endswith(" (shown once)")
    assert lines[1].startswith("IAM user admin · AWS access key AKIA")
    assert lines[1].endswith(" (shown once)")


def test_no_secret_lies_in_the_folder_in_plain(empty_desk: Desk) -> None:
    facts = empty_desk.facts("init", "--demo")

    everything = b"".join(path.read_bytes() for path in empty_desk.data.iterdir() if path.is_file())
    for key in (facts, facts["demo"]):
        assert key["access_key_id"].encode() in everything
        assert key["secret_access_key"].encode() not in everything
    assert facts["root_password"].encode() not in everything


def test_an_account_id_that_is_none_is_refused_and_makes_no_account(empty_desk: Desk) -> None:
    result = empty_desk.type("init", "--account-id", "12")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "accountId" in result.stderr
    assert "Traceback" not in result.stderr
    assert empty_desk.facts("account", "list") == []


def test_names_for_another_account_are_told_to_be_in_vain(desk: Desk) -> None:
    result = desk.type("init", "--alias", "other")

    assert result.exit_code == 0
    assert "instep account create" in result.stderr


def test_the_operator_stands_in_the_audit_trail_as_who_made_the_account(desk: Desk) -> None:
    (event,) = desk.events()

    assert event["eventName"] == "CreateAccount"
    assert event["userIdentity"]["type"] == "Operator"
    assert event["sourceIPAddress"] == "127.0.0.1"
    assert event["userAgent"].startswith("instep/")


def test_the_demo_has_a_device_twenty_minutes_slow_that_its_two_codes_put_back_in_step(empty_desk: Desk) -> None:
    facts = empty_desk.facts("init", "--demo")

    assert (facts["account_id"], facts["alias"], facts["root_email"]) == ("123456789012", "example", "root@example.com")
    assert facts["demo"]["user_name"] == "Richard"
    assert facts["demo"]["serial_number"] == "arn:aws:iam::123456789012:mfa/RichardsMFA"
    assert Path(facts["demo"]["device_file"]).is_file()
    with empty_desk.service() as service:
        demo = find_demo(service, empty_desk.data)
        assert demo is not None
        lines = demo.lines("http://localhost:8700", empty_desk.clock(), (facts["access_key_id"], facts["secret_access_key"]))
        assert lines[0] == "Richard's device RichardsMFA is 20 minutes slow. Try it:"
        first, second = (lines[2].split()[at] for at in (-3, -1))
        # Refuses what is not the device's own.
        root = Principal.root("123456789012")
        names = {"UserName": "Richard", "SerialNumber": demo.serial_number}
        ask(service, root, IAM, "ResyncMFADevice", **names, AuthenticationCode1=first, AuthenticationCode2=second)


def test_the_demos_richard_may_put_his_own_device_right_and_see_nobody_else(empty_desk: Desk) -> None:
    facts = empty_desk.facts("init", "--demo")
    with empty_desk.service() as service:
        demo = find_demo(service, empty_desk.data)
        user = service.store.read(lambda tx: tx.users.find("123456789012", "Richard"))
        assert demo is not None
        assert user is not None
        richard = Principal.user(user, facts["demo"]["access_key_id"])
        first, second = demo.device.code(empty_desk.clock()), demo.device.next_code(empty_desk.clock())

        with pytest.raises(AccessDenied):
            ask(service, richard, IAM, "ListUsers")
        names = {"UserName": "Richard", "SerialNumber": demo.serial_number}
        ask(service, richard, IAM, "ResyncMFADevice", **names, AuthenticationCode1=first, AuthenticationCode2=second)


def test_the_demo_comes_into_fresh_folders_only(desk: Desk) -> None:
    result = desk.type("init", "--demo")

    assert result.exit_code == 0
    assert f"--demo --data {desk.data}-demo" in result.stderr


def test_a_practice_device_of_the_demos_name_is_left_alone(empty_desk: Desk) -> None:
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    assert empty_desk.type("device", "new", "RichardsMFA", "--secret", secret).exit_code == 0

    result = empty_desk.type("init", "--demo")

    assert result.exit_code == 1
    assert "RichardsMFA already" in result.stderr
    assert secret in (empty_desk.data / "devices" / "RichardsMFA.json").read_text()
    assert empty_desk.facts("account", "list") == []


def test_secrets_are_shown_even_when_the_set_up_breaks_off_after_the_account(empty_desk: Desk) -> None:
    empty_desk.data.mkdir(mode=0o700)
    (empty_desk.data / "devices").write_text("no folder")

    result = empty_desk.type("init", "--demo", "--output", "json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["secret_access_key"]
    assert len(result.stderr.splitlines()[-1]) > len("Error: ")


def test_a_folder_of_other_things_is_not_taken_over(tmp_path: Path) -> None:
    home = Desk(tmp_path / "home")
    home.data.mkdir(mode=0o755)
    (home.data / "letter.txt").write_text("Dear all")

    result = home.type("init")

    assert result.exit_code == 1
    assert "chmod 700" in result.stderr
    assert mode(home.data) == 0o755
    assert [path.name for path in home.data.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    "command", [("init",), ("account", "list"), ("tokens", "list"), ("audit",), ("db", "upgrade"), ("serve",)]
)
def test_a_missing_key_file_stops_every_command_and_says_how_to_mend_it(desk: Desk, command: tuple[str, ...]) -> None:
    (desk.data / "vault.key").unlink()

    result = desk.type(*command)

    assert result.exit_code == 1
    assert "vault.key is missing. Put back the one" in result.stderr


@pytest.mark.parametrize("command", [("init",), ("account", "list"), ("serve",)])
def test_a_wrong_key_file_stops_every_command(desk: Desk, command: tuple[str, ...]) -> None:
    (desk.data / "vault.key").write_bytes(bytes(range(32)))

    result = desk.type(*command)

    assert result.exit_code == 1
    assert "does not belong to this database" in result.stderr


@pytest.mark.parametrize("command", [("init",), ("account", "list"), ("db", "upgrade"), ("serve",)])
def test_a_folder_of_a_newer_version_is_left_alone(desk: Desk, command: tuple[str, ...]) -> None:
    with sqlite3.connect(desk.data / "instep.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    result = desk.type(*command)

    assert result.exit_code == 1
    assert "newer" in result.stderr


@pytest.mark.parametrize("command", [("account", "list"), ("tokens", "list"), ("audit",), ("db", "upgrade"), ("serve",)])
def test_commands_on_a_folder_that_is_not_set_up_say_so_and_make_nothing(empty_desk: Desk, command: tuple[str, ...]) -> None:
    result = empty_desk.type(*command)

    assert result.exit_code == 1
    assert "instep up" in result.stderr
    assert not empty_desk.data.exists()


def test_upgrading_a_current_schema_changes_nothing(desk: Desk) -> None:
    assert desk.type("db", "upgrade").exit_code == 0
    assert len(desk.facts("account", "list")) == 1
