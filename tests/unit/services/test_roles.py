"""Roles and their tags."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from instep.api.common import AWSError, ValidationError
from instep.api.errors import DeleteConflict, EntityAlreadyExists, InvalidInput, LimitExceeded, NoSuchEntity
from instep.api.iam import UpdateRoleResponse
from instep.domain.identity import Principal, RoleUse
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House, house

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}],
    }
)
LIMITS = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}}'
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def message(error: type[AWSError], home: House, action: str, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, **parameters)
    return caught.value.message


def test_a_role_is_made_and_shown(home: House) -> None:
    made = home.call(
        "iam:CreateRole",
        RoleName="Auditor",
        Path="/audit/",
        AssumeRolePolicyDocument=TRUST,
        Description="Looks into everything",
        MaxSessionDuration="7200",
        PermissionsBoundary=ADMINISTRATOR,
        Tags=[{"Key": "team", "Value": "a"}],
    ).role

    assert (made.path, made.role_name, made.arn) == ("/audit/", "Auditor", f"arn:aws:iam::{ACCOUNT}:role/audit/Auditor")
    assert (made.role_id[:4], len(made.role_id), made.create_date) == ("AROA", 21, NOON)
    assert unquote(made.assume_role_policy_document) == TRUST
    assert "{" not in made.assume_role_policy_document
    assert (made.permissions_boundary.permissions_boundary_type.value, made.permissions_boundary.permissions_boundary_arn) == (
        "Policy",
        ADMINISTRATOR,
    )
    assert [(tag.key, tag.value) for tag in made.tags] == [("team", "a")]
    assert (made.description, made.max_session_duration, made.role_last_used) == (None, None, None)

    got = home.call("iam:GetRole", RoleName="AUDITOR").role
    assert (got.role_id, got.assume_role_policy_document) == (made.role_id, made.assume_role_policy_document)
    assert (got.description, got.max_session_duration) == ("Looks into everything", 7200)
    assert (got.permissions_boundary, got.tags) == (made.permissions_boundary, made.tags)
    assert (got.role_last_used.last_used_date, got.role_last_used.region) == (None, None)


def test_a_role_lasts_an_hour_and_is_nothing_more_unless_told(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST, Description="")

    got = home.call("iam:GetRole", RoleName="Auditor").role

    assert (got.path, got.max_session_duration) == ("/", 3600)
    assert (got.description, got.permissions_boundary, got.tags) == (None, None, None)


def test_the_last_use_is_shown(home: House) -> None:
    role_id = home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST).role.role_id
    later = NOON + timedelta(hours=1)
    home.service.store.write(lambda tx: tx.roles.record_use({(ACCOUNT, role_id): RoleUse(later, "eu-west-1")}))

    used = home.call("iam:GetRole", RoleName="Auditor").role.role_last_used

    assert (used.last_used_date, used.region) == (later, "eu-west-1")


def test_names_are_taken_ignoring_case(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST)

    again = message(EntityAlreadyExists, home, "iam:CreateRole", RoleName="AUDITOR", AssumeRolePolicyDocument=TRUST)

    assert again == "Role with name AUDITOR already exists."


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("iam:GetRole", {}),
        ("iam:UpdateRole", {}),
        ("iam:UpdateRoleDescription", {"Description": "x"}),
        ("iam:UpdateAssumeRolePolicy", {"PolicyDocument": TRUST}),
        ("iam:DeleteRole", {}),
        ("iam:TagRole", {"Tags": []}),
        ("iam:UntagRole", {"TagKeys": []}),
        ("iam:ListRoleTags", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_role_that_is_not_there_or_another_accounts_cannot_be_found(
    home: House, action: str, parameters: dict[str, object]
) -> None:
    other = Principal.root(OTHER_ACCOUNT)
    home.call("iam:CreateRole", other, RoleName="Theirs", AssumeRolePolicyDocument=TRUST)

    for name in ("Nobody", "Theirs"):
        said = message(NoSuchEntity, home, action, RoleName=name, **parameters)
        assert said == f"The role with name {name} cannot be found."


@pytest.mark.parametrize(
    "parameters",
    [
        {"RoleName": "two words"},
        {"RoleName": "x" * 65},
        {"RoleName": "Auditor", "MaxSessionDuration": "3599"},
        {"RoleName": "Auditor", "MaxSessionDuration": "43201"},
        {"RoleName": "Auditor", "Description": "x" * 1001},
        {"RoleName": "Auditor", "Tags": [{"Key": f"k{number}", "Value": ""} for number in range(51)]},
    ],
    ids=["characters", "long-name", "short-session", "long-session", "long-description", "tags"],
)
def test_what_the_model_forbids_is_refused(home: House, parameters: dict[str, object]) -> None:
    message(ValidationError, home, "iam:CreateRole", AssumeRolePolicyDocument=TRUST, **parameters)

    assert home.call("iam:ListRoles").roles == ()


def test_an_account_has_so_many_roles(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"roles": 2}) as home:
        for name in ("One", "Two"):
            home.call("iam:CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
        third = message(LimitExceeded, home, "iam:CreateRole", RoleName="Three", AssumeRolePolicyDocument=TRUST)

    assert third == "Cannot exceed quota for RolesPerAccount: 2"


def test_a_boundary_has_to_be_there(home: House) -> None:
    gone = f"arn:aws:iam::{ACCOUNT}:policy/gone"
    asked = {"RoleName": "Auditor", "AssumeRolePolicyDocument": TRUST}

    missing = message(NoSuchEntity, home, "iam:CreateRole", PermissionsBoundary=gone, **asked)
    assert missing == f"Scope ARN: {gone} does not exist or is not attachable."
    no_policy = f"arn:aws:iam::{ACCOUNT}:user/Richard"
    wrong = message(InvalidInput, home, "iam:CreateRole", PermissionsBoundary=no_policy, **asked)
    assert wrong == f"ARN {no_policy} is not valid."
    assert home.call("iam:ListRoles").roles == ()


def test_roles_are_listed_by_path_page_by_page_in_short(home: House) -> None:
    for name in ("b", "A", "c"):
        home.call(
            "iam:CreateRole",
            RoleName=name,
            Path="/audit/",
            AssumeRolePolicyDocument=TRUST,
            Description="d",
            PermissionsBoundary=ADMINISTRATOR,
            Tags=[{"Key": "k", "Value": "v"}],
        )
    home.call("iam:CreateRole", RoleName="outside", AssumeRolePolicyDocument=TRUST)

    first = home.call("iam:ListRoles", PathPrefix="/audit/", MaxItems="2")
    second = home.call("iam:ListRoles", PathPrefix="/audit/", MaxItems="2", Marker=first.marker)

    assert [role.role_name for role in (*first.roles, *second.roles)] == ["A", "b", "c"]
    assert (first.is_truncated, second.is_truncated, second.marker) == (True, False, None)
    listed = first.roles[0]
    assert unquote(listed.assume_role_policy_document) == TRUST
    assert (listed.description, listed.max_session_duration) == ("d", 3600)
    assert (listed.tags, listed.permissions_boundary, listed.role_last_used) == (None, None, None)
    assert len(home.call("iam:ListRoles").roles) == 4


def test_an_update_leaves_what_it_does_not_name(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST, Description="first")

    def now() -> tuple[str | None, int]:
        got = home.call("iam:GetRole", RoleName="Auditor").role
        return got.description, got.max_session_duration

    assert home.call("iam:UpdateRole", RoleName="Auditor", MaxSessionDuration="43200") == UpdateRoleResponse()
    assert now() == ("first", 43200)
    home.call("iam:UpdateRole", RoleName="Auditor", Description="second")
    assert now() == ("second", 43200)
    home.call("iam:UpdateRole", RoleName="Auditor")
    assert now() == ("second", 43200)
    home.call("iam:UpdateRole", RoleName="Auditor", Description="")
    assert now() == (None, 43200)


def test_a_description_is_updated_alone_and_the_role_shown(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST, MaxSessionDuration="7200")

    shown = home.call("iam:UpdateRoleDescription", RoleName="auditor", Description="Looks").role

    assert (shown.role_name, shown.description, shown.max_session_duration) == ("Auditor", "Looks", None)
    assert unquote(shown.assume_role_policy_document) == TRUST
    got = home.call("iam:GetRole", RoleName="Auditor").role
    assert (got.description, got.max_session_duration) == ("Looks", 7200)


def test_a_role_goes_when_nothing_hangs_on_it(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST)
    home.call("iam:AttachRolePolicy", RoleName="Auditor", PolicyArn=ADMINISTRATOR)
    home.call("iam:PutRolePolicy", RoleName="Auditor", PolicyName="inline", PolicyDocument=LIMITS)

    assert message(DeleteConflict, home, "iam:DeleteRole", RoleName="Auditor") == (
        "Cannot delete entity, must detach all policies first."
    )
    home.call("iam:DetachRolePolicy", RoleName="Auditor", PolicyArn=ADMINISTRATOR)
    assert message(DeleteConflict, home, "iam:DeleteRole", RoleName="Auditor") == (
        "Cannot delete entity, must delete policies first."
    )
    home.call("iam:DeleteRolePolicy", RoleName="Auditor", PolicyName="inline")
    home.call("iam:DeleteRole", RoleName="Auditor")
    message(NoSuchEntity, home, "iam:GetRole", RoleName="Auditor")


def test_tags_of_roles_ignore_case(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST)
    home.call("iam:TagRole", RoleName="Auditor", Tags=[{"Key": "Team", "Value": "a"}, {"Key": "x", "Value": ""}])
    home.call("iam:TagRole", RoleName="Auditor", Tags=[{"Key": "team", "Value": "b"}])
    home.call("iam:UntagRole", RoleName="Auditor", TagKeys=["X"])

    listed = home.call("iam:ListRoleTags", RoleName="Auditor")
    assert [(tag.key, tag.value) for tag in listed.tags] == [("team", "b")]
    assert listed.is_truncated is False
    twice = [{"Key": "k", "Value": "1"}, {"Key": "K", "Value": "2"}]
    for action, asked in (("iam:TagRole", {}), ("iam:CreateRole", {"AssumeRolePolicyDocument": TRUST})):
        assert message(InvalidInput, home, action, RoleName="Auditor", Tags=twice, **asked) == (
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )


def test_a_role_has_fifty_tags(home: House) -> None:
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST)
    home.call("iam:TagRole", RoleName="Auditor", Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])

    assert message(LimitExceeded, home, "iam:TagRole", RoleName="Auditor", Tags=[{"Key": "one more", "Value": ""}]) == (
        "Cannot exceed quota for TagsPerRole: 50"
    )
    first = home.call("iam:ListRoleTags", RoleName="Auditor", MaxItems="49")
    assert (first.is_truncated, len(first.tags)) == (True, 49)
    assert len(home.call("iam:ListRoleTags", RoleName="Auditor", MaxItems="49", Marker=first.marker).tags) == 1
