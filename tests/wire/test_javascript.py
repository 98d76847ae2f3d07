"""The AWS SDK for JavaScript v3, unmodified, in the hands of people whom the guide's policy lets resync and little else."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import PATIENCE, ROOT, clean_environment
from tests.wire.people import Account, Person, Phone

USES = ROOT / "tests" / "wire" / "js" / "uses.js"
RESYNC_ONLY = (ROOT / "tests" / "vectors" / "policies" / "resync-only.json").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class JavaScript:
    """Node.js running `uses.js`, with a home folder that nobody has configured anything in."""

    account: Account
    program: str
    home: Path

    def answer(self, use: str, *arguments: str, as_: Person | None, session_token: str = "") -> dict[str, Any]:
        """What it prints; with `as_` None the home folder says who asks."""
        variables = {
            "AWS_ENDPOINT_URL": self.account.server.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }
        if as_ is not None:
            variables |= {"AWS_ACCESS_KEY_ID": as_.access_key_id, "AWS_SECRET_ACCESS_KEY": as_.secret_access_key}
        if session_token:
            variables["AWS_SESSION_TOKEN"] = session_token
        finished = subprocess.run(
            [self.program, str(USES), use, *arguments],
            env=clean_environment(self.home, **variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if finished.returncode != 0:
            pytest.fail(finished.stderr)
        answer: dict[str, Any] = json.loads(finished.stdout)
        return answer

    def done(self, use: str, *arguments: str, as_: Person | None, session_token: str = "") -> Any:
        answer = self.answer(use, *arguments, as_=as_, session_token=session_token)
        if "refused" in answer:
            pytest.fail(f"It was refused: {answer['refused']}")
        return answer["done"]

    def refused(self, use: str, *arguments: str, as_: Person, session_token: str = "") -> dict[str, Any]:
        answer = self.answer(use, *arguments, as_=as_, session_token=session_token)
        if "refused" not in answer:
            pytest.fail("It was not refused.")  # the answer may hold keys, so it is not shown
        refused: dict[str, Any] = answer["refused"]
        return refused


@pytest.fixture
def javascript(account: Account, tmp_path: Path) -> JavaScript:
    program = shutil.which("node")
    if program is None:
        pytest.fail("There is no Node.js here. ./test installs it, as does: apt install nodejs npm")
    if not (USES.parent / "node_modules" / "@aws-sdk" / "client-iam").is_dir():
        pytest.fail(
            "There is no AWS SDK for JavaScript here. ./test installs it, as does: python3 -I -B tools/environment.py javascript"
        )
    return JavaScript(account, program, tmp_path)


@pytest.fixture
def richard(account: Account) -> Person:
    """He may resync his own devices, and do nothing else until he has used one."""
    person = account.person()
    account.iam.put_user_policy(UserName=person.name, PolicyName="mfa", PolicyDocument=RESYNC_ONLY)
    return person


@pytest.fixture
def phone(account: Account, richard: Person) -> Phone:
    """Richard's, enabled."""
    return account.enabled_phone(richard.name)


@pytest.fixture
def role(account: Account, richard: Person) -> str:
    """The ARN of a role that reads IAM, for Richard once he has used his phone."""
    name = account.name("role")
    trusts_richard = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account.account_id}:user/{richard.name}"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusts_richard]})
    arn: str = account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    account.iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    return arn


def error(name: str, message: str) -> dict[str, Any]:
    """An error that the SDK throws for a refusal with status 403, as it describes itself."""
    return {
        "name": name,
        "message": message,
        "status": 403,
        "fault": "client",
        "isError": True,
        "ofService": True,
        "isInvalidAuthenticationCode": name == "InvalidAuthenticationCodeException",
    }


BAD_CODE = error("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ")


def test_a_drifted_device_is_listed_put_back_in_step_and_gives_a_session_with_its_very_next_code(
    javascript: JavaScript, richard: Person, phone: Phone
) -> None:
    phone.drift(minutes=20)
    assert javascript.refused("get-session-token", phone.serial_number, phone.code(), as_=richard) == BAD_CODE

    (device,) = javascript.done("list-mfa-devices", richard.name, as_=richard)
    assert (device["UserName"], device["SerialNumber"]) == (richard.name, phone.serial_number)
    assert abs(datetime.fromisoformat(device["EnableDate"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert javascript.done("resync-mfa-device", richard.name, phone.serial_number, *phone.pair().values(), as_=richard) == {}
    credentials = javascript.done("get-session-token", phone.serial_number, phone.code(), as_=richard)["Credentials"]

    token = credentials["SessionToken"]
    javascript.account.secrets.words |= {credentials["SecretAccessKey"], token}
    temporary = Person(richard.name, credentials["AccessKeyId"], credentials["SecretAccessKey"])
    assert datetime.fromisoformat(credentials["Expiration"]) > datetime.now(UTC) + timedelta(hours=11)
    identity = javascript.done("get-caller-identity", as_=temporary, session_token=token)
    assert identity["Arn"] == f"arn:aws:iam::{javascript.account.account_id}:user/{richard.name}"
    assert javascript.done("list-mfa-devices", richard.name, as_=temporary, session_token=token) == [device]


def test_lists_go_on_over_pages(javascript: JavaScript, richard: Person) -> None:
    phones = [javascript.account.enabled_phone(richard.name) for _ in range(3)]

    listed = javascript.done("list-mfa-devices", richard.name, as_=richard)

    assert {device["SerialNumber"] for device in listed} == {phone.serial_number for phone in phones}
    assert len(listed) == 3


def test_a_pair_the_wrong_way_round_is_an_error_of_its_own_class(javascript: JavaScript, richard: Person, phone: Phone) -> None:
    first, second = phone.pair().values()

    refused = javascript.refused("resync-mfa-device", richard.name, phone.serial_number, second, first, as_=richard)

    assert refused == error("InvalidAuthenticationCodeException", "Authentication code for device is not valid.")


def test_what_a_policy_refuses_is_an_error_named_access_denied_with_the_whole_sentence(
    javascript: JavaScript, richard: Person
) -> None:
    account_id = javascript.account.account_id

    assert javascript.refused("list-users", as_=richard) == error(
        "AccessDenied",
        f"User: arn:aws:iam::{account_id}:user/{richard.name} is not authorized to perform: iam:ListUsers"
        f" on resource: arn:aws:iam::{account_id}:user/ with an explicit deny in an identity-based policy",
    )


def test_a_role_is_assumed_with_the_code_that_the_sdk_asks_for(
    javascript: JavaScript, richard: Person, phone: Phone, role: str
) -> None:
    code = phone.code()

    used = javascript.done("assume-role", role, phone.serial_number, code, as_=richard)

    name = role.rpartition("/")[2]
    session = f"arn:aws:sts::{javascript.account.account_id}:assumed-role/{name}/from-javascript"
    assert used["identity"]["Arn"] == session
    assert len(used["users"]) == 1
    assert javascript.refused("assume-role", role, phone.serial_number, code, as_=richard) == BAD_CODE


def test_a_profile_with_a_role_and_a_device_asks_for_a_code(
    javascript: JavaScript, richard: Person, phone: Phone, role: str
) -> None:
    (javascript.home / ".aws").mkdir()
    (javascript.home / ".aws" / "config").write_text(
        f"[profile reader]\nrole_arn = {role}\nsource_profile = richard\nmfa_serial = {phone.serial_number}\n", encoding="utf-8"
    )
    (javascript.home / ".aws" / "credentials").write_text(
        f"[richard]\naws_access_key_id = {richard.access_key_id}\naws_secret_access_key = {richard.secret_access_key}\n",
        encoding="utf-8",
    )

    identity = javascript.done("assume-role-of-profile", "reader", phone.serial_number, phone.code(), as_=None)

    assert identity["Arn"].startswith(f"arn:aws:sts::{javascript.account.account_id}:assumed-role/{role.rpartition('/')[2]}/")
