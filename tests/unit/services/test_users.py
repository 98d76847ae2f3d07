"""Users, access keys and the account."""

from __future__ import annotations

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House


def message(error: type[AWSError], home: House, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, **parameters)
    return caught.value.message


def test_a_user_is_made_shown_renamed_and_deleted(home: House) -> None:
    made = home.call("iam:CreateUser", UserName="Richard", Path="/staff/", Tags=[{"Key": "team", "Value": "a"}]).user
    assert (made.arn, made.create_date) == (f"arn:aws:iam::{ACCOUNT}:user/staff/Richard", NOON)
    assert made.user_id.startswith("AIDA")
    assert len(made.user_id) == 21
    assert home.call("iam:GetUser", UserName="RICHARD").user == made

    home.call("iam:UpdateUser", UserName="Richard", NewUserName="richard", NewPath="/")
    assert home.call("iam:GetUser", UserName="richard").user.user_id == made.user_id
    assert home.call("iam:GetUser", UserName="richard").user.arn == f"arn:aws:iam::{ACCOUNT}:user/richard"

    home.call("iam:DeleteUser", UserName="richard")
    assert message(NoSuchEntity, home, "iam:GetUser", UserName="richard") == "The user with name richard cannot be found."


def test_names_are_taken_ignoring_case(home: House) -> None:
    home.user("Richard")
    home.user("Diego")

    assert message(EntityAlreadyExists, home, "iam:CreateUser", UserName="RICHARD") == "User with name RICHARD already exists."
    assert "already exists" in message(EntityAlreadyExists, home, "iam:UpdateUser", UserName="Diego", NewUserName="richard")


def test_bad_names_and_paths_are_refused_in_aws_words(home: House) -> None:
    assert message(ValidationError, home, "iam:CreateUser", UserName="two words") == (
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
    )
    assert "The specified value for path is invalid." in message(ValidationError, home, "iam:CreateUser", UserName="x", Path="x/")
    assert message(ValidationError, home, "iam:CreateUser", UserName="x" * 65) == (
        "1 validation error detected: Value at 'userName' failed to satisfy constraint:"
        " Member must have length less than or equal to 64"
    )
    assert message(ValidationError, home, "iam:CreateUser") == (
        "1 validation error detected: Value at 'userName' failed to satisfy constraint: Member must not be null"
    )


def test_users_are_listed_by_path_page_by_page_without_tags(home: House) -> None:
    for name in ("b", "A", "c", "D"):
        home.user(name, Path="/staff/", Tags=[{"Key": "k", "Value": "v"}])
    home.user("outside", Path="/staffroom/")
    first = home.call("iam:ListUsers", PathPrefix="/staff/", MaxItems="3")
    second = home.call("iam:ListUsers", PathPrefix="/staff/", MaxItems="3", Marker=first.marker)

    assert [user.user_name for user in (*first.users, *second.users)] == ["A", "b", "c", "D"]
    assert (first.is_truncated, second.is_truncated, second.marker) == (True, False, None)
    assert all(user.tags is None for user in first.users)
    assert len(home.call("iam:ListUsers", PathPrefix="/staff").users) == 5
    assert home.call("iam:ListUsers", PathPrefix="/st%ff/").users == ()


def test_tags_of_users_ignore_case(home: House) -> None:
    home.user("Richard")
    home.call("iam:TagUser", UserName="Richard", Tags=[{"Key": "Team", "Value": "a"}, {"Key": "x", "Value": ""}])
    home.call("iam:TagUser", UserName="Richard", Tags=[{"Key": "team", "Value": "b"}])
    home.call("iam:UntagUser", UserName="Richard", TagKeys=["X"])

    (tag,) = home.call("iam:ListUserTags", UserName="Richard").tags
    assert (tag.key, tag.value) == ("team", "b")
    twice = [{"Key": "k", "Value": "1"}, {"Key": "K", "Value": "2"}]
    assert message(InvalidInput, home, "iam:TagUser", UserName="Richard", Tags=twice) == (
        "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    )


def test_access_keys_are_made_listed_switched_off_and_deleted(home: House) -> None:
    home.user("Richard")
    key = home.call("iam:CreateAccessKey", UserName="Richard").access_key
    assert (key.user_name, key.access_key_id[:4], len(key.access_key_id), len(key.secret_access_key)) == (
        "Richard",
        "AKIA",
        20,
        40,
    )
    home.call("iam:CreateAccessKey", UserName="Richard")
    third = message(LimitExceeded, home, "iam:CreateAccessKey", UserName="Richard")
    assert third == "Cannot exceed quota for AccessKeysPerUser: 2"

    home.call("iam:UpdateAccessKey", UserName="Richard", AccessKeyId=key.access_key_id, Status="Inactive")
    listed = home.call("iam:ListAccessKeys", UserName="Richard").access_key_metadata
    assert {(each.access_key_id == key.access_key_id, each.status.value) for each in listed} == {
        (True, "Inactive"),
        (False, "Active"),
    }
    assert (
        message(DeleteConflict, home, "iam:DeleteUser", UserName="Richard")
        == "Cannot delete entity, must delete access keys first."
    )
    for each in listed:
        home.call("iam:DeleteAccessKey", UserName="Richard", AccessKeyId=each.access_key_id)
    gone = message(NoSuchEntity, home, "iam:DeleteAccessKey", UserName="Richard", AccessKeyId=key.access_key_id)
    assert gone == f"The Access Key with id {key.access_key_id} cannot be found."
    home.call("iam:DeleteUser", UserName="Richard")


def test_the_root_users_keys_are_those_of_nobody_named(home: House) -> None:
    listed = home.call("iam:ListAccessKeys").access_key_metadata

    assert len(listed) == 1
    assert listed[0].user_name is None
    assert home.call("iam:GetUser").user.arn == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_key_never_used_says_so_and_an_unknown_one_is_access_denied(home: House) -> None:
    home.user("Richard")
    key = home.call("iam:CreateAccessKey", UserName="Richard").access_key
    used = home.call("iam:GetAccessKeyLastUsed", AccessKeyId=key.access_key_id)
    assert (used.user_name, used.access_key_last_used.region, used.access_key_last_used.service_name) == ("Richard", "N/A", "N/A")

    unknown = "AKIA0000000000000000"
    said = message(AccessDenied, home, "iam:GetAccessKeyLastUsed", AccessKeyId=unknown)

    assert said == (
        f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform iam:GetAccessKeyLastUsed"
        f" on resource: access key {unknown}"
    )
    with pytest.raises(AccessDenied):
        home.call("iam:GetAccessKeyLastUsed", Principal.root(OTHER_ACCOUNT), AccessKeyId=key.access_key_id)


def test_an_account_has_one_alias(home: House) -> None:
    home.call("iam:CreateAccountAlias", AccountAlias="second")
    assert home.call("iam:ListAccountAliases").account_aliases == ("second",)

    with pytest.raises(EntityAlreadyExists, match="The account alias second already exists"):
        home.call("iam:CreateAccountAlias", Principal.root(OTHER_ACCOUNT), AccountAlias="second")
    message(NoSuchEntity, home, "iam:DeleteAccountAlias", AccountAlias="example")
    message(ValidationError, home, "iam:CreateAccountAlias", AccountAlias="a--b")
    assert "twelve digits" in message(ValidationError, home, "iam:CreateAccountAlias", AccountAlias=OTHER_ACCOUNT)
    home.call("iam:DeleteAccountAlias", AccountAlias="second")
    assert home.call("iam:ListAccountAliases").account_aliases == ()


def test_the_summary_counts_what_there_is(home: House) -> None:
    before = home.call("iam:GetAccountSummary").summary_map
    home.user("Richard")
    home.enabled_device("Richard", "RichardsMFA")
    home.virtual_device("Spare")

    after = home.call("iam:GetAccountSummary").summary_map

    changed = {key: after[key] - before[key] for key in after if after[key] != before[key]}
    assert changed == {"Users": 1, "MFADevices": 2, "MFADevicesInUse": 1}
    assert (after["AccessKeysPerUserQuota"], after["UsersQuota"], after["AccountMFAEnabled"]) == (2, 5000, 0)
