"""`instep root`: keys of the root user, made and deleted on the server."""

from __future__ import annotations

from tests.unit.cli.conftest import Desk

ACCOUNT = "123456789012"


def test_a_key_is_made_on_demand_listed_and_deleted(desk: Desk) -> None:
    assert desk.facts("root", "list-access-keys") == []

    made = desk.facts("root", "create-access-key")

    assert made["account_id"] == ACCOUNT
    assert made["access_key_id"].startswith("AKIA")
    assert len(made["secret_access_key"]) == 40
    assert desk.facts("root", "list-access-keys") == [
        {"access_key_id": made["access_key_id"], "status": "Active", "created_at": "2026-11-24T12:00:10Z"}
    ]

    deleted = desk.type("root", "delete-access-key", made["access_key_id"])

    told = f"Access key {made['access_key_id']} of the root user of {ACCOUNT} is deleted.\n"
    assert (deleted.exit_code, deleted.stdout, deleted.stderr) == (0, told, "")
    assert desk.facts("root", "list-access-keys") == []


def test_its_secret_is_shown_this_once_and_kept_nowhere_in_the_open(desk: Desk) -> None:
    line = desk.type("root", "create-access-key").stdout

    assert line.startswith(f"root user of {ACCOUNT} · AWS access key AKIA")
    assert line.endswith(" (shown once)\n")
    secret = line.split()[-3]
    assert len(secret) == 40
    assert secret not in desk.type("root", "list-access-keys").stdout
    assert secret not in str(desk.events())
    assert secret.encode() not in b"".join(path.read_bytes() for path in desk.data.iterdir())


def test_people_read_a_table(desk: Desk) -> None:
    key = desk.facts("root", "create-access-key")["access_key_id"]

    heading, row = desk.type("root", "list-access-keys").stdout.splitlines()

    assert heading.split() == ["ACCESS", "KEY", "STATUS", "CREATED"]
    assert row.split() == [key, "Active", "2026-11-24T12:00:10Z"]


def test_a_third_key_is_refused_with_what_to_do(desk: Desk) -> None:
    desk.facts("root", "create-access-key")
    second = desk.facts("root", "create-access-key")["access_key_id"]

    third = desk.type("root", "create-access-key")

    assert (third.exit_code, third.stdout) == (1, "")
    assert third.stderr == (
        "Error: Cannot exceed quota for AccessKeysPerUser: 2 (LimitExceeded). See with `instep root list-access-keys` which there"
        " are, and delete one with `instep root delete-access-key`.\n"
    )
    desk.type("root", "delete-access-key", second)
    assert desk.type("root", "create-access-key").exit_code == 0


def test_no_users_key_and_no_other_accounts_is_deleted(desk: Desk) -> None:
    other = desk.facts("account", "create", "--account-id", "210987654321")
    root_of_other = desk.facts("root", "create-access-key", "--account", "210987654321")

    for key in (other["access_key_id"], root_of_other["access_key_id"], "AKIAIOSFODNN7EXAMPLE"):
        refused = desk.type("root", "delete-access-key", key, "--account", ACCOUNT)
        assert refused.exit_code == 1
        assert refused.stderr == f"Error: The Access Key with id {key} cannot be found. (NoSuchEntity)\n"
    # Of the account itself, but its administrator's.
    assert desk.type("root", "delete-access-key", other["access_key_id"], "--account", "210987654321").exit_code == 1
    assert len(desk.facts("root", "list-access-keys", "--account", "210987654321")) == 1


def test_which_account_must_be_said_when_there_are_several(desk: Desk) -> None:
    desk.facts("account", "create", "--account-id", "210987654321")

    for words in (("create-access-key",), ("list-access-keys",), ("delete-access-key", "AKIAIOSFODNN7EXAMPLE")):
        refused = desk.type("root", *words)
        assert refused.exit_code == 1
        assert refused.stderr.startswith("Error: There are several accounts; say with --account which one is meant: ")


def test_making_and_deleting_are_in_the_audit_trail(desk: Desk) -> None:
    key = desk.facts("root", "create-access-key")["access_key_id"]
    desk.type("root", "delete-access-key", key)

    told = [event for event in desk.events() if event["eventName"].endswith("RootAccessKey")]

    assert {event["eventName"] for event in told} == {"CreateRootAccessKey", "DeleteRootAccessKey"}
    assert all(key in str(event) and event["userIdentity"]["type"] == "Operator" for event in told)
