"""People renamed, moved, deleted and made again while policies, roles and sessions know them; and policies that change."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.vectors.policies.published import published
from tests.wire.people import Account, Person, Refusal, refusal
from tests.wire.policies import (
    allow,
    assume,
    deny,
    document,
    explicitly,
    implicitly,
    new_role,
    not_assumed,
    restrict,
    trusting,
    user_arn,
    with_mfa,
    without_mfa,
)

UNKNOWN = Refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def remove(account: Account, person: Person) -> None:
    """With everything that hangs on them."""
    for key in account.iam.list_access_keys(UserName=person.name)["AccessKeyMetadata"]:
        account.iam.delete_access_key(UserName=person.name, AccessKeyId=key["AccessKeyId"])
    for device in account.iam.list_mfa_devices(UserName=person.name)["MFADevices"]:
        account.iam.deactivate_mfa_device(UserName=person.name, SerialNumber=device["SerialNumber"])
    for name in account.iam.list_user_policies(UserName=person.name)["PolicyNames"]:
        account.iam.delete_user_policy(UserName=person.name, PolicyName=name)
    account.iam.delete_user(UserName=person.name)


def test_a_policy_reaches_whom_its_path_reaches(account: Account) -> None:
    team, name, chief = account.name("team"), account.name(), account.name("chief")
    account.iam.create_user(UserName=name, Path=f"/{team}/eu/")
    account.iam.create_user(UserName=chief)
    person = account.key_of(chief)
    restrict(account, person, document(allow("iam:ListMFADevices", f"arn:aws:iam::*:user/{team}/*")))
    iam, arn = account.client_of(person, "iam"), user_arn(account, chief)

    assert iam.list_mfa_devices(UserName=name)["MFADevices"] == []
    assert refusal(iam.list_mfa_devices, UserName=chief) == implicitly(arn, "iam:ListMFADevices", arn)
    # Moved out of the path, the user is out of reach.
    account.iam.update_user(UserName=name, NewPath=f"/not-{team}/")
    # Where to is not for everybody: the refusal shows the user as the request named them.
    assert refusal(iam.list_mfa_devices, UserName=name) == implicitly(arn, "iam:ListMFADevices", user_arn(account, name))


def test_a_path_belongs_to_the_arn_and_not_to_the_user_name_of_policies(account: Account) -> None:
    name = account.name()
    account.iam.create_user(UserName=name, Path="/div/")
    person = account.key_of(name)
    restrict(account, person, document(allow("iam:GetUser", "arn:aws:iam::*:user/div/${aws:username}")))

    assert account.client_of(person, "iam").get_user()["User"]["Path"] == "/div/"


def test_names_that_differ_in_case_only_are_one_and_the_same(account: Account) -> None:
    name = account.name("Dana")
    account.iam.create_user(UserName=name)
    for other in (name.upper(), name.lower(), name.swapcase()):
        assert refusal(account.iam.create_user, UserName=other) == Refusal(
            409, "EntityAlreadyExists", f"User with name {other} already exists."
        )
    person = account.key_of(name)
    restrict(account, person, published("resync-only"))
    iam = account.client_of(person, "iam")

    # However the name is written, it is the stored one that is authorized on, and aws:username is the stored one too.
    for spelling in (name, name.upper(), name.lower()):
        assert iam.list_mfa_devices(UserName=spelling)["MFADevices"] == []
    assert account.client_of(person, "sts").get_caller_identity()["Arn"] == user_arn(account, name)
    assert account.iam.list_user_policies(UserName=name.upper())["PolicyNames"] == ["policy"]


def test_a_policy_that_spells_a_name_otherwise_means_nobody(account: Account) -> None:
    person = account.person(account.name("Eve"))
    restrict(account, person, document(allow("iam:GetUser", user_arn(account, person.name.upper()))))
    arn = user_arn(account, person.name)

    assert refusal(account.client_of(person, "iam").get_user) == implicitly(arn, "iam:GetUser", arn)


def test_who_is_renamed_goes_on_with_the_session_under_the_new_name(account: Account) -> None:
    person, renamed = account.person(), account.name("renamed")
    phone = account.enabled_phone(person.name)
    restrict(account, person, published("resync-only"))
    proven = with_mfa(account, person, phone)
    iam, sts = account.session(proven, "iam"), account.session(proven, "sts")
    iam.list_mfa_devices(UserName=person.name)

    account.iam.update_user(UserName=person.name, NewUserName=renamed)

    arn = user_arn(account, renamed)
    assert sts.get_caller_identity()["Arn"] == arn
    assert [device["UserName"] for device in iam.list_mfa_devices()["MFADevices"]] == [renamed]
    iam.resync_mfa_device(UserName=renamed, SerialNumber=phone.serial_number, **phone.pair())
    # Somebody new under the old name is somebody else.
    account.iam.create_user(UserName=person.name)
    old = user_arn(account, person.name)
    assert refusal(iam.list_mfa_devices, UserName=person.name) == implicitly(arn, "iam:ListMFADevices", old)
    by_key = account.client_of(person, "iam")
    assert by_key.list_mfa_devices()["MFADevices"][0]["UserName"] == renamed


def test_a_roles_trust_goes_along_with_who_is_renamed(account: Account) -> None:
    person, renamed = account.person(), account.name("renamed")
    role = new_role(account, trusting(user_arn(account, person.name)))
    sts = account.client_of(person, "sts")

    account.iam.update_user(UserName=person.name, NewUserName=renamed)
    newcomer = account.person(person.name)

    assert assume(account, sts, role)
    assert refusal(account.client_of(newcomer, "sts").assume_role, RoleArn=role, RoleSessionName="Session1") == not_assumed(
        user_arn(account, person.name), role
    )
    shown = account.iam.get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"] == [user_arn(account, renamed)]


def test_who_is_made_again_under_a_name_has_no_part_in_what_the_old_one_had(account: Account) -> None:
    person = account.person()
    arn, user_id = user_arn(account, person.name), account.iam.get_user(UserName=person.name)["User"]["UserId"]
    role = new_role(account, trusting(arn))
    phone = account.enabled_phone(person.name)
    restrict(account, person, document(allow()))
    proven = with_mfa(account, person, phone)
    bare = without_mfa(account, person)
    assumed = assume(account, account.client_of(person, "sts"), role)

    remove(account, person)
    again = account.person(person.name)

    for credentials in (proven, bare):
        assert refusal(account.session(credentials, "sts").get_caller_identity) == UNKNOWN
    assert refusal(account.session(proven, "iam").list_users) == UNKNOWN
    assert refusal(account.client_of(person, "sts").get_caller_identity) == UNKNOWN
    sts = account.client_of(again, "sts")
    assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="Session1") == not_assumed(arn, role)
    assert refusal(account.client_of(again, "iam").get_user) == implicitly(arn, "iam:GetUser", arn)
    # The trust policy shows whom it meant: an id, for which there is no name any more.
    shown = account.iam.get_role(RoleName=role.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    assert shown["Statement"][0]["Principal"]["AWS"] == [user_id]
    # The role's session is the role's, and stays.
    assert account.session(assumed, "sts").get_caller_identity()["Arn"].endswith("/Session1")


def test_a_role_that_is_made_again_under_its_name_has_no_part_in_old_sessions(account: Account) -> None:
    role = new_role(account, trusting(account.account_id))
    name = role.rpartition("/")[2]
    assumed = account.session(assume(account, account.sts(), role), "sts")
    assumed.get_caller_identity()

    account.iam.delete_role(RoleName=name)
    assert refusal(assumed.get_caller_identity) == UNKNOWN
    account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(account.account_id))

    assert refusal(assumed.get_caller_identity) == UNKNOWN


@pytest.mark.parametrize("status", ["Inactive", "deleted"])
def test_a_key_takes_the_sessions_with_it_that_it_opened(account: Account, status: str) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    proven, bare = with_mfa(account, person, phone), without_mfa(account, person)
    restrict(account, person, document(allow()))
    federated = account.client_of(person, "sts").get_federation_token(Name="Bob")["Credentials"]
    sessions = [account.session(credentials, "sts") for credentials in (proven, bare, federated)]
    key = {"UserName": person.name, "AccessKeyId": person.access_key_id}
    other = account.session(without_mfa(account, account.key_of(person.name)), "sts")
    assert all(session.get_caller_identity() for session in sessions)

    if status == "deleted":
        account.iam.delete_access_key(**key)
    else:
        account.iam.update_access_key(**key, Status=status)

    for session in sessions:
        assert refusal(session.get_caller_identity) == UNKNOWN
    assert refusal(account.session(proven, "iam").get_user) == UNKNOWN
    assert other.get_caller_identity()["Account"] == account.account_id
    if status == "Inactive":
        account.iam.update_access_key(**key, Status="Active")
        assert all(session.get_caller_identity() for session in sessions)


Change = Callable[[Any, str, str], object]
CHANGES: dict[str, tuple[Change, Change]] = {
    "an inline policy": (
        lambda iam, name, arn: iam.put_user_policy(
            UserName=name, PolicyName="p", PolicyDocument=document(allow("iam:ListUsers"))
        ),
        lambda iam, name, arn: iam.delete_user_policy(UserName=name, PolicyName="p"),
    ),
    "an attached policy": (
        lambda iam, name, arn: iam.attach_user_policy(UserName=name, PolicyArn=arn),
        lambda iam, name, arn: iam.detach_user_policy(UserName=name, PolicyArn=arn),
    ),
    "another default version": (
        lambda iam, name, arn: iam.attach_user_policy(UserName=name, PolicyArn=arn),
        lambda iam, name, arn: iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=document(allow("iam:ListGroups")), SetAsDefault=True
        ),
    ),
}


@pytest.mark.parametrize(("give", "take"), CHANGES.values(), ids=CHANGES)
def test_what_policies_say_acts_at_once_while_a_session_lives(account: Account, give: Change, take: Change) -> None:
    person = account.person()
    arn = user_arn(account, person.name)
    iam = account.session(with_mfa(account, person, account.enabled_phone(person.name)), "iam")
    by_key = account.client_of(person, "iam")
    made = account.iam.create_policy(PolicyName=account.name("policy"), PolicyDocument=document(allow("iam:ListUsers")))
    policy_arn, users = made["Policy"]["Arn"], f"arn:aws:iam::{account.account_id}:user/"
    refused = implicitly(arn, "iam:ListUsers", users)
    assert [refusal(client.list_users) for client in (iam, by_key)] == [refused] * 2

    give(account.iam, person.name, policy_arn)
    assert all(client.list_users()["Users"] for client in (iam, by_key))
    take(account.iam, person.name, policy_arn)
    assert [refusal(client.list_users) for client in (iam, by_key)] == [refused] * 2


def test_a_group_gives_and_takes_at_once_while_a_session_lives(account: Account) -> None:
    person, group = account.person(), account.name("group")
    arn, users = user_arn(account, person.name), f"arn:aws:iam::{account.account_id}:user/"
    member = {"GroupName": group, "UserName": person.name}
    account.iam.create_group(GroupName=group)
    account.iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=document(allow("iam:ListUsers")))
    iam = account.session(with_mfa(account, person, account.enabled_phone(person.name)), "iam")

    account.iam.add_user_to_group(**member)
    assert iam.list_users()["Users"]
    account.iam.put_group_policy(GroupName=group, PolicyName="q", PolicyDocument=document(deny()))
    assert refusal(iam.list_users) == explicitly(arn, "iam:ListUsers", users)
    account.iam.remove_user_from_group(**member)
    assert refusal(iam.list_users) == implicitly(arn, "iam:ListUsers", users)


def test_a_roles_policy_and_trust_act_at_once_too(account: Account) -> None:
    role = new_role(account, trusting(account.account_id), allow("iam:ListUsers"))
    name = role.rpartition("/")[2]
    assumed = assume(account, account.sts(), role)
    iam = account.session(assumed, "iam")
    assert iam.list_users()["Users"]

    account.iam.delete_role_policy(RoleName=name, PolicyName="policy")
    assert refusal(iam.list_users).message.endswith("because no identity-based policy allows the iam:ListUsers action")
    nobody = json.loads(trusting(account.account_id))
    nobody["Statement"][0]["Effect"] = "Deny"
    account.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(nobody))
    assert refusal(account.sts().assume_role, RoleArn=role, RoleSessionName="Session1") == not_assumed(
        user_arn(account, account.admin_name), role
    )
    # Who is in stays in.
    assert account.session(assumed, "sts").get_caller_identity()["Account"] == account.account_id
