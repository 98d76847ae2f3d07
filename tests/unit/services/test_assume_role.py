"""AssumeRole: who may, with which code, for how long, and what the session is then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from instep.api.common import AccessDenied, AWSError, InvalidClientTokenId, ValidationError
from instep.domain.identity import Principal, PrincipalKind
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House
from tests.support.sessions import (
    Keys,
    allow,
    assume,
    keys_of,
    make_role,
    role_arn,
    run,
    session_of,
    statement,
    trust,
    who_is,
)


def refused(home: House, principal: Principal, arn: str, **parameters: object) -> AWSError:
    with pytest.raises(AWSError) as caught:
        assume(home, principal, arn, **parameters)
    return caught.value


def sentence(principal: Principal, arn: str, action: str = "sts:AssumeRole") -> str:
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {arn}"


def test_whom_a_role_trusts_by_name_assumes_it_and_is_then_somebody_else(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn), Path="/ops/")

    answer = assume(home, richard, arn)

    role_id = home.call("iam:GetRole", RoleName="Deploy").role.role_id
    credentials = answer.credentials
    assert answer.assumed_role_user.assumed_role_id == f"{role_id}:Session1"
    assert answer.assumed_role_user.arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/Session1"
    assert (answer.packed_policy_size, answer.source_identity) == (None, None)
    assert credentials.expiration == home.clock.now + timedelta(hours=1)
    assert (credentials.access_key_id[:4], len(credentials.access_key_id), len(credentials.secret_access_key)) == ("ASIA", 20, 40)
    assert len(credentials.session_token) >= 100
    identity = run(home, Keys.of(credentials), "sts:GetCallerIdentity")
    assert identity == home.call("sts:GetCallerIdentity", who_is(home, Keys.of(credentials)))
    assert (identity.arn, identity.user_id, identity.account) == (
        answer.assumed_role_user.arn,
        answer.assumed_role_user.assumed_role_id,
        ACCOUNT,
    )


def test_who_is_trusted_by_the_account_only_needs_a_policy_of_their_own(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(f"arn:aws:iam::{ACCOUNT}:root"))

    assert refused(home, richard, arn).message == sentence(richard, arn)
    allow(home, "Richard", "sts:AssumeRole", arn)
    assert assume(home, richard, arn).credentials


def test_one_sentence_for_roles_that_are_not_there_do_not_trust_or_are_not_allowed(home: House) -> None:
    richard, diego = home.user("Richard"), home.user("Diego")
    allow(home, "Richard", "sts:AssumeRole", role_arn("*"))
    untrusting = make_role(home, "Untrusting", trust(diego.arn))
    unallowed = make_role(home, "Unallowed", trust(ACCOUNT))
    pathed = make_role(home, "Pathed", trust(richard.arn), Path="/ops/")
    roles = [
        (richard, role_arn("Missing")),
        (richard, untrusting),
        (diego, unallowed),
        (richard, role_arn("Pathed")),
        (richard, pathed.replace("Pathed", "PATHED")),
        (richard, role_arn("Missing", OTHER_ACCOUNT)),
        (richard, role_arn("Missing", "999999999999")),
        (richard, f"arn:aws:iam::{ACCOUNT}:user/Richard"),
    ]

    for principal, arn in roles:
        refusal = refused(home, principal, arn)
        assert (refusal.code, refusal.message, refusal.headers) == ("AccessDenied", sentence(principal, arn), {})


def test_what_is_no_arn_is_refused_before_anything_else(home: House) -> None:
    for text in (
        "nothing-valid-in-here",
        "arn::b:::something/test-role",
        "arn:a::::something/test-role",
        "arn:a:::something/test-role",
        "arn:a:a::aaaaaaaaaa:",
    ):
        refusal = refused(home, home.root, text, SerialNumber=f"arn:aws:iam::{ACCOUNT}:mfa/None")
        assert (refusal.code, refusal.message) == ("ValidationError", f"{text} is invalid")
    assert (
        "Value 'Session1:2' at 'roleSessionName' failed"
        in refused(home, home.root, role_arn("Any"), RoleSessionName="Session1:2").message
    )


def test_a_deny_of_the_callers_wins_over_a_role_that_trusts_them_by_name(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    home.call(
        "iam:PutUserPolicy",
        UserName="Richard",
        PolicyName="no",
        PolicyDocument=statement(Effect="Deny", Action="sts:*", Resource=arn),
    )

    assert refused(home, richard, arn).message == sentence(richard, arn)


def test_neither_root_nor_an_operator_assumes_roles(home: House) -> None:
    arn = make_role(home, "Deploy", trust("*"))

    assert refused(home, home.root, arn).message == "Roles may not be assumed by root accounts."
    assert "without an access key" in refused(home, Principal.operator(ACCOUNT), arn).message


def test_a_user_made_again_under_a_trusted_name_is_not_trusted(home: House) -> None:
    arn = make_role(home, "Deploy", trust(home.user("Richard").arn))
    home.call("iam:DeleteUser", UserName="Richard")
    again = home.user("Richard")

    assert refused(home, again, arn).message == sentence(again, arn)


def test_a_user_renamed_stays_trusted(home: House) -> None:
    arn = make_role(home, "Deploy", trust(home.user("Richard").arn))
    home.call("iam:UpdateUser", UserName="Richard", NewUserName="Ricardo")

    assert assume(home, home.principal("Ricardo"), arn).credentials


def test_conditions_of_the_trust_policy_see_the_external_id_and_the_session_name(home: House) -> None:
    richard = home.user("Richard")
    condition = {"StringEquals": {"sts:ExternalId": "Unique", "sts:RoleSessionName": "${aws:username}", "aws:ResourceTag/x": "y"}}
    arn = make_role(home, "Deploy", trust(richard.arn, Condition=condition), Tags=[{"Key": "x", "Value": "y"}])

    assert refused(home, richard, arn, RoleSessionName="Richard").message == sentence(richard, arn)
    assert refused(home, richard, arn, RoleSessionName="Other", ExternalId="Unique").message == sentence(richard, arn)
    assert assume(home, richard, arn, RoleSessionName="Richard", ExternalId="Unique").credentials


def test_roles_of_another_account_take_an_allow_on_both_sides(home: House) -> None:
    richard = home.user("Richard")
    other_root = Principal.root(OTHER_ACCOUNT, "AKIAOTHEROTHEROTHERO")
    by_name = make_role(home, "ByName", trust(richard.arn), other_root)
    by_account = make_role(home, "ByAccount", trust(ACCOUNT), other_root)
    untrusting = make_role(home, "Untrusting", trust(OTHER_ACCOUNT), other_root)

    for arn in (by_name, by_account):
        assert refused(home, richard, arn).message == sentence(richard, arn)
    allow(home, "Richard", "sts:AssumeRole", f"arn:aws:iam::{OTHER_ACCOUNT}:role/*")
    for arn in (by_name, by_account):
        assert session_of(home, richard, arn).account_id == OTHER_ACCOUNT
    assert refused(home, richard, untrusting).message == sentence(richard, untrusting)


def test_a_session_is_as_long_as_asked_within_the_roles_maximum(home: House) -> None:
    richard = home.user("Richard")
    short = make_role(home, "Short", trust(richard.arn))
    long = make_role(home, "Long", trust(richard.arn), MaxSessionDuration="43200")

    assert assume(home, richard, long, DurationSeconds="43200").credentials.expiration == home.clock.now + timedelta(hours=12)
    assert assume(home, richard, long).credentials.expiration == home.clock.now + timedelta(hours=1)
    assert assume(home, richard, short, DurationSeconds="900").credentials.expiration == home.clock.now + timedelta(minutes=15)
    refusal = refused(home, richard, short, DurationSeconds="3601")
    assert isinstance(refusal, ValidationError)
    assert refusal.message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    assert "less than or equal to 43200" in refused(home, richard, long, DurationSeconds="43201").message


def test_a_role_assumed_by_a_role_lasts_an_hour_at_most(home: House) -> None:
    richard = home.user("Richard")
    first = make_role(home, "First", trust(richard.arn), MaxSessionDuration="43200")
    second = make_role(home, "Second", trust(first), MaxSessionDuration="43200")
    session = session_of(home, richard, first, DurationSeconds="43200")

    assert assume(home, session, second, DurationSeconds="3600").credentials
    assert refused(home, session, second, DurationSeconds="3601").message == (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )


def test_a_role_session_is_trusted_by_its_own_name_its_roles_and_its_accounts(home: House) -> None:
    richard = home.user("Richard")
    first = make_role(home, "First", trust(richard.arn))
    session = session_of(home, richard, first)
    by_session = make_role(home, "BySession", trust(session.arn))
    by_role = make_role(home, "ByRole", trust(first))
    by_account = make_role(home, "ByAccount", trust(ACCOUNT))

    for arn in (by_session, by_role):
        assert session_of(home, session, arn).kind is PrincipalKind.ROLE
    assert refused(home, session, by_account).message == sentence(session, by_account)
    assert refused(home, session_of(home, richard, first, RoleSessionName="Session2"), by_session).code == "AccessDenied"


def test_the_session_of_a_role_made_again_under_its_name_ends(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    keys = Keys.of(assume(home, richard, arn).credentials)
    assert who_is(home, keys).arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/Deploy/Session1"

    home.call("iam:DeleteRole", RoleName="Deploy")
    with pytest.raises(InvalidClientTokenId):
        who_is(home, keys)
    make_role(home, "Deploy", trust(richard.arn))
    with pytest.raises(InvalidClientTokenId, match=r"The security token included in the request is invalid\."):
        who_is(home, keys)


def test_a_session_token_without_mfa_may_still_assume_roles(home: House) -> None:
    home.user("Richard")
    keys = keys_of(home, "Richard")
    arn = make_role(home, "Deploy", trust(home.principal("Richard").arn))
    session = Keys.of(run(home, keys, "sts:GetSessionToken").credentials)

    answer = run(home, session, "sts:AssumeRole", RoleArn=arn, RoleSessionName="Session1")

    assert answer.credentials


def test_events_tell_of_the_role_and_the_serial_number_and_of_no_secret(home: House) -> None:
    richard = home.user("Richard")
    arn = make_role(home, "Deploy", trust(richard.arn))
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    code = device.code(home.clock.now)
    credentials = assume(home, richard, arn, SerialNumber=serial_number, TokenCode=code).credentials

    event: Any = home.events()[-1]

    assert event["requestParameters"] == {"roleArn": arn, "roleSessionName": "Session1", "serialNumber": serial_number}
    assert event["responseElements"]["credentials"]["accessKeyId"] == credentials.access_key_id
    assert credentials.session_token not in str(event)
    assert credentials.secret_access_key not in str(event)
    home.clock.advance(minutes=1)
    with pytest.raises(AccessDenied):
        assume(home, replace(richard, holder_id="AIDASOMEBODYELSE00000", arn=f"{richard.arn}2"), arn)
    assert home.events()[-1]["errorCode"] == "AccessDenied"
