"""`instep audit`: the trail, read from a shell."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from instep.api.common import AccessDenied
from instep.api.iam import IAM
from instep.cli.folder import ask
from instep.domain.identity import Principal
from tests.unit.cli.conftest import Desk

ROOT = Principal.root("123456789012")


def create(desk: Desk, *names: str) -> None:
    with desk.service() as service:
        for name in names:
            desk.clock.advance(seconds=1)
            ask(service, ROOT, IAM, "CreateUser", UserName=name)


class Pauses:
    """What happens between the looks of --follow; after the last, Ctrl-C."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self._happenings = list(happenings)

    def __call__(self, seconds: float) -> None:
        assert seconds > 0
        if not self._happenings:
            raise KeyboardInterrupt
        self._happenings.pop(0)()


def test_json_is_one_record_a_line_oldest_first(desk: Desk) -> None:
    create(desk, "Ann", "Bob")

    lines = desk.type("audit", "--output", "json").stdout.splitlines()

    assert [json.loads(line)["eventName"] for line in lines] == ["CreateAccount", "CreateUser", "CreateUser"]
    assert json.loads(lines[-1])["requestParameters"] == {"userName": "Bob"}


def test_the_table_says_who_did_what_and_how_it_ended(desk: Desk) -> None:
    create(desk, "Ann")
    with desk.service() as service:
        ann = service.store.read(lambda tx: tx.users.find("123456789012", "Ann"))
        assert ann is not None
        # Events of one and the same moment stand in no particular order.
        desk.clock.advance(seconds=1)
        with pytest.raises(AccessDenied):
            ask(service, Principal.user(ann), IAM, "ListUsers")

    heading, *rows = desk.type("audit").stdout.splitlines()

    assert heading.split() == ["TIME", "ACCOUNT", "WHO", "EVENT", "FROM", "RESULT"]
    assert [row.split()[1:] for row in rows] == [
        ["123456789012", "operator", "instep:CreateAccount", "127.0.0.1", "done"],
        ["123456789012", "root", "iam:CreateUser", "127.0.0.1", "done"],
        ["123456789012", "user/Ann", "iam:ListUsers", "127.0.0.1", "AccessDenied"],
    ]


def test_a_limit_keeps_the_newest(desk: Desk) -> None:
    create(desk, "Ann", "Bob")

    (line,) = desk.type("audit", "--limit", "1", "--output", "json").stdout.splitlines()

    assert json.loads(line)["requestParameters"] == {"userName": "Bob"}


def test_one_account_can_be_looked_at_alone(desk: Desk) -> None:
    desk.facts("account", "create", "--account-id", "210987654321")

    lines = desk.type("audit", "--account", "210987654321", "--output", "json").stdout.splitlines()

    assert [json.loads(line)["recipientAccountId"] for line in lines] == ["210987654321"]


def test_following_shows_each_new_event_once_until_ctrl_c(desk: Desk) -> None:
    create(desk, "Ann", "Bob", "Eve")
    desk.pause = Pauses(
        lambda: None, lambda: create(desk, "Carla"), lambda: desk.clock.advance(minutes=5), lambda: create(desk, "Dan")
    )

    result = desk.type("audit", "--follow", "--limit", "1", "--output", "json")

    assert result.exit_code == 0
    assert [json.loads(line)["requestParameters"]["userName"] for line in result.stdout.splitlines()] == ["Eve", "Carla", "Dan"]


def test_following_sees_what_is_written_late_and_what_comes_after_the_clock_was_set_back(desk: Desk) -> None:
    def late_read() -> None:
        # Events of successful reads are written a moment after those of writes that came later.
        with desk.service() as service:
            ask(service, ROOT, IAM, "ListUsers")
            desk.clock.advance(seconds=2)
            ask(service, ROOT, IAM, "CreateUser", UserName="Late")

    def set_back() -> None:
        desk.clock.advance(hours=-1)
        create(desk, "Early")

    desk.pause = Pauses(late_read, set_back)

    lines = desk.type("audit", "--follow", "--limit", "0", "--output", "json").stdout.splitlines()

    assert sorted(json.loads(line)["eventName"] for line in lines) == ["CreateUser", "CreateUser", "ListUsers"]


def test_following_in_a_table_begins_with_its_heading(desk: Desk) -> None:
    desk.pause = Pauses()

    heading, row = desk.type("audit", "--follow").stdout.splitlines()

    assert heading.split()[0] == "TIME"
    assert "instep:CreateAccount" in row


def test_a_strangers_words_cannot_steer_the_terminal(desk: Desk) -> None:
    with desk.service() as service, pytest.raises(Exception, match="Could not find operation"):
        ask(service, ROOT, IAM, "Evil\x1b[2J\nName")

    output = desk.type("audit").stdout

    assert "\x1b" not in output
    assert "Evil\ufffd[2J\ufffdName" in output
