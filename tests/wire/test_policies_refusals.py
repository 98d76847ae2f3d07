"""Why somebody may not: AWS's sentence for each kind of policy that decides, to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server
from tests.wire.people import Account, Person, Refusal, Secrets, refusal
from tests.wire.policies import (
    allow,
    assume,
    denied,
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
)

SCP = "with an explicit deny in a service control policy"


def managed(account: Account, *statements: dict[str, Any]) -> str:
    """The ARN of a new policy."""
    made = account.iam.create_policy(PolicyName=account.name("policy"), PolicyDocument=document(*statements))
    return str(made["Policy"]["Arn"])


def users(account: Account) -> str:
    return f"arn:aws:iam::{account.account_id}:user/"


def test_without_an_allow_no_identity_based_policy_allows_it(account: Account) -> None:
    person = account.person()
    restrict(account, person, document(allow("iam:GetUser", user_arn(account, person.name))))
    iam, arn = account.client_of(person, "iam"), user_arn(account, person.name)

    assert iam.get_user()["User"]["Arn"] == arn
    assert refusal(iam.list_users) == implicitly(arn, "iam:ListUsers", users(account))
    other = user_arn(account, account.admin_name)
    assert refusal(iam.get_user, UserName=account.admin_name) == implicitly(arn, "iam:GetUser", other)


@pytest.mark.parametrize("kind", ["inline", "attached", "of a group", "attached to a group"])
def test_an_explicit_deny_is_one_wherever_its_identity_based_policy_hangs(account: Account, kind: str) -> None:
    person, arn = account.person(), ""
    restrict(account, person, document(allow()))
    group, text = account.name("group"), document(deny("iam:ListUsers"))
    if "group" in kind:
        account.iam.create_group(GroupName=group)
        account.iam.add_user_to_group(GroupName=group, UserName=person.name)
    match kind:
        case "inline":
            account.iam.put_user_policy(UserName=person.name, PolicyName="deny", PolicyDocument=text)
        case "attached":
            arn = managed(account, deny("iam:ListUsers"))
            account.iam.attach_user_policy(UserName=person.name, PolicyArn=arn)
        case "of a group":
            account.iam.put_group_policy(GroupName=group, PolicyName="deny", PolicyDocument=text)
        case _:
            arn = managed(account, deny("iam:ListUsers"))
            account.iam.attach_group_policy(GroupName=group, PolicyArn=arn)
    iam = account.client_of(person, "iam")

    assert refusal(iam.list_users) == explicitly(user_arn(account, person.name), "iam:ListUsers", users(account))
    iam.list_groups()


def test_a_permissions_boundary_has_sentences_of_its_own(account: Account) -> None:
    person = account.person()
    restrict(account, person, document(allow()))
    boundary = managed(account, allow("iam:Get*"), deny("iam:GetGroup"))
    account.iam.put_user_permissions_boundary(UserName=person.name, PermissionsBoundary=boundary)
    iam, arn = account.client_of(person, "iam"), user_arn(account, person.name)
    group = account.name("group")
    account.iam.create_group(GroupName=group)

    iam.get_user()
    assert refusal(iam.list_users) == denied(
        arn, "iam:ListUsers", users(account), "because no permissions boundary allows the iam:ListUsers action"
    )
    group_arn = f"arn:aws:iam::{account.account_id}:group/{group}"
    assert refusal(iam.get_group, GroupName=group) == denied(
        arn, "iam:GetGroup", group_arn, "with an explicit deny in a permissions boundary"
    )
    account.iam.delete_user_permissions_boundary(UserName=person.name)
    iam.list_users()


def test_a_session_policy_has_sentences_of_its_own(account: Account) -> None:
    person = account.person()
    restrict(account, person, document(allow("sts:AssumeRole")))
    role = new_role(account, trusting(account.account_id), allow("iam:*"))
    session_policy = document(allow("iam:Get*"), deny("iam:GetAccountSummary"))
    assumed = assume(account, account.client_of(person, "sts"), role, Policy=session_policy)
    iam = account.session(assumed, "iam")
    who = f"arn:aws:sts::{account.account_id}:assumed-role/{role.rpartition('/')[2]}/Session1"

    iam.get_user(UserName=person.name)
    assert refusal(iam.list_users) == denied(
        who, "iam:ListUsers", users(account), "because no session policy allows the iam:ListUsers action"
    )
    assert refusal(iam.get_account_summary) == denied(
        who, "iam:GetAccountSummary", "*", "with an explicit deny in a session policy"
    )


def test_the_principal_is_the_one_who_asks(account: Account) -> None:
    person = account.person()
    phone, arn = account.enabled_phone(person.name), user_arn(account, person.name)
    by_session = account.session(with_mfa(account, person, phone), "iam")
    assert refusal(by_session.list_users) == implicitly(arn, "iam:ListUsers", users(account))

    restrict(account, person, document(allow("sts:AssumeRole")))
    role = new_role(account, trusting(arn), allow("iam:GetUser"), Path="/team/")
    by_role = account.session(assume(account, account.client_of(person, "sts"), role), "iam")
    who = f"arn:aws:sts::{account.account_id}:assumed-role/{role.rpartition('/')[2]}/Session1"
    assert refusal(by_role.list_users) == implicitly(who, "iam:ListUsers", users(account))
    assert refusal(by_role.get_user).message == "Must specify userName when calling with non-User credentials"


def test_of_a_policy_its_arn_is_named_as_one(account: Account) -> None:
    person, policy = account.person(), managed(account, allow("iam:ListUsers"))
    iam, arn = account.client_of(person, "iam"), user_arn(account, person.name)

    for asked in (policy, "arn:aws:iam::aws:policy/AdministratorAccess"):
        assert refusal(iam.get_policy, PolicyArn=asked) == implicitly(arn, "iam:GetPolicy", f"policy {asked}")
    # The user is what it is attached to.
    attach = iam.attach_user_policy
    assert refusal(attach, UserName=person.name, PolicyArn=policy) == implicitly(arn, "iam:AttachUserPolicy", arn)


def test_no_reason_is_given_why_a_role_may_not_be_assumed(account: Account) -> None:
    person, stranger = account.person(), account.person()
    arn = user_arn(account, person.name)
    restrict(account, person, document(allow(), deny("sts:AssumeRole", "arn:aws:iam::*:role/denied*")))
    sts = account.client_of(person, "sts")
    missing = f"arn:aws:iam::{account.account_id}:role/nobody-made-it"
    elsewhere = "arn:aws:iam::999999999999:role/elsewhere"
    trusts_another = new_role(account, trusting(user_arn(account, stranger.name)))
    unmet = new_role(account, trusting(account.account_id, StringEquals={"sts:ExternalId": "42"}))
    name = account.name("denied")
    account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(account.account_id))
    forbidden = f"arn:aws:iam::{account.account_id}:role/{name}"
    ask = sts.assume_role

    for role in (missing, elsewhere, trusts_another, unmet, forbidden, arn):
        assert refusal(ask, RoleArn=role, RoleSessionName="Session1") == not_assumed(arn, role)
    assert assume(account, sts, unmet, ExternalId="42")
    unasked = account.client_of(stranger, "sts").assume_role
    assert refusal(unasked, RoleArn=unmet, RoleSessionName="Session1", ExternalId="42") == not_assumed(
        user_arn(account, stranger.name), unmet
    )
    # Named in the trust policy itself, a user needs no more.
    assert assume(account, account.client_of(stranger, "sts"), trusts_another)


def test_what_is_no_roles_arn_is_refused_before_anything_is_looked_at(account: Account) -> None:
    sts = account.sts()

    assert refusal(sts.assume_role, RoleArn="nothing-valid-in-here", RoleSessionName="Session1") == Refusal(
        400, "ValidationError", "nothing-valid-in-here is invalid"
    )
    role = new_role(account, trusting(account.account_id))
    assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="Session1:2") == Refusal(
        400,
        "ValidationError",
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint:"
        r" Member must satisfy regular expression pattern: [\w+=,.@-]*",
    )


def test_the_root_user_assumes_no_role(account: Account, root: Person) -> None:
    role = new_role(account, trusting(account.account_id))

    assert refusal(account.client_of(root, "sts").assume_role, RoleArn=role, RoleSessionName="Session1") == Refusal(
        403, "AccessDenied", "Roles may not be assumed by root accounts."
    )


@pytest.fixture
def guarded(server: Server, secrets: Secrets, tmp_path: Path) -> tuple[Account, Callable[..., None]]:
    """An account of its own, and how its guard policy is set."""
    account = Account.another(server, secrets)

    def guard(*statements: dict[str, Any]) -> None:
        file = tmp_path / "guard.json"
        file.write_text(document(*statements))
        done = server.instep("guard", "set", str(file), "--account", account.account_id)
        assert done.returncode == 0, done.stderr

    return account, guard


def test_a_guard_policy_binds_everybody_at_once_root_included(guarded: tuple[Account, Callable[..., None]]) -> None:
    account, guard = guarded
    root = account.client_of(account.root(), "iam")
    who = f"arn:aws:iam::{account.account_id}:root"
    admin = user_arn(account, account.admin_name)
    root.list_users()

    guard(allow(), deny("iam:ListUsers"))
    assert refusal(root.list_users) == denied(who, "iam:ListUsers", users(account), SCP)
    assert refusal(account.iam.list_users) == denied(admin, "iam:ListUsers", users(account), SCP)
    account.iam.list_groups()
    # AWS says so even where nothing denies it by name.
    guard(allow("iam:ListUsers"))
    root.list_users()
    assert refusal(root.list_groups) == denied(who, "iam:ListGroups", f"arn:aws:iam::{account.account_id}:group/", SCP)

    removed = account.server.instep("guard", "remove", "--account", account.account_id)
    assert removed.returncode == 0, removed.stderr
    root.list_groups()


def test_a_refusals_details_can_be_read_by_who_may_decode_them(account: Account) -> None:
    person = account.person()
    iam, arn = account.client_of(person, "iam"), user_arn(account, person.name)
    with pytest.raises(iam.exceptions.ClientError) as raised:
        iam.list_users()
    sealed = raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-instep-encoded-message"]

    told = json.loads(account.sts().decode_authorization_message(EncodedMessage=sealed)["DecodedMessage"])

    assert (told["allowed"], told["explicitDeny"]) == (False, False)
    assert told["context"]["principal"]["arn"] == arn
    assert (told["context"]["action"], told["context"]["resource"]) == ("iam:ListUsers", users(account))
    keys = {one["key"]: [value["value"] for value in one["values"]["items"]] for one in told["context"]["conditions"]["items"]}
    assert keys["aws:username"] == [person.name]
    assert "aws:multifactorauthpresent" not in keys
    theirs = account.client_of(person, "sts").decode_authorization_message
    assert refusal(theirs, EncodedMessage=sealed) == implicitly(arn, "sts:DecodeAuthorizationMessage", "*")
    assert refusal(account.sts().decode_authorization_message, EncodedMessage="rubbish").code == (
        "InvalidAuthorizationMessageException"
    )
