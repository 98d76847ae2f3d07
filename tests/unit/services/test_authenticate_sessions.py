"""Session tokens at the door: whose they are, and when they end before their time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from instep.api.common import AWSError, ExpiredToken, InvalidClientTokenId, SignatureDoesNotMatch
from instep.domain.identity import PrincipalKind
from tests.support.house import ACCOUNT, House
from tests.support.sessions import Keys, allow, assume, keys_of, make_role, run, trust, who_is


def turned_away(home: House, keys: Keys) -> AWSError:
    with pytest.raises(AWSError) as caught:
        who_is(home, keys)
    return caught.value


def get_session(home: House, keys: Keys, **parameters: str) -> Keys:
    return Keys.of(run(home, keys, "sts:GetSessionToken", **parameters).credentials)


def federated(home: House, keys: Keys) -> Keys:
    return Keys.of(run(home, keys, "sts:GetFederationToken", Name="Bob").credentials)


def test_a_session_is_its_user_with_tags_boundary_and_mfa(home: House) -> None:
    boundary = "arn:aws:iam::aws:policy/AdministratorAccess"
    home.user("Richard", Tags=[{"Key": "team", "Value": "a"}], PermissionsBoundary=boundary)
    keys = keys_of(home, "Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    with_mfa = get_session(home, keys, SerialNumber=serial_number, TokenCode=device.code(home.clock.now))
    without = get_session(home, keys)
    issued_at = home.clock.now
    home.clock.advance(minutes=5)

    principal = who_is(home, with_mfa)

    assert principal == replace(
        who_is(home, keys),
        access_key_id=with_mfa.access_key_id,
        temporary=True,
        issued_at=issued_at,
        mfa_present=True,
        mfa_at=issued_at,
    )
    assert (principal.tags, principal.permissions_boundary) == ({"team": "a"}, boundary)
    plain = who_is(home, without)
    assert (plain.mfa_present, plain.mfa_at) == (False, None)


def test_a_session_follows_its_user_through_a_new_name(home: House) -> None:
    home.user("Richard")
    session = get_session(home, keys_of(home, "Richard"))
    home.call("iam:UpdateUser", UserName="Richard", NewUserName="Ricardo", NewPath="/staff/")

    assert who_is(home, session).arn == f"arn:aws:iam::{ACCOUNT}:user/staff/Ricardo"


def test_sessions_end_with_the_key_that_asked_for_them(home: House) -> None:
    home.user("Richard")
    allow(home, "Richard", "sts:*")
    keys, root_keys = keys_of(home, "Richard"), keys_of(home)
    sessions = [get_session(home, keys), federated(home, keys)]
    root_sessions = [get_session(home, root_keys), federated(home, root_keys)]

    for of_key, named in ((keys, {"UserName": "Richard"}), (root_keys, {})):
        home.call("iam:UpdateAccessKey", **named, AccessKeyId=of_key.access_key_id, Status="Inactive")
        for session in sessions if named else root_sessions:
            assert isinstance(turned_away(home, session), InvalidClientTokenId)
        home.call("iam:UpdateAccessKey", **named, AccessKeyId=of_key.access_key_id, Status="Active")
        for session in sessions if named else root_sessions:
            assert who_is(home, session).temporary
        home.call("iam:DeleteAccessKey", **named, AccessKeyId=of_key.access_key_id)
        for session in sessions if named else root_sessions:
            assert turned_away(home, session).message == "The security token included in the request is invalid."


def test_a_role_session_outlives_the_key_and_the_user_who_assumed_it(home: House) -> None:
    richard = home.user("Richard")
    keys = keys_of(home, "Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    answer = run(home, keys, "sts:AssumeRole", RoleArn=arn, RoleSessionName="Session1")
    home.call("iam:DeleteAccessKey", UserName="Richard", AccessKeyId=keys.access_key_id)
    home.call("iam:DeleteUser", UserName="Richard")

    session = who_is(home, Keys.of(answer.credentials))

    assert (session.kind, session.arn, session.issued_at) == (PrincipalKind.ROLE, answer.assumed_role_user.arn, home.clock.now)


def test_a_user_made_again_under_the_same_name_does_not_take_over_the_session(home: House) -> None:
    home.user("Richard")
    keys = keys_of(home, "Richard")
    session = get_session(home, keys)
    home.call("iam:DeleteAccessKey", UserName="Richard", AccessKeyId=keys.access_key_id)
    home.call("iam:DeleteUser", UserName="Richard")
    home.user("Richard")
    keys_of(home, "Richard")

    assert isinstance(turned_away(home, session), InvalidClientTokenId)


def test_a_token_under_somebody_elses_key_is_refused(home: House) -> None:
    home.user("Richard")
    home.user("Diego")
    richards, diegos = keys_of(home, "Richard"), keys_of(home, "Diego")
    claims: dict[int, object] = {3: home.principal("Diego").holder_id, 8: richards.access_key_id}
    forged = edited(home, get_session(home, diegos), claims)

    assert who_is(home, edited(home, get_session(home, diegos), {})).user_name == "Diego"
    assert isinstance(turned_away(home, forged), InvalidClientTokenId)


def edited(home: House, keys: Keys, changes: dict[int, object], *, version: int = 2) -> Keys:
    """With the claims of its token changed by position, as only the holder of the vault's key can."""
    vault = home.service.vault
    assert keys.session_token is not None
    fields: list[Any] = msgspec.json.decode(vault.open_session_token(keys.session_token))
    fields[0] = version
    for position, value in changes.items():
        fields[position] = value
    token = vault.seal_session_token(msgspec.json.encode(fields if version == 2 else fields[:11]))
    return replace(keys, session_token=token)


def test_a_token_of_the_release_before_is_good_until_it_expires(home: House) -> None:
    home.user("Richard")
    session = edited(home, get_session(home, keys_of(home, "Richard")), {}, version=1)

    assert who_is(home, session).user_name == "Richard"
    home.clock.advance(hours=12)
    assert isinstance(turned_away(home, session), ExpiredToken)


def test_unknown_comes_before_expired_and_expired_before_a_bad_signature(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    sessions = [get_session(home, keys_of(home, "Richard")), Keys.of(assume(home, richard, arn).credentials)]
    for session in sessions:
        assert isinstance(turned_away(home, replace(session, secret="x" * 40)), SignatureDoesNotMatch)
        assert isinstance(turned_away(home, replace(session, session_token="rubbish")), InvalidClientTokenId)
        assert isinstance(turned_away(home, replace(session, session_token=None)), InvalidClientTokenId)
        assert isinstance(turned_away(home, replace(session, access_key_id="ASIA0000000000000000")), InvalidClientTokenId)
    assert isinstance(turned_away(home, replace(sessions[0], session_token=sessions[1].session_token)), InvalidClientTokenId)

    home.clock.advance(hours=12)
    for session in sessions:
        expired = turned_away(home, replace(session, secret="x" * 40))
        assert (type(expired), expired.message) == (ExpiredToken, "The security token included in the request is expired")
    home.call("iam:DeleteRole", RoleName="Deploy")
    assert isinstance(turned_away(home, sessions[1]), InvalidClientTokenId)


def test_sessions_last_to_the_second_they_were_given_for(home: House) -> None:
    home.user("Richard")
    session = get_session(home, keys_of(home, "Richard"), DurationSeconds="900")

    home.clock.now += timedelta(seconds=899)
    assert who_is(home, session).user_name == "Richard"
    home.clock.now += timedelta(seconds=1)
    assert isinstance(turned_away(home, session), ExpiredToken)
