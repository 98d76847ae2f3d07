"""GetFederationToken: who may vouch for whom, and what the credentials are good for."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from instep.api.common import AccessDenied, AWSError, InvalidClientTokenId
from instep.api.errors import MalformedPolicyDocument, PackedPolicyTooLarge
from instep.domain.identity import Principal, PrincipalKind
from tests.support.house import ACCOUNT, House
from tests.support.sessions import Keys, allow, keys_of, make_role, run, session_of, statement, trust, who_is

EVERYTHING = statement(Action="*", Resource="*")


def refused(home: House, keys: Keys, action: str = "sts:GetFederationToken", **parameters: object) -> AWSError:
    with pytest.raises(AWSError) as caught:
        run(home, keys, action, **parameters)
    return caught.value


def test_a_user_with_the_permission_vouches_for_somebody(home: House) -> None:
    home.user("Richard")
    keys = keys_of(home, "Richard")
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"
    allow(home, "Richard", "sts:GetFederationToken", arn)

    answer = run(home, keys, "sts:GetFederationToken", Name="Bob", Policy=EVERYTHING)

    assert (answer.federated_user.federated_user_id, answer.federated_user.arn) == (f"{ACCOUNT}:Bob", arn)
    assert answer.credentials.expiration == home.clock.now + timedelta(hours=12)
    assert 0 < answer.packed_policy_size < 10
    bob = who_is(home, Keys.of(answer.credentials))
    assert (bob.kind, bob.arn, bob.unique_id, bob.user_name) == (PrincipalKind.FEDERATED, arn, f"{ACCOUNT}:Bob", None)
    assert (bob.temporary, bob.mfa_present, bob.mfa_at, bob.issued_at) == (True, False, None, home.clock.now)
    identity = run(home, Keys.of(answer.credentials), "sts:GetCallerIdentity")
    assert (identity.arn, identity.user_id, identity.account) == (arn, f"{ACCOUNT}:Bob", ACCOUNT)


def test_without_the_permission_it_is_refused_with_the_federated_users_name(home: House) -> None:
    home.user("Richard")
    keys = keys_of(home, "Richard")
    allow(home, "Richard", "sts:GetFederationToken", f"arn:aws:sts::{ACCOUNT}:federated-user/Bob")

    assert refused(home, keys, Name="Alice").message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/Richard is not authorized to perform: sts:GetFederationToken"
        f" on resource: arn:aws:sts::{ACCOUNT}:federated-user/Alice"
        " because no identity-based policy allows the sts:GetFederationToken action"
    )


def test_a_federated_user_reaches_neither_iam_nor_sts(home: House) -> None:
    home.user("Richard")
    keys = keys_of(home, "Richard")
    allow(home, "Richard", "*")
    arn = make_role(home, "Deploy", trust("*"))
    bob = Keys.of(run(home, keys, "sts:GetFederationToken", Name="Bob", Policy=EVERYTHING).credentials)

    assert isinstance(refused(home, bob, "iam:ListUsers"), InvalidClientTokenId)
    refusal = refused(home, bob, "sts:AssumeRole", RoleArn=arn, RoleSessionName="Session1")
    assert (type(refusal), refusal.message) == (AccessDenied, "Cannot call AssumeRole with session credentials")
    assert refused(home, bob, Name="Alice").message == "Cannot call GetFederationToken with session credentials"


def test_temporary_credentials_vouch_for_nobody(home: House) -> None:
    richard = home.user("Richard")
    keys = keys_of(home, "Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    home.call("iam:PutRolePolicy", RoleName="Deploy", PolicyName="all", PolicyDocument=EVERYTHING)
    session = who_is(home, Keys.of(run(home, keys, "sts:GetSessionToken").credentials))

    for principal in (session, session_of(home, richard, arn)):
        for action, parameters in (("GetFederationToken", {"Name": "Bob"}), ("GetSessionToken", {})):
            with pytest.raises(AccessDenied) as caught:
                home.call(f"sts:{action}", principal, **parameters)
            assert caught.value.message == f"Cannot call {action} with session credentials"


def test_the_root_user_vouches_for_an_hour_at_most(home: House) -> None:
    keys = keys_of(home)

    answer = run(home, keys, "sts:GetFederationToken", Name="Bob", DurationSeconds="43200")

    assert answer.credentials.expiration == home.clock.now + timedelta(hours=1)
    assert answer.packed_policy_size == 0
    assert who_is(home, Keys.of(answer.credentials)).arn == f"arn:aws:sts::{ACCOUNT}:federated-user/Bob"


def test_operators_have_no_key_to_vouch_with(home: House) -> None:
    with pytest.raises(AccessDenied, match="Cannot call GetFederationToken without an access key"):
        home.call("sts:GetFederationToken", Principal.operator(ACCOUNT), Name="Bob")
    with pytest.raises(AccessDenied, match="Cannot call GetSessionToken without an access key"):
        home.call("sts:GetSessionToken", Principal.operator(ACCOUNT))


def test_tags_take_the_permission_to_tag_and_lie_over_the_users_own(home: House) -> None:
    home.user("Richard", Tags=[{"Key": "team", "Value": "a"}, {"Key": "cost", "Value": "1"}])
    keys = keys_of(home, "Richard")
    allow(home, "Richard", "sts:GetFederationToken")
    given = [{"Key": "team", "Value": "b"}]

    assert refused(home, keys, Name="Bob", Tags=given).message.endswith(
        f"sts:TagSession on resource: arn:aws:sts::{ACCOUNT}:federated-user/Bob"
        " because no identity-based policy allows the sts:TagSession action"
    )
    allow(home, "Richard", "sts:TagSession", Condition={"StringEquals": {"aws:RequestTag/team": "b"}})
    credentials = run(home, keys, "sts:GetFederationToken", Name="Bob", Tags=given).credentials
    assert who_is(home, Keys.of(credentials)).tags == {"team": "b", "cost": "1"}


def test_what_is_asked_for_wrongly_is_refused(home: House) -> None:
    home.user("Richard")
    keys = keys_of(home, "Richard")
    allow(home, "Richard", "sts:*")

    assert "'name' failed" in refused(home, keys, Name="B").message
    assert "less than or equal to 129600" in refused(home, keys, Name="Bob", DurationSeconds="129601").message
    assert isinstance(refused(home, keys, Name="Bob", Policy="{}"), MalformedPolicyDocument)
    assert "less than or equal to 2048" in refused(home, keys, Name="Bob", Policy=EVERYTHING + " " * 2048).message
    assert "is invalid" in refused(home, keys, Name="Bob", PolicyArns=[{"arn": f"arn:aws:iam::{ACCOUNT}:policy/None"}]).message
    scattered = [{"Key": str(number), "Value": hashlib.shake_128(str(number).encode()).hexdigest(128)} for number in range(50)]
    assert isinstance(refused(home, keys, Name="Bob", Tags=scattered), PackedPolicyTooLarge)
