"""`instep doctor`: each thing that can be wrong, and what to do."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.cli.conftest import Desk


def ill(desk: Desk) -> dict[str, dict[str, Any]]:
    """What the doctor finds wrong, by check."""
    result = desk.type("doctor", "--output", "json")
    told = json.loads(result.stdout)
    wrong = {check["check"]: check for check in told["checks"] if check["state"] == "wrong"}
    assert result.exit_code == (1 if wrong else 0)
    assert told["ok"] is (not wrong)
    return wrong


def test_a_sound_installation_passes_every_check(desk: Desk) -> None:
    assert ill(desk) == {}

    table = desk.type("doctor")
    assert table.exit_code == 0
    assert [line.split("  ")[0] for line in table.stdout.splitlines()[1:]] == [
        "data folder",
        "disk space",
        "key file",
        "database",
        "clock source",
        "clock and audit trail",
        "clock and devices",
    ]


def test_a_folder_that_is_missing_or_not_set_up_is_told(empty_desk: Desk) -> None:
    assert list(ill(empty_desk)) == ["data folder"]
    empty_desk.data.mkdir(mode=0o700)
    assert list(ill(empty_desk)) == ["set-up"]
    assert list(empty_desk.data.iterdir()) == []


def test_a_folder_open_to_others_is_told_with_its_remedy(desk: Desk) -> None:
    desk.data.chmod(0o755)

    assert ill(desk)["data folder"]["advice"] == f"Run: chmod 700 {desk.data}"


def test_the_key_file_is_looked_at(desk: Desk) -> None:
    key = desk.data / "vault.key"
    key.chmod(0o644)
    assert "chmod 600" in ill(desk)["key file"]["what"]
    key.chmod(0o600)
    right = key.read_bytes()
    key.write_bytes(bytes(32))
    assert "does not belong to this database" in ill(desk)["database"]["what"]
    key.write_bytes(right)
    assert ill(desk) == {}


def test_a_disk_that_is_nearly_full_is_told_before_it_is_full(desk: Desk) -> None:
    desk.free_bytes = 100 * 1024 * 1024

    assert ill(desk)["disk space"]["what"] == "100 MiB are free in the data folder"


def test_a_clock_that_nothing_keeps_right_is_told_and_one_nobody_knows_about_is_not(desk: Desk) -> None:
    desk.clock_kept_right = False
    assert "chrony" in ill(desk)["clock source"]["advice"]
    desk.clock_kept_right = None
    assert ill(desk) == {}


def test_a_clock_earlier_than_the_audit_trail_is_told(desk: Desk) -> None:
    desk.clock.advance(hours=-1)

    assert "2026-11-24 12:00:10 UTC" in ill(desk)["clock and audit trail"]["what"]


def test_people_read_on_standard_error_what_to_do(desk: Desk) -> None:
    desk.free_bytes = 0

    result = desk.type("doctor")

    assert result.exit_code == 1
    assert "disk space: 0 MiB are free in the data folder. Free some" in result.stderr
