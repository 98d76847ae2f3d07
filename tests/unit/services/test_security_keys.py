"""Security keys among the devices of their holders: listed, shown and deactivated like others, and never asked for a code."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    InvalidAuthenticationCode,
    LimitExceeded,
    NoSuchEntity,
)
from instep.domain import security_key
from instep.domain.identity import Principal
from instep.domain.security_key import Credential, SecurityKey
from instep.services.pairs import DRIFT_HEADER
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House

CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}


def registered(home: House, user_name: str | None, name: str) -> str:
    """The serial number of a new key of the user's, or of the root user's."""

    def random(length: int) -> bytes:
        return name.encode().ljust(length, b"\0")[:length]

    holder_id = home.principal(user_name).holder_id if user_name else ACCOUNT
    key = SecurityKey(
        account_id=ACCOUNT,
        serial_number=security_key.serial_number(ACCOUNT, user_name, name, random),
        name=name,
        holder_id=holder_id,
        credential=Credential(f"credential-{name}", b"public", 0, (), "0"),
        created_at=home.clock.now,
    )
    home.service.store.write(lambda tx: tx.security_keys.add(key))
    return key.serial_number


def serial_numbers(home: House, user_name: str, **page: object) -> list[str]:
    return [one.serial_number for one in home.call("iam:ListMFADevices", UserName=user_name, **page).mfa_devices]


def message(error: type[AWSError], home: House, action: str, as_: Principal | None = None, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, as_, **parameters)
    return caught.value.message


def test_serial_numbers_tell_whose_key_it_is_and_never_repeat() -> None:
    made = security_key.serial_number(ACCOUNT, "Richard", "yubi@office", bytes)
    assert made == "arn:aws:iam::123456789012:u2f/user/Richard/yubi@office-" + "A" * 26
    assert security_key.serial_number(ACCOUNT, None, "safe", bytes) == "arn:aws:iam::123456789012:u2f/root/safe-" + "A" * 26
    assert len(security_key.serial_number(ACCOUNT, "R" * 64, "n" * 128, bytes)) == 255


@pytest.mark.parametrize("name", ["", "n" * 129, "a b", "a/b", "a:b", "鍵", "a\n", "１"])
def test_names_that_could_not_stand_in_a_serial_number_are_none(name: str) -> None:
    assert not security_key.is_name(name)
    with pytest.raises(ValueError, match="1 to 128"):
        security_key.serial_number(ACCOUNT, "Richard", name, bytes)


def test_a_key_is_listed_among_codes_page_by_page(home: House) -> None:
    home.user("Richard")
    home.user("Sally")
    phone, _ = home.enabled_device("Richard", "RichardsPhone")
    keys = [registered(home, "Richard", name) for name in ("blue", "green", "red")]
    registered(home, "Sally", "hers")
    whole = serial_numbers(home, "Richard")

    assert whole == [phone, *keys]
    for size in (1, 2, 3):
        seen: list[str] = []
        page: dict[str, object] = {}
        while True:
            answer = home.call("iam:ListMFADevices", UserName="Richard", MaxItems=str(size), **page)
            assert len(answer.mfa_devices) <= size
            seen += [one.serial_number for one in answer.mfa_devices]
            if not answer.is_truncated:
                break
            page = {"Marker": answer.marker}
        assert seen == whole


def test_a_key_shows_its_holder_and_since_when_and_keeps_its_number_when_the_holder_is_renamed(home: House) -> None:
    home.user("Richard")
    serial_number = registered(home, "Richard", "blue")
    home.clock.advance(days=1)
    home.call("iam:UpdateUser", UserName="Richard", NewUserName="Dick")

    (listed,) = home.call("iam:ListMFADevices", UserName="Dick").mfa_devices
    answer = home.answer("iam:GetMFADevice", SerialNumber=serial_number)
    shown: Any = answer.result

    assert (listed.user_name, listed.serial_number, listed.enable_date) == ("Dick", serial_number, NOON)
    assert (shown.user_name, shown.serial_number, shown.enable_date) == ("Dick", serial_number, NOON)
    # It has no clock.
    assert DRIFT_HEADER not in answer.headers
    assert home.call("iam:GetMFADevice", SerialNumber=serial_number, UserName="Dick").user_name == "Dick"


def test_the_root_users_key_is_shown_as_roots(home: House) -> None:
    serial_number = registered(home, None, "safe")

    (listed,) = home.call("iam:ListMFADevices").mfa_devices

    assert (listed.user_name, listed.serial_number) == ("root", serial_number)
    assert home.call("iam:GetMFADevice", SerialNumber=serial_number).user_name == "root"


def test_whoever_names_no_user_needs_permission_on_the_keys_holder(home: House) -> None:
    serial_number = registered(home, home.user("Richard").user_name, "blue")
    sally = home.user("Sally")
    home.allow("Sally", "iam:GetMFADevice", resource=sally.arn)

    said = message(AccessDenied, home, "iam:GetMFADevice", sally, SerialNumber=serial_number)

    assert "Richard" not in said.replace(serial_number, "")
    home.allow("Sally", "iam:GetMFADevice")
    assert home.call("iam:GetMFADevice", sally, SerialNumber=serial_number).user_name == "Richard"


def test_a_key_is_nowhere_among_virtual_devices(home: House) -> None:
    home.user("Richard")
    serial_number = registered(home, "Richard", "blue")

    assert home.call("iam:ListVirtualMFADevices").virtual_mfa_devices == ()
    said = message(NoSuchEntity, home, "iam:DeleteVirtualMFADevice", SerialNumber=serial_number)
    assert said == f"MFA Device with serial number {serial_number} does not exist."
    message(NoSuchEntity, home, "iam:ListMFADeviceTags", SerialNumber=serial_number)


def test_a_key_of_somebody_elses_or_of_another_account_is_not_shown_as_the_users(home: House) -> None:
    home.user("Richard")
    home.user("Sally")
    serial_number = registered(home, "Richard", "blue")

    for action in ("GetMFADevice", "DeactivateMFADevice"):
        said = message(NoSuchEntity, home, f"iam:{action}", UserName="Sally", SerialNumber=serial_number)
        assert said == "MFA Device invalid for user."
    stranger = Principal.root(OTHER_ACCOUNT)
    said = message(NoSuchEntity, home, "iam:GetMFADevice", stranger, SerialNumber=serial_number)
    assert said == f"MFA Device with serial number {serial_number} does not exist."
    assert serial_numbers(home, "Richard") == [serial_number]


def test_a_deactivated_key_is_gone(home: House) -> None:
    home.user("Richard")
    serial_number = registered(home, "Richard", "blue")

    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_number)

    assert serial_numbers(home, "Richard") == []
    for action in ("GetMFADevice", "DeactivateMFADevice"):
        said = message(NoSuchEntity, home, f"iam:{action}", UserName="Richard", SerialNumber=serial_number)
        assert said == f"MFA Device with serial number {serial_number} does not exist."
    assert registered(home, "Richard", "blue") == serial_number


def test_the_root_users_key_is_not_deactivated_over_the_wire(home: House) -> None:
    serial_number = registered(home, None, "safe")

    said = message(ValidationError, home, "iam:DeactivateMFADevice", SerialNumber=serial_number)

    assert said == "Must specify userName when calling with non-User credentials"


def test_a_key_cannot_be_resynchronized_as_it_shows_no_codes(home: House) -> None:
    home.user("Sally")
    richard = home.user("Richard")
    serial_number = registered(home, "Richard", "blue")
    home.allow("Richard", "iam:ResyncMFADevice")

    for principal in (home.root, richard):
        resync = {"UserName": "Richard", "SerialNumber": serial_number, **CODES}
        with pytest.raises(InvalidAuthenticationCode) as refused:
            home.call("iam:ResyncMFADevice", principal, **resync)
        assert (refused.value.status, refused.value.message) == (403, "Authentication code for device is not valid.")
        assert refused.value.headers == {}
        event = home.events()[-1]
        assert (event["errorCode"], event["additionalEventData"]) == (
            "InvalidAuthenticationCodeException",
            {"reason": "security-key"},
        )
    hers = {"UserName": "Sally", "SerialNumber": serial_number}
    said = message(NoSuchEntity, home, "iam:ResyncMFADevice", None, **hers, **CODES)
    assert said == "MFA Device invalid for user."


def test_a_key_cannot_be_enabled_with_codes(home: House) -> None:
    home.user("Richard")
    serial_number = registered(home, "Richard", "blue")

    his = {"UserName": "Richard", "SerialNumber": serial_number}
    said = message(EntityAlreadyExists, home, "iam:EnableMFADevice", None, **his, **CODES)

    assert said == "MFA Device is already in use."


def test_no_session_is_given_for_a_key(home: House) -> None:
    richard = home.user("Richard")
    serial_number = registered(home, "Richard", "blue")

    said = message(AccessDenied, home, "sts:GetSessionToken", richard, SerialNumber=serial_number, TokenCode="123456")

    assert said == (
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid"
        " and associated with this user."
    )


def test_the_quota_counts_keys_and_codes_together(home: House) -> None:
    home.user("Richard")
    for number in range(6):
        registered(home, "Richard", f"key{number}")
    home.enabled_device("Richard", "seventh")
    home.enabled_device("Richard", "eighth")
    ninth, device = home.virtual_device("ninth")

    with pytest.raises(LimitExceeded) as refused:
        home.enable("Richard", ninth, device)

    assert refused.value.message == "Cannot exceed quota for MFADevicesPerUser: 8"
    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_numbers(home, "Richard")[-1])
    home.enable("Richard", ninth, device)


def test_a_user_with_a_key_is_not_deleted(home: House) -> None:
    home.user("Richard")
    serial_number = registered(home, "Richard", "blue")

    said = message(DeleteConflict, home, "iam:DeleteUser", UserName="Richard")

    assert said == "Cannot delete entity, must delete MFA device first."
    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_number)
    home.call("iam:DeleteUser", UserName="Richard")


def test_the_summary_and_the_report_count_keys(home: House) -> None:
    home.user("Richard")
    home.user("Sally")
    before = home.call("iam:GetAccountSummary").summary_map
    registered(home, "Richard", "blue")
    registered(home, "Richard", "green")
    registered(home, None, "safe")

    after = home.call("iam:GetAccountSummary").summary_map
    home.call("iam:GenerateCredentialReport")
    report: bytes = home.call("iam:GetCredentialReport").content

    changed = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert changed == {"MFADevices": 3, "MFADevicesInUse": 3, "AccountMFAEnabled": 1}
    active = {row["user"] for row in csv.DictReader(report.decode().split("\n")) if row["mfa_active"] == "true"}
    assert active == {"<root_account>", "Richard"}
