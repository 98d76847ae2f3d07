"""What a signature must look like, and what is said of one that does not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest

from instep.api.common import (
    AWSError,
    IncompleteSignature,
    RequestExpired,
    SignatureDoesNotMatch,
)
from instep.domain.sigv4 import HTTPRequest, Signature, check_scope, check_signature, check_time, read_signature

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
STAMP = "20261124T120000Z"
CREDENTIAL = "AKIDEXAMPLE/20261124/us-east-1/iam/aws4_request"
WELL_FORMED = f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
PRESIGNED = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": CREDENTIAL,
    "X-Amz-Date": STAMP,
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "0" * 64,
}
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)


def with_header(authorization: str, *more: tuple[str, str], date: str | None = STAMP) -> HTTPRequest:
    dated = [] if date is None else [("x-amz-date", date)]
    headers = (("host", "localhost:8700"), *dated, *more, ("authorization", authorization))
    return HTTPRequest(method="POST", path="/", query="", headers=headers, body=b"Action=ListUsers&Version=2010-05-08")


def with_query(parameters: dict[str, str], *more: tuple[str, str]) -> HTTPRequest:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return HTTPRequest(method="GET", path="/", query=query, headers=(("host", "localhost:8700"), *more), body=b"")


def refused(request: HTTPRequest) -> AWSError:
    with pytest.raises(AWSError) as refusal:
        read_signature(request)
    return refusal.value


def as_said(refusal: AWSError) -> tuple[int, str, str]:
    return refusal.status, refusal.code, refusal.message


def test_a_signature_is_read_from_the_authorization_header() -> None:
    assert read_fields(read_signature(with_header(WELL_FORMED))) == (
        "AKIDEXAMPLE", "20261124", "us-east-1", "iam", "aws4_request", ("host", "x-amz-date"), "0" * 64, NOON, None, None,
    )  # fmt: skip


def test_a_signature_is_read_from_a_presigned_query() -> None:
    assert read_fields(read_signature(with_query({**PRESIGNED, "X-Amz-Security-Token": "a+b/c="}))) == (
        "AKIDEXAMPLE", "20261124", "us-east-1", "iam", "aws4_request", ("host",), "0" * 64, NOON, "a+b/c=", timedelta(seconds=60),
    )  # fmt: skip


def read_fields(signature: Signature) -> tuple[object, ...]:
    return tuple(getattr(signature, name) for name in Signature.__slots__)


def test_the_session_token_comes_from_its_header() -> None:
    signed = WELL_FORMED.replace("x-amz-date", "x-amz-date;x-amz-security-token")

    assert read_signature(with_header(signed, ("x-amz-security-token", "token"))).session_token == "token"
    assert read_signature(with_header(signed, ("x-amz-security-token", ""))).session_token is None


@pytest.mark.parametrize("authorization", ["", "   "])
def test_a_request_with_nothing_to_show_lacks_its_token(authorization: str) -> None:
    bare = HTTPRequest(method="POST", path="/", query="Action=ListUsers", headers=(("host", "localhost"),), body=b"")

    for request in (bare, with_header(authorization)):
        assert as_said(refused(request)) == (403, "MissingAuthenticationToken", "Request is missing Authentication Token")


@pytest.mark.parametrize("separators", [(" ", ", "), (" ", ","), (" ", " , "), ("  ", ",  "), (",", ","), (" ", " ")])
def test_parameters_may_be_set_apart_by_commas_and_spaces(separators: tuple[str, str]) -> None:
    after_algorithm, between = separators
    parts = WELL_FORMED.removeprefix("AWS4-HMAC-SHA256 ").split(", ")

    assert read_signature(with_header("AWS4-HMAC-SHA256" + after_algorithm + between.join(parts))).access_key_id == "AKIDEXAMPLE"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parameters_may_come_in_any_order(order: tuple[int, ...]) -> None:
    parts = WELL_FORMED.removeprefix("AWS4-HMAC-SHA256 ").split(", ")

    signature = read_signature(with_header("AWS4-HMAC-SHA256 " + ", ".join(parts[n] for n in order)))

    assert signature == read_signature(with_header(WELL_FORMED))


FIVE = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (
            "AWS4-HMAC-SHA256",
            (
                "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
                "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"
            ),
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host;x-amz-date",
            (
                "Authorization header requires 'Signature' parameter. "
                "Authorization=AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host;x-amz-date"
            ),
        ),
        (
            "AWS4-HMAC-SHA256 Signature=00, Credential=a",
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Signature=00, Credential=a",
        ),
        (
            "AWS4-HMAC-SHA256 Credential= AKID/x, SignedHeaders=host",
            (
                "'AKID/x' not a valid key=value pair (missing equal-sign) in Authorization header: "
                "'AWS4-HMAC-SHA256 Credential= AKID/x, SignedHeaders=host'."
            ),
        ),
        ("AWS4-HMAC-SHA512 Credential=x", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'"),
        ("aws4-hmac-sha256 Credential=x", "Unsupported AWS 'algorithm': 'aws4-hmac-sha256'"),
        ("Bearer abc", "Unsupported AWS 'algorithm': 'Bearer'"),
        (",", "Unsupported AWS 'algorithm': ''"),
        (
            f"{WELL_FORMED}, Signature=11",
            f"Authorization header must not repeat the 'Signature' parameter. Authorization={WELL_FORMED}, Signature=11",
        ),
        (WELL_FORMED.replace(CREDENTIAL, ""), f"{FIVE}''"),
        (WELL_FORMED.replace(CREDENTIAL, "a/b/c/d"), f"{FIVE}'a/b/c/d'"),
        (WELL_FORMED.replace(CREDENTIAL, "a/b/c/d/e/f"), f"{FIVE}'a/b/c/d/e/f'"),
        (WELL_FORMED.replace("AKIDEXAMPLE", "é"), f"{FIVE}'é/20261124/us-east-1/iam/aws4_request'"),
    ],
)
def test_a_header_that_cannot_be_read_is_incomplete(authorization: str, message: str) -> None:
    assert as_said(refused(with_header(authorization))) == (400, "IncompleteSignature", message)


def test_a_missing_date_is_told_with_the_missing_parameters() -> None:
    message = (
        "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. "
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
        "Authorization=AWS4-HMAC-SHA256 Credential=a"
    )

    assert refused(with_header("AWS4-HMAC-SHA256 Credential=a", date=None)).message == message
    assert refused(with_header("AWS4-HMAC-SHA256 Credential=a", date="")).message == message


def test_two_authorization_headers_are_no_authorization() -> None:
    assert isinstance(refused(with_header(WELL_FORMED, ("authorization", WELL_FORMED))), IncompleteSignature)


def test_two_dates_are_no_date() -> None:
    assert refused(with_header(WELL_FORMED, ("x-amz-date", STAMP))).message.startswith("Date must be in ISO-8601 'basic format'.")


@pytest.mark.parametrize(
    "stamp",
    [
        "201", "20261124", "20261399T999999Z", "20260231T000000Z", "20261124T240000Z", "20261124T120060Z", "00000101T000000Z",
        "20261124T120000", "20261124t120000z", "20261124T120000.000Z", "2026-11-24T12:00:00Z", "２０２６1124T120000Z",
        "Tue, 24 Nov 2026 12:00:00 GMT", "+0261124T120000Z", "x" * 100_000,
    ],
)  # fmt: skip
def test_an_odd_date_is_no_date(stamp: str) -> None:
    shown = stamp if len(stamp) < 100 else stamp[:2048] + "..."
    message = f"Date must be in ISO-8601 'basic format'. Got '{shown}'. See http://en.wikipedia.org/wiki/ISO_8601"

    for request in (with_header(WELL_FORMED, date=stamp), with_query({**PRESIGNED, "X-Amz-Date": stamp})):
        assert as_said(refused(request)) == (400, "IncompleteSignature", message)


@pytest.mark.parametrize("date", ["Tue, 24 Nov 2026 12:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 -0000", STAMP])
def test_the_date_header_serves_where_there_is_no_other(date: str) -> None:
    assert read_signature(with_header(WELL_FORMED, ("date", date), date=None)).timestamp == NOON


def test_the_date_of_aws_goes_before_the_date_of_http() -> None:
    assert read_signature(with_header(WELL_FORMED, ("date", "Mon, 01 Jan 2001 00:00:00 GMT"))).timestamp == NOON


@pytest.mark.parametrize(
    "date", ["Tue, 31 Feb 2026 12:00:00 GMT", "Tue, 24 Foo 2026 12:00:00 GMT", "Tue, 24 Nov 2026 12:00:00 +0900", "yesterday"]
)
def test_an_odd_date_of_http_is_no_date(date: str) -> None:
    assert isinstance(refused(with_header(WELL_FORMED, ("date", date), date=None)), IncompleteSignature)


@pytest.mark.parametrize("signed", ["", "x-amz-date", "Host;x-amz-date", "hosts"])
def test_the_host_has_to_be_signed(signed: str) -> None:
    message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."

    for request in (
        with_header(WELL_FORMED.replace("host;x-amz-date", signed)),
        with_query({**PRESIGNED, "X-Amz-SignedHeaders": signed}),
    ):
        assert as_said(refused(request)) == (403, "SignatureDoesNotMatch", message)


@pytest.mark.parametrize("name", ["x-amz-security-token", "x-amz-content-sha256", "x-amz-anything"])
def test_a_header_of_aws_has_to_be_signed(name: str) -> None:
    for request in (with_header(WELL_FORMED, (name, "x")), with_query(PRESIGNED, (name, "x"))):
        refusal = as_said(refused(request))
        assert refusal == (403, "SignatureDoesNotMatch", f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def test_headers_of_others_need_no_signature() -> None:
    read_signature(with_header(WELL_FORMED, ("x-amzn-trace-id", "Root=1"), ("user-agent", "x"), ("amz-sdk-request", "attempt=1")))


@pytest.mark.parametrize("name", sorted(PRESIGNED.keys() - {"X-Amz-Expires"}))
def test_a_presigned_query_names_what_it_lacks(name: str) -> None:
    parameters = {key: value for key, value in PRESIGNED.items() if key != name}

    assert as_said(refused(with_query(parameters))) == (
        400,
        "IncompleteSignature",
        f"AWS query-string parameters must include '{name}'. Re-examine the query-string parameters.",
    )


def test_a_presigned_query_names_all_it_lacks() -> None:
    assert refused(with_query({"X-Amz-Credential": CREDENTIAL, "X-Amz-Date": ""})).message == (
        "AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Signature'. "
        "AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. "
        "Re-examine the query-string parameters."
    )


@pytest.mark.parametrize("name", [*PRESIGNED, "X-Amz-Security-Token"])
@pytest.mark.parametrize("disguise", ["X-Amz-", "X%2DAmz-", "%58-Amz-"])
def test_a_presigned_query_says_everything_once(name: str, disguise: str) -> None:
    request = with_query({**PRESIGNED, "X-Amz-Security-Token": "t"})
    repeated = replace(request, query=f"{request.query}&{name.replace('X-Amz-', disguise)}=x")

    assert as_said(refused(repeated)) == (
        400,
        "IncompleteSignature",
        f"AWS query-string parameters must not repeat '{name}'. Re-examine the query-string parameters.",
    )


def test_a_presigned_query_takes_no_other_algorithm() -> None:
    assert refused(with_query({**PRESIGNED, "X-Amz-Algorithm": "AWS4-X"})).message == "Unsupported AWS 'algorithm': 'AWS4-X'"


@pytest.mark.parametrize("seconds", ["0", "604801", "-1", "+5", "1e3", "６０", "1.5", "", " 60", "9" * 10_000])
def test_a_presigned_query_lives_for_a_second_to_a_week(seconds: str) -> None:
    refusal = refused(with_query({**PRESIGNED, "X-Amz-Expires": seconds}))

    assert isinstance(refusal, IncompleteSignature)
    assert refusal.message.startswith(
        "AWS query-string parameter 'X-Amz-Expires' must be a number of seconds from 1 to 604800, got '"
    )


@pytest.mark.parametrize("seconds", ["1", "604800"])
def test_the_shortest_and_longest_lives_are_taken(seconds: str) -> None:
    assert read_signature(with_query({**PRESIGNED, "X-Amz-Expires": seconds})).expires == timedelta(seconds=int(seconds))


def test_a_presigned_query_that_names_no_end_is_good_for_a_quarter_of_an_hour() -> None:
    parameters = {key: value for key, value in PRESIGNED.items() if key != "X-Amz-Expires"}

    assert read_signature(with_query(parameters)).expires == timedelta(minutes=15)


def test_two_signatures_are_one_too_many() -> None:
    request = replace(with_header(WELL_FORMED), query=with_query(PRESIGNED).query)

    assert as_said(refused(request)) == (
        403,
        "SignatureDoesNotMatch",
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )


REGION = "Credential should be scoped to a valid region. "
SERVICE = "Credential should be scoped to correct service: 'sts'. "
TERM = "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'. "
DATE = (
    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
    "'20261123' != '20261124', from '20261124T120000Z'."
)


@pytest.mark.parametrize(
    ("scope", "services", "message"),
    [
        ("20261124//sts/aws4_request", ["sts"], REGION),
        ("20261124/us-east-1/iam/aws4_request", ["sts"], SERVICE),
        ("20261124/us-east-1/s3/aws4_request", ["iam", "sts"], "Credential should be scoped to correct service: 'iam', 'sts'. "),
        ("20261124/us-east-1/sts/aws5", ["sts"], TERM),
        ("20261123/us-east-1/sts/aws4_request", ["sts"], DATE),
        ("20261123//iam/aws5", ["sts"], REGION + SERVICE + TERM + DATE),
    ],
)
def test_a_wrong_scope_is_told_part_by_part(scope: str, services: Collection[str], message: str) -> None:
    signature = read_signature(with_header(WELL_FORMED.replace(CREDENTIAL, f"AKIDEXAMPLE/{scope}")))

    with pytest.raises(SignatureDoesNotMatch) as refusal:
        check_scope(signature, services)

    assert as_said(refusal.value) == (403, "SignatureDoesNotMatch", message)


@pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-1", "aws-global", "moon", "r" * 64])
def test_any_region_will_do(region: str) -> None:
    check_scope(read_signature(with_header(WELL_FORMED.replace("us-east-1", region))), ["iam"])


def test_a_region_longer_than_any_is_refused_before_it_is_kept_anywhere() -> None:
    signature = read_signature(with_header(WELL_FORMED.replace("us-east-1", "r" * 65)))

    with pytest.raises(SignatureDoesNotMatch) as refusal:
        check_scope(signature, ["iam"])

    assert as_said(refusal.value) == (403, "SignatureDoesNotMatch", REGION)


@pytest.mark.parametrize("seconds", [-900, -1, 0, 0.9, 900, 900.9])
def test_a_clock_within_a_quarter_of_an_hour_is_near_enough(seconds: float) -> None:
    check_time(read_signature(with_header(WELL_FORMED)), NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=9))])
def test_a_stale_signature_has_expired(zone: timezone) -> None:
    with pytest.raises(SignatureDoesNotMatch) as refusal:
        check_time(read_signature(with_header(WELL_FORMED)), datetime(2026, 11, 24, 12, 15, 1, 5, tzinfo=UTC).astimezone(zone))

    assert as_said(refusal.value) == (
        403,
        "SignatureDoesNotMatch",
        "Signature expired: 20261124T120000Z is now earlier than 20261124T120001Z (20261124T121501Z - 15 min.)",
    )


@pytest.mark.parametrize("request_", [with_header(WELL_FORMED), with_query(PRESIGNED)], ids=["header", "presigned"])
def test_a_signature_from_the_future_is_not_yet_current(request_: HTTPRequest) -> None:
    with pytest.raises(SignatureDoesNotMatch) as refusal:
        check_time(read_signature(request_), NOON - timedelta(minutes=15, seconds=1))

    assert as_said(refusal.value) == (
        403,
        "SignatureDoesNotMatch",
        "Signature not yet current: 20261124T120000Z is still later than 20261124T115959Z (20261124T114459Z + 15 min.)",
    )


def test_a_presigned_request_lives_as_long_as_it_says() -> None:
    signature = read_signature(with_query({**PRESIGNED, "X-Amz-Expires": "3600"}))
    check_time(signature, NOON + timedelta(seconds=3600))

    with pytest.raises(RequestExpired) as refusal:
        check_time(signature, NOON + timedelta(seconds=3601))

    assert as_said(refusal.value) == (400, "RequestExpired", "Request has expired.")


@pytest.mark.parametrize("stamp", ["99991231T235959Z", "00010101T000000Z"])
def test_the_ends_of_the_calendar_are_only_very_far_away(stamp: str) -> None:
    for request in (with_header(WELL_FORMED, date=stamp), with_query({**PRESIGNED, "X-Amz-Date": stamp})):
        signature = read_signature(request)
        with pytest.raises(SignatureDoesNotMatch, match=stamp):
            check_scope(signature, ["iam"])
        with pytest.raises((SignatureDoesNotMatch, RequestExpired)):
            check_time(signature, NOON)


@pytest.mark.parametrize("value", ["é" * 64, "\u3000", "\udcff", "0" * 100_000, "", "F" * 64])
def test_a_signature_that_is_no_hash_does_not_match(value: str) -> None:
    request = with_header(WELL_FORMED)

    with pytest.raises(SignatureDoesNotMatch) as refusal:
        check_signature(replace(read_signature(request), signature=value), request, SECRET)

    assert as_said(refusal.value) == (403, "SignatureDoesNotMatch", MISMATCH)


def test_no_representation_shows_a_body_a_token_or_a_signature() -> None:
    request = with_header(WELL_FORMED)

    assert "ListUsers" not in repr(request)
    assert "0000" not in repr(read_signature(request))
