"""Both generations of the AWS CLI, unmodified, as people run them."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from tests.support.server import PATIENCE, Server, clean_environment
from tests.wire.aws_cli import AWS
from tests.wire.people import Account, Person, Phone, Secrets


def richards_device(server: Server, secrets: Secrets) -> PracticeDevice:
    device = PracticeDevice.from_dict(json.loads((server.data / "devices" / "RichardsMFA.json").read_text()))
    secrets.words.add(device.token.base32)
    return device


def drift_seconds(iam: Any, serial_number: str) -> int:
    headers = iam.get_mfa_device(SerialNumber=serial_number)["ResponseMetadata"]["HTTPHeaders"]
    return int(headers["x-instep-drift-seconds"])


def test_what_the_demo_prints_works_when_pasted(aws: AWS, tmp_path: Path) -> None:
    with Server(tmp_path / "demo", demo=True, as_text=True) as server:
        as_admin, as_richard = server.printed.split("Or as Richard, ")
        pasted = "".join(line for line in as_admin.splitlines(keepends=True) if line.startswith("  "))
        finished = aws.shell(pasted, clean_environment(aws.home))

        assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
        key = re.search(r"AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)", pasted)
        assert key is not None
        drift = drift_seconds(server.boto("iam", key[1], key[2]), "arn:aws:iam::123456789012:mfa/RichardsMFA")
        assert -1260 <= drift <= -1140
        richards = re.search(r"AWS_ACCESS_KEY_ID=(\S+) AWS_SECRET_ACCESS_KEY=(\S+)", as_richard)
        assert richards is not None
        (device,) = server.boto("iam", richards[1], richards[2]).list_mfa_devices()["MFADevices"]
        assert device["UserName"] == "Richard"
        server.stop()
        log = server.log_text()
    codes = set(re.findall(r"--authentication-code[12] (\d{6})", pasted))
    password = re.search(r"root password (\S+) ", server.printed)
    assert password is not None
    assert Secrets({key[2], richards[2], password[1]}, codes).leaked_into(log) == 0
    assert '"operation":"iam:ResyncMFADevice"' in log


def test_richard_of_the_demo_puts_his_device_right_with_his_own_key(aws: AWS, tmp_path: Path, secrets: Secrets) -> None:
    with Server(tmp_path / "demo", demo=True) as server:
        account, facts = Account.first(server, secrets), server.facts["demo"]
        secrets.words.add(facts["secret_access_key"])
        richard = Person("Richard", facts["access_key_id"], facts["secret_access_key"])
        device, now = richards_device(server, secrets), datetime.now(UTC)
        own = ("--user-name", "Richard", "--serial-number", facts["serial_number"])
        codes = ("--authentication-code1", device.code(now), "--authentication-code2", device.next_code(now))

        refused = aws.run(account, "iam", "list-users", as_=richard)
        assert aws.done(account, "iam", "resync-mfa-device", *own, *codes, as_=richard) == ""

        assert (refused.returncode, refused.stdout) == (aws.refused, "")
        assert refused.stderr.strip() == (
            "An error occurred (AccessDenied) when calling the ListUsers operation:"
            " User: arn:aws:iam::123456789012:user/Richard is not authorized to perform: iam:ListUsers"
            " on resource: arn:aws:iam::123456789012:user/ with an explicit deny in an identity-based policy"
        )
        assert -1260 <= drift_seconds(server.boto("iam"), facts["serial_number"]) <= -1140
        server.stop()


def test_the_guides_own_line_works_with_v1(v1: AWS, tmp_path: Path, secrets: Secrets) -> None:
    line = (
        "aws iam resync-mfa-device --user-name Richard --serial-number arn:aws:iam::123456789012:mfa/RichardsMFA"
        " --authentication-code-1 123456 --authentication-code-2 987654"
    )
    with Server(tmp_path / "demo", demo=True) as server:
        device, now = richards_device(server, secrets), datetime.now(UTC)
        read_off = line.replace("123456 ", device.code(now) + " ").replace("987654", device.next_code(now))
        environment = v1.environment(server, Account.first(server, secrets))

        finished = v1.shell(read_off, environment)

        assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
        assert -1260 <= drift_seconds(server.boto("iam"), server.facts["demo"]["serial_number"]) <= -1140
        again = subprocess.run(
            ["sh", "-c", line.replace("aws ", f"{v1.program} ", 1)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert again.returncode == 255
        assert again.stderr.strip() == (
            "An error occurred (InvalidAuthenticationCode) when calling the ResyncMFADevice operation:"
            " Authentication code for device is not valid."
        )


def test_a_device_is_made_enabled_used_and_put_back_in_step(aws: AWS, account: Account, tmp_path: Path) -> None:
    person, name, png = account.person(), account.name("phone"), tmp_path / "qr.png"
    made = aws.json(
        account,
        *("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", name),
        *("--outfile", str(png), "--bootstrap-method", "QRCodePNG"),
    )
    serial_number = f"arn:aws:iam::{account.account_id}:mfa/{name}"
    assert made == {"VirtualMFADevice": {"SerialNumber": serial_number}}
    phone = Phone(serial_number, Token.from_uri(account.scan(png.read_bytes())), account.secrets)
    who = ("--user-name", person.name, "--serial-number", serial_number)

    def codes() -> list[str]:
        pair = phone.pair()
        return ["--authentication-code1", pair["AuthenticationCode1"], "--authentication-code2", pair["AuthenticationCode2"]]

    def session() -> list[str]:
        return ["sts", "get-session-token", "--serial-number", serial_number, "--token-code", phone.code()]

    assert aws.done(account, "iam", "enable-mfa-device", *who, *codes()) == ""
    assert aws.json(account, *session(), as_=person)["Credentials"]["AccessKeyId"].startswith("ASIA")

    phone.drift(minutes=20)
    refused = aws.run(account, *session(), as_=person)
    assert (refused.returncode, refused.stdout) == (aws.refused, "")
    # With the space that clients compare along with the rest.
    assert refused.stderr.endswith(
        "An error occurred (AccessDenied) when calling the GetSessionToken operation:"
        " MultiFactorAuthentication failed with invalid MFA one time pass code. \n"
    )

    assert aws.done(account, "iam", "resync-mfa-device", *who, *codes()) == ""
    credentials = aws.json(account, *session(), as_=person)["Credentials"]
    account.secrets.words |= {credentials["SecretAccessKey"], credentials["SessionToken"]}
    temporary = Person(person.name, credentials["AccessKeyId"], credentials["SecretAccessKey"])
    identity = aws.json(account, "sts", "get-caller-identity", as_=temporary, AWS_SESSION_TOKEN=credentials["SessionToken"])
    assert identity["Arn"] == f"arn:aws:iam::{account.account_id}:user/{person.name}"


def test_the_seed_can_be_had_as_text(aws: AWS, account: Account, tmp_path: Path) -> None:
    seed = tmp_path / "seed.txt"
    name = account.name("phone")

    aws.done(
        account,
        *("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", name),
        *("--outfile", str(seed), "--bootstrap-method", "Base32StringSeed"),
    )

    text = seed.read_text()
    account.secrets.words.add(text)
    assert re.fullmatch(r"[A-Z2-7]{64}", text)


def test_lists_of_devices_read_as_json_text_and_table(aws: AWS, account: Account) -> None:
    person = account.person()
    serial_number = account.enabled_phone(person.name).serial_number
    of_user = ("iam", "list-mfa-devices", "--user-name", person.name)
    virtual = ("iam", "list-virtual-mfa-devices", "--assignment-status", "Assigned")

    (device,) = aws.json(account, *of_user)["MFADevices"]
    assert (device["UserName"], device["SerialNumber"]) == (person.name, serial_number)
    assert datetime.fromisoformat(device["EnableDate"]).tzinfo is not None
    kind, date, listed, name = aws.done(account, *of_user, "--output", "text").rstrip("\n").split("\t")
    assert (kind, listed, name) == ("MFADEVICES", serial_number, person.name)
    assert datetime.fromisoformat(date) == datetime.fromisoformat(device["EnableDate"])
    table = aws.done(account, *of_user, "--output", "table")
    assert "ListMFADevices" in table
    for field, value in (("SerialNumber", serial_number), ("UserName", person.name)):
        assert re.search(rf"\|\s+{field}\s*\|\s+{re.escape(value)}\s*\|", table)

    found = {one["SerialNumber"]: one for one in aws.json(account, *virtual)["VirtualMFADevices"]}
    assert found[serial_number]["User"]["UserName"] == person.name
    assert f"VIRTUALMFADEVICES\t{device['EnableDate']}\t{serial_number}\n" in aws.done(account, *virtual, "--output", "text")
    assert serial_number in aws.done(account, *virtual, "--output", "table")


def test_a_refusal_is_one_line_and_an_exit_status(aws: AWS, account: Account) -> None:
    nobody = account.name("nobody")

    refused = aws.run(account, "iam", "list-mfa-devices", "--user-name", nobody)

    assert (refused.returncode, refused.stdout) == (aws.refused, "")
    assert refused.stderr.strip() == (
        "An error occurred (NoSuchEntity) when calling the ListMFADevices operation:"
        f" The user with name {nobody} cannot be found."
    )


@pytest.mark.parametrize("region", ["ap-northeast-1", "aws-global"])
def test_any_region_will_do(aws: AWS, account: Account, region: str) -> None:
    person = account.person()

    assert aws.json(account, "--region", region, "sts", "get-caller-identity", as_=person)["Account"] == account.account_id
    found = aws.json(account, "iam", "get-user", "--user-name", person.name, AWS_DEFAULT_REGION=region)
    assert found["User"]["UserName"] == person.name


def test_lists_go_on_where_max_items_broke_them_off(aws: AWS, account: Account) -> None:
    path, names = f"/{account.name('team')}/", sorted(account.name() for _ in range(3))
    for name in names:
        account.iam.create_user(UserName=name, Path=path)
    ask = ("iam", "list-users", "--path-prefix", path)

    first = aws.json(account, *ask, "--max-items", "2", "--page-size", "1")
    rest = aws.json(account, *ask, "--starting-token", first["NextToken"])

    assert [user["UserName"] for user in first["Users"] + rest["Users"]] == names
    assert len(first["Users"]) == 2
    assert "NextToken" not in rest
    assert aws.json(account, *ask, "--query", "Users[].UserName", "--page-size", "2") == names
