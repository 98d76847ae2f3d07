"""A day with unmodified clients: profiles with a role and a device, sessions from `instep credentials`, a device that wanders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import PATIENCE
from tests.support.terminals import Seat
from tests.wire.aws_cli import AWS
from tests.wire.desks import PROFILE, Desk
from tests.wire.people import Account, Phone

ASSUME = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}})
ONLY_WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"


@pytest.fixture
def desk(account: Account, tmp_path: Path) -> Desk:
    """Somebody who may list users with MFA, and assume roles."""
    person = account.person()
    for name, statement in (
        ("assume", json.loads(ASSUME)["Statement"]),
        ("read", {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": ONLY_WITH_MFA}),
        ("resync", {"Effect": "Allow", "Action": ["iam:ListMFADevices", "iam:ResyncMFADevice"], "Resource": "*"}),
    ):
        document = json.dumps({"Version": "2012-10-17", "Statement": statement})
        account.iam.put_user_policy(UserName=person.name, PolicyName=name, PolicyDocument=document)
    return Desk.of(tmp_path, account, person)


@pytest.fixture
def phone(desk: Desk) -> Phone:
    return desk.account.enabled_phone(desk.person.name)


@pytest.fixture
def role(desk: Desk) -> str:
    """The name of one that the person may assume, with MFA only."""
    name = desk.account.name("role")
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{desk.account.account_id}:user/{desk.person.name}"},
            "Action": "sts:AssumeRole",
            "Condition": ONLY_WITH_MFA,
        },
    }
    desk.account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    return name


def role_arn(desk: Desk, role: str) -> str:
    return f"arn:aws:iam::{desk.account.account_id}:role/{role}"


def role_profile(desk: Desk, role: str, phone: Phone) -> None:
    desk.profile(
        "work",
        region="us-east-1",
        role_arn=role_arn(desk, role),
        source_profile=PROFILE,
        mfa_serial=phone.serial_number,
        role_session_name="daily",
    )


def session_profile(desk: Desk, phone: Phone) -> None:
    """As the guide has it."""
    process = f"{desk.program()} credentials --profile {PROFILE} --serial-number {phone.serial_number}"
    desk.profile("daily", region="us-east-1", credential_process=process)


def run(desk: Desk, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=desk.environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        start_new_session=True,
    )


def arn_of_session(desk: Desk, role: str) -> str:
    return f"arn:aws:sts::{desk.account.account_id}:assumed-role/{role}/daily"


def test_a_profile_with_a_role_asks_for_the_code_once_with_the_aws_cli(
    aws_with_endpoint: AWS, desk: Desk, role: str, phone: Phone
) -> None:
    role_profile(desk, role, phone)
    who = (str(aws_with_endpoint.program), "sts", "get-caller-identity", "--query", "Arn", "--output", "text")

    with Seat(who, desk.environment(AWS_PROFILE="work"), desk.home, piped=True) as seat:
        seat.sees(f"Enter MFA code for {phone.serial_number}: ")
        seat.types(phone.code())
        assert seat.leaves() == 0
        assert seat.output == f"{arn_of_session(desk, role)}\n"

    # From its own cache, where nobody could be asked.
    assert run(desk, *who, AWS_PROFILE="work").stdout == f"{arn_of_session(desk, role)}\n"


def test_a_profile_with_a_role_asks_for_the_code_with_boto3(desk: Desk, role: str, phone: Phone) -> None:
    role_profile(desk, role, phone)

    with Seat((sys.executable, "-c", WHO), desk.environment(AWS_PROFILE="work"), desk.home, piped=True) as seat:
        seat.sees(f"Enter MFA code for {phone.serial_number}: ")
        seat.types(phone.code())
        assert seat.leaves() == 0
        assert seat.output == f"{arn_of_session(desk, role)}\n"


def test_a_role_is_assumed_with_a_code_by_either_generation(aws: AWS, desk: Desk, role: str, phone: Phone) -> None:
    asked = ("--role-arn", role_arn(desk, role), "--role-session-name", "daily")
    with_code = ("--serial-number", phone.serial_number, "--token-code", phone.code())

    refused = aws.run(desk.account, "sts", "assume-role", *asked, as_=desk.person)
    answer = aws.json(desk.account, "sts", "assume-role", *asked, *with_code, as_=desk.person)

    assert (refused.returncode, "(AccessDenied)" in refused.stderr) == (aws.refused, True)
    assert answer["AssumedRoleUser"]["Arn"] == arn_of_session(desk, role)
    sts = desk.account.session(answer["Credentials"], "sts")
    assert sts.get_caller_identity()["Arn"] == arn_of_session(desk, role)


def test_a_role_is_assumed_with_a_code_by_boto3(desk: Desk, role: str, phone: Phone) -> None:
    sts = desk.account.client_of(desk.person, "sts")
    asked: dict[str, Any] = {"RoleArn": role_arn(desk, role), "RoleSessionName": "daily"}

    answer = sts.assume_role(**asked, SerialNumber=phone.serial_number, TokenCode=phone.code())

    session = desk.account.session(answer["Credentials"], "sts")
    assert session.get_caller_identity()["Arn"] == arn_of_session(desk, role)
    with pytest.raises(sts.exceptions.ClientError):
        sts.assume_role(**asked)


def test_one_session_serves_every_client_all_day(aws: AWS, desk: Desk, phone: Phone) -> None:
    session_profile(desk, phone)
    # An older v2 knows no endpoint_url in a profile.
    listing = (str(aws.program), "--endpoint-url", desk.account.server.endpoint, "iam", "list-users", "--output", "json")

    # With no code the policy lets nobody list users.
    assert run(desk, *listing).returncode == aws.refused
    with Seat(listing, desk.environment(AWS_PROFILE="daily"), desk.home, piped=True) as seat:
        seat.sees(f"MFA code for {phone.serial_number}: ")
        seat.types(phone.code())
        assert seat.leaves() == 0
        assert "Users" in json.loads(seat.output)

    again = run(desk, *listing, AWS_PROFILE="daily")
    assert (again.returncode, again.stderr) == (0, "")
    told = run(desk, sys.executable, "-c", WHO, AWS_PROFILE="daily")
    assert told.stdout == f"arn:aws:iam::{desk.account.account_id}:user/{desk.person.name}\n"


def test_a_session_with_mfa_assumes_the_role_without_another_code(
    aws_with_endpoint: AWS, desk: Desk, role: str, phone: Phone
) -> None:
    session_profile(desk, phone)
    desk.profile("work", region="us-east-1", role_arn=role_arn(desk, role), source_profile="daily", role_session_name="daily")
    # Kept from now on.
    serial_number = ("--serial-number", phone.serial_number)
    desk.done("credentials", "--profile", PROFILE, *serial_number, "--token-code", phone.code())

    for who in (
        (str(aws_with_endpoint.program), "sts", "get-caller-identity", "--query", "Arn", "--output", "text"),
        (sys.executable, "-c", WHO),
    ):
        told = run(desk, *who, AWS_PROFILE="work")
        assert (told.returncode, told.stdout, told.stderr) == (0, f"{arn_of_session(desk, role)}\n", "")


def test_what_the_command_learns_of_a_clock_is_known_at_every_door(desk: Desk, role: str, phone: Phone) -> None:
    sts = desk.account.client_of(desk.person, "sts")

    def session() -> Any:
        return sts.get_session_token(SerialNumber=phone.serial_number, TokenCode=phone.code())

    phone.drift(hours=9)
    with pytest.raises(sts.exceptions.ClientError):
        session()
    told = desk.done("mfa", "resync", "--code1", phone.code(), "--code2", phone.code())

    assert told.startswith("In step again. It was 9 h ")
    assert desk.account.session(session()["Credentials"], "sts").get_caller_identity()["Arn"].endswith(desk.person.name)
    code = phone.code()
    assumed = sts.assume_role(
        RoleArn=role_arn(desk, role), RoleSessionName="daily", SerialNumber=phone.serial_number, TokenCode=code
    )
    assert assumed["AssumedRoleUser"]["Arn"] == arn_of_session(desk, role)
    # What one door took no other takes.
    assert desk.fails("credentials", "--token-code", code)[0] == 3
    assert json.loads(desk.done("credentials", "--token-code", phone.code()))["Version"] == 1
