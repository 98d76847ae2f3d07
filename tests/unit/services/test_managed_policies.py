"""Managed policies: made, versioned, listed with those that AWS manages, and deleted when nobody uses them."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from instep.api.common import AccessDenied, AWSError, ValidationError
from instep.api.errors import (
    DeleteConflict,
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    MalformedPolicyDocument,
    NoSuchEntity,
)
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House, house

LIST = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}}'
GET = '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]}'
TRUST = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}}'
AWS = "arn:aws:iam::aws:policy/"
AWS_NAMES = [
    "AdministratorAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "IAMUserChangePassword",
    "ReadOnlyAccess",
    "SecurityAudit",
]


def message(error: type[AWSError], home: House, action: str, as_: Principal | None = None, /, **parameters: object) -> str:
    with pytest.raises(error) as caught:
        home.call(action, as_, **parameters)
    return caught.value.message


def make(home: House, name: str, document: str = LIST, **parameters: object) -> str:
    """A new policy's ARN."""
    arn: str = home.call("iam:CreatePolicy", PolicyName=name, PolicyDocument=document, **parameters).policy.arn
    return arn


def new_version(home: House, arn: str, document: str = GET, **parameters: object) -> str:
    made = home.call("iam:CreatePolicyVersion", PolicyArn=arn, PolicyDocument=document, **parameters)
    version_id: str = made.policy_version.version_id
    return version_id


def names(home: House, **parameters: object) -> list[str]:
    return [policy.policy_name for policy in home.call("iam:ListPolicies", **parameters).policies]


def versions(home: House, arn: str) -> list[tuple[str, bool]]:
    listed = home.call("iam:ListPolicyVersions", PolicyArn=arn).versions
    return [(version.version_id, version.is_default_version) for version in listed]


def test_a_policy_is_made_and_shown(home: House) -> None:
    tags = [{"Key": "b", "Value": "lowercase"}, {"Key": "A", "Value": ""}]
    made = home.call(
        "iam:CreatePolicy", PolicyName="list", PolicyDocument=LIST, Path="/staff/", Description="for all", Tags=tags
    ).policy
    shown = home.call("iam:GetPolicy", PolicyArn=made.arn).policy

    assert made.arn == f"arn:aws:iam::{ACCOUNT}:policy/staff/list"
    assert (made.policy_id[:4], len(made.policy_id)) == ("ANPA", 21)
    assert (made.path, made.default_version_id, made.is_attachable, made.create_date, made.update_date) == (
        "/staff/",
        "v1",
        True,
        NOON,
        NOON,
    )
    assert (made.attachment_count, made.permissions_boundary_usage_count) == (0, 0)
    assert made.description is None
    assert [tag.key for tag in made.tags] == ["b", "A"]
    assert (shown.policy_id, shown.description) == (made.policy_id, "for all")
    assert [(tag.key, tag.value) for tag in shown.tags] == [("A", ""), ("b", "lowercase")]


def test_a_policy_without_tags_shows_none_when_made_and_an_empty_list_later(home: House) -> None:
    made = home.call("iam:CreatePolicy", PolicyName="list", PolicyDocument=LIST).policy

    assert made.tags is None
    assert home.call("iam:GetPolicy", PolicyArn=made.arn).policy.tags == ()


def test_names_are_taken_ignoring_case_and_path(home: House) -> None:
    make(home, "list")

    said = message(EntityAlreadyExists, home, "iam:CreatePolicy", PolicyName="LIST", Path="/staff/", PolicyDocument=LIST)

    assert said == "A policy called LIST already exists. Duplicate names are not allowed."
    make(home, "AdministratorAccess")


def test_documents_are_read_before_they_are_kept(home: House) -> None:
    old = LIST.replace("2012", "2008")
    for document, said in (
        ("{", "Syntax errors in policy."),
        ('{"Version": "2012-10-17"}', "Syntax errors in policy."),
        (old, "Policy document must be version 2012-10-17 or greater."),
    ):
        assert message(MalformedPolicyDocument, home, "iam:CreatePolicy", PolicyName="bad", PolicyDocument=document) == said
    assert names(home, Scope="Local") == []

    arn = make(home, "list")
    message(MalformedPolicyDocument, home, "iam:CreatePolicyVersion", PolicyArn=arn, PolicyDocument=old)
    assert versions(home, arn) == [("v1", True)]


def test_white_space_does_not_count_in_a_documents_size(home: House) -> None:
    filled = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:A", "Resource": "*"}})
    room = 6144 - len(filled.replace(" ", ""))
    fits = filled.replace("iam:A", "iam:A" + "a" * room) + " \n\t\r" * 1000
    too_long = filled.replace("iam:A", "iam:A" + "a" * (room + 1))

    make(home, "fits", fits)

    said = message(LimitExceeded, home, "iam:CreatePolicy", PolicyName="long", PolicyDocument=too_long)
    assert said == "Cannot exceed quota for PolicySize: 6144"


def test_an_account_has_so_many_policies(tmp_path: Path) -> None:
    with house(tmp_path, quotas={"policies": 2}) as home:
        make(home, "one")
        arn = make(home, "two")

        said = message(LimitExceeded, home, "iam:CreatePolicy", PolicyName="three", PolicyDocument=LIST)
        assert said == "Cannot exceed quota for PoliciesPerAccount: 2"
        home.call("iam:DeletePolicy", PolicyArn=arn)
        make(home, "three")


def test_versions_are_made_read_put_in_force_and_deleted(home: House) -> None:
    arn = make(home, "p")
    home.clock.advance(hours=1)
    made = home.call("iam:CreatePolicyVersion", PolicyArn=arn, PolicyDocument=GET).policy_version

    assert (made.version_id, made.is_default_version, made.document) == ("v2", False, None)
    assert home.call("iam:GetPolicy", PolicyArn=arn).policy.update_date == home.clock.now
    assert new_version(home, arn, SetAsDefault="true") == "v3"
    assert versions(home, arn) == [("v3", True), ("v2", False), ("v1", False)]

    home.call("iam:SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")
    assert home.call("iam:GetPolicy", PolicyArn=arn).policy.default_version_id == "v2"
    shown = home.call("iam:GetPolicyVersion", PolicyArn=arn, VersionId="v2").policy_version
    assert (shown.version_id, shown.is_default_version) == ("v2", True)
    assert unquote(shown.document) == GET
    assert set(shown.document).isdisjoint(' {}":*,\n')

    assert message(DeleteConflict, home, "iam:DeletePolicyVersion", PolicyArn=arn, VersionId="v2") == (
        "Cannot delete the default version of a policy."
    )
    home.call("iam:DeletePolicyVersion", PolicyArn=arn, VersionId="v3")
    assert versions(home, arn) == [("v2", True), ("v1", False)]
    assert new_version(home, arn) == "v4"


def test_versions_are_listed_newest_first_page_by_page(home: House) -> None:
    arn = make(home, "p")
    for _ in range(4):
        new_version(home, arn)

    seen: list[str] = []
    marker: dict[str, str] = {}
    while True:
        page = home.call("iam:ListPolicyVersions", PolicyArn=arn, MaxItems="2", **marker)
        seen += [version.version_id for version in page.versions]
        assert all(version.document is None for version in page.versions)
        if not page.is_truncated:
            break
        marker = {"Marker": page.marker}

    assert seen == ["v5", "v4", "v3", "v2", "v1"]
    assert page.marker is None


def test_the_sixth_version_is_refused(home: House) -> None:
    arn = make(home, "p")
    for _ in range(4):
        new_version(home, arn)

    assert message(LimitExceeded, home, "iam:CreatePolicyVersion", PolicyArn=arn, PolicyDocument=GET) == (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version."
    )
    home.call("iam:DeletePolicyVersion", PolicyArn=arn, VersionId="v4")
    assert new_version(home, arn) == "v6"


@pytest.mark.parametrize("version_id", ["v2", "v1.draft", "v99999999999999999999"])
def test_versions_that_are_not_there_are_named_with_their_policy(home: House, version_id: str) -> None:
    arn = make(home, "p")
    nowhere = f"arn:aws:iam::{ACCOUNT}:policy/nowhere"

    for action in ("iam:GetPolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion"):
        for policy_arn in (arn, nowhere):
            said = message(NoSuchEntity, home, action, PolicyArn=policy_arn, VersionId=version_id)
            assert said == f"Policy {policy_arn} version {version_id} does not exist or is not attachable."
    assert message(ValidationError, home, "iam:GetPolicyVersion", PolicyArn=arn, VersionId="1") == (
        "1 validation error detected: Value at 'versionId' failed to satisfy constraint:"
        r" Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"
    )


def test_policies_that_are_not_there_are_not_found(home: House) -> None:
    nowhere = f"arn:aws:iam::{ACCOUNT}:policy/nowhere"

    for action in ("GetPolicy", "DeletePolicy", "ListPolicyVersions", "ListPolicyTags", "ListEntitiesForPolicy"):
        assert message(NoSuchEntity, home, f"iam:{action}", PolicyArn=nowhere) == f"Policy {nowhere} was not found."
    assert message(NoSuchEntity, home, "iam:GetPolicy", PolicyArn=f"{AWS}nowhere") == f"Policy {AWS}nowhere was not found."
    assert message(NoSuchEntity, home, "iam:TagPolicy", PolicyArn=nowhere, Tags=[{"Key": "k", "Value": "v"}]) == (
        f"Policy {nowhere} was not found."
    )
    assert message(NoSuchEntity, home, "iam:CreatePolicyVersion", PolicyArn=nowhere, PolicyDocument=GET) == (
        f"Policy {nowhere} does not exist or is not attachable."
    )


def test_what_is_no_policys_arn_is_refused_as_such(home: House) -> None:
    user_arn = f"arn:aws:iam::{ACCOUNT}:user/Richard"

    for action in ("iam:GetPolicy", "iam:DeletePolicy", "iam:ListEntitiesForPolicy"):
        said = message(ValidationError, home, action, PolicyArn="long-policy-name-but-no-arn")
        assert said == "Invalid ARN:  Could not be parsed!"
        assert message(InvalidInput, home, action, PolicyArn=user_arn) == f"ARN {user_arn} is not valid."


def test_other_accounts_policies_are_out_of_reach(home: House) -> None:
    arn = make(home, "list")
    stranger = Principal.root(OTHER_ACCOUNT)

    for policy_arn in (arn, f"arn:aws:iam::{ACCOUNT}:policy/nowhere"):
        for action in ("iam:GetPolicy", "iam:DeletePolicy", "iam:ListPolicyVersions"):
            assert message(AccessDenied, home, action, stranger, PolicyArn=policy_arn) == "Policy is outside your own account."
    assert home.call("iam:ListPolicies", stranger, Scope="Local").policies == ()


def test_policies_that_aws_manages_are_shown_and_cannot_be_changed(home: House) -> None:
    arn = f"{AWS}IAMReadOnlyAccess"
    shown = home.call("iam:GetPolicy", PolicyArn=arn).policy
    document = home.call("iam:GetPolicyVersion", PolicyArn=arn, VersionId="v4").policy_version.document

    assert (shown.arn, shown.policy_id, shown.default_version_id, shown.tags) == (arn, "ANPAJKSO7NDY4T57MWDSQ", "v4", ())
    assert "iam:List*" in json.loads(unquote(document))["Statement"][0]["Action"]
    assert versions(home, arn) == [("v4", True)]
    changes: list[tuple[str, dict[str, object]]] = [
        ("DeletePolicy", {}),
        ("CreatePolicyVersion", {"PolicyDocument": GET}),
        ("DeletePolicyVersion", {"VersionId": "v4"}),
        ("SetDefaultPolicyVersion", {"VersionId": "v4"}),
        ("TagPolicy", {"Tags": [{"Key": "k", "Value": "v"}]}),
        ("UntagPolicy", {"TagKeys": ["k"]}),
    ]
    for name, parameters in changes:
        said = message(AccessDenied, home, f"iam:{name}", None, PolicyArn=arn, **parameters)
        assert said == "Policy is outside your own account."


def test_policies_of_both_kinds_are_listed_page_by_page(home: House) -> None:
    for name in ("delta", "Alpha", "charlie", "ReadOnlyAccess"):
        make(home, name, Tags=[{"Key": "k", "Value": "v"}], Description="d")
    everything = [*AWS_NAMES, "Alpha", "charlie", "delta", "ReadOnlyAccess"]

    for size in range(1, len(everything) + 2):
        seen: list[str] = []
        marker: dict[str, str] = {}
        while True:
            page = home.call("iam:ListPolicies", MaxItems=str(size), **marker)
            assert all(policy.tags is None and policy.description is None for policy in page.policies)
            seen += [policy.policy_name for policy in page.policies]
            if not page.is_truncated:
                break
            marker = {"Marker": page.marker}
        assert seen == everything
    assert names(home, Scope="AWS") == AWS_NAMES
    assert names(home, Scope="Local") == everything[len(AWS_NAMES) :]
    assert message(ValidationError, home, "iam:ListPolicies", Marker="own:Alpha") == "Invalid Marker."


def test_a_path_prefix_picks_policies(home: House) -> None:
    make(home, "inside", Path="/staff/night/")
    make(home, "beside", Path="/staffroom/")

    assert names(home, PathPrefix="/staff/") == ["inside"]
    assert names(home, PathPrefix="/", Scope="AWS") == AWS_NAMES
    assert names(home, PathPrefix="/nobody/") == []


def test_policies_are_listed_by_how_they_are_used(home: House) -> None:
    home.user("Richard")
    for name in ("attached", "limits", "both", "neither"):
        make(home, name)
    arns = {name: f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("attached", "limits", "both", "neither")}
    for arn in (arns["attached"], arns["both"], f"{AWS}SecurityAudit"):
        home.call("iam:AttachUserPolicy", UserName="Richard", PolicyArn=arn)
    home.call("iam:PutUserPermissionsBoundary", UserName="Richard", PermissionsBoundary=arns["limits"])
    home.user("Diego", PermissionsBoundary=arns["both"])

    assert names(home, OnlyAttached="true", Scope="Local") == ["attached", "both"]
    assert names(home, PolicyUsageFilter="PermissionsPolicy", Scope="Local") == ["attached", "both"]
    assert names(home, PolicyUsageFilter="PermissionsBoundary") == ["both", "limits"]
    assert names(home, PolicyUsageFilter="PermissionsBoundary", OnlyAttached="true") == ["both", "limits"]
    assert "SecurityAudit" in names(home, OnlyAttached="true", Scope="AWS")
    assert "IAMFullAccess" not in names(home, OnlyAttached="true", Scope="AWS")
    both = home.call("iam:GetPolicy", PolicyArn=arns["both"]).policy
    assert (both.attachment_count, both.permissions_boundary_usage_count) == (1, 1)
    listed = {policy.policy_name: policy for policy in home.call("iam:ListPolicies").policies}
    assert (listed["limits"].attachment_count, listed["limits"].permissions_boundary_usage_count) == (0, 1)
    assert listed["SecurityAudit"].attachment_count == 1
    assert home.call("iam:GetPolicy", Principal.root(OTHER_ACCOUNT), PolicyArn=f"{AWS}SecurityAudit").policy.attachment_count == 0


def test_a_filter_reads_on_until_its_page_is_full(home: House) -> None:
    home.user("Richard")
    for number in range(205):
        make(home, f"p{number:03}")
    last = f"arn:aws:iam::{ACCOUNT}:policy/p204"
    home.call("iam:AttachUserPolicy", UserName="Richard", PolicyArn=last)

    assert names(home, OnlyAttached="true", Scope="Local", MaxItems="1") == ["p204"]


def test_a_policy_in_use_is_not_deleted(home: House) -> None:
    arn = make(home, "p")
    home.user("Richard")
    home.call("iam:CreateGroup", GroupName="staff")
    home.call("iam:CreateRole", RoleName="Auditor", AssumeRolePolicyDocument=TRUST)
    in_use = "Cannot delete a policy attached to entities."

    for give, take in (
        (("iam:AttachUserPolicy", {"UserName": "Richard", "PolicyArn": arn}), "iam:DetachUserPolicy"),
        (("iam:AttachGroupPolicy", {"GroupName": "staff", "PolicyArn": arn}), "iam:DetachGroupPolicy"),
        (("iam:AttachRolePolicy", {"RoleName": "Auditor", "PolicyArn": arn}), "iam:DetachRolePolicy"),
        (
            ("iam:PutUserPermissionsBoundary", {"UserName": "Richard", "PermissionsBoundary": arn}),
            "iam:DeleteUserPermissionsBoundary",
        ),
        (
            ("iam:PutRolePermissionsBoundary", {"RoleName": "Auditor", "PermissionsBoundary": arn}),
            "iam:DeleteRolePermissionsBoundary",
        ),
    ):
        action, parameters = give
        home.call(action, **parameters)
        assert message(DeleteConflict, home, "iam:DeletePolicy", PolicyArn=arn) == in_use
        home.call(take, **parameters)

    new_version(home, arn)
    assert message(DeleteConflict, home, "iam:DeletePolicy", PolicyArn=arn) == (
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions."
        " The default version is deleted with the policy."
    )
    home.call("iam:DeletePolicyVersion", PolicyArn=arn, VersionId="v2")
    home.call("iam:DeletePolicy", PolicyArn=arn)
    message(NoSuchEntity, home, "iam:GetPolicy", PolicyArn=arn)


def test_tags_of_policies_ignore_case(home: House) -> None:
    arn = make(home, "p")
    home.call("iam:TagPolicy", PolicyArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "B", "Value": "2"}])
    home.call("iam:TagPolicy", PolicyArn=arn, Tags=[{"Key": "A", "Value": ""}])

    first = home.call("iam:ListPolicyTags", PolicyArn=arn, MaxItems="1")
    second = home.call("iam:ListPolicyTags", PolicyArn=arn, MaxItems="1", Marker=first.marker)
    assert [(tag.key, tag.value) for tag in (*first.tags, *second.tags)] == [("A", ""), ("B", "2")]
    home.call("iam:UntagPolicy", PolicyArn=arn, TagKeys=["b", "none"])
    assert [tag.key for tag in home.call("iam:ListPolicyTags", PolicyArn=arn).tags] == ["A"]
    for other in ("k", "K"):
        twice = [{"Key": "k", "Value": "1"}, {"Key": other, "Value": "2"}]
        assert message(InvalidInput, home, "iam:TagPolicy", PolicyArn=arn, Tags=twice) == "Duplicate tag keys found."
    assert home.call("iam:ListPolicyTags", PolicyArn=f"{AWS}SecurityAudit").tags == ()


def used(home: House, arn: str) -> None:
    """Attached to two groups, a role and two users, one of them limited by it as well; another user and role only limited."""
    for name in ("beta", "Alpha"):
        home.call("iam:CreateGroup", GroupName=name, Path="/staff/")
        home.call("iam:AttachGroupPolicy", GroupName=name, PolicyArn=arn)
    for name in ("Auditor", "Limited"):
        home.call("iam:CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)
    home.call("iam:AttachRolePolicy", RoleName="Auditor", PolicyArn=arn)
    home.call("iam:PutRolePermissionsBoundary", RoleName="Limited", PermissionsBoundary=arn)
    for name, path in (("Richard", "/staff/"), ("Diego", "/"), ("Zhang", "/")):
        home.user(name, Path=path)
    for name in ("Richard", "Diego"):
        home.call("iam:AttachUserPolicy", UserName=name, PolicyArn=arn)
    for name in ("Diego", "Zhang"):
        home.call("iam:PutUserPermissionsBoundary", UserName=name, PermissionsBoundary=arn)


def entities(home: House, arn: str, **parameters: object) -> list[str]:
    found = home.call("iam:ListEntitiesForPolicy", PolicyArn=arn, **parameters)
    return [
        *(group.group_name for group in found.policy_groups),
        *(role.role_name for role in found.policy_roles),
        *(user.user_name for user in found.policy_users),
    ]


@pytest.mark.parametrize("name", ["own", f"{AWS}ReadOnlyAccess"])
def test_whoever_uses_a_policy_is_listed(home: House, name: str) -> None:
    arn = name if name.startswith(AWS) else make(home, name)
    used(home, arn)

    assert entities(home, arn) == ["Alpha", "beta", "Auditor", "Limited", "Diego", "Richard", "Zhang"]
    assert entities(home, arn, EntityFilter="User") == ["Diego", "Richard", "Zhang"]
    assert entities(home, arn, EntityFilter="Role") == ["Auditor", "Limited"]
    assert entities(home, arn, EntityFilter="Group") == ["Alpha", "beta"]
    assert entities(home, arn, EntityFilter="LocalManagedPolicy") == []
    assert entities(home, arn, PathPrefix="/staff/") == ["Alpha", "beta", "Richard"]
    assert entities(home, arn, PolicyUsageFilter="PermissionsPolicy") == ["Alpha", "beta", "Auditor", "Diego", "Richard"]
    assert entities(home, arn, PolicyUsageFilter="PermissionsBoundary") == ["Limited", "Diego", "Zhang"]
    assert entities(home, arn, PolicyUsageFilter="PermissionsBoundary", EntityFilter="Group") == []
    (group, _) = home.call("iam:ListEntitiesForPolicy", PolicyArn=arn, EntityFilter="Group").policy_groups
    assert group.group_id.startswith("AGPA")


def test_whoever_uses_a_policy_is_listed_page_by_page(home: House) -> None:
    arn = make(home, "p")
    used(home, arn)

    for size in range(1, 9):
        seen: list[str] = []
        marker: dict[str, str] = {}
        while True:
            page = home.call("iam:ListEntitiesForPolicy", PolicyArn=arn, MaxItems=str(size), **marker)
            seen += entities(home, arn, MaxItems=str(size), **marker)
            if not page.is_truncated:
                break
            marker = {"Marker": page.marker}
        assert seen == ["Alpha", "beta", "Auditor", "Limited", "Diego", "Richard", "Zhang"]


def test_policies_allow_by_the_stored_arn_and_its_tags(home: House) -> None:
    mine, other = make(home, "mine", Tags=[{"Key": "team", "Value": "a"}]), make(home, "other")
    richard = home.user("Richard")
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "iam:GetPolicy",
            "Resource": f"arn:aws:iam::{ACCOUNT}:policy/*",
            "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}},
        },
    }
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="look", PolicyDocument=json.dumps(document))

    assert home.call("iam:GetPolicy", richard, PolicyArn=mine).policy.policy_name == "mine"
    for arn in (other, f"{AWS}SecurityAudit"):
        assert f"iam:GetPolicy on resource: policy {arn} " in message(AccessDenied, home, "iam:GetPolicy", richard, PolicyArn=arn)


def test_another_version_in_force_counts_at_once(home: House) -> None:
    richard = home.user("Richard")
    arn = make(home, "p", LIST)
    new_version(home, arn, GET)
    home.call("iam:AttachUserPolicy", UserName="Richard", PolicyArn=arn)

    assert home.call("iam:ListUsers", richard).users
    message(AccessDenied, home, "iam:GetPolicy", richard, PolicyArn=arn)
    home.call("iam:SetDefaultPolicyVersion", PolicyArn=arn, VersionId="v2")

    assert home.call("iam:GetPolicy", richard, PolicyArn=arn).policy.default_version_id == "v2"
    message(AccessDenied, home, "iam:ListUsers", richard)
