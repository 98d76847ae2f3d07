"""The credential report: made at once, good for four hours, and what its columns say."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest

from instep.api.errors import ReportExpired, ReportNotPresent
from instep.domain.credential_report import Credentials, report
from instep.domain.identity import AccessKey, KeyStatus, KeyUse, RootUser
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
MADE = "2026-11-24T12:00:10+00:00"


def lines(home: House) -> list[str]:
    home.call("iam:GenerateCredentialReport")
    content: bytes = home.call("iam:GetCredentialReport").content
    return content.decode().split("\n")


def row(home: House, name: str) -> dict[str, str]:
    return next(one for one in csv.DictReader(lines(home)) if one["user"] == name)


def test_a_report_is_started_then_complete_then_there(home: House) -> None:
    with pytest.raises(ReportNotPresent) as refused:
        home.call("iam:GetCredentialReport")
    assert refused.value.message == ""

    first, second = home.call("iam:GenerateCredentialReport"), home.call("iam:GenerateCredentialReport")

    assert (first.state.value, first.description) == (
        "STARTED",
        "No report exists. Starting a new report generation task",
    )
    assert (second.state.value, second.description) == ("COMPLETE", None)
    got = home.call("iam:GetCredentialReport")
    assert (got.report_format.value, got.generated_time) == ("text/csv", NOON)


def test_it_is_good_for_four_hours(home: House) -> None:
    home.call("iam:GenerateCredentialReport")
    home.user("Richard")
    home.clock.advance(hours=4)
    assert home.call("iam:GenerateCredentialReport").state.value == "COMPLETE"
    assert b"Richard" not in home.call("iam:GetCredentialReport").content

    home.clock.advance(seconds=1)

    with pytest.raises(ReportExpired):
        home.call("iam:GetCredentialReport")
    assert home.call("iam:GenerateCredentialReport").state.value == "STARTED"
    assert b"Richard" in home.call("iam:GetCredentialReport").content


def test_one_made_while_the_servers_clock_was_ahead_does_not_last_until_then(home: House) -> None:
    home.clock.advance(days=365)
    home.call("iam:GenerateCredentialReport")
    home.clock.now = NOON

    assert home.call("iam:GenerateCredentialReport").state.value == "STARTED"
    assert home.call("iam:GetCredentialReport").generated_time == NOON


def test_the_root_users_row_comes_first_and_users_follow_by_name(home: House) -> None:
    for name in ("b", "A,1", "c"):
        home.user(name, Path="/staff/")
    bare = "false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
    users = f"arn:aws:iam::{ACCOUNT}:user/staff"

    header, root, *rows = lines(home)

    assert header == HEADER
    assert root == (
        f"<root_account>,arn:aws:iam::{ACCOUNT}:root,{MADE},not_supported,no_information,not_supported,not_supported,false,{bare}"
    )
    assert [row for row in rows if users in row] == [
        f'"A,1","{users}/A,1",{MADE},false,N/A,N/A,N/A,false,{bare}',
        f"b,{users}/b,{MADE},false,N/A,N/A,N/A,false,{bare}",
        f"c,{users}/c,{MADE},false,N/A,N/A,N/A,false,{bare}",
    ]


def test_a_password_shows_when_it_was_set_and_when_it_has_to_be_changed(home: House) -> None:
    home.user("Richard")
    home.clock.advance(hours=1)
    home.call("iam:CreateLoginProfile", UserName="Richard", Password="Correct horse 1")
    home.clock.advance(hours=1)
    shown = row(home, "Richard")
    assert (shown["password_enabled"], shown["password_last_used"]) == ("true", "no_information")
    assert (shown["password_last_changed"], shown["password_next_rotation"]) == ("2026-11-24T13:00:10+00:00", "N/A")

    home.call("iam:UpdateAccountPasswordPolicy", MaxPasswordAge="90")
    home.clock.advance(hours=5)

    assert row(home, "Richard")["password_next_rotation"] == "2027-02-22T13:00:10+00:00"


def test_keys_and_devices_show_their_state(home: House) -> None:
    home.user("Richard")
    home.enabled_device("Richard", "RichardsMFA")
    first = home.call("iam:CreateAccessKey", UserName="Richard").access_key.access_key_id
    home.clock.advance(minutes=1)
    home.call("iam:CreateAccessKey", UserName="Richard")
    home.call("iam:UpdateAccessKey", UserName="Richard", AccessKeyId=first, Status="Inactive")
    use = KeyUse(NOON + timedelta(minutes=2), "sts", "ap-northeast-1")
    home.service.store.write(lambda tx: tx.access_keys.record_use({first: use}))

    shown = row(home, "Richard")

    assert shown["mfa_active"] == "true"
    assert [value for column, value in shown.items() if column.startswith("access_key_")] == [
        *("false", MADE, "2026-11-24T12:02:10+00:00", "ap-northeast-1", "sts"),
        *("true", "2026-11-24T12:01:10+00:00", "N/A", "N/A", "N/A"),
    ]


def test_an_account_reports_its_own(home: House) -> None:
    home.user("Richard")
    home.call("iam:GenerateCredentialReport")

    with pytest.raises(ReportNotPresent):
        home.call("iam:GetCredentialReport", home.root.root(OTHER_ACCOUNT))


def test_where_a_quota_allows_more_keys_an_active_one_is_not_left_out() -> None:
    root = RootUser(ACCOUNT, "root@example.com", "hash", NOON)
    keys = [
        AccessKey(ACCOUNT, f"AKIA{number}", ACCOUNT, b"", status, NOON + timedelta(days=number))
        for number, status in enumerate((KeyStatus.INACTIVE, KeyStatus.ACTIVE, KeyStatus.ACTIVE))
    ]
    made = report(
        Credentials(root=root, users=(), profiles={}, keys={ACCOUNT: keys}, with_mfa=(), policy=None), NOON
    ).content.decode()

    (shown,) = csv.DictReader(made.split("\n"))

    assert (shown["access_key_1_active"], shown["access_key_1_last_rotated"]) == ("true", "2026-11-25T12:00:10+00:00")
    assert (shown["access_key_2_active"], shown["access_key_2_last_rotated"]) == ("true", "2026-11-26T12:00:10+00:00")
