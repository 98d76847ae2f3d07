"""The example policies of the guide for people who look after their own devices, as published: what each lets them do."""

from __future__ import annotations

from typing import Any

import pytest

from instep.domain.totp import Token
from tests.vectors.policies.published import published
from tests.wire.people import Account, Person, Phone, Refusal, refusal
from tests.wire.policies import explicitly, implicitly, restrict, user_arn, with_mfa


class Newcomer:
    """A user with an access key, nothing but one published policy, and no device yet."""

    def __init__(self, account: Account, policy: str) -> None:
        self.account = account
        self.person: Person = account.person()
        self.name = self.person.name
        self.arn = user_arn(account, self.name)
        restrict(account, self.person, published(policy))
        self.iam = account.client_of(self.person, "iam")

    def device_arn(self, name: str) -> str:
        return f"arn:aws:iam::{self.account.account_id}:mfa/{name}"

    def own(self, phone: Phone) -> dict[str, str]:
        return {"UserName": self.name, "SerialNumber": phone.serial_number}

    def make_phone(self, name: str) -> Phone:
        made = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
        uri = self.account.scan(made["QRCodePNG"])
        return Phone(made["SerialNumber"], Token.from_uri(uri), self.account.secrets)

    def enroll(self) -> Phone:
        """With their own key, and put back in step once."""
        phone = self.make_phone(self.name)
        self.iam.enable_mfa_device(**self.own(phone), **phone.pair())
        phone.drift(minutes=20)
        self.iam.resync_mfa_device(**self.own(phone), **phone.pair())
        assert [one["SerialNumber"] for one in self.iam.list_mfa_devices()["MFADevices"]] == [phone.serial_number]
        self.iam.list_virtual_mfa_devices()
        return phone

    def session(self, phone: Phone) -> Any:
        """IAM, with MFA."""
        return self.account.session(with_mfa(self.account, self.person, phone), "iam")

    def denied(self, action: str, resource: str | None = None) -> Refusal:
        return explicitly(self.arn, action, resource or self.arn)

    def not_allowed(self, action: str, resource: str | None = None) -> Refusal:
        return implicitly(self.arn, action, resource or self.arn)


@pytest.mark.parametrize("policy", ["manage-own-mfa-console", "manage-own-mfa-console-2019", "manage-own-mfa-cli", "force-mfa"])
def test_a_device_is_made_enabled_and_resynchronized_without_mfa_and_taken_off_only_with_it(
    account: Account, policy: str
) -> None:
    newcomer = Newcomer(account, policy)
    phone = newcomer.enroll()
    own = newcomer.own(phone)

    assert refusal(newcomer.iam.deactivate_mfa_device, **own) == newcomer.denied("iam:DeactivateMFADevice")
    session = newcomer.session(phone)
    session.deactivate_mfa_device(**own)
    assert session.list_mfa_devices()["MFADevices"] == []


@pytest.mark.parametrize("policy", ["manage-own-mfa-console", "manage-own-mfa-cli", "force-mfa"])
def test_a_half_finished_enrolment_takes_an_administrator_to_clear_away(account: Account, policy: str) -> None:
    newcomer = Newcomer(account, policy)
    phone = newcomer.make_phone(newcomer.name)
    delete = newcomer.iam.delete_virtual_mfa_device

    refused = refusal(delete, SerialNumber=phone.serial_number)
    assert refused == newcomer.denied("iam:DeleteVirtualMFADevice", phone.serial_number)
    assert refusal(newcomer.make_phone, name=newcomer.name).code == "EntityAlreadyExists"

    account.iam.delete_virtual_mfa_device(SerialNumber=phone.serial_number)
    newcomer.enroll()


@pytest.mark.parametrize("policy", ["manage-own-mfa-console", "manage-own-mfa-cli", "force-mfa", "hardware-token"])
def test_nothing_of_anybody_elses_can_be_touched_with_mfa_or_without(account: Account, policy: str) -> None:
    newcomer, other = Newcomer(account, policy), account.person()
    phone = account.enabled_phone(newcomer.name)
    theirs = user_arn(account, other.name)
    codes = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
    asked = {"UserName": other.name, "SerialNumber": phone.serial_number, **codes}

    for iam in (newcomer.iam, newcomer.session(phone)):
        assert refusal(iam.list_mfa_devices, UserName=other.name) == newcomer.not_allowed("iam:ListMFADevices", theirs)
        assert refusal(iam.resync_mfa_device, **asked) == newcomer.not_allowed("iam:ResyncMFADevice", theirs)
        assert refusal(iam.enable_mfa_device, **asked) == newcomer.not_allowed("iam:EnableMFADevice", theirs)


def test_the_console_policy_shows_people_themselves_and_nothing_else(account: Account) -> None:
    newcomer = Newcomer(account, "manage-own-mfa-console")
    session = newcomer.session(newcomer.enroll())
    users, changed = f"arn:aws:iam::{account.account_id}:user/", {"OldPassword": "old", "NewPassword": "new"}

    for iam, refused in ((newcomer.iam, newcomer.denied), (session, newcomer.not_allowed)):
        assert iam.get_user()["User"]["Arn"] == newcomer.arn
        assert refusal(iam.list_users) == refused("iam:ListUsers", users)
        assert refusal(iam.list_access_keys) == refused("iam:ListAccessKeys")
        assert refusal(iam.change_password, **changed) == refused("iam:ChangePassword")
        assert refusal(iam.get_account_summary) == refused("iam:GetAccountSummary", "*")


def test_before_2022_a_device_had_to_bear_its_users_name(account: Account) -> None:
    newcomer = Newcomer(account, "manage-own-mfa-console-2019")
    resource = newcomer.device_arn("aaa")

    for make in (newcomer.iam.create_virtual_mfa_device, newcomer.session(newcomer.enroll()).create_virtual_mfa_device):
        expected = newcomer.not_allowed("iam:CreateVirtualMFADevice", resource)
        assert refusal(make, VirtualMFADeviceName="aaa") == expected


def test_of_a_device_that_bears_their_name_its_owner_is_rid_with_mfa(account: Account) -> None:
    newcomer = Newcomer(account, "manage-own-mfa-console-2019")
    phone = newcomer.enroll()
    session = newcomer.session(phone)
    serial_number = phone.serial_number

    refused = refusal(newcomer.iam.delete_virtual_mfa_device, SerialNumber=serial_number)
    assert refused == newcomer.denied("iam:DeleteVirtualMFADevice", serial_number)
    session.deactivate_mfa_device(**newcomer.own(phone))
    session.delete_virtual_mfa_device(SerialNumber=serial_number)


def test_the_cli_policy_suffices_for_the_cli_though_its_deny_names_get_session_token(account: Account) -> None:
    newcomer = Newcomer(account, "manage-own-mfa-cli")
    phone = newcomer.enroll()
    session = newcomer.session(phone)
    device = {"SerialNumber": phone.serial_number}

    assert newcomer.name in {user["UserName"] for page in pages(newcomer.iam, "list_users") for user in page["Users"]}
    assert refusal(newcomer.iam.get_user) == newcomer.denied("iam:GetUser")
    assert refusal(newcomer.iam.get_mfa_device, **device) == newcomer.denied("iam:GetMFADevice")
    assert refusal(session.get_user) == newcomer.not_allowed("iam:GetUser")
    assert session.get_mfa_device(**device)["UserName"] == newcomer.name


def test_force_mfa_gives_people_their_keys_and_password_once_they_have_used_it(account: Account) -> None:
    newcomer = Newcomer(account, "force-mfa")
    old, new = "Old-password-1!", "New-password-2!"
    account.secrets.words |= {old, new}
    account.iam.create_login_profile(UserName=newcomer.name, Password=old)
    changed = {"OldPassword": old, "NewPassword": new}
    session = newcomer.session(newcomer.enroll())

    # A newcomer who has to change the password first gets no further without MFA.
    assert refusal(newcomer.iam.change_password, **changed) == newcomer.denied("iam:ChangePassword")
    assert refusal(newcomer.iam.create_access_key) == newcomer.denied("iam:CreateAccessKey")
    assert refusal(newcomer.iam.list_access_keys) == newcomer.denied("iam:ListAccessKeys")
    assert refusal(newcomer.iam.get_account_summary) == newcomer.denied("iam:GetAccountSummary", "*")
    assert newcomer.iam.get_user()["User"]["UserName"] == newcomer.name

    session.change_password(**changed)
    key = session.create_access_key()["AccessKey"]
    account.secrets.words.add(key["SecretAccessKey"])
    session.update_access_key(AccessKeyId=key["AccessKeyId"], Status="Inactive")
    session.delete_access_key(AccessKeyId=key["AccessKeyId"])
    assert len(session.list_access_keys()["AccessKeyMetadata"]) == 1
    assert session.get_account_summary()["SummaryMap"]["Users"] > 0
    users = f"arn:aws:iam::{account.account_id}:user/"
    assert refusal(session.list_users) == newcomer.not_allowed("iam:ListUsers", users)


def test_the_hardware_token_policy_speaks_of_the_callers_own_user_only(account: Account) -> None:
    newcomer = Newcomer(account, "hardware-token")
    phone = account.enabled_phone(newcomer.name)
    session, own = newcomer.session(phone), newcomer.own(phone)
    phone.drift(minutes=20)

    newcomer.iam.resync_mfa_device(**own, **phone.pair())
    assert newcomer.iam.get_user()["User"]["UserName"] == newcomer.name
    assert refusal(newcomer.iam.deactivate_mfa_device, **own) == newcomer.denied("iam:DeactivateMFADevice")
    assert refusal(newcomer.iam.list_access_keys) == newcomer.denied("iam:ListAccessKeys")
    assert refusal(newcomer.iam.list_roles) == newcomer.not_allowed("iam:ListRoles", f"arn:aws:iam::{account.account_id}:role/")
    session.deactivate_mfa_device(**own)
    session.enable_mfa_device(**own, **phone.pair())


def pages(client: Any, operation: str) -> Any:
    return client.get_paginator(operation).paginate()
