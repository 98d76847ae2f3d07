"""Groups and who is in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House, house

ARN = f"arn:aws:iam::{ACCOUNT}"
SECURITY_AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"


def message(error: type[AWSError], home: House, action: str, as_: Principal | None = None, /, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, as_, **parameters)
    return caught.value.message


def allowing(action: str, resource: str = "*") -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}})


def group(home: House, name: str, *members: str, **parameters: object) -> None:
    home.call("iam:CreateGroup", GroupName=name, **parameters)
    for user_name in members:
        home.call("iam:AddUserToGroup", GroupName=name, UserName=user_name)


def members(home: House, name: str) -> list[str]:
    return [user.user_name for user in home.call("iam:GetGroup", GroupName=name).users]


def groups_of(home: House, name: str) -> list[str]:
    return [each.group_name for each in home.call("iam:ListGroupsForUser", UserName=name).groups]


def test_a_group_is_made_shown_renamed_and_deleted(home: House) -> None:
    made = home.call("iam:CreateGroup", GroupName="Admins", Path="/staff/").group
    assert (made.arn, made.path, made.create_date) == (f"{ARN}:group/staff/Admins", "/staff/", NOON)
    assert made.group_id.startswith("AGPA")
    assert len(made.group_id) == 21
    got = home.call("iam:GetGroup", GroupName="ADMINS")
    assert (got.group, got.users, got.is_truncated) == (made, (), False)

    home.call("iam:UpdateGroup", GroupName="admins", NewGroupName="Owners", NewPath="/")
    renamed = home.call("iam:GetGroup", GroupName="owners").group
    assert (renamed.group_id, renamed.arn) == (made.group_id, f"{ARN}:group/Owners")

    home.call("iam:DeleteGroup", GroupName="Owners")
    assert message(NoSuchEntity, home, "iam:GetGroup", GroupName="Owners") == "The group with name Owners cannot be found."


def test_group_names_are_taken_ignoring_case(home: House) -> None:
    group(home, "Admins")
    group(home, "Owners")

    assert message(EntityAlreadyExists, home, "iam:CreateGroup", GroupName="ADMINS") == "Group with name ADMINS already exists."
    taken = message(EntityAlreadyExists, home, "iam:UpdateGroup", GroupName="Owners", NewGroupName="admins")
    assert taken == "Group with name admins already exists."


@pytest.mark.parametrize("action", ["GetGroup", "UpdateGroup", "DeleteGroup", "AddUserToGroup", "RemoveUserFromGroup"])
def test_a_group_that_is_not_there_cannot_be_found(home: House, action: str) -> None:
    home.user("Richard")
    home.call("iam:CreateGroup", Principal.root(OTHER_ACCOUNT), GroupName="Theirs")

    for name in ("Nobodys", "Theirs"):
        said = message(NoSuchEntity, home, f"iam:{action}", GroupName=name, UserName="Richard")
        assert said == f"The group with name {name} cannot be found."


@pytest.mark.parametrize("action", ["AddUserToGroup", "RemoveUserFromGroup", "ListGroupsForUser"])
def test_a_member_who_is_not_there_cannot_be_found(home: House, action: str) -> None:
    group(home, "Admins")

    said = message(NoSuchEntity, home, f"iam:{action}", GroupName="Admins", UserName="Nobody")

    assert said == "The user with name Nobody cannot be found."


def test_users_come_and_go_any_number_of_times(home: House) -> None:
    for name in ("Richard", "Diego"):
        home.user(name)
    group(home, "Admins", "Richard", "richard", "Diego")
    assert members(home, "Admins") == ["Diego", "Richard"]

    for _ in range(2):
        home.call("iam:RemoveUserFromGroup", GroupName="Admins", UserName="Richard")

    assert members(home, "Admins") == ["Diego"]
    assert groups_of(home, "Richard") == []


def test_members_are_shown_without_tags_page_by_page(home: House) -> None:
    for name in ("b", "A", "c", "D"):
        home.user(name, Tags=[{"Key": "k", "Value": "v"}])
    group(home, "Everybody", "D", "c", "b", "A")

    first = home.call("iam:GetGroup", GroupName="Everybody", MaxItems="3")
    second = home.call("iam:GetGroup", GroupName="Everybody", MaxItems="3", Marker=first.marker)

    assert [user.user_name for user in (*first.users, *second.users)] == ["A", "b", "c", "D"]
    assert (first.is_truncated, second.is_truncated, second.marker) == (True, False, None)
    assert all(user.tags is None for user in first.users)
    assert message(ValidationError, home, "iam:GetGroup", GroupName="Everybody", Marker=first.marker + "x") == "Invalid Marker."
    group(home, "Nobody")
    assert message(ValidationError, home, "iam:GetGroup", GroupName="Nobody", Marker=first.marker) == "Invalid Marker."


def test_groups_are_listed_by_path_page_by_page(home: House) -> None:
    for name in ("b", "A", "c", "D"):
        group(home, name, Path="/staff/")
    group(home, "outside", Path="/staffroom/")
    home.call("iam:CreateGroup", Principal.root(OTHER_ACCOUNT), GroupName="Theirs", Path="/staff/")

    first = home.call("iam:ListGroups", PathPrefix="/staff/", MaxItems="3")
    second = home.call("iam:ListGroups", PathPrefix="/staff/", MaxItems="3", Marker=first.marker)

    assert [each.group_name for each in (*first.groups, *second.groups)] == ["A", "b", "c", "D"]
    assert (first.is_truncated, second.is_truncated, second.marker) == (True, False, None)
    assert len(home.call("iam:ListGroups").groups) == 5
    assert home.call("iam:ListGroups", PathPrefix="/st%ff/").groups == ()


def test_the_groups_of_a_user_are_listed_page_by_page(home: House) -> None:
    home.user("Richard")
    for name in ("b", "A", "c", "D"):
        group(home, name, "Richard")
    group(home, "Others")

    first = home.call("iam:ListGroupsForUser", UserName="Richard", MaxItems="2")
    second = home.call("iam:ListGroupsForUser", UserName="Richard", MaxItems="2", Marker=first.marker)

    assert [each.group_name for each in (*first.groups, *second.groups)] == ["A", "b", "c", "D"]
    assert (first.is_truncated, second.is_truncated, second.marker) == (True, False, None)


def test_a_user_is_in_ten_groups_at_most(home: House) -> None:
    home.user("Richard")
    for number in range(10):
        group(home, f"group{number}", "Richard")
    group(home, "eleventh")

    said = message(LimitExceeded, home, "iam:AddUserToGroup", GroupName="eleventh", UserName="Richard")

    assert said == "Cannot exceed quota for GroupsPerUser: 10"
    home.call("iam:AddUserToGroup", GroupName="group3", UserName="Richard")
    home.call("iam:RemoveUserFromGroup", GroupName="group3", UserName="Richard")
    home.call("iam:AddUserToGroup", GroupName="eleventh", UserName="Richard")
    assert len(groups_of(home, "Richard")) == 10


def test_an_account_has_as_many_groups_as_its_quota(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"groups": 2}) as home:
        group(home, "first")
        group(home, "second")

        said = message(LimitExceeded, home, "iam:CreateGroup", GroupName="third")

        assert said == "Cannot exceed quota for GroupsPerAccount: 2"
        home.call("iam:CreateGroup", Principal.root(OTHER_ACCOUNT), GroupName="third")


def test_a_group_is_deleted_once_nothing_hangs_on_it(home: House) -> None:
    home.user("Richard")
    group(home, "Admins", "Richard")
    home.call("iam:PutGroupPolicy", GroupName="Admins", PolicyName="p", PolicyDocument=allowing("iam:ListUsers"))
    home.call("iam:AttachGroupPolicy", GroupName="Admins", PolicyArn=SECURITY_AUDIT)

    def conflict() -> str:
        return message(DeleteConflict, home, "iam:DeleteGroup", GroupName="Admins")

    assert conflict() == "Cannot delete entity, must detach all policies first."
    home.call("iam:DetachGroupPolicy", GroupName="Admins", PolicyArn=SECURITY_AUDIT)
    assert conflict() == "Cannot delete entity, must delete policies first."
    home.call("iam:DeleteGroupPolicy", GroupName="Admins", PolicyName="p")
    assert conflict() == "Cannot delete entity, must remove users from group first."
    home.call("iam:RemoveUserFromGroup", GroupName="Admins", UserName="Richard")
    home.call("iam:DeleteGroup", GroupName="Admins")
    assert home.call("iam:ListGroups").groups == ()


def test_what_a_group_allows_its_members_may_do_while_they_are_in_it(home: House) -> None:
    richard = home.user("Richard")
    group(home, "Readers")
    home.call("iam:PutGroupPolicy", GroupName="Readers", PolicyName="p", PolicyDocument=allowing("iam:ListGroups"))
    message(AccessDenied, home, "iam:ListGroups", richard)

    home.call("iam:AddUserToGroup", GroupName="Readers", UserName="Richard")
    assert len(home.call("iam:ListGroups", richard).groups) == 1

    home.call("iam:RemoveUserFromGroup", GroupName="Readers", UserName="Richard")
    message(AccessDenied, home, "iam:ListGroups", richard)


def test_a_group_is_authorized_by_its_own_arn_however_its_name_is_spelled(home: House) -> None:
    richard = home.user("Richard")
    group(home, "Readers", Path="/staff/")
    policy = allowing("iam:GetGroup", f"{ARN}:group/readers")
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="p", PolicyDocument=policy)

    refused = message(AccessDenied, home, "iam:GetGroup", richard, GroupName="readers")

    # In the caller's own words, who may not know how it is stored.
    assert f"iam:GetGroup on resource: {ARN}:group/readers because" in refused
    policy = allowing("iam:GetGroup", f"{ARN}:group/staff/Readers")
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="p", PolicyDocument=policy)
    home.call("iam:GetGroup", richard, GroupName="readers")


def test_renaming_a_group_takes_permission_on_the_old_arn_and_the_new(home: House) -> None:
    richard = home.user("Richard")
    group(home, "Readers", Path="/dev/")
    home.call(
        "iam:PutUserPolicy",
        UserName="Richard",
        PolicyName="p",
        PolicyDocument=allowing("iam:UpdateGroup", f"{ARN}:group/dev/*"),
    )

    refused = message(AccessDenied, home, "iam:UpdateGroup", richard, GroupName="Readers", NewPath="/ops/")

    assert f"iam:UpdateGroup on resource: {ARN}:group/ops/Readers" in refused
    home.call("iam:UpdateGroup", richard, GroupName="Readers", NewGroupName="Writers")
    assert home.call("iam:GetGroup", GroupName="Writers").group.path == "/dev/"
