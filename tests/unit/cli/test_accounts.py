"""`instep account`."""

from __future__ import annotations

from instep.cli.folder import account_of
from tests.unit.cli.conftest import Desk


def test_another_account_is_made_beside_the_first(desk: Desk) -> None:
    made = desk.facts("account", "create", "--account-id", "210987654321", "--alias", "other")

    assert made["secret_access_key"]
    assert [(one["account_id"], one["alias"], one["root_email"]) for one in desk.facts("account", "list")] == [
        ("123456789012", "example", "root@example.com"),
        ("210987654321", "other", "root@210987654321.localhost"),
    ]


def test_a_list_shows_no_secret(desk: Desk) -> None:
    listed = desk.type("account", "list")

    assert listed.stdout.splitlines()[0].split() == ["ACCOUNT", "ALIAS", "ROOT", "E-MAIL", "CREATED"]
    assert "AKIA" not in listed.stdout
    assert "argon2" not in listed.stdout


def test_an_id_names_its_own_account_whatever_the_others_are_called(desk: Desk) -> None:
    desk.facts("account", "create", "--account-id", "210987654321", "--alias", "other")
    with desk.service() as service:
        # No longer possible through the gate, but a data folder may have it from before.
        service.store.write(lambda tx: tx.accounts.set_alias("123456789012", "210987654321"))

        assert account_of(service, "210987654321").account_id == "210987654321"
        assert account_of(service, "123456789012").alias == "210987654321"
        assert account_of(service, "other").account_id == "210987654321"


def test_what_is_taken_is_refused_in_one_line(desk: Desk) -> None:
    for words in (("--account-id", "123456789012"), ("--alias", "example"), ("--root-email", "root@example.com")):
        result = desk.type("account", "create", *words)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.endswith("(EntityAlreadyExists)\n")
        assert len(result.stderr.splitlines()) == 1


def test_each_new_account_is_in_the_audit_trail_without_its_secrets(desk: Desk) -> None:
    made = desk.facts("account", "create", "--account-id", "210987654321")

    told = str(desk.events())
    assert "210987654321" in told
    assert made["access_key_id"] in told
    assert made["secret_access_key"] not in told
    assert made["root_password"] not in told
