"""What operators do beside the running server, and clients see at once: hardware tokens, accounts, the audit trail."""

from __future__ import annotations

import json
import secrets as randomness
from pathlib import Path
from typing import Any

import pytest

from instep.domain.totp import Algorithm, Token
from tests.support.server import Server
from tests.wire.people import Account, Phone, Refusal, Secrets, refusal


def in_stock(account: Account, folder: Path, algorithm: Algorithm, period: int) -> Phone:
    """A hardware token that was just imported into the account's inventory."""
    serial_number, seed = f"ABCD{randomness.randbelow(10**8):08}", randomness.token_bytes(32)
    account.secrets.words.add(seed.hex())
    file = folder / "tokens.csv"
    file.write_text(f"serial,seed,type,digits,period,algorithm\n{serial_number},{seed.hex()},TOTP,6,{period},{algorithm}\n")
    imported = account.server.instep("tokens", "import", str(file), "--account", account.account_id)
    assert imported.returncode == 0, imported.stderr
    assert account.secrets.leaked_into(imported.stdout + imported.stderr) == 0
    return Phone(serial_number, Token(seed, algorithm, period), account.secrets)


@pytest.mark.parametrize(("algorithm", "period"), [(Algorithm.SHA1, 30), (Algorithm.SHA256, 60), (Algorithm.SHA512, 30)])
def test_a_hardware_token_days_off_is_enabled_by_its_vendors_serial_number_and_put_back_in_step(
    account: Account, tmp_path: Path, algorithm: Algorithm, period: int
) -> None:
    person = account.person()
    token = in_stock(account, tmp_path, algorithm, period)
    who = {"UserName": person.name, "SerialNumber": token.serial_number}
    sts = account.client_of(person, "sts")

    def session() -> Any:
        return sts.get_session_token(SerialNumber=token.serial_number, TokenCode=token.code())["Credentials"]

    # Years in a drawer.
    token.drift(days=-3)
    account.iam.enable_mfa_device(**who, **token.pair())
    assert session()["AccessKeyId"].startswith("ASIA")

    # Once it is in use, its clock may be a day off at most.
    token.drift(hours=-20)
    assert refusal(session).message == "MultiFactorAuthentication failed with invalid MFA one time pass code. "
    account.iam.resync_mfa_device(**who, **token.pair())
    assert session()["AccessKeyId"].startswith("ASIA")
    token.drift(days=-2)
    with pytest.raises(account.iam.exceptions.InvalidAuthenticationCodeException) as raised:
        account.iam.resync_mfa_device(**who, **token.pair())
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-instep-reason"] == "beyond-window"


def test_a_hardware_token_is_nobodys_virtual_device(account: Account, tmp_path: Path) -> None:
    person = account.person()
    token = in_stock(account, tmp_path, Algorithm.SHA1, 30)
    serial_number = token.serial_number
    account.iam.enable_mfa_device(UserName=person.name, SerialNumber=serial_number, **token.pair())
    unknown = Refusal(404, "NoSuchEntity", f"MFA Device with serial number {serial_number} does not exist.")

    (listed,) = account.iam.list_mfa_devices(UserName=person.name)["MFADevices"]
    assert listed["SerialNumber"] == serial_number
    pages = account.iam.get_paginator("list_virtual_mfa_devices").paginate()
    assert serial_number not in {device["SerialNumber"] for page in pages for device in page["VirtualMFADevices"]}
    assert refusal(account.iam.delete_virtual_mfa_device, SerialNumber=serial_number) == unknown
    assert refusal(account.iam.list_mfa_device_tags, SerialNumber=serial_number).code == "InvalidInput"

    account.iam.deactivate_mfa_device(UserName=person.name, SerialNumber=serial_number)
    other = account.person()
    account.iam.enable_mfa_device(UserName=other.name, SerialNumber=serial_number, **token.pair())
    assert account.iam.get_mfa_device(SerialNumber=serial_number)["UserName"] == other.name


def test_a_token_is_in_the_account_alone_that_it_was_imported_into(
    account: Account, other_account: Account, tmp_path: Path
) -> None:
    token = in_stock(other_account, tmp_path, Algorithm.SHA1, 30)
    person = account.person()

    refused = refusal(account.iam.enable_mfa_device, UserName=person.name, SerialNumber=token.serial_number, **token.pair())

    assert refused.code == "NoSuchEntity"
    theirs = other_account.person()
    other_account.iam.enable_mfa_device(UserName=theirs.name, SerialNumber=token.serial_number, **token.pair())


def test_an_account_made_beside_the_server_can_be_used_at_once(server: Server, secrets: Secrets) -> None:
    account = Account.another(server, secrets)

    assert account.sts().get_caller_identity()["Account"] == account.account_id
    assert [user["UserName"] for user in account.iam.list_users()["Users"]] == [account.admin_name]


def test_the_audit_trail_tells_who_did_what_with_which_client_and_no_secret(account: Account, server: Server) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    phone.drift(minutes=-20)
    sts = account.client_of(person, "sts")
    refusal(sts.get_session_token, SerialNumber=phone.serial_number, TokenCode=phone.code())
    account.iam.resync_mfa_device(UserName=person.name, SerialNumber=phone.serial_number, **phone.pair())
    credentials = sts.get_session_token(SerialNumber=phone.serial_number, TokenCode=phone.code())["Credentials"]
    account.secrets.words |= {credentials["SecretAccessKey"], credentials["SessionToken"]}

    printed = server.instep("audit", "--account", account.account_id, "--output", "json", "--limit", "1000")

    assert printed.returncode == 0, printed.stderr
    events = [json.loads(line) for line in printed.stdout.splitlines()]
    about = [event for event in events if (event.get("requestParameters") or {}).get("serialNumber") == phone.serial_number]
    told = [(event["eventName"], event["eventSource"], event.get("errorCode")) for event in about]
    assert told == [
        ("EnableMFADevice", "iam.amazonaws.com", None),
        ("GetSessionToken", "sts.amazonaws.com", "AccessDenied"),
        ("ResyncMFADevice", "iam.amazonaws.com", None),
        ("GetSessionToken", "sts.amazonaws.com", None),
    ]
    resync = about[2]
    assert resync["requestParameters"] == {"userName": person.name, "serialNumber": phone.serial_number}
    assert resync["userIdentity"]["arn"] == f"arn:aws:iam::{account.account_id}:user/{account.admin_name}"
    assert resync["userAgent"].startswith("Boto3/")
    assert resync["sourceIPAddress"] == "127.0.0.1"
    assert not any(word in printed.stdout for word in account.secrets.words)
    parameters = json.dumps([event.get("requestParameters") for event in events])
    assert account.secrets.leaked_into(parameters) == 0
