"""The policy of the guide's page on resynchronizing devices, for those who come in by a password and for sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from instep.api.common import AccessDenied, AWSError, InvalidClientTokenId
from instep.domain.identity import Principal
from tests.support.house import ACCOUNT, House, house
from tests.vectors.policies.published import published

RICHARD = f"arn:aws:iam::{ACCOUNT}:user/Richard"
SALLY = f"arn:aws:iam::{ACCOUNT}:user/Sally"
DEVICE = f"arn:aws:iam::{ACCOUNT}:mfa/RichardsMFA"
CODES = {"AuthenticationCode1": "000000", "AuthenticationCode2": "000000"}
ALLOWED, EXPLICIT, IMPLICIT = "allowed", "with an explicit deny in an identity-based policy", "because no identity-based policy"


@dataclass(frozen=True)
class Ways:
    """The same Richard, by every way to come in."""

    home: House
    access_key: Principal
    password: Principal
    """At the console, without a code."""
    password_and_code: Principal
    session: Principal
    """GetSessionToken without a code."""

    @classmethod
    def of(cls, home: House) -> Ways:
        key = home.principal("Richard")
        inside = replace(key, access_key_id=None, mfa_present=False)
        return cls(
            home,
            access_key=key,
            password=inside,
            password_and_code=replace(inside, mfa_present=True, mfa_at=home.clock.now),
            session=replace(
                key, access_key_id="ASIASESSIONSESSIONSE", temporary=True, mfa_present=False, issued_at=home.clock.now
            ),
        )


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """Nothing in here changes anything that the next test looks at."""
    with house(tmp_path_factory.mktemp("guide")) as home:
        for name in ("Richard", "Sally"):
            home.user(name)
            home.enabled_device(name, f"{name}sMFA")
        home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="mfa", PolicyDocument=published("resync-only"))
        yield Ways.of(home)


# Operation, parameters, and what becomes of it by an access key, with a password alone, with a password and a code.
TABLE: list[tuple[str, dict[str, str], str, str, str]] = [
    ("iam:ListVirtualMFADevices", {}, ALLOWED, ALLOWED, ALLOWED),
    ("iam:ListMFADevices", {}, ALLOWED, ALLOWED, ALLOWED),
    ("iam:ListMFADevices", {"UserName": "Richard"}, ALLOWED, ALLOWED, ALLOWED),
    ("iam:ListMFADevices", {"UserName": "Sally"}, IMPLICIT, IMPLICIT, IMPLICIT),
    ("iam:ResyncMFADevice", {"UserName": "Sally", "SerialNumber": DEVICE, **CODES}, IMPLICIT, IMPLICIT, IMPLICIT),
    ("iam:CreateVirtualMFADevice", {"VirtualMFADeviceName": "aaa"}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:EnableMFADevice", {"UserName": "Richard", "SerialNumber": DEVICE, **CODES}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:DeactivateMFADevice", {"UserName": "Richard", "SerialNumber": DEVICE}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:DeleteVirtualMFADevice", {"SerialNumber": DEVICE}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:GetUser", {}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:GetUser", {"UserName": "Sally"}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:ListUsers", {}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:GetLoginProfile", {"UserName": "Richard"}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:ListAccessKeys", {}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:CreateAccessKey", {}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("iam:ChangePassword", {"OldPassword": "old-one", "NewPassword": "new-one"}, EXPLICIT, EXPLICIT, IMPLICIT),
    ("sts:GetCallerIdentity", {}, ALLOWED, ALLOWED, ALLOWED),
]


def outcome(home: House, principal: Principal, action: str, parameters: Mapping[str, str]) -> str:
    try:
        home.call(action, principal, **parameters)
    except AccessDenied as refused:
        return next(words for words in (EXPLICIT, IMPLICIT) if words in refused.message)
    return ALLOWED


@pytest.mark.parametrize(("action", "parameters", "access_key", "password", "password_and_code"), TABLE)
def test_each_request_is_decided_as_the_guide_says(
    ways: Ways, action: str, parameters: dict[str, str], access_key: str, password: str, password_and_code: str
) -> None:
    for principal, expected in (
        (ways.access_key, access_key),
        (ways.password, password),
        (ways.password_and_code, password_and_code),
    ):
        assert outcome(ways.home, principal, action, parameters) == expected


@pytest.mark.parametrize(("action", "parameters", "_key", "_password", "_code"), TABLE)
def test_a_session_without_mfa_meets_no_policy_at_iam(
    ways: Ways, action: str, parameters: dict[str, str], _key: str, _password: str, _code: str
) -> None:
    if action.startswith("sts:"):
        assert ways.home.call(action, ways.session, **parameters).arn == RICHARD
        return
    with refused(InvalidClientTokenId, "The security token included in the request is invalid"):
        ways.home.call(action, ways.session, **parameters)


@pytest.mark.parametrize("way", ["access_key", "password", "password_and_code"])
def test_richard_puts_his_own_device_in_step_whichever_way_he_came_in(home: House, way: str) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.call("iam:PutUserPolicy", UserName="Richard", PolicyName="mfa", PolicyDocument=published("resync-only"))
    home.clock.advance(hours=3)
    slow = replace(device, drift=timedelta(minutes=-20))

    answer = home.resync("Richard", serial_number, slow, getattr(Ways.of(home), way))

    assert abs(int(answer.headers["x-instep-drift-seconds"]) + 1200) <= 30


@pytest.mark.parametrize("way", ["password", "password_and_code"])
def test_session_tokens_come_of_access_keys_alone_and_no_policy_has_a_say(ways: Ways, way: str) -> None:
    assert ways.home.call("sts:GetSessionToken", ways.access_key).credentials.session_token
    with refused(AccessDenied, "Cannot call GetSessionToken without an access key; use one of a user."):
        ways.home.call("sts:GetSessionToken", getattr(ways, way))


@contextmanager
def refused(error: type[AWSError], message: str) -> Iterator[None]:
    with pytest.raises(error) as raised:
        yield
    assert raised.value.message == message
