"""`instep tokens`: a vendor's file into the inventory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instep.api.iam import IAM
from instep.cli.folder import ask
from instep.domain.identity import Principal
from instep.domain.totp import Token
from tests.unit.cli.conftest import Desk

GOOD = """\
serial,seed,TOTP,digits,period
ABCD12345678,3132333435363738393031323334353637383930,TOTP,6,30
ABCD12345679,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJR,TOTP,6,60,SHA256
"""
BAD = GOOD + "ABCD12345680,nonsense!,TOTP,6,30\nABCD12345681,3132333435363738393031323334353637383933,TOTP,8,30\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.csv"


def test_each_row_is_reported(desk: Desk, file: Path) -> None:
    file.write_text(GOOD)

    result = desk.type("tokens", "import", str(file))

    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["LINE", "SERIAL", "RESULT"],
        ["2", "ABCD12345678", "imported"],
        ["3", "ABCD12345679", "imported"],
    ]


def test_one_bad_row_keeps_all_out(desk: Desk, file: Path) -> None:
    file.write_text(BAD)

    result = desk.type("tokens", "import", str(file), "--output", "json")

    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["imported"] is False
    assert [(row["line"], row["problem"] is None) for row in report["rows"]] == [(2, True), (3, True), (4, False), (5, False)]
    assert "2 of 4 rows" in result.stderr
    assert desk.facts("tokens", "list") == []


def test_a_seed_is_never_repeated(desk: Desk, file: Path) -> None:
    for content in (GOOD, BAD):
        file.write_text(content)
        result = desk.type("tokens", "import", str(file))
        assert "3132333435" not in result.output
        assert "GEZDGNBV" not in result.output
        assert "nonsense" not in result.output
    assert "3132333435" not in str(desk.events())
    assert "GEZDGNBV" not in str(desk.events())


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("ABCD12345680|3132333435363738393031323334353637383930|TOTP|6|30", None),
        ("ABCD12345680;3132333435363738393031323334353637383930;TOTP;6;30", None),
        ("ABCD12345680,TOTP,3132333435363738393031323334353637383930,6,30", "ABCD12345680"),
        ("3132333435363738393031323334353637383930,ABCD12345680,TOTP,6,30", None),
        ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ,ABCD12345680,TOTP,6,30", None),
        ("TOTP,ABCD12345680,3132333435363738393031323334353637383930,6,30", None),
        ("ABCD12345680,ABCD12345680,TOTP,3132333435363738393031323334353637383930,30", "ABCD12345680"),
        ("ABCD12345680,ABCD12345680,TOTP,6,3132333435363738393031323334353637383930", "ABCD12345680"),
        ("ABCD12345680,GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJS,TOTP,6,30,3132333435363738393031323334353637383930", "ABCD12345680"),
    ],
)
def test_a_seed_in_the_wrong_place_is_not_repeated_either(desk: Desk, file: Path, row: str, shown: str | None) -> None:
    file.write_text(f"serial,seed,TOTP,digits,period\n{row}\n")

    table = desk.type("tokens", "import", str(file))
    report = desk.type("tokens", "import", str(file), "--output", "json")

    for printed in (table.output, report.output, str(desk.events())):
        assert "31323334" not in printed
        assert "GEZDGNBV" not in printed
    assert (table.exit_code, report.exit_code) == (1, 1)
    assert table.stdout.splitlines()[1].split()[:2] == ["2", shown or "-"]
    (told,) = json.loads(report.stdout)["rows"]
    assert told["serial_number"] == shown
    assert told["problem"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_s_semicolons_and_tabs_are_taken(desk: Desk, file: Path, separator: str) -> None:
    file.write_text(GOOD.replace(",", separator))

    result = desk.type("tokens", "import", str(file))

    assert result.exit_code == 0
    assert "31323334" not in result.output
    assert [one["serial_number"] for one in desk.facts("tokens", "list")] == ["ABCD12345678", "ABCD12345679"]


def test_tokens_imported_twice_are_refused_by_name(desk: Desk, file: Path) -> None:
    file.write_text(GOOD)
    desk.type("tokens", "import", str(file))

    result = desk.type("tokens", "import", str(file))

    assert result.exit_code == 1
    assert "a device with this serial number is in the account already" in result.stdout


def test_a_file_may_come_through_a_pipe_and_begin_with_a_mark_of_its_encoding(desk: Desk) -> None:
    assert desk.type("tokens", "import", "-", stdin=b"\xef\xbb\xbf" + GOOD.encode()).exit_code == 0
    assert len(desk.facts("tokens", "list")) == 2


def test_a_file_that_is_no_text_is_refused(desk: Desk, file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00serial")

    result = desk.type("tokens", "import", str(file))

    assert result.exit_code == 1
    assert "UTF-8" in result.stderr


def test_an_empty_file_is_refused(desk: Desk, file: Path) -> None:
    file.write_text("serial,seed,TOTP,digits,period\n")

    assert desk.type("tokens", "import", str(file)).exit_code == 1


def test_the_account_must_be_named_once_there_are_several(desk: Desk, file: Path) -> None:
    file.write_text(GOOD)
    desk.facts("account", "create", "--account-id", "210987654321")

    vague = desk.type("tokens", "import", str(file))
    wrong = desk.type("tokens", "import", str(file), "--account", "999999999999")
    named = desk.type("tokens", "import", str(file), "--account", "example")

    assert vague.exit_code == 1
    assert "123456789012 (example), 210987654321" in vague.stderr
    assert wrong.exit_code == 1
    assert "999999999999" in wrong.stderr
    assert named.exit_code == 0
    assert len(desk.facts("tokens", "list", "--account", "123456789012")) == 2
    assert desk.facts("tokens", "list", "--account", "210987654321") == []


def test_the_inventory_shows_who_holds_a_token(desk: Desk, file: Path) -> None:
    file.write_text(GOOD)
    desk.type("tokens", "import", str(file))
    token = Token(b"12345678901234567890")
    now = token.time_step(desk.clock())
    with desk.service() as service:
        root = Principal.root("123456789012")
        ask(service, root, IAM, "CreateUser", UserName="Richard")
        codes = {"AuthenticationCode1": token.code(now - 1), "AuthenticationCode2": token.code(now)}
        ask(service, root, IAM, "EnableMFADevice", UserName="Richard", SerialNumber="ABCD12345678", **codes)

    assert desk.facts("tokens", "list") == [
        {"serial_number": "ABCD12345678", "state": "held", "holder": "Richard", "enabled_at": "2026-11-24T12:00:10Z"},
        {"serial_number": "ABCD12345679", "state": "free", "holder": None, "enabled_at": None},
    ]
    assert desk.type("tokens", "list").stdout.splitlines()[1].split() == ["ABCD12345678", "held", "Richard", "2026-11-24"]
