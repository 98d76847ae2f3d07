"""`instep mfa` against the served product, by people who may do no more than the guide's policy lets them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from instep.cli.demo import POLICY
from instep.domain.practice import PracticeDevice
from tests.support.server import Server
from tests.wire.desks import PROFILE, Desk
from tests.wire.people import Account, Person, Phone, Secrets

OWNERS_REFUSAL = (
    "Error: The codes were refused. Wait for the next two codes and send them at once; if those are refused too, somebody else"
    " who may has to resynchronize the device."
)


def limited(account: Account, person: Person) -> Person:
    """Who may put his own devices back in step, and nothing else until he has used MFA."""
    account.iam.put_user_policy(UserName=person.name, PolicyName="mfa", PolicyDocument=POLICY)
    return person


@pytest.fixture
def desk(account: Account, tmp_path: Path) -> Desk:
    return Desk.of(tmp_path, account, limited(account, account.person()))


@pytest.fixture
def admins_desk(account: Account, tmp_path: Path) -> Desk:
    (tmp_path / "admin").mkdir()
    return Desk.of(tmp_path / "admin", account, Person("admin", account.access_key_id, account.secret_access_key))


def slow_phone(account: Account, user_name: str) -> Phone:
    """Twenty minutes slow by now, as its second code tells, which it shows half a minute early.

    It never was right: its owner may not go far back behind a code that was accepted a moment ago.
    """
    phone = account.phone()
    phone.drift(minutes=-24)
    account.iam.enable_mfa_device(UserName=user_name, SerialNumber=phone.serial_number, **phone.pair())
    phone.drift(minutes=-20, seconds=-30)
    return phone


def options(phone: Phone) -> tuple[str, ...]:
    return ("--code1", phone.code(), "--code2", phone.code())


def test_somebody_types_two_codes_and_is_in_step_again(desk: Desk) -> None:
    phone = slow_phone(desk.account, desk.person.name)
    first, second = phone.code(), phone.code()

    with desk.sits_down("mfa", "resync") as seat:
        seat.sees("Code 1: ")
        seat.types(first)
        seat.sees("wait for the next code …")
        seat.types(second)
        status = seat.leaves()

    assert status == 0
    device, code1, code2, told, rest = seat.screen
    assert device == f"Device {phone.serial_number}"
    assert code1.startswith(f"Code 1: {first}    wait for the next code … ━")
    assert code1.endswith(" s")
    assert code2 == f"Code 2: {second}"
    assert told == "In step again. It was 20 min slow."
    assert rest == ""


def test_richard_of_the_demo_puts_his_device_right(tmp_path: Path, secrets: Secrets) -> None:
    with Server(tmp_path / "demo", demo=True) as server:
        demo = server.facts["demo"]
        device = PracticeDevice.from_dict(json.loads(Path(demo["device_file"]).read_text()))
        richard = Person(demo["user_name"], demo["access_key_id"], demo["secret_access_key"])
        desk, now = Desk.of(tmp_path, Account.first(server, secrets), richard), datetime.now(UTC)

        told = desk.done("mfa", "resync", "--code1", device.code(now), "--code2", device.next_code(now))

        assert told in ("In step again. It was 20 min slow.\n", "In step again. It was 19 min slow.\n")


def test_what_is_typed_wrong_is_caught_before_it_is_sent(desk: Desk) -> None:
    phone = slow_phone(desk.account, desk.person.name)
    first, second = phone.code(), phone.code()

    with desk.sits_down("mfa", "resync") as seat:
        seat.sees("Code 1: ")
        seat.types("12345")
        seat.sees("A code is six digits.\r\nCode 1: ")
        seat.types(first.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"}))
        seat.sees("Code 2: ")
        seat.types(first)
        seat.sees("That is the first code again; wait for the next one.\r\nCode 2: ")
        seat.types(f"{second[:3]} {second[3:]}")
        assert seat.leaves() == 0

    assert seat.screen[-2] == "In step again. It was 20 min slow."


def test_a_script_gives_both_codes(desk: Desk) -> None:
    phone = slow_phone(desk.account, desk.person.name)

    assert desk.done("mfa", "resync", *options(phone)) == "In step again. It was 20 min slow.\n"

    told = desk.json("mfa", "resync", *options(phone))
    assert told.pop("drift_seconds") in range(-1230, -1080)
    assert told == {"user_name": desk.person.name, "serial_number": phone.serial_number}


def test_its_owner_is_told_what_to_do_and_not_why(desk: Desk) -> None:
    phone = desk.account.enabled_phone(desk.person.name)
    second, first = phone.code(), phone.code()

    assert desk.fails("mfa", "resync", "--code1", first, "--code2", second) == (3, OWNERS_REFUSAL)


def test_who_answers_for_somebody_else_s_device_is_told_why(desk: Desk, admins_desk: Desk) -> None:
    phone = desk.account.enabled_phone(desk.person.name)
    older, _, newer, last = phone.code(), phone.code(), phone.code(), phone.code()

    def told(first: str, second: str) -> str:
        status, line = admins_desk.fails("mfa", "resync", "--user-name", desk.person.name, "--code1", first, "--code2", second)
        assert status == 3
        return line.removeprefix("Error: ").split(".")[0]

    assert told(last, newer) == "The newer code came first"
    assert told(older, newer) == "The codes do not follow one another"
    admins_desk.done("mfa", "resync", "--user-name", desk.person.name, "--code1", newer, "--code2", last)
    assert told(last, phone.code()) == "One of the codes was used before"
    phone.drift(days=-3)
    assert told(phone.code(), phone.code()) == "The device's clock is farther off than is searched for"


def test_a_user_with_a_path_is_known_by_the_end_of_his_arn(account: Account, tmp_path: Path) -> None:
    name = account.name()
    account.iam.create_user(UserName=name, Path="/team/tokyo/")
    desk = Desk.of(tmp_path, account, account.key_of(name))
    account.iam.put_user_policy(
        UserName=name, PolicyName="mfa", PolicyDocument=POLICY.replace("user/${aws:username}", "user/team/tokyo/${aws:username}")
    )
    phone = account.enabled_phone(name)

    assert desk.json("mfa", "resync", *options(phone))["user_name"] == name


def test_without_a_device_it_says_so(desk: Desk) -> None:
    assert desk.fails("mfa", "resync", "--code1", "123456", "--code2", "987654") == (
        5,
        f"Error: {desk.person.name} has no device that shows codes.",
    )
    assert desk.done("mfa", "status") == f"{desk.person.name} has no MFA device.\n"


def test_of_several_devices_a_person_chooses_one_and_a_script_has_to_name_one(desk: Desk) -> None:
    phones = sorted((desk.account.enabled_phone(desk.person.name) for _ in range(2)), key=lambda phone: phone.serial_number)
    first, second = phones

    status, line = desk.fails("mfa", "resync", *options(first))
    assert status == 5
    assert line == (
        "Error: There are several devices; say with --serial-number which one is meant:"
        f" {first.serial_number}, {second.serial_number}."
    )
    assert desk.json("mfa", "resync", "--serial-number", first.serial_number, *options(first))["serial_number"] == (
        first.serial_number
    )
    with desk.sits_down("mfa", "resync", "--output", "json") as seat:
        seat.sees(f"  2  {second.serial_number}  virtual, since ")
        seat.sees("Which device, 1 to 2? ")
        seat.types("3")
        seat.sees("3\r\nWhich device, 1 to 2? ")
        seat.types("2")
        seat.sees(f"Device {second.serial_number}\r\nCode 1: ")
        seat.types(second.code())
        seat.sees("Code 2: ")
        seat.types(second.code())
        assert seat.leaves() == 0
    assert json.loads(seat.screen[-2])["serial_number"] == second.serial_number


def test_hanging_up_sends_nothing(desk: Desk) -> None:
    phone = desk.account.enabled_phone(desk.person.name)

    with desk.sits_down("mfa", "resync") as seat:
        seat.sees("Code 1: ")
        seat.types("\x04")
        assert seat.leaves() == 1

    assert desk.run("mfa", "resync", *options(phone)).returncode == 0


def test_who_may_not_is_told_in_aws_s_sentence(account: Account, tmp_path: Path) -> None:
    desk = Desk.of(tmp_path, account, account.person())
    phone = account.enabled_phone(desk.person.name)

    for words in (("mfa", "resync", *options(phone)), ("mfa", "status")):
        status, line = desk.fails(*words)
        assert status == 4
        assert line.startswith(
            f"Error: User: arn:aws:iam::{account.account_id}:user/{desk.person.name} is not authorized to perform"
        )
        assert line.endswith("(AccessDenied)")


def test_a_key_that_nobody_has_is_not_permitted(desk: Desk) -> None:
    status, line = desk.fails("mfa", "status", AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY="none")

    assert (status, line) == (4, "Error: The security token included in the request is invalid. (InvalidClientTokenId)")


def test_the_root_user_has_to_say_whose_device_is_meant(other_account: Account, tmp_path: Path) -> None:
    desk, name = Desk.of(tmp_path, other_account, other_account.root()), other_account.person().name
    phone = other_account.enabled_phone(name)

    assert desk.fails("mfa", "resync", *options(phone)) == (
        2,
        f"Error: arn:aws:iam::{other_account.account_id}:root is not an IAM user: say with --user-name whose device is meant.",
    )
    assert desk.json("mfa", "resync", "--user-name", name, *options(phone))["user_name"] == name


def test_devices_are_listed_with_their_drift_to_who_may_ask(desk: Desk, admins_desk: Desk) -> None:
    phone = slow_phone(desk.account, desk.person.name)
    desk.done("mfa", "resync", *options(phone))

    (own,) = desk.json("mfa", "status")
    (shown,) = admins_desk.json("mfa", "status", "--user-name", desk.person.name)
    heading, row = desk.done("mfa", "status").splitlines()

    assert datetime.fromisoformat(own["enabled_at"]).tzinfo is not None
    assert own == {
        "user_name": desk.person.name,
        "serial_number": phone.serial_number,
        "kind": "virtual",
        "enabled_at": own["enabled_at"],
        "drift_seconds": None,
        "drift_shown": False,
    }
    assert -1230 < shown["drift_seconds"] < -1170
    assert shown == own | {"drift_seconds": shown["drift_seconds"], "drift_shown": True}
    assert heading.split() == ["SERIAL", "NUMBER", "KIND", "ENABLED", "DRIFT"]
    assert row.split() == [phone.serial_number, "virtual", own["enabled_at"], "not", "shown", "to", "you"]
    assert admins_desk.done("mfa", "status", "--user-name", desk.person.name).endswith("  20 min slow\n")


def test_endpoint_and_key_may_come_from_the_environment(desk: Desk) -> None:
    phone = desk.account.enabled_phone(desk.person.name)
    (desk.home / ".aws" / "config").unlink()
    variables = desk.keys() | {"AWS_ENDPOINT_URL": desk.account.server.endpoint}

    assert desk.json("mfa", "resync", *options(phone), AWS_PROFILE=None, **variables)["user_name"] == desk.person.name


def test_a_profile_that_is_named_comes_before_the_environment(desk: Desk) -> None:
    phone = desk.account.enabled_phone(desk.person.name)
    other = desk.account.person()
    variables = {"AWS_ACCESS_KEY_ID": other.access_key_id, "AWS_SECRET_ACCESS_KEY": other.secret_access_key}

    assert desk.json("mfa", "resync", *options(phone), "--profile", PROFILE, **variables)["user_name"] == desk.person.name


def test_endpoint_and_region_may_be_named(desk: Desk) -> None:
    phone = desk.account.enabled_phone(desk.person.name)
    (desk.home / ".aws" / "config").unlink()
    there = ("--endpoint-url", desk.account.server.endpoint, "--region", "eu-west-1")

    assert desk.json("mfa", "resync", *options(phone), *there)["user_name"] == desk.person.name
