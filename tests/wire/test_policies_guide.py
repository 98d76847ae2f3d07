"""The policy of the guide's page on resynchronizing devices, attached to the letter: who may do what, request by request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.vectors.policies.published import published
from tests.wire.people import Account, Person, Phone, Refusal, refusal
from tests.wire.policies import (
    INVALID_TOKEN,
    explicitly,
    implicitly,
    restrict,
    user_arn,
    with_mfa,
    without_mfa,
)


@dataclass(frozen=True)
class Cast:
    """A user who has nothing but the guide's policy, their phone, somebody else, and the clients they come with."""

    account: Account
    richard: Person
    phone: Phone
    sally: Person
    sallys_phone: Phone
    key: Any
    """IAM, by the access key."""
    proven: dict[str, Any]
    """A session with MFA."""
    session: Any
    """IAM, by that session."""

    @classmethod
    def of(cls, account: Account, policy: str) -> Cast:
        richard, sally = account.person(), account.person()
        phone, sallys_phone = account.enabled_phone(richard.name), account.enabled_phone(sally.name)
        restrict(account, richard, policy)
        key = account.client_of(richard, "iam")
        proven = with_mfa(account, richard, phone)
        return cls(account, richard, phone, sally, sallys_phone, key, proven, account.session(proven, "iam"))

    @property
    def arn(self) -> str:
        return user_arn(self.account, self.richard.name)

    def resource(self, kind: str) -> str:
        return f"arn:aws:iam::{self.account.account_id}:{kind}"


@pytest.fixture(scope="module")
def cast(account: Account) -> Cast:
    return Cast.of(account, published("resync-only"))


Ask = Callable[[Any, Cast], Callable[[], Any]]


def asking(operation: str, **parameters: Any) -> Ask:
    """The call of that name, for a client and a cast: values may be functions of the cast."""

    def ask(client: Any, cast: Cast) -> Callable[[], Any]:
        given = {name: value(cast) if callable(value) else value for name, value in parameters.items()}
        return lambda: getattr(client, operation)(**given)

    return ask


def _richard(cast: Cast) -> str:
    return cast.richard.name


def _sally(cast: Cast) -> str:
    return cast.sally.name


def _own(cast: Cast) -> str:
    return cast.phone.serial_number


def _sallys(cast: Cast) -> str:
    return cast.sallys_phone.serial_number


# Good ones would put the device out of the other tests' reach; whether they are is asked after whether one may ask.
CODES = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
BAD_PAIR = Refusal(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")

ALLOWED = {
    "all virtual devices": asking("list_virtual_mfa_devices"),
    "their own devices by name": asking("list_mfa_devices", UserName=_richard),
    "their own devices": asking("list_mfa_devices"),
}
NEVER_ALLOWED: dict[str, tuple[Ask, str]] = {
    "somebody's devices": (asking("list_mfa_devices", UserName=_sally), "iam:ListMFADevices"),
    "a resync of somebody's": (
        asking("resync_mfa_device", UserName=_sally, SerialNumber=_sallys, **CODES),
        "iam:ResyncMFADevice",
    ),
}
# The call, the action and what it is authorized on.
BEHIND_MFA: dict[str, tuple[Ask, str, Callable[[Cast], str]]] = {
    "create a device": (
        asking("create_virtual_mfa_device", VirtualMFADeviceName="aaa"),
        "iam:CreateVirtualMFADevice",
        lambda cast: cast.resource("mfa/aaa"),
    ),
    "enable a device": (
        asking("enable_mfa_device", UserName=_richard, SerialNumber=_own, **CODES),
        "iam:EnableMFADevice",
        lambda cast: cast.arn,
    ),
    "deactivate a device": (
        asking("deactivate_mfa_device", UserName=_richard, SerialNumber=_own),
        "iam:DeactivateMFADevice",
        lambda cast: cast.arn,
    ),
    "deactivate the caller's": (
        asking("deactivate_mfa_device", SerialNumber=_own),
        "iam:DeactivateMFADevice",
        lambda cast: cast.arn,
    ),
    "delete a device": (
        asking("delete_virtual_mfa_device", SerialNumber=_own),
        "iam:DeleteVirtualMFADevice",
        lambda cast: cast.phone.serial_number,
    ),
    "themselves": (asking("get_user"), "iam:GetUser", lambda cast: cast.arn),
    "themselves by name": (asking("get_user", UserName=_richard), "iam:GetUser", lambda cast: cast.arn),
    "all users": (asking("list_users"), "iam:ListUsers", lambda cast: cast.resource("user/")),
    "their password": (asking("get_login_profile", UserName=_richard), "iam:GetLoginProfile", lambda cast: cast.arn),
    "their keys": (asking("list_access_keys"), "iam:ListAccessKeys", lambda cast: cast.arn),
    "their device": (asking("get_mfa_device", SerialNumber=_own), "iam:GetMFADevice", lambda cast: cast.arn),
    "a user": (
        asking("create_user", UserName="Mallory"),
        "iam:CreateUser",
        lambda cast: user_arn(cast.account, "Mallory"),
    ),
}


@pytest.mark.parametrize("ask", ALLOWED.values(), ids=ALLOWED)
def test_what_the_policy_lists_is_allowed_with_mfa_and_without(cast: Cast, ask: Ask) -> None:
    for client in (cast.key, cast.session):
        ask(client, cast)()


def test_their_own_device_is_put_back_in_step_with_mfa_and_without(cast: Cast) -> None:
    cast.phone.drift(minutes=20)

    for client in (cast.key, cast.session):
        client.resync_mfa_device(UserName=cast.richard.name, SerialNumber=cast.phone.serial_number, **cast.phone.pair())


def test_codes_are_looked_at_only_for_those_who_may_ask(cast: Cast) -> None:
    own = {"UserName": cast.richard.name, "SerialNumber": cast.phone.serial_number}

    assert refusal(cast.key.resync_mfa_device, **own, **CODES) == BAD_PAIR


@pytest.mark.parametrize(("ask", "action"), NEVER_ALLOWED.values(), ids=NEVER_ALLOWED)
def test_what_belongs_to_somebody_else_is_never_allowed(cast: Cast, ask: Ask, action: str) -> None:
    expected = implicitly(cast.arn, action, user_arn(cast.account, cast.sally.name))

    for client in (cast.key, cast.session):
        assert refusal(ask(client, cast)) == expected


@pytest.mark.parametrize(("ask", "action", "resource"), BEHIND_MFA.values(), ids=BEHIND_MFA)
def test_all_else_is_denied_without_mfa_and_not_allowed_with_it(
    cast: Cast, ask: Ask, action: str, resource: Callable[[Cast], str]
) -> None:
    assert refusal(ask(cast.key, cast)) == explicitly(cast.arn, action, resource(cast))
    assert refusal(ask(cast.session, cast)) == implicitly(cast.arn, action, resource(cast))


def test_sessions_can_be_had_and_everybody_may_ask_who_they_are(cast: Cast) -> None:
    account = cast.account
    again = Refusal(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")

    assert account.client_of(cast.richard, "sts").get_caller_identity()["Arn"] == cast.arn
    for credentials in (without_mfa(account, cast.richard), cast.proven):
        sts = account.session(credentials, "sts")
        assert sts.get_caller_identity()["Arn"] == cast.arn
        assert refusal(sts.get_session_token) == again


@pytest.mark.parametrize("ask", ALLOWED.values(), ids=ALLOWED)
def test_a_session_without_mfa_does_not_reach_iam_at_all(cast: Cast, ask: Ask) -> None:
    client = cast.account.session(without_mfa(cast.account, cast.richard), "iam")

    assert refusal(ask(client, cast)) == INVALID_TOKEN


def test_a_user_with_a_path_gets_nothing_from_the_policy(account: Account) -> None:
    name = account.name()
    account.iam.create_user(UserName=name, Path="/div/")
    person, phone = account.key_of(name), account.enabled_phone(name)
    restrict(account, person, published("resync-only"))
    arn = user_arn(account, name, "/div/")
    iam = account.client_of(person, "iam")

    iam.list_virtual_mfa_devices()
    assert refusal(iam.list_mfa_devices) == implicitly(arn, "iam:ListMFADevices", arn)
    own = {"UserName": name, "SerialNumber": phone.serial_number}
    assert refusal(iam.resync_mfa_device, **own, **phone.pair()) == implicitly(arn, "iam:ResyncMFADevice", arn)
    with_session = account.session(with_mfa(account, person, phone), "iam")
    assert refusal(with_session.list_mfa_devices, UserName=name) == implicitly(arn, "iam:ListMFADevices", arn)


def test_whoever_never_gets_a_code_right_is_freed_by_a_resync_of_their_own(account: Account) -> None:
    cast = Cast.of(account, published("resync-only"))
    # Left in another time zone.
    cast.phone.drift(hours=9)
    sts = account.client_of(cast.richard, "sts")
    serial_number = cast.phone.serial_number
    wrong = refusal(sts.get_session_token, SerialNumber=serial_number, TokenCode=cast.phone.code())
    assert wrong.message == "MultiFactorAuthentication failed with invalid MFA one time pass code. "

    cast.key.resync_mfa_device(UserName=cast.richard.name, SerialNumber=serial_number, **cast.phone.pair())

    session = account.session(with_mfa(account, cast.richard, cast.phone), "iam")
    assert [one["SerialNumber"] for one in session.list_mfa_devices()["MFADevices"]] == [serial_number]
