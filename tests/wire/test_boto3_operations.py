"""Every operation of this release once, by boto3."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import instep.services.operations  # noqa: F401  (registers every operation)
from instep.services.operation import REGISTRY
from tests.support.server import Server
from tests.wire.people import Account, Secrets
from tests.wire.policies import allow, document, trusting

TAGS = [{"Key": "a", "Value": "b"}]
POLICY, OTHER_POLICY = document(allow("iam:ListUsers")), document(allow("iam:ListGroups"))
AWS_POLICY = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"


def test_every_operation_of_this_release_answers_boto3(server: Server, secrets: Secrets) -> None:
    account = Account.another(server, secrets)
    sts, called = account.sts(), set()
    for client in (account.iam, sts):
        client.meta.events.register(
            "before-call", lambda model, **_: called.add(f"{model.service_model.service_name}:{model.name}")
        )

    for part in (_account, _users, _keys_and_passwords, _devices, _groups, _roles, _managed_policies, _simulations):
        part(account)
    _sts(account, sts)

    assert called == {action for action in REGISTRY if not action.startswith(("instep:", "signin:"))}


def _account(account: Account) -> None:
    iam = account.iam
    iam.create_account_alias(AccountAlias=account.name("alias"))
    iam.delete_account_alias(AccountAlias=iam.list_account_aliases()["AccountAliases"][0])
    assert iam.get_account_summary()["SummaryMap"]["MFADevices"] == 0
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True)
    assert iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 12
    iam.delete_account_password_policy()
    assert iam.generate_credential_report()["State"] in ("STARTED", "COMPLETE")
    assert iam.get_credential_report()["Content"].startswith(b"user,arn,user_creation_time,")
    details = iam.get_account_authorization_details()
    assert [user["UserName"] for user in details["UserDetailList"]] == [account.admin_name]


def _users(account: Account) -> None:
    iam, name, renamed = account.iam, account.name(), account.name()
    user = {"UserName": renamed}
    iam.create_user(UserName=name, Path="/staff/")
    iam.update_user(UserName=name, NewUserName=renamed, NewPath="/")
    assert [one["UserName"] for one in iam.list_users()["Users"]] == [account.admin_name, renamed]
    iam.tag_user(**user, Tags=TAGS)
    assert iam.list_user_tags(**user)["Tags"] == TAGS
    iam.untag_user(**user, TagKeys=["a"])
    assert iam.get_user(**user)["User"]["Arn"] == f"arn:aws:iam::{account.account_id}:user/{renamed}"
    iam.put_user_permissions_boundary(**user, PermissionsBoundary=AWS_POLICY)
    assert iam.get_user(**user)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == AWS_POLICY
    iam.delete_user_permissions_boundary(**user)
    _policies_of(iam, "user", user)
    iam.delete_user(**user)


def _policies_of(iam: Any, kind: str, owner: dict[str, str]) -> None:
    """Inline and attached ones of a user, group or role."""

    def call(operation: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(iam, operation.format(kind))
        return found

    call("put_{}_policy")(**owner, PolicyName="own", PolicyDocument=POLICY)
    assert call("list_{}_policies")(**owner)["PolicyNames"] == ["own"]
    assert call("get_{}_policy")(**owner, PolicyName="own")["PolicyDocument"] == json.loads(POLICY)
    call("delete_{}_policy")(**owner, PolicyName="own")
    call("attach_{}_policy")(**owner, PolicyArn=AWS_POLICY)
    attached = call("list_attached_{}_policies")(**owner)["AttachedPolicies"]
    assert attached == [{"PolicyName": "IAMReadOnlyAccess", "PolicyArn": AWS_POLICY}]
    call("detach_{}_policy")(**owner, PolicyArn=AWS_POLICY)


def _keys_and_passwords(account: Account) -> None:
    iam, person, admin = account.iam, account.person(), {"UserName": account.admin_name}
    first, second, third = "Correct-horse-1!", "Another-horse-2!", "Third-horse-3!"
    account.secrets.words |= {first, second, third}
    iam.create_login_profile(**admin, Password=first)
    assert iam.get_login_profile(**admin)["LoginProfile"]["UserName"] == account.admin_name
    iam.update_login_profile(**admin, Password=second)
    iam.change_password(OldPassword=second, NewPassword=third)
    iam.delete_login_profile(**admin)

    user = {"UserName": person.name}
    key = {**user, "AccessKeyId": person.access_key_id}
    assert iam.get_access_key_last_used(AccessKeyId=person.access_key_id)["UserName"] == person.name
    iam.update_access_key(**key, Status="Inactive")
    assert iam.list_access_keys(**user)["AccessKeyMetadata"][0]["Status"] == "Inactive"
    iam.delete_access_key(**key)


def _devices(account: Account) -> None:
    iam, name, phone = account.iam, account.name(), account.phone()
    iam.create_user(UserName=name)
    device = {"SerialNumber": phone.serial_number}
    iam.tag_mfa_device(**device, Tags=TAGS)
    assert iam.list_mfa_device_tags(**device)["Tags"] == TAGS
    iam.untag_mfa_device(**device, TagKeys=["a"])
    iam.enable_mfa_device(UserName=name, **device, **phone.pair())
    iam.resync_mfa_device(UserName=name, **device, **phone.pair())
    assert len(iam.list_mfa_devices(UserName=name)["MFADevices"]) == 1
    assert len(iam.list_virtual_mfa_devices()["VirtualMFADevices"]) == 1
    assert iam.get_mfa_device(**device)["UserName"] == name
    iam.deactivate_mfa_device(UserName=name, **device)
    iam.delete_virtual_mfa_device(**device)


def _groups(account: Account) -> None:
    iam, name, renamed = account.iam, account.name("group"), account.name("group")
    group = {"GroupName": renamed}
    iam.create_group(GroupName=name)
    iam.update_group(GroupName=name, NewGroupName=renamed)
    assert [one["GroupName"] for one in iam.list_groups()["Groups"]] == [renamed]
    iam.add_user_to_group(**group, UserName=account.admin_name)
    assert [one["UserName"] for one in iam.get_group(**group)["Users"]] == [account.admin_name]
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName=account.admin_name)["Groups"]] == [renamed]
    iam.remove_user_from_group(**group, UserName=account.admin_name)
    _policies_of(iam, "group", group)
    iam.delete_group(**group)


def _roles(account: Account) -> None:
    iam, name = account.iam, account.name("role")
    role = {"RoleName": name}
    trust = trusting(account.account_id)
    made = iam.create_role(**role, AssumeRolePolicyDocument=trust, Path="/team/")["Role"]
    assert made["AssumeRolePolicyDocument"] == json.loads(trust)
    assert [one["RoleName"] for one in iam.list_roles(PathPrefix="/team/")["Roles"]] == [name]
    iam.update_role(**role, MaxSessionDuration=7200)
    assert iam.update_role_description(**role, Description="Reads")["Role"]["Description"] == "Reads"
    admin = f"arn:aws:iam::{account.account_id}:user/{account.admin_name}"
    iam.update_assume_role_policy(**role, PolicyDocument=trusting(admin))
    found = iam.get_role(**role)["Role"]
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": [admin]}
    assert found["MaxSessionDuration"] == 7200
    iam.tag_role(**role, Tags=TAGS)
    assert iam.list_role_tags(**role)["Tags"] == TAGS
    iam.untag_role(**role, TagKeys=["a"])
    iam.put_role_permissions_boundary(**role, PermissionsBoundary=AWS_POLICY)
    iam.delete_role_permissions_boundary(**role)
    _policies_of(iam, "role", role)
    iam.delete_role(**role)


def _managed_policies(account: Account) -> None:
    iam, name = account.iam, account.name("policy")
    policy = {"PolicyArn": iam.create_policy(PolicyName=name, PolicyDocument=POLICY)["Policy"]["Arn"]}
    assert iam.get_policy(**policy)["Policy"]["PolicyName"] == name
    assert [one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]] == [name]
    assert iam.create_policy_version(**policy, PolicyDocument=OTHER_POLICY)["PolicyVersion"]["VersionId"] == "v2"
    iam.set_default_policy_version(**policy, VersionId="v2")
    shown = iam.get_policy_version(**policy, VersionId="v2")["PolicyVersion"]
    assert (shown["Document"], shown["IsDefaultVersion"]) == (json.loads(OTHER_POLICY), True)
    assert len(iam.list_policy_versions(**policy)["Versions"]) == 2
    iam.delete_policy_version(**policy, VersionId="v1")
    iam.tag_policy(**policy, Tags=TAGS)
    assert iam.list_policy_tags(**policy)["Tags"] == TAGS
    iam.untag_policy(**policy, TagKeys=["a"])
    assert iam.list_entities_for_policy(**policy)["PolicyUsers"] == []
    iam.delete_policy(**policy)


def _simulations(account: Account) -> None:
    iam = account.iam
    admin = f"arn:aws:iam::{account.account_id}:user/{account.admin_name}"
    asked = document(allow("iam:ListUsers", Bool={"aws:MultiFactorAuthPresent": "true"}))
    keys = iam.get_context_keys_for_custom_policy(PolicyInputList=[asked])["ContextKeyNames"]
    assert [key.lower() for key in keys] == ["aws:multifactorauthpresent"]
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=admin)["ContextKeyNames"] == []
    custom = iam.simulate_custom_policy(PolicyInputList=[asked], ActionNames=["iam:ListUsers"])["EvaluationResults"]
    assert [one["EvalDecision"] for one in custom] == ["implicitDeny"]
    results = iam.simulate_principal_policy(PolicySourceArn=admin, ActionNames=["iam:ListUsers"])["EvaluationResults"]
    assert [one["EvalDecision"] for one in results] == ["allowed"]


def _sts(account: Account, sts: Any) -> None:
    assert sts.get_caller_identity()["Account"] == account.account_id
    account.session(sts.get_session_token()["Credentials"], "sts").get_caller_identity()
    assert sts.get_access_key_info(AccessKeyId=account.access_key_id)["Account"] == account.account_id
    federated = sts.get_federation_token(Name="Bob", Policy=POLICY)
    assert federated["FederatedUser"]["FederatedUserId"] == f"{account.account_id}:Bob"
    name = account.name("role")
    role = account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(account.account_id))["Role"]["Arn"]
    assumed = account.session(sts.assume_role(RoleArn=role, RoleSessionName="Session1")["Credentials"], "iam")
    with pytest.raises(assumed.exceptions.ClientError) as raised:
        assumed.list_users()
    sealed = raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-instep-encoded-message"]
    told = json.loads(sts.decode_authorization_message(EncodedMessage=sealed)["DecodedMessage"])
    assert told["context"]["action"] == "iam:ListUsers"
