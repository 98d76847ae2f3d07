"""Accounts, users and access keys by boto3."""

from __future__ import annotations

from typing import Any

from tests.wire.people import Account, Person, Refusal, refusal

UNKNOWN = Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def test_a_known_operation_that_is_not_built_says_so(account: Account) -> None:
    refused = refusal(account.iam.create_instance_profile, InstanceProfileName="Web")

    assert (refused.status, refused.code) == (400, "InvalidAction")
    assert refused.message == (
        "The operation CreateInstanceProfile of version 2010-05-08 is known but not built in this release of instep;"
        " docs/coverage.md lists those that are."
    )
    assert refusal(account.sts().assume_root, TargetPrincipal=account.account_id, TaskPolicyArn={}).code == "InvalidAction"


def test_a_user_without_policies_may_call_only_sts(account: Account) -> None:
    person = account.person()
    iam = account.client_of(person, "iam")
    me = f"arn:aws:iam::{account.account_id}:user/{person.name}"

    def denied(action: str, resource: str) -> Refusal:
        sentence = f"User: {me} is not authorized to perform: {action} on resource: {resource}"
        return Refusal(403, "AccessDenied", f"{sentence} because no identity-based policy allows the {action} action")

    assert account.client_of(person, "sts").get_caller_identity()["Arn"] == me
    assert refusal(iam.list_users) == denied("iam:ListUsers", f"arn:aws:iam::{account.account_id}:user/")
    assert refusal(iam.get_user) == denied("iam:GetUser", me)
    assert refusal(iam.get_account_summary) == denied("iam:GetAccountSummary", "*")
    assert refusal(iam.create_virtual_mfa_device, VirtualMFADeviceName="aaa") == denied(
        "iam:CreateVirtualMFADevice", f"arn:aws:iam::{account.account_id}:mfa/aaa"
    )
    # Whether the user exists is not for those to learn who may not ask.
    nobody = f"arn:aws:iam::{account.account_id}:user/nobody"
    assert refusal(iam.delete_user, UserName="nobody") == denied("iam:DeleteUser", nobody)


def test_users_are_made_found_renamed_and_deleted(account: Account) -> None:
    iam, name, renamed = account.iam, account.name("Ann"), account.name("Bob")
    made = iam.create_user(UserName=name, Path="/dev/", Tags=[{"Key": "キー", "Value": "値 Ⅳ +-=._:/@"}])["User"]

    assert made["Arn"] == f"arn:aws:iam::{account.account_id}:user/dev/{name}"
    assert made["UserId"].startswith("AIDA")
    assert made["Tags"] == [{"Key": "キー", "Value": "値 Ⅳ +-=._:/@"}]
    assert iam.get_user(UserName=name.upper())["User"] == made
    assert refusal(iam.create_user, UserName=name.lower()) == Refusal(
        409, "EntityAlreadyExists", f"User with name {name.lower()} already exists."
    )

    key = account.key_of(name)
    phone = account.enabled_phone(name)
    iam.update_user(UserName=name, NewUserName=renamed)
    found = iam.get_user(UserName=renamed)["User"]
    assert found["UserId"] == made["UserId"]
    assert account.client_of(key, "sts").get_caller_identity()["Arn"] == found["Arn"]
    (device,) = iam.list_mfa_devices(UserName=renamed)["MFADevices"]
    assert (device["UserName"], device["SerialNumber"]) == (renamed, phone.serial_number)

    gone = Refusal(404, "NoSuchEntity", f"The user with name {name} cannot be found.")
    for call in (iam.get_user, iam.delete_user, iam.list_user_tags, iam.list_access_keys, iam.create_access_key):
        assert refusal(call, UserName=name) == gone
    assert refusal(iam.delete_user, UserName=renamed) == Refusal(
        409, "DeleteConflict", "Cannot delete entity, must delete access keys first."
    )


def test_list_users_pages_by_prefix_in_order(account: Account) -> None:
    iam, path = account.iam, f"/{account.name('team')}/"
    names = sorted(account.name() for _ in range(5))
    for name in names:
        iam.create_user(UserName=name, Path=f"{path}sub/" if name == names[0] else path)
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))

    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert [user["UserName"] for page in pages for user in page["Users"]] == names
    assert all("Tags" not in user for page in pages for user in page["Users"])
    assert iam.list_users(PathPrefix=f"{path}sub/")["Users"][0]["UserName"] == names[0]


def test_a_users_tags_are_the_same_in_either_case(account: Account) -> None:
    iam, name = account.iam, account.name()
    iam.create_user(UserName=name, Tags=[{"Key": "Team", "Value": "blue"}])

    iam.tag_user(UserName=name, Tags=[{"Key": "TEAM", "Value": "緑"}, {"Key": "empty", "Value": ""}])
    pages = iam.get_paginator("list_user_tags").paginate(UserName=name, PaginationConfig={"PageSize": 1})

    assert [tag for page in pages for tag in page["Tags"]] == [{"Key": "TEAM", "Value": "緑"}, {"Key": "empty", "Value": ""}]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    assert refusal(iam.tag_user, UserName=name, Tags=twice) == Refusal(
        400, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    )
    iam.untag_user(UserName=name, TagKeys=["team"])
    assert iam.list_user_tags(UserName=name)["Tags"] == [{"Key": "empty", "Value": ""}]


def test_a_key_just_deactivated_or_deleted_is_refused_at_once(account: Account) -> None:
    person = account.person()
    identity = account.client_of(person, "sts").get_caller_identity
    key = {"UserName": person.name, "AccessKeyId": person.access_key_id}
    identity()

    account.iam.update_access_key(**key, Status="Inactive")
    assert refusal(identity) == UNKNOWN
    account.iam.update_access_key(**key, Status="Active")
    identity()
    account.iam.delete_access_key(**key)
    assert refusal(identity) == UNKNOWN
    gone = Refusal(404, "NoSuchEntity", f"The Access Key with id {person.access_key_id} cannot be found.")
    assert refusal(account.iam.delete_access_key, **key) == gone
    assert refusal(account.iam.update_access_key, **key, Status="Active") == gone


def test_a_third_access_key_is_one_too_many(account: Account) -> None:
    person = account.person()
    second = account.key_of(person.name)

    refused = refusal(account.iam.create_access_key, UserName=person.name)

    assert refused == Refusal(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    listed = account.iam.list_access_keys(UserName=person.name)["AccessKeyMetadata"]
    assert {key["AccessKeyId"] for key in listed} == {person.access_key_id, second.access_key_id}
    assert all("SecretAccessKey" not in key for key in listed)


def test_the_last_use_of_a_key_is_known_a_moment_later(account: Account) -> None:
    person = account.person()
    unused = account.iam.get_access_key_last_used(AccessKeyId=person.access_key_id)["AccessKeyLastUsed"]
    assert unused == {"ServiceName": "N/A", "Region": "N/A"}

    account.client_of(person, "sts", region="eu-west-3").get_caller_identity()
    use: dict[str, Any] = unused
    for _ in range(10_000):
        # It is written within a second, behind the answer; asking is all the waiting there is.
        if "LastUsedDate" in use:
            break
        use = account.iam.get_access_key_last_used(AccessKeyId=person.access_key_id)["AccessKeyLastUsed"]

    assert (use["ServiceName"], use["Region"]) == ("sts", "eu-west-3")
    assert refusal(account.iam.get_access_key_last_used, AccessKeyId="AKIA00000000EXAMPLE0") == Refusal(
        403,
        "AccessDenied",
        f"User: arn:aws:iam::{account.account_id}:user/{account.admin_name} is not authorized to perform iam:GetAccessKeyLastUsed"
        " on resource: access key AKIA00000000EXAMPLE0",
    )


def test_without_a_user_name_the_root_user_speaks_of_itself(account: Account, root: Person) -> None:
    iam = account.client_of(root, "iam")
    themselves = iam.get_user()["User"]

    arn = f"arn:aws:iam::{account.account_id}:root"
    assert (themselves["UserId"], themselves["Arn"]) == (account.account_id, arn)
    assert root.access_key_id in {key["AccessKeyId"] for key in iam.list_access_keys()["AccessKeyMetadata"]}
    identity = account.client_of(root, "sts").get_caller_identity()
    assert (identity["UserId"], identity["Account"], identity["Arn"]) == (account.account_id, account.account_id, arn)


def test_without_a_user_name_the_administrator_speaks_of_themselves(account: Account) -> None:
    user = account.iam.get_user()["User"]

    assert user["Arn"] == f"arn:aws:iam::{account.account_id}:user/{account.admin_name}"
    listed = account.iam.list_access_keys()["AccessKeyMetadata"]
    assert account.access_key_id in {key["AccessKeyId"] for key in listed}
    identity = account.sts().get_caller_identity()
    assert (identity["UserId"], identity["Account"], identity["Arn"]) == (user["UserId"], account.account_id, user["Arn"])


def test_an_account_has_one_alias_that_no_other_account_has(account: Account, other_account: Account) -> None:
    theirs = other_account.name("alias")
    other_account.iam.create_account_alias(AccountAlias=other_account.name("alias"))
    other_account.iam.create_account_alias(AccountAlias=theirs)

    assert other_account.iam.list_account_aliases()["AccountAliases"] == [theirs]
    assert refusal(account.iam.create_account_alias, AccountAlias=theirs) == Refusal(
        409, "EntityAlreadyExists", f"The account alias {theirs} already exists."
    )
    assert account.iam.list_account_aliases()["AccountAliases"] == ["example"]
    assert refusal(account.iam.delete_account_alias, AccountAlias=theirs).code == "NoSuchEntity"
    assert refusal(account.iam.create_account_alias, AccountAlias="-no-") == Refusal(
        400,
        "ValidationError",
        "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint:"
        " Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
    )
    other_account.iam.delete_account_alias(AccountAlias=theirs)


def test_the_account_summary_counts_devices_and_users(account: Account, root: Person) -> None:
    def counts() -> tuple[int, int, int]:
        summary = account.iam.get_account_summary()["SummaryMap"]
        return summary["Users"], summary["MFADevices"], summary["MFADevicesInUse"]

    users, devices, in_use = counts()
    name = account.name()
    account.iam.create_user(UserName=name)
    account.enabled_phone(name)
    account.phone()

    assert counts() == (users + 1, devices + 2, in_use + 1)
    summary = account.iam.get_account_summary()["SummaryMap"]
    assert (summary["AccountMFAEnabled"], summary["AccountAccessKeysPresent"], summary["UsersQuota"]) == (0, 1, 5000)


def test_an_account_never_sees_another(account: Account, other_account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    theirs = other_account.iam
    no_user = Refusal(404, "NoSuchEntity", f"The user with name {person.name} cannot be found.")
    no_device = Refusal(404, "NoSuchEntity", f"MFA Device with serial number {phone.serial_number} does not exist.")

    assert refusal(theirs.get_user, UserName=person.name) == no_user
    assert refusal(theirs.list_mfa_devices, UserName=person.name) == no_user
    assert refusal(theirs.get_mfa_device, SerialNumber=phone.serial_number) == no_device
    assert refusal(theirs.delete_virtual_mfa_device, SerialNumber=phone.serial_number) == no_device
    assert refusal(theirs.get_access_key_last_used, AccessKeyId=person.access_key_id).code == "AccessDenied"
    assert refusal(theirs.delete_access_key, AccessKeyId=person.access_key_id).code == "NoSuchEntity"
    assert person.name not in {user["UserName"] for user in theirs.list_users()["Users"]}
    listed = theirs.list_virtual_mfa_devices()["VirtualMFADevices"]
    assert phone.serial_number not in {device["SerialNumber"] for device in listed}
    # The same name in the other account is somebody else, with no way to this one's device.
    namesake = other_account.person(person.name)
    refused = refusal(theirs.enable_mfa_device, UserName=namesake.name, SerialNumber=phone.serial_number, **phone.pair())
    assert refused == no_device
    sts = other_account.client_of(namesake, "sts")
    assert sts.get_caller_identity()["Account"] == other_account.account_id
    assert refusal(sts.get_session_token, SerialNumber=phone.serial_number, TokenCode=phone.code()).code == "AccessDenied"


def test_user_names_that_do_not_fit_are_refused_in_awss_words(account: Account) -> None:
    make, find = account.iam.create_user, account.iam.get_user
    constraint = "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must"
    characters = (
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    )

    assert refusal(make, UserName="with space") == Refusal(400, "ValidationError", characters)
    assert refusal(make, UserName="n" * 65) == Refusal(
        400, "ValidationError", f"{constraint} have length less than or equal to 64"
    )
    assert refusal(find, UserName="n" * 129) == Refusal(
        400, "ValidationError", f"{constraint} have length less than or equal to 128"
    )
    assert refusal(make, UserName="<&>\N{BEL}").code == "ValidationError"
