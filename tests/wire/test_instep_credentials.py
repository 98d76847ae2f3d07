"""`instep credentials` against the served product."""

from __future__ import annotations

import json
import stat
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from instep.cli.demo import POLICY
from tests.wire.desks import PROFILE, Desk
from tests.wire.people import Account, Phone

NOBODY_TO_ASK = "Error: A code is needed, and there is no terminal to ask at: run this once in a terminal, or give --token-code."


@pytest.fixture
def desk(account: Account, tmp_path: Path) -> Desk:
    person = account.person()
    account.iam.put_user_policy(UserName=person.name, PolicyName="mfa", PolicyDocument=POLICY)
    return Desk.of(tmp_path, account, person)


@pytest.fixture
def phone(desk: Desk) -> Phone:
    return desk.account.enabled_phone(desk.person.name)


def cached(desk: Desk) -> list[Path]:
    return sorted((desk.home / ".cache" / "instep").glob("*.json"))


def read(desk: Desk, printed: str) -> dict[str, Any]:
    credentials: dict[str, Any] = json.loads(printed)
    desk.account.secrets.words |= {credentials["SecretAccessKey"], credentials["SessionToken"]}
    return credentials


def caller(desk: Desk, credentials: dict[str, Any]) -> str:
    """Whose they are, for a call that the guide's policy denies without MFA."""
    sts = desk.account.session(credentials, "sts")
    desk.account.session(credentials, "iam").list_virtual_mfa_devices()
    return str(sts.get_caller_identity()["Arn"])


def test_it_asks_at_the_terminal_and_prints_nothing_but_credentials(desk: Desk, phone: Phone) -> None:
    with desk.sits_down("credentials", "--serial-number", phone.serial_number, piped=True) as seat:
        seat.sees(f"MFA code for {phone.serial_number}: ")
        code = phone.code()
        seat.types(code)
        assert seat.leaves() == 0
        credentials = read(desk, seat.output)
        assert seat.errors == ""

    assert list(credentials) == ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]
    assert credentials["Version"] == 1
    left = datetime.fromisoformat(credentials["Expiration"]) - datetime.now(UTC)
    assert timedelta(hours=11, minutes=58) < left <= timedelta(hours=12)
    assert caller(desk, credentials) == f"arn:aws:iam::{desk.account.account_id}:user/{desk.person.name}"


def test_a_session_is_kept_and_asked_for_once(desk: Desk, phone: Phone) -> None:
    first = read(desk, desk.done("credentials", "--token-code", phone.code()))

    # No terminal, no code: there is nobody to ask.
    assert json.loads(desk.done("credentials")) == first
    (file,) = cached(desk)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    # With its serial number it is another question.
    assert desk.fails("credentials", "--serial-number", phone.serial_number) == (2, NOBODY_TO_ASK)


def test_the_cache_lies_where_the_person_says(desk: Desk, phone: Phone) -> None:
    read(desk, desk.done("credentials", "--token-code", phone.code(), XDG_CACHE_HOME=str(desk.home / "elsewhere")))

    assert len(list((desk.home / "elsewhere" / "instep").glob("*.json"))) == 1
    assert cached(desk) == []


def test_a_code_that_is_given_replaces_the_session_that_was_kept(desk: Desk, phone: Phone) -> None:
    first = read(desk, desk.done("credentials", "--token-code", phone.code()))
    second = read(desk, desk.done("credentials", "--token-code", phone.code(), "--duration-seconds", "900"))

    assert first["AccessKeyId"] != second["AccessKeyId"]
    assert json.loads(desk.done("credentials")) == second
    assert datetime.fromisoformat(second["Expiration"]) <= datetime.now(UTC) + timedelta(seconds=900)


def test_nothing_is_kept_or_given_out_where_that_is_not_wanted(desk: Desk, phone: Phone) -> None:
    read(desk, desk.done("credentials", "--no-cache", "--token-code", phone.code()))
    assert cached(desk) == []

    read(desk, desk.done("credentials", "--token-code", phone.code()))
    assert desk.fails("credentials", "--no-cache") == (2, NOBODY_TO_ASK)


def test_a_cache_that_cannot_be_written_keeps_nobody_from_a_session(desk: Desk, phone: Phone) -> None:
    (desk.home / "a file").write_text("")

    finished = desk.run("credentials", "--token-code", phone.code(), XDG_CACHE_HOME=str(desk.home / "a file"))

    assert finished.returncode == 0
    assert caller(desk, read(desk, finished.stdout)).endswith(desk.person.name)
    assert finished.stderr.startswith("The session could not be kept: ")


def test_a_damaged_file_is_as_good_as_none(desk: Desk, phone: Phone) -> None:
    read(desk, desk.done("credentials", "--token-code", phone.code()))
    (file,) = cached(desk)
    file.write_text(file.read_text()[:-20])

    assert desk.fails("credentials") == (2, NOBODY_TO_ASK)
    assert read(desk, desk.done("credentials", "--token-code", phone.code())) == json.loads(desk.done("credentials"))


def test_of_several_at_once_one_asks(desk: Desk, phone: Phone) -> None:
    words = ("credentials", "--serial-number", phone.serial_number)
    with ExitStack() as stack:
        first = stack.enter_context(desk.sits_down(*words, piped=True))
        first.sees("MFA code for ")
        others = [stack.enter_context(desk.sits_down(*words, piped=True)) for _ in range(3)]
        first.types(phone.code())

        assert [seat.leaves() for seat in (first, *others)] == [0, 0, 0, 0]
        printed = read(desk, first.output)
        assert [json.loads(seat.output) for seat in others] == [printed, printed, printed]
        assert [seat.screen for seat in others] == [[""], [""], [""]]


def test_a_refused_code_says_what_to_do(desk: Desk, phone: Phone) -> None:
    phone.drift(minutes=20)

    assert desk.fails("credentials", "--token-code", phone.code()) == (
        3,
        "Error: The code was refused. Try the next one; if that is refused too, put the device back in step: instep mfa resync",
    )
    assert cached(desk) == []


def test_somebody_else_s_device_is_none_of_yours(desk: Desk, phone: Phone) -> None:
    other = desk.account.enabled_phone(desk.account.person().name)

    status, line = desk.fails("credentials", "--serial-number", other.serial_number, "--token-code", other.code())

    assert status == 5
    assert line.startswith("Error: MultiFactorAuthentication failed, unable to validate MFA code.")


def test_a_session_asks_for_no_session(desk: Desk, phone: Phone) -> None:
    credentials = read(desk, desk.done("credentials", "--no-cache", "--token-code", phone.code()))
    keys = {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }

    assert desk.fails("credentials", "--token-code", phone.code(), **keys) == (
        4,
        "Error: Cannot call GetSessionToken with session credentials (AccessDenied)",
    )


def test_without_a_device_there_is_no_session(desk: Desk) -> None:
    assert desk.fails("credentials", "--token-code", "123456") == (
        5,
        "Error: Whoever has these keys has no device that shows codes.",
    )


def test_a_profile_whose_process_leads_back_to_itself_ends_at_once(desk: Desk, phone: Phone) -> None:
    program = desk.program()
    desk.profile("loop", region="us-east-1", credential_process=f"{program} credentials --token-code 123456")

    status, line = desk.fails("credentials", "--token-code", phone.code(), AWS_PROFILE="loop")

    assert status == 1
    assert "This profile's credential_process asks itself: say with --profile where the access key is." in line
    # As it has to be.
    read(desk, desk.done("credentials", "--profile", PROFILE, "--token-code", phone.code(), AWS_PROFILE="loop"))
