"""Whatever arrives, the answer is an error of AWS's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.api.common import AWSError, IncompleteSignature, MissingAuthenticationToken, RequestExpired, SignatureDoesNotMatch
from instep.domain.sigv4 import HTTPRequest, Signature, check_scope, check_signature, check_time, read_signature

P = ParamSpec("P")
T = TypeVar("T")

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAMP = "20261124T120000Z"
CREDENTIAL = "AKIDEXAMPLE/20261124/us-east-1/iam/aws4_request"
WELL_FORMED = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
PRESIGNED = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": CREDENTIAL,
    "X-Amz-Date": STAMP,
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0" * 64,
}

# Surrogates too, which no server hands on.
ODD = st.text(st.characters(exclude_categories=[]), max_size=80)
WORDS = ("AWS4-HMAC-SHA256", "Credential", "Signature", "SignedHeaders", CREDENTIAL, "host", "x-amz-date", "\xa0", *" ,=;/\t\0")
NAMES = st.sampled_from(["x-amz-date", "date", "host", "x-amz-security-token", "authorization", "content-type"])
VALUES = st.one_of(st.just(STAMP), ODD)
PARAMETERS = st.sampled_from([*PRESIGNED, "X-Amz-Expires", "X-Amz-Security-Token", "X%2dAmz-Date", "Action", "%", "", "é"])
PARAMETER_VALUES = st.one_of(st.sampled_from([*PRESIGNED.values(), "60", "%zz", "%F", "+", "%FF%00"]), ODD)


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """`text` with a stretch of it replaced by something else."""
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text[:start] + draw(ODD) + text[end:]


def query_of(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)


AUTHORIZATIONS = st.one_of(
    st.just(WELL_FORMED), damaged(WELL_FORMED), ODD, st.lists(st.sampled_from(WORDS), max_size=20).map("".join)
)
QUERIES = st.one_of(
    st.just(query_of(list(PRESIGNED.items()))),
    damaged(query_of(list(PRESIGNED.items()))),
    st.lists(st.tuples(PARAMETERS, PARAMETER_VALUES), max_size=9).map(query_of),
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)


def outcome(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | AWSError:
    try:
        return step(*args, **kwargs)
    except AWSError as refusal:
        return refusal


def request_with(authorization: str, query: str = "", date: str = STAMP) -> HTTPRequest:
    headers = (("host", "localhost"), ("x-amz-date", date), ("authorization", authorization))
    return HTTPRequest(method="POST", path="/", query=query, headers=headers, body=b"")


def only_errors_of_aws(request: HTTPRequest) -> None:
    signature = outcome(read_signature, request)
    if not isinstance(signature, Signature):
        assert isinstance(signature, (MissingAuthenticationToken, IncompleteSignature, SignatureDoesNotMatch))
        assert signature.message.isprintable()
        return
    told = [outcome(check_scope, signature, ["iam"]), outcome(check_time, signature, NOON)]
    verdict = outcome(check_signature, signature, request, SECRET)
    assert isinstance(verdict, SignatureDoesNotMatch)
    for refusal in (*told, verdict):
        assert refusal is None or isinstance(refusal, (SignatureDoesNotMatch, RequestExpired))
        assert refusal is None or (refusal.message.isprintable() and SECRET not in refusal.message)


@given(AUTHORIZATIONS, HEADERS, ODD, st.binary(max_size=20))
def test_no_header_gives_anything_but_an_error_of_aws(
    authorization: str, headers: list[tuple[str, str]], path: str, body: bytes
) -> None:
    headers = [("host", "localhost"), *headers, ("authorization", authorization)]

    only_errors_of_aws(HTTPRequest(method="POST", path=path, query="", headers=tuple(headers), body=body))


@given(QUERIES, HEADERS, ODD, st.none() | AUTHORIZATIONS)
def test_no_query_gives_anything_but_an_error_of_aws(
    query: str, headers: list[tuple[str, str]], path: str, authorization: str | None
) -> None:
    signed = [] if authorization is None else [("authorization", authorization)]

    only_errors_of_aws(HTTPRequest(method="GET", path=path, query=query, headers=(*headers, *signed), body=b""))


@given(st.sampled_from([WELL_FORMED, query_of(list(PRESIGNED.items()))]), st.integers(1, 3))
def test_no_cut_short_signature_gives_anything_but_an_error_of_aws(text: str, step: int) -> None:
    for end in range(0, len(text), step):
        only_errors_of_aws(request_with(text[:end]))
        only_errors_of_aws(request_with("", query=text[:end]))


@pytest.mark.parametrize("nasty", ["\x00", "\x1b", "\ud800", "\ufffe"])
def test_no_answer_echoes_what_xml_cannot_carry(nasty: str) -> None:
    requests = (
        request_with(f"AWS4{nasty} x"),
        request_with(f"AWS4-HMAC-SHA256 x{nasty}"),
        request_with(WELL_FORMED, date=nasty),
        request_with("", query=query_of([*(PRESIGNED | {"X-Amz-Credential": "%00%1B%EF%BF%BE"}).items()])),
    )

    for request in requests:
        with pytest.raises(AWSError) as refusal:
            read_signature(request)
        assert refusal.value.message.isprintable()


def test_a_huge_header_gives_a_bearable_answer() -> None:
    with pytest.raises(IncompleteSignature) as refusal:
        read_signature(request_with("AWS4-HMAC-SHA256 " + "x" * 1_000_000))

    assert len(refusal.value.message) < 5000


def test_naming_a_header_ten_thousand_times_does_not_have_it_copied_as_often() -> None:
    request = request_with(WELL_FORMED.replace("host;x-amz-date", "x-amz-date;" + ";".join(["host"] * 10_000)))
    request = replace(request, headers=(("host", "h" * 60_000), *request.headers[1:]))

    with pytest.raises(SignatureDoesNotMatch):
        check_signature(read_signature(request), request, SECRET)
