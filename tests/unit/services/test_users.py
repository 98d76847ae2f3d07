"""Users and access keys."""

from __future__ import annotations

import json

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House

SECURITY_AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


def message(error: type[AWSError], home: House, action: str, as_: Principal | None = None, /, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, as_, **parameters)
    return caught.value.message


def allowing(action: str, resource: str = "*") -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}})


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


def test_a_boundary_is_given_with_a_new_user_and_shown_with_one_user_only(home: House) -> None:
    made = home.call("iam:CreateUser", UserName="Richard", PermissionsBoundary=SECURITY_AUDIT).user
    shown = made.permissions_boundary
    assert (shown.permissions_boundary_type, shown.permissions_boundary_arn) == ("Policy", SECURITY_AUDIT)
    assert home.call("iam:GetUser", UserName="Richard").user == made
    assert home.principal("Richard").permissions_boundary == SECURITY_AUDIT

    listed = home.call("iam:ListUsers").users
    assert {user.permissions_boundary for user in listed} == {None}
    assert home.call("iam:GetUser", UserName="admin").user.permissions_boundary is None


def test_a_boundary_that_is_no_policy_is_refused_and_nobody_made(home: House) -> None:
    missing = f"arn:aws:iam::{ACCOUNT}:policy/missing"

    said = message(NoSuchEntity, home, "iam:CreateUser", UserName="Richard", PermissionsBoundary=missing)

    assert said == f"Scope ARN: {missing} does not exist or is not attachable."
    message(ValidationError, home, "iam:CreateUser", UserName="Richard", PermissionsBoundary="no arn, however it is read")
    message(NoSuchEntity, home, "iam:GetUser", UserName="Richard")


def test_a_new_user_has_what_their_policies_and_their_boundary_both_allow(home: House) -> None:
    richard = home.user("Richard", PermissionsBoundary=SECURITY_AUDIT)
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="p", PolicyDocument=allowing("iam:*"))

    home.call("iam:ListUsers", richard)
    said = message(AccessDenied, home, "iam:CreateUser", richard, UserName="Diego")

    assert said.endswith("because no permissions boundary allows the iam:CreateUser action")


def test_renaming_a_user_takes_permission_on_the_old_arn_and_the_new(home: House) -> None:
    diego = home.user("Diego")
    home.user("Richard", Path="/dev/")
    policy = allowing("iam:UpdateUser", f"arn:aws:iam::{ACCOUNT}:user/dev/*")
    home.call("iam:PutUserPolicy", UserName="Diego", PolicyName="p", PolicyDocument=policy)

    refused = message(AccessDenied, home, "iam:UpdateUser", diego, UserName="Richard", NewPath="/ops/")

    assert f"iam:UpdateUser on resource: arn:aws:iam::{ACCOUNT}:user/ops/Richard" in refused
    home.call("iam:UpdateUser", diego, UserName="Richard", NewUserName="Dick")
    assert home.call("iam:GetUser", UserName="Dick").user.path == "/dev/"


def test_a_user_is_deleted_once_nothing_is_left_over(home: House) -> None:
    home.user("Richard")
    key = home.call("iam:CreateAccessKey", UserName="Richard").access_key
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")
    home.call("iam:CreateLoginProfile", UserName="Richard", Password="correct Horse 9 battery")
    home.call("iam:CreateGroup", GroupName="Admins")
    home.call("iam:AddUserToGroup", GroupName="Admins", UserName="Richard")
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="p", PolicyDocument=allowing("iam:*"))
    home.call("iam:AttachUserPolicy", UserName="Richard", PolicyArn=SECURITY_AUDIT)

    for left_over, action, parameters in (
        ("must detach all policies first.", "DetachUserPolicy", {"PolicyArn": SECURITY_AUDIT}),
        ("must delete policies first.", "DeleteUserPolicy", {"PolicyName": "p"}),
        ("must delete access keys first.", "DeleteAccessKey", {"AccessKeyId": key.access_key_id}),
        ("must delete login profile first.", "DeleteLoginProfile", {}),
        ("must delete MFA device first.", "DeactivateMFADevice", {"SerialNumber": serial_number}),
        ("must remove users from group first.", "RemoveUserFromGroup", {"GroupName": "Admins"}),
    ):
        assert message(DeleteConflict, home, "iam:DeleteUser", UserName="Richard") == f"Cannot delete entity, {left_over}"
        home.call(f"iam:{action}", UserName="Richard", **parameters)

    home.call("iam:DeleteUser", UserName="Richard")
    message(NoSuchEntity, home, "iam:GetUser", UserName="Richard")


def test_a_user_made_again_under_a_name_has_nothing_of_the_one_before(home: House) -> None:
    before = home.user("Richard")
    home.call("iam:DeleteUser", UserName="Richard")
    again = home.user("Richard")
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="p", PolicyDocument=allowing("iam:*"))

    assert again.holder_id != before.holder_id
    home.call("iam:ListUsers", again)
    message(AccessDenied, home, "iam:ListUsers", before)


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
    assert home.call("iam:ListAccessKeys").access_key_metadata == ()
    made = home.call("iam:CreateAccessKey").access_key

    (listed,) = home.call("iam:ListAccessKeys").access_key_metadata

    assert (listed.access_key_id, listed.user_name) == (made.access_key_id, None)
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
