"""`instep guard`: a ceiling over the whole account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instep.api.common import AccessDenied
from instep.api.iam import IAM
from instep.cli.folder import ask
from instep.domain.identity import Principal
from tests.support.server import ROOT as CHECKOUT
from tests.support.server import clean_environment, instep
from tests.support.terminals import Seat
from tests.unit.cli.conftest import Desk

ACCOUNT = "123456789012"
ROOT = Principal.root(ACCOUNT, "AKIAROOTROOTROOTROOT")
NO_USERS_MADE = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Effect": "Deny", "Action": "iam:CreateUser", "Resource": "*"}
  ]
}
"""
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def make_user(desk: Desk, name: str) -> None:
    """As the root user."""
    with desk.service() as service:
        ask(service, ROOT, IAM, "CreateUser", UserName=name)


@pytest.fixture
def guarded(desk: Desk, tmp_path: Path) -> Desk:
    file = tmp_path / "guard.json"
    file.write_text(NO_USERS_MADE)
    result = desk.type("guard", "set", str(file))
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"The guard policy of {ACCOUNT} is set.\n", "")
    return desk


def test_it_is_shown_as_it_was_set(guarded: Desk) -> None:
    assert guarded.type("guard", "show").stdout == NO_USERS_MADE


def test_a_terminal_is_shown_its_lines_without_what_it_would_obey(desk: Desk, tmp_path: Path) -> None:
    condition = '"Condition": {"StringLike": {"aws:UserAgent": "\x9b31m\x85"}}'
    document = NO_USERS_MADE.replace('"Action": "*",', f'"Action": "*", {condition},').replace("    ", "\t")
    assert desk.type("guard", "set", "-", stdin=document).exit_code == 0

    with Seat(
        instep("guard", "show", "--data", str(desk.data)),
        clean_environment(tmp_path, PYTHONPATH=str(CHECKOUT / "src"), PYTHONUTF8="1"),
        tmp_path,
    ) as seat:
        assert seat.leaves() == 0
        shown = seat.screen

    mark = "\N{REPLACEMENT CHARACTER}"
    assert shown == [*document.replace("\t", " " * 8).replace("\x9b", mark).replace("\x85", mark).split("\n")]
    # In a file it is as it was.
    assert desk.type("guard", "show").stdout == document


def test_it_is_read_from_standard_input_as_well_in_the_place_of_the_one_there_was(guarded: Desk) -> None:
    other = NO_USERS_MADE.replace("iam:CreateUser", "iam:DeleteUser")

    assert guarded.type("guard", "set", "-", stdin=other).exit_code == 0

    assert guarded.type("guard", "show").stdout == other


def test_it_limits_the_root_user_until_it_is_removed(guarded: Desk) -> None:
    with pytest.raises(AccessDenied, match="with an explicit deny in a service control policy"):
        make_user(guarded, "Richard")

    removed = guarded.type("guard", "remove")

    assert (removed.exit_code, removed.stdout, removed.stderr) == (0, f"The guard policy of {ACCOUNT} is removed.\n", "")
    make_user(guarded, "Richard")


def test_it_limits_its_own_account_only(guarded: Desk) -> None:
    guarded.facts("account", "create", "--account-id", "210987654321")

    with guarded.service() as service:
        ask(service, Principal.root("210987654321", "AKIAROOTROOTROOTROOT"), IAM, "CreateUser", UserName="Richard")

    shown = guarded.type("guard", "show", "--account", "210987654321")
    assert (shown.stdout, shown.stderr) == ("", "210987654321 has no guard policy: nothing is limited.\n")


@pytest.mark.parametrize("command", ["show", "remove"])
def test_an_account_without_one_is_told_so(desk: Desk, command: str) -> None:
    told = desk.type("guard", command)

    assert (told.exit_code, told.stdout) == (0, "")
    assert told.stderr == f"{ACCOUNT} has no guard policy: nothing is limited.\n"
    assert [event for event in desk.events() if event["eventName"] == "DeleteGuardPolicy"] == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("no JSON", "Syntax errors in policy. (MalformedPolicyDocument)"),
        (NO_USERS_MADE.replace("iam:CreateUser", "CreateUser"), f"{NO_VENDOR} (MalformedPolicyDocument)"),
        (NO_USERS_MADE.replace("Deny", "Never"), "Syntax errors in policy. (MalformedPolicyDocument)"),
        (
            json.dumps({"Version": "2012-10-17", "Statement": {"Sid": "x" * 10_240}}),
            "Cannot exceed quota for GuardPolicySize: 10240 (LimitExceeded)",
        ),
        (b"\xff\xfe", "The file is not UTF-8 text."),
    ],
    ids=["no-json", "no-action", "no-effect", "too-long", "no-text"],
)
def test_a_malformed_one_is_refused_with_the_reason_and_the_one_there_was_stays(
    guarded: Desk, document: str | bytes, reason: str
) -> None:
    refused = guarded.type("guard", "set", "-", stdin=document)

    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == f"Error: {reason}\n"
    assert guarded.type("guard", "show").stdout == NO_USERS_MADE


def test_a_file_that_is_not_there_is_told(desk: Desk, tmp_path: Path) -> None:
    refused = desk.type("guard", "set", str(tmp_path / "none.json"))

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "No such file or directory" in refused.stderr
