"""What a session token carries."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.identity import PrincipalKind, SessionScope
from instep.domain.session_token import SessionClaims, packed_size

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CLAIMS = SessionClaims(
    account_id="123456789012",
    kind=PrincipalKind.USER,
    holder_id="AIDACKCEVSQ6C2EXAMPLE",
    access_key_id="ASIAIOSFODNN7EXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    issued_at=NOON,
    expires_at=NOON + timedelta(hours=12),
    mfa_present=True,
    mfa_at=NOON - timedelta(microseconds=1),
    mfa_serial="arn:aws:iam::123456789012:mfa/RichardsMFA",
    parent_access_key_id="AKIAIOSFODNN7EXAMPLE",
)
WITHOUT_MFA = replace(CLAIMS, mfa_present=False, mfa_at=None, mfa_serial=None)
SCOPE = SessionScope(
    name="Session1",
    issuer_arn="arn:aws:iam::123456789012:role/Deploy",
    policies=('{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',),
    policy_arns=("arn:aws:iam::aws:policy/SecurityAudit",),
    tags={"部署": "経理", "team": ""},
    transitive_tags=("team",),
    source_identity="Richard",
)
OF_ROLE = replace(WITHOUT_MFA, kind=PrincipalKind.ROLE, holder_id="AROACKCEVSQ6C2EXAMPLE", scope=SCOPE)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-11, minutes=-30))])
# A day from the ends of the calendar, so that no time zone falls off it.
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001  # the zone comes beside it
MFA = st.one_of(
    st.just({"mfa_present": False, "mfa_at": None, "mfa_serial": None}),
    st.fixed_dictionaries({"mfa_present": st.just(True), "mfa_at": TIMES, "mfa_serial": TEXT}),
)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SCOPES = st.builds(
    SessionScope,
    name=TEXT,
    issuer_arn=TEXT,
    policies=TEXTS,
    policy_arns=TEXTS,
    tags=st.dictionaries(TEXT, TEXT, max_size=3),
    transitive_tags=TEXTS,
    source_identity=st.none() | TEXT,
)
KINDS = st.one_of(
    st.fixed_dictionaries({"kind": st.sampled_from([PrincipalKind.ROLE, PrincipalKind.FEDERATED]), "scope": SCOPES}),
    st.builds(
        lambda kind, mfa: {"kind": kind, "scope": None, **mfa}, st.sampled_from([PrincipalKind.ROOT, PrincipalKind.USER]), MFA
    ),
)
EVERYTHING = st.builds(
    lambda fields, kind: SessionClaims(**fields, **kind),
    st.fixed_dictionaries(
        {
            "account_id": TEXT,
            "holder_id": TEXT,
            "access_key_id": TEXT,
            "secret_access_key": TEXT,
            "issued_at": TIMES,
            "expires_at": TIMES,
            "parent_access_key_id": TEXT,
        }
    ),
    KINDS,
)


@given(EVERYTHING)
def test_claims_come_back_as_they_went(claims: SessionClaims) -> None:
    assert SessionClaims.decode(claims.encode()) == claims


@pytest.mark.parametrize("claims", [CLAIMS, WITHOUT_MFA], ids=["mfa", "no mfa"])
def test_encoded_claims_are_short_and_tell_their_version(claims: SessionClaims) -> None:
    encoded = claims.encode()

    assert json.loads(encoded)[0] == 2
    assert len(encoded) < 300


def test_a_token_of_the_release_before_is_still_read() -> None:
    first = edited(0, 1, without_scope=True)

    assert SessionClaims.decode(first) == CLAIMS


def test_what_limits_a_session_is_compressed_and_the_room_it_takes_is_known_before() -> None:
    long = replace(SCOPE, policies=('{"Statement": [' + '"arn:aws:iam::123456789012:user/*", ' * 250 + "]}",))

    grown = len(replace(OF_ROLE, scope=long).encode()) - len(replace(OF_ROLE, scope=replace(SCOPE, policies=())).encode())

    assert grown <= packed_size(long.policies) < 150
    assert packed_size(()) == packed_size({}) == 0


def test_times_come_back_in_utc() -> None:
    decoded = SessionClaims.decode(replace(CLAIMS, issued_at=NOON.astimezone(timezone(timedelta(hours=9)))).encode())

    assert decoded.issued_at.tzinfo is UTC


def test_the_representation_hides_the_secret() -> None:
    shown = repr(CLAIMS)

    assert CLAIMS.secret_access_key not in shown
    assert CLAIMS.access_key_id in shown


@pytest.mark.parametrize(
    "change",
    [
        {"kind": PrincipalKind.OPERATOR},
        {"issued_at": NOON.replace(tzinfo=None)},
        {"expires_at": NOON.replace(tzinfo=None)},
        {"mfa_at": NOON.replace(tzinfo=None)},
        {"mfa_present": False},
        {"mfa_at": None},
        {"mfa_serial": None},
        {"scope": SCOPE},
        {"kind": PrincipalKind.ROLE},
        {"kind": PrincipalKind.FEDERATED, "scope": SCOPE},
        {"kind": PrincipalKind.ROLE, "mfa_present": False, "mfa_at": None, "mfa_serial": None},
    ],
    ids=str,
)
def test_claims_that_cannot_be_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"session token"):
        replace(CLAIMS, **change)  # type: ignore[arg-type]  # a change has no type of its own


def edited(position: int, value: object, *, without_scope: bool = False) -> bytes:
    fields = json.loads(CLAIMS.encode())
    fields[position] = value
    return json.dumps(fields[:-1] if without_scope else fields).encode()


RUBBISH = {
    "nothing": b"",
    "text": b"rubbish",
    "not UTF-8": b"\xff\xfe\x00",
    "an object": b"{}",
    "null": b"null",
    "empty": b"[]",
    "too short": b"[2]",
    "too long": CLAIMS.encode()[:-1] + b",1]",
    "something behind": CLAIMS.encode() + b"x",
    "another version": edited(0, 3),
    "the first version with a scope": edited(0, 1),
    "this version without one": edited(0, 2, without_scope=True),
    "a version that is text": edited(0, "2"),
    "a number for a name": edited(1, 123456789012),
    "an unknown kind": edited(2, "Stranger"),
    "an operator": edited(2, "Operator"),
    "a time that is text": edited(6, "2026-11-24T12:00:00Z"),
    "a time beyond the calendar": edited(7, 10**30),
    "a time before the calendar": edited(7, -(10**18)),
    "half an MFA context": edited(9, None),
    "a role without its scope": edited(2, "AssumedRole"),
    "half a scope": edited(11, {"name": "Session1"}),
    "compressed nothing": zlib.compress(b""),
    "compressed rubbish": zlib.compress(b"rubbish"),
    "compressed and something behind": OF_ROLE.encode() + b"x",
    "compressed beyond measure": zlib.compress(b"[" + b" " * 10_000_000 + b"]"),
    "a lone surrogate": edited(1, "\ud800"),
    "a deep nest": b"[" * 200_000,
    "a deep nest inside": b"[2," + b"[" * 200_000,
}


@pytest.mark.parametrize("encoded", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_is_a_value_error_without_a_cause(encoded: bytes) -> None:
    with pytest.raises(ValueError, match=r"session token") as refusal:
        SessionClaims.decode(encoded)

    assert CLAIMS.secret_access_key not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("claims", [CLAIMS, OF_ROLE], ids=["plain", "compressed"])
def test_every_truncation_is_a_value_error(claims: SessionClaims) -> None:
    encoded = claims.encode()

    for length in range(len(encoded)):
        with pytest.raises(ValueError, match=r"session token"):
            SessionClaims.decode(encoded[:length])


@given(st.sampled_from([CLAIMS, OF_ROLE]), st.binary(max_size=200), st.integers(0, 300), st.integers(0, 300))
def test_damaged_claims_decode_or_are_a_value_error(claims: SessionClaims, stretch: bytes, start: int, end: int) -> None:
    encoded = claims.encode()
    try:
        decoded = SessionClaims.decode(encoded[:start] + stretch + encoded[end:])
    except ValueError:
        return
    assert isinstance(decoded, SessionClaims)
