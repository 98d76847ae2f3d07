"""Who may do what in an account, in one list."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from instep.api.common import ValidationError
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, NOON, OTHER_ACCOUNT, House

ARN = f"arn:aws:iam::{ACCOUNT}"
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
SECURITY_AUDIT = "arn:aws:iam::aws:policy/SecurityAudit"
READING = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}})
NOTHING = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})


def trusting(principal: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


@pytest.fixture
def furnished(home: House) -> House:
    """Richard in two groups, a role that trusts him, a policy in two versions; and the account's own administrator."""
    listing = home.call("iam:CreatePolicy", PolicyName="Listing", Path="/p/", PolicyDocument=READING, Description="d").policy.arn
    home.call("iam:CreatePolicyVersion", PolicyArn=listing, PolicyDocument=NOTHING)
    home.user("Richard", Path="/staff/", Tags=[{"Key": "team", "Value": "a"}], PermissionsBoundary=SECURITY_AUDIT)
    for name in ("readers", "Admins"):
        home.call("iam:CreateGroup", GroupName=name)
        home.call("iam:AddUserToGroup", GroupName=name, UserName="Richard")
    home.call("iam:CreateRole", RoleName="Deployer", AssumeRolePolicyDocument=trusting(f"{ARN}:user/staff/Richard"))
    for kind, name in (("User", "Richard"), ("Group", "Admins"), ("Role", "Deployer")):
        home.call(f"iam:Put{kind}Policy", **{f"{kind}Name": name}, PolicyName="own", PolicyDocument=READING)
        home.call(f"iam:Attach{kind}Policy", **{f"{kind}Name": name}, PolicyArn=listing)
    return home


def details(home: House, as_: Principal | None = None, /, **parameters: object) -> Any:
    return home.call("iam:GetAccountAuthorizationDetails", as_, **parameters)


def names(found: Any) -> list[str]:
    return [
        *(user.user_name for user in found.user_detail_list),
        *(group.group_name for group in found.group_detail_list),
        *(role.role_name for role in found.role_detail_list),
        *(policy.policy_name for policy in found.policies),
    ]


def held(detail: Any, inline: str) -> tuple[list[tuple[str, Any]], list[tuple[str, str]]]:
    """The inline policies that a user, group or role has, and the attached ones."""
    return (
        [(policy.policy_name, json.loads(unquote(policy.policy_document))) for policy in getattr(detail, inline)],
        [(policy.policy_name, policy.policy_arn) for policy in detail.attached_managed_policies],
    )


OWN = ([("own", json.loads(READING))], [("Listing", f"{ARN}:policy/p/Listing")])


def test_each_user_is_told_with_policies_groups_boundary_and_tags(furnished: House) -> None:
    admin, richard = details(furnished).user_detail_list

    assert (richard.arn, richard.path, richard.create_date) == (f"{ARN}:user/staff/Richard", "/staff/", NOON)
    assert held(richard, "user_policy_list") == OWN
    assert richard.group_list == ("Admins", "readers")
    assert richard.permissions_boundary.permissions_boundary_arn == SECURITY_AUDIT
    assert [(tag.key, tag.value) for tag in richard.tags] == [("team", "a")]
    assert held(admin, "user_policy_list") == ([], [("AdministratorAccess", ADMINISTRATOR_ACCESS)])
    assert (admin.group_list, admin.permissions_boundary, admin.tags) == ((), None, ())


def test_each_group_is_told_with_policies(furnished: House) -> None:
    admins, readers = details(furnished).group_detail_list

    assert (admins.arn, admins.path, admins.create_date) == (f"{ARN}:group/Admins", "/", NOON)
    assert admins.group_id.startswith("AGPA")
    assert held(admins, "group_policy_list") == OWN
    assert held(readers, "group_policy_list") == ([], [])


def test_each_role_is_told_with_policies_and_those_who_may_assume_it(furnished: House) -> None:
    (deployer,) = details(furnished).role_detail_list

    assert (deployer.arn, deployer.create_date) == (f"{ARN}:role/Deployer", NOON)
    assert held(deployer, "role_policy_list") == OWN
    assert json.loads(unquote(deployer.assume_role_policy_document)) == json.loads(trusting(f"{ARN}:user/staff/Richard"))
    assert (deployer.instance_profile_list, deployer.tags, deployer.permissions_boundary) == ((), (), None)
    assert deployer.role_last_used.last_used_date is None


def test_each_policy_is_told_with_its_versions_and_how_often_it_is_used(furnished: House) -> None:
    listing, administrator_access, security_audit = details(furnished).policies

    assert (listing.arn, listing.path, listing.description) == (f"{ARN}:policy/p/Listing", "/p/", "d")
    assert (listing.attachment_count, listing.permissions_boundary_usage_count, listing.default_version_id) == (3, 0, "v1")
    assert [
        (each.version_id, each.is_default_version, json.loads(unquote(each.document))) for each in listing.policy_version_list
    ] == [("v2", False, json.loads(NOTHING)), ("v1", True, json.loads(READING))]
    assert (administrator_access.arn, administrator_access.attachment_count) == (ADMINISTRATOR_ACCESS, 1)
    (version,) = administrator_access.policy_version_list
    assert version.is_default_version
    assert json.loads(unquote(version.document))["Statement"][0]["Action"] == "*"
    assert (security_audit.arn, security_audit.attachment_count, security_audit.permissions_boundary_usage_count) == (
        SECURITY_AUDIT,
        0,
        1,
    )


def test_documents_are_encoded_to_the_letter(home: House) -> None:
    document = READING.replace("iam:Get*", "iam:Get~*")
    home.call("iam:PutUserPolicy", UserName="admin", PolicyName="p", PolicyDocument=document)

    (policy,) = details(home, Filter=["User"]).user_detail_list[0].user_policy_list

    assert policy.policy_document.startswith("%7B%22Version%22%3A%20%222012-10-17%22%2C%20%22Statement%22")
    assert "iam%3AGet~%2A" in policy.policy_document


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        (["User"], ["admin", "Richard"]),
        (["Group"], ["Admins", "readers"]),
        (["Role"], ["Deployer"]),
        (["LocalManagedPolicy"], ["Listing"]),
        (["AWSManagedPolicy"], ["AdministratorAccess", "SecurityAudit"]),
        (["AWSManagedPolicy", "Role", "Role"], ["Deployer", "AdministratorAccess", "SecurityAudit"]),
        ([], ["admin", "Richard", "Admins", "readers", "Deployer", "Listing", "AdministratorAccess", "SecurityAudit"]),
    ],
    ids=lambda value: "+".join(value) or "everything",
)
def test_only_the_kinds_that_were_asked_for_are_told(furnished: House, kinds: list[str], told: list[str]) -> None:
    assert names(details(furnished, Filter=kinds)) == told


def test_a_kind_that_there_is_not_is_refused(home: House) -> None:
    with pytest.raises(ValidationError):
        details(home, Filter=["Device"])


@pytest.mark.parametrize("kinds", [[], ["User", "LocalManagedPolicy", "AWSManagedPolicy"]], ids=["everything", "some"])
def test_pages_of_any_size_tell_everything_once(furnished: House, kinds: list[str]) -> None:
    whole = names(details(furnished, Filter=kinds))

    for size in range(1, len(whole) + 1):
        seen: list[str] = []
        page = details(furnished, Filter=kinds, MaxItems=str(size))
        seen += names(page)
        while page.is_truncated:
            assert len(names(page)) == size
            page = details(furnished, Filter=kinds, MaxItems=str(size), Marker=page.marker)
            seen += names(page)
        assert page.marker is None
        assert seen == whole


def test_pages_go_on_after_what_was_deleted_meanwhile(furnished: House) -> None:
    furnished.call("iam:CreateGroup", GroupName="empty")
    page = details(furnished, Filter=["Group", "Role"], MaxItems="2")
    assert names(page) == ["Admins", "empty"]
    furnished.call("iam:DeleteGroup", GroupName="empty")

    assert names(details(furnished, Filter=["Group", "Role"], Marker=page.marker)) == ["readers", "Deployer"]


def test_a_marker_of_another_list_or_account_is_refused(furnished: House) -> None:
    other = furnished.call("iam:ListUsers", MaxItems="1").marker
    with pytest.raises(ValidationError, match="Invalid Marker"):
        details(furnished, Marker=other)

    marker = details(furnished, MaxItems="1").marker
    with pytest.raises(ValidationError, match="Invalid Marker"):
        details(furnished, Principal.root(OTHER_ACCOUNT), Marker=marker)


def test_other_accounts_are_not_told(furnished: House) -> None:
    theirs = details(furnished, Principal.root(OTHER_ACCOUNT))

    assert names(theirs) == ["admin", "AdministratorAccess"]
    assert theirs.policies[0].attachment_count == 1
