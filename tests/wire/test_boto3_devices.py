"""MFA devices by boto3: made, listed, tagged, given to users and taken away, and every refusal on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.wire.people import BAD_PAIR, Account, Refusal, refusal


def no_device(serial_number: str) -> Refusal:
    return Refusal(404, "NoSuchEntity", f"MFA Device with serial number {serial_number} does not exist.")


def no_user(name: str) -> Refusal:
    return Refusal(404, "NoSuchEntity", f"The user with name {name} cannot be found.")


def invalid(sentence: str) -> Refusal:
    return Refusal(400, "ValidationError", f"1 validation error detected: {sentence}")


def every(client: Any, operation: str, field: str, **parameters: Any) -> list[Any]:
    """All there is, page by page."""
    return [item for page in client.get_paginator(operation).paginate(**parameters) for item in page[field]]


def test_list_mfa_devices_pages_through_all_of_a_users_devices(account: Account) -> None:
    person = account.person()
    serial_numbers = {account.enabled_phone(person.name).serial_number for _ in range(3)}

    listed = every(account.iam, "list_mfa_devices", "MFADevices", UserName=person.name, PaginationConfig={"PageSize": 1})

    assert {device["SerialNumber"] for device in listed} == serial_numbers
    assert len(listed) == 3
    for device in listed:
        assert device.keys() == {"UserName", "SerialNumber", "EnableDate"}
        assert device["UserName"] == person.name
        assert abs(device["EnableDate"] - datetime.now(UTC)) < timedelta(minutes=5)
    whole = account.iam.list_mfa_devices(UserName=person.name)
    assert whole["IsTruncated"] is False
    assert "Marker" not in whole


def test_list_virtual_mfa_devices_tells_assigned_from_unassigned(account: Account) -> None:
    person = account.person()
    mine, nobodys = account.enabled_phone(person.name).serial_number, account.phone().serial_number

    def listed(**parameters: Any) -> dict[str, dict[str, Any]]:
        found = every(
            account.iam, "list_virtual_mfa_devices", "VirtualMFADevices", PaginationConfig={"PageSize": 7}, **parameters
        )
        by_serial_number = {device["SerialNumber"]: device for device in found}
        assert len(by_serial_number) == len(found)
        return by_serial_number

    every_one, assigned, unassigned = listed(), listed(AssignmentStatus="Assigned"), listed(AssignmentStatus="Unassigned")

    assert listed(AssignmentStatus="Any").keys() == every_one.keys() == assigned.keys() | unassigned.keys()
    assert assigned.keys().isdisjoint(unassigned)
    assert unassigned[nobodys] == {"SerialNumber": nobodys}
    assert assigned[mine].keys() == {"SerialNumber", "EnableDate", "User"}
    user = account.iam.get_user(UserName=person.name)["User"]
    assert assigned[mine]["User"] == user
    assert user.keys() == {"Path", "UserName", "UserId", "Arn", "CreateDate"}


def test_get_mfa_device_shows_its_holder_and_how_far_off_it_is(account: Account) -> None:
    person, stranger = account.person(), account.person()
    phone, spare = account.enabled_phone(person.name), account.phone()

    answer = account.iam.get_mfa_device(SerialNumber=phone.serial_number)
    headers = answer.pop("ResponseMetadata")["HTTPHeaders"]

    assert abs(int(headers["x-instep-drift-seconds"])) <= 60
    assert answer.keys() == {"UserName", "SerialNumber", "EnableDate"}
    assert answer["UserName"] == person.name
    unassigned = account.iam.get_mfa_device(SerialNumber=spare.serial_number)
    assert unassigned.keys() == {"SerialNumber", "ResponseMetadata"}
    assert refusal(account.iam.get_mfa_device, SerialNumber=phone.serial_number, UserName=stranger.name) == Refusal(
        404, "NoSuchEntity", "MFA Device invalid for user."
    )


def test_a_resync_changes_nothing_that_lists_show(account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    before = account.iam.list_mfa_devices(UserName=person.name)["MFADevices"]
    phone.drift(minutes=12)

    account.iam.resync_mfa_device(UserName=person.name, SerialNumber=phone.serial_number, **phone.pair())

    assert account.iam.list_mfa_devices(UserName=person.name)["MFADevices"] == before


def test_a_device_in_use_cannot_be_enabled_again_nor_deleted_nor_its_user(account: Account) -> None:
    person, stranger = account.person(), account.person()
    phone = account.enabled_phone(person.name)
    serial_number = phone.serial_number
    in_use = Refusal(409, "EntityAlreadyExists", "MFA Device is already in use.")

    for name in (person.name, stranger.name):
        assert refusal(account.iam.enable_mfa_device, UserName=name, SerialNumber=serial_number, **phone.pair()) == in_use
    assert refusal(account.iam.delete_virtual_mfa_device, SerialNumber=serial_number) == Refusal(
        409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first."
    )
    account.iam.delete_access_key(UserName=person.name, AccessKeyId=person.access_key_id)
    assert refusal(account.iam.delete_user, UserName=person.name) == Refusal(
        409, "DeleteConflict", "Cannot delete entity, must delete MFA device first."
    )

    account.iam.deactivate_mfa_device(UserName=person.name, SerialNumber=serial_number)
    account.iam.delete_virtual_mfa_device(SerialNumber=serial_number)
    account.iam.delete_user(UserName=person.name)
    assert refusal(account.iam.get_mfa_device, SerialNumber=serial_number) == no_device(serial_number)


def test_a_deactivated_device_gives_no_sessions_until_it_is_enabled_again(account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    sts = account.client_of(person, "sts")
    who = {"UserName": person.name, "SerialNumber": phone.serial_number}
    account.iam.deactivate_mfa_device(**who)

    refused = refusal(sts.get_session_token, SerialNumber=phone.serial_number, TokenCode=phone.code())
    assert refused.message.startswith("MultiFactorAuthentication failed, unable to validate MFA code.  Please")
    assert account.iam.list_mfa_devices(UserName=person.name)["MFADevices"] == []

    account.iam.enable_mfa_device(**who, **phone.pair())
    assert sts.get_session_token(SerialNumber=phone.serial_number, TokenCode=phone.code())["Credentials"]


def test_a_ninth_device_is_one_too_many(account: Account) -> None:
    name = account.name()
    account.iam.create_user(UserName=name)
    for _ in range(8):
        account.enabled_phone(name)
    ninth = account.phone()

    refused = refusal(account.iam.enable_mfa_device, UserName=name, SerialNumber=ninth.serial_number, **ninth.pair())

    assert refused == Refusal(409, "LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8")
    assert len(account.iam.list_mfa_devices(UserName=name)["MFADevices"]) == 8


def test_the_user_is_looked_for_before_the_device_and_the_device_before_the_codes(account: Account) -> None:
    person, stranger = account.person(), account.person()
    phone = account.enabled_phone(person.name)
    iam, codes = account.iam, {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
    nobody, nothing = account.name("nobody"), f"arn:aws:iam::{account.account_id}:mfa/{account.name('nothing')}"
    not_theirs = Refusal(404, "NoSuchEntity", "MFA Device invalid for user.")

    for call in (iam.enable_mfa_device, iam.resync_mfa_device):
        assert refusal(call, UserName=nobody, SerialNumber=nothing, **codes) == no_user(nobody)
        assert refusal(call, UserName=person.name, SerialNumber=nothing, **codes) == no_device(nothing)
        assert refusal(call, UserName=person.name, SerialNumber="ABCD12345678", **codes) == no_device("ABCD12345678")
    assert refusal(iam.resync_mfa_device, UserName=stranger.name, SerialNumber=phone.serial_number, **codes) == not_theirs
    spare = account.phone().serial_number
    assert refusal(iam.resync_mfa_device, UserName=person.name, SerialNumber=spare, **codes) == not_theirs
    assert refusal(iam.enable_mfa_device, UserName=person.name, SerialNumber=spare, **codes) == BAD_PAIR
    assert refusal(iam.deactivate_mfa_device, UserName=nobody, SerialNumber=nothing) == no_user(nobody)
    assert refusal(iam.deactivate_mfa_device, UserName=person.name, SerialNumber=nothing) == no_device(nothing)
    assert refusal(iam.deactivate_mfa_device, UserName=stranger.name, SerialNumber=phone.serial_number) == not_theirs
    assert refusal(iam.delete_virtual_mfa_device, SerialNumber=nothing) == no_device(nothing)
    assert refusal(iam.list_mfa_devices, UserName=nobody) == no_user(nobody)


def test_codes_that_are_not_six_ascii_digits_are_refused_by_their_form(account: Account) -> None:
    person = account.person()
    who = {"UserName": person.name, "SerialNumber": account.enabled_phone(person.name).serial_number}
    wrong = "Value at 'authenticationCode1' failed to satisfy constraint: Member must"

    def resync(code: str) -> Refusal:
        return refusal(account.iam.resync_mfa_device, **who, AuthenticationCode1=code, AuthenticationCode2="123456")

    for code in ("12345a", "１２３４５６", "12 456", "-12345"):
        assert resync(code) == invalid(rf"{wrong} satisfy regular expression pattern: [\d]+")
    assert resync("1234567") == invalid(f"{wrong} have length less than or equal to 6")


def test_a_virtual_devices_name_is_there_once_whatever_its_case(account: Account) -> None:
    name = account.name("Phone")
    make = account.iam.create_virtual_mfa_device
    exists = Refusal(409, "EntityAlreadyExists", "MFA device already exists.")
    account.phone(name)

    assert refusal(make, VirtualMFADeviceName=name) == exists
    assert refusal(make, VirtualMFADeviceName=name.upper()) == exists
    elsewhere = account.phone(name, Path="/test//double/")
    assert elsewhere.serial_number == f"arn:aws:iam::{account.account_id}:mfa/test//double/{name}"


def test_paths_and_names_that_do_not_fit_are_refused_in_awss_words(account: Account) -> None:
    make = account.iam.create_virtual_mfa_device
    bad_path = Refusal(
        400,
        "ValidationError",
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters"
        " and/or / characters.",
    )

    for path in ("test/", "/test", "test"):
        assert refusal(make, VirtualMFADeviceName="x", Path=path) == bad_path
    assert refusal(make, VirtualMFADeviceName="x", Path=f"/{'x' * 511}/") == invalid(
        "Value at 'path' failed to satisfy constraint: Member must have length less than or equal to 512"
    )
    assert refusal(make, VirtualMFADeviceName="n" * 227) == invalid(
        "Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have length less than or equal to 226"
    )


def test_an_unknown_marker_is_invalid(account: Account) -> None:
    invalid_marker = Refusal(400, "ValidationError", "Invalid Marker.")

    for call in (account.iam.list_virtual_mfa_devices, account.iam.list_mfa_devices, account.iam.list_users):
        assert refusal(call, Marker="nobody-gave-this-out") == invalid_marker
    foreign = account.iam.list_virtual_mfa_devices(MaxItems=1, AssignmentStatus="Any")
    if foreign["IsTruncated"]:
        assert refusal(account.iam.list_users, Marker=foreign["Marker"]) == invalid_marker


def test_a_devices_tags_are_added_overwritten_and_taken_away(account: Account) -> None:
    iam = account.iam
    phone = account.phone(Tags=[{"Key": "場所", "Value": "東京 １"}, {"Key": "Owner", "Value": ""}])
    serial_number = phone.serial_number

    def tags() -> dict[str, str]:
        listed = every(iam, "list_mfa_device_tags", "Tags", SerialNumber=serial_number, PaginationConfig={"PageSize": 1})
        return {tag["Key"]: tag["Value"] for tag in listed}

    assert tags() == {"場所": "東京 １", "Owner": ""}
    iam.tag_mfa_device(
        SerialNumber=serial_number, Tags=[{"Key": "owner", "Value": "Zoë +-=._:/@"}, {"Key": "room", "Value": "x"}]
    )
    assert tags() == {"場所": "東京 １", "owner": "Zoë +-=._:/@", "room": "x"}
    iam.untag_mfa_device(SerialNumber=serial_number, TagKeys=["Room", "never there"])
    assert tags() == {"場所": "東京 １", "owner": "Zoë +-=._:/@"}

    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(49)]
    tag = iam.tag_mfa_device
    assert refusal(tag, SerialNumber=serial_number, Tags=twice) == Refusal(400, "InvalidInput", "Duplicate tag keys found.")
    assert refusal(tag, SerialNumber=serial_number, Tags=many).code == "LimitExceeded"
    assert refusal(tag, SerialNumber=serial_number, Tags=[{"Key": "k" * 129, "Value": "v"}]) == invalid(
        "Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"
    )
