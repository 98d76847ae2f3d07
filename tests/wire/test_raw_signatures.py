"""Signatures that are wrong, late, early, somebody else's or not there, as the served product refuses them."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from tests.support.server import Server
from tests.wire.people import Account
from tests.wire.raw import FAULT_SPACE, FORM, IAM_SPACE, STS_SPACE, Line, Signer, error_document, iam_form, sts_form

WHO_AM_I = sts_form("GetCallerIdentity")
MISMATCH = (
    "The request signature we calculated does not match the signature you provided."
    " Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
WRONG = (403, "SignatureDoesNotMatch", MISMATCH)
UNKNOWN = (403, "InvalidClientTokenId", "The security token included in the request is invalid.")
MISSING = (403, "MissingAuthenticationToken", "Request is missing Authentication Token")


def basic(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


def test_who_does_not_sign_is_told_so_in_the_services_namespace(line: Line) -> None:
    for form, space in ((WHO_AM_I, STS_SPACE), (iam_form("ListUsers"), IAM_SPACE), (b"Action=ListUsers", FAULT_SPACE)):
        reply = line.post(form)
        assert reply.refusal == MISSING
        assert reply.body == error_document(space, MISSING[1], MISSING[2], reply.request_id)
    assert line.ask("GET", f"/?{WHO_AM_I.decode()}").refusal == MISSING
    assert line.post(WHO_AM_I, {"Authorization": ""}).refusal == MISSING


def test_a_wrong_secret_does_not_match(line: Line, admins_sts: Signer) -> None:
    reply = replace(admins_sts, secret_access_key=admins_sts.secret_access_key[:-1] + "x").post(line, WHO_AM_I)

    assert reply.refusal == WRONG
    assert reply.body == error_document(STS_SPACE, *WRONG[1:], reply.request_id)


def test_whatever_is_changed_after_signing_does_not_match(line: Line, admins_sts: Signer) -> None:
    headers = admins_sts.headers(line.host, WHO_AM_I, X_Color="blue")
    assert line.post(WHO_AM_I, headers).status == 200

    assert line.post(WHO_AM_I + b"&x=y", headers).refusal == WRONG
    assert line.post(WHO_AM_I, {**headers, "X-Color": "red"}).refusal == WRONG
    assert line.post(WHO_AM_I, {name: value for name, value in headers.items() if name != "X-Color"}).refusal == WRONG
    assert line.post(WHO_AM_I, {**headers, "Content-Type": "application/x-www-form-urlencoded"}).refusal == WRONG
    assert line.ask("POST", "/?x=y", headers, WHO_AM_I).refusal == WRONG
    assert line.ask("GET", f"/?{WHO_AM_I.decode()}", headers).refusal == WRONG
    signature = headers["Authorization"][-64:]
    for other in (signature[::-1], signature[:-1], signature + "0", signature.upper(), ""):
        spoilt = headers["Authorization"].replace(signature, other)
        assert line.post(WHO_AM_I, {**headers, "Authorization": spoilt}).refusal == WRONG


def test_an_unsigned_payload_does_not_match(line: Line, admins_sts: Signer) -> None:
    headers = admins_sts.headers(line.host, WHO_AM_I, X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")

    assert line.post(WHO_AM_I, headers).refusal == WRONG


def test_a_signature_for_another_host_does_not_match(line: Line, admins_sts: Signer) -> None:
    headers = admins_sts.headers("iam.amazonaws.com", WHO_AM_I)

    assert line.post(WHO_AM_I, headers).refusal == WRONG


@pytest.mark.parametrize(("late", "accepted"), [(-14, True), (14, True), (-16, False), (16, False), (-24 * 60, False)])
def test_clients_may_be_a_quarter_of_an_hour_late_or_early(line: Line, admins_sts: Signer, late: int, accepted: bool) -> None:
    reply = replace(admins_sts, late=timedelta(minutes=late)).post(line, WHO_AM_I)

    if accepted:
        assert reply.status == 200
        return
    status, code, message = reply.refusal
    assert (status, code) == (403, "SignatureDoesNotMatch")
    times = re.findall(r"\d{8}T\d{6}Z", message)
    signed, limit, now = (datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for time in times)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    if late < 0:
        assert limit == now - timedelta(minutes=15)
        expired = f"Signature expired: {basic(signed)} is now earlier than {basic(limit)} ({basic(now)} - 15 min.)"
        assert message == expired
    else:
        assert limit == now + timedelta(minutes=15)
        early = f"Signature not yet current: {basic(signed)} is still later than {basic(limit)} ({basic(now)} + 15 min.)"
        assert message == early


def test_a_signature_for_another_service_does_not_count(line: Line, admins_sts: Signer) -> None:
    as_iam, as_s3 = replace(admins_sts, service="iam"), replace(admins_sts, service="s3")
    scope = "Credential should be scoped to correct service: '{}'. "

    assert as_iam.post(line, WHO_AM_I).refusal == (403, "SignatureDoesNotMatch", scope.format("sts"))
    assert admins_sts.post(line, iam_form("ListUsers")).refusal == (403, "SignatureDoesNotMatch", scope.format("iam"))
    # Told even to those whose key and secret are wrong as well.
    stranger = replace(as_s3, access_key_id="AKIA00000000EXAMPLE0", secret_access_key="x")
    assert stranger.post(line, WHO_AM_I).refusal == (403, "SignatureDoesNotMatch", scope.format("sts"))


def test_a_credential_scope_needs_a_region_a_terminator_and_the_date_of_the_request(line: Line, admins_sts: Signer) -> None:
    headers = admins_sts.headers(line.host, WHO_AM_I)
    day = headers["X-Amz-Date"][:8]

    def refusal(old: str, new: str) -> tuple[int, str, str]:
        assert old in headers["Authorization"]
        return line.post(WHO_AM_I, {**headers, "Authorization": headers["Authorization"].replace(old, new)}).refusal

    assert refusal("/us-east-1/", "//") == (403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. ")
    assert refusal("/aws4_request", "/aws5_request") == (
        403,
        "SignatureDoesNotMatch",
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ",
    )
    assert refusal(f"/{day}/", "/20210501/") == (
        403,
        "SignatureDoesNotMatch",
        (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP:"
            f" '20210501' != '{day}', from '{headers['X-Amz-Date']}'."
        ),
    )
    status, code, message = refusal("/us-east-1/sts/", "/sts/")
    assert (status, code) == (400, "IncompleteSignature")
    assert message == (
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
        f" got '{admins_sts.access_key_id}/{day}/sts/aws4_request'"
    )


def test_an_authorization_that_lacks_something_is_incomplete(line: Line, admins_sts: Signer) -> None:
    headers = admins_sts.headers(line.host, WHO_AM_I)
    whole = headers["Authorization"]

    def refusal(authorization: str, **more: str) -> tuple[int, str, str]:
        undated = {name: value for name, value in headers.items() if name not in ("Authorization", "X-Amz-Date")}
        given = headers if not more else undated
        return line.post(WHO_AM_I, {**given, "Authorization": authorization}).refusal

    for name in ("Credential", "SignedHeaders", "Signature"):
        without = re.sub(rf"(, )?{name}=[^ ,]+(, )?", " ", whole).strip()
        sentence = f"Authorization header requires '{name}' parameter. Authorization={without}"
        assert refusal(without) == (400, "IncompleteSignature", sentence)
    dated = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    assert refusal(whole, without="date") == (400, "IncompleteSignature", f"{dated} Authorization={whole}")
    assert refusal("Basic cm9vdDpyb290") == (400, "IncompleteSignature", "Unsupported AWS 'algorithm': 'Basic'")
    assert refusal(whole.replace("host;", "")) == (
        403,
        "SignatureDoesNotMatch",
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    )


def test_an_unknown_key_is_invalid_whatever_its_signature(line: Line, admins_sts: Signer, account: Account) -> None:
    person = account.person()
    theirs = Signer(person.access_key_id, person.secret_access_key, service="sts")
    assert theirs.post(line, WHO_AM_I).status == 200

    account.iam.update_access_key(UserName=person.name, AccessKeyId=person.access_key_id, Status="Inactive")

    assert theirs.post(line, WHO_AM_I).refusal == UNKNOWN
    assert replace(theirs, secret_access_key="x").post(line, WHO_AM_I).refusal == UNKNOWN
    for key in ("AKIA00000000EXAMPLE0", "ASIA00000000EXAMPLE0", "x", "AKIA';DROP--", "A" * 4000):
        assert replace(admins_sts, access_key_id=key).post(line, WHO_AM_I).refusal == UNKNOWN
    assert replace(admins_sts, session_token="x").post(line, WHO_AM_I).refusal == UNKNOWN


def test_strangers_learn_nothing_of_which_actions_there_are(line: Line, admins_sts: Signer) -> None:
    stranger = replace(admins_sts, access_key_id="AKIA00000000EXAMPLE0")
    forger = replace(admins_sts, secret_access_key="x")
    for action in ("GetCallerIdentity", "AssumeRole", "NoSuchAction", ""):
        form = sts_form(action, SerialNumber="!", TokenCode="x")
        assert line.post(form).refusal == MISSING
        assert stranger.post(line, form).refusal == UNKNOWN
        assert forger.post(line, form).refusal == WRONG


def test_a_presigned_request_is_good_until_it_expires(line: Line, admins_sts: Signer, account: Account, server: Server) -> None:
    person = account.person()
    url: str = account.client_of(person, "sts").generate_presigned_url("get_caller_identity", ExpiresIn=900, HttpMethod="GET")
    query = urlsplit(url).query

    with urllib.request.urlopen(url, timeout=60) as answer:
        assert f":user/{person.name}</Arn>".encode() in answer.read()
    # Any connection will do, and any order of the parameters.
    backwards = "&".join(reversed(query.split("&")))
    assert line.ask("GET", f"/?{backwards}").status == 200
    assert line.ask("GET", f"/?{query}&x=y").refusal == WRONG
    assert line.ask("GET", f"/?{query.replace('X-Amz-Expires=900', 'X-Amz-Expires=901')}").refusal == WRONG
    assert line.ask("GET", f"/?{query.replace('Action=GetCallerIdentity', 'Action=GetSessionToken')}").refusal == WRONG
    unsigned = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    assert line.ask("GET", f"/?{unsigned}").refusal == (
        400,
        "IncompleteSignature",
        "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters.",
    )
    key = "X-Amz-Credential=", f"X-Amz-Credential={'X' * 4}"
    assert line.ask("GET", f"/?{query.replace(*key)}").refusal == UNKNOWN

    account.iam.delete_access_key(UserName=person.name, AccessKeyId=person.access_key_id)
    with pytest.raises(HTTPError) as raised:
        urllib.request.urlopen(url, timeout=60)
    with raised.value as refused:
        assert refused.code == 403
        assert b"<Code>InvalidClientTokenId</Code>" in refused.read()


def test_a_presigned_request_past_its_time_has_expired(line: Line, admins_sts: Signer) -> None:
    earlier = replace(admins_sts, late=timedelta(hours=-1))

    assert line.ask("GET", earlier.presigned(line.host, WHO_AM_I, seconds=7200)).status == 200
    expired = line.ask("GET", earlier.presigned(line.host, WHO_AM_I, seconds=900)).refusal
    assert expired == (400, "RequestExpired", "Request has expired.")
    ahead = replace(admins_sts, late=timedelta(hours=1)).presigned(line.host, WHO_AM_I, seconds=900)
    assert line.ask("GET", ahead).refusal[1] == "SignatureDoesNotMatch"
    for seconds in (0, 604_801):
        assert line.ask("GET", admins_sts.presigned(line.host, WHO_AM_I, seconds=seconds)).refusal[1] == "IncompleteSignature"


def test_a_refused_request_leaves_the_code_it_brought_unspent(line: Line, account: Account) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    theirs = Signer(person.access_key_id, person.secret_access_key, service="sts")
    form = sts_form("GetSessionToken", SerialNumber=phone.serial_number, TokenCode=phone.code())

    assert line.post(form).refusal == MISSING
    assert replace(theirs, secret_access_key="x").post(line, form).refusal == WRONG
    assert replace(theirs, late=timedelta(hours=1)).post(line, form).refusal[1] == "SignatureDoesNotMatch"
    assert theirs.post(line, form.replace(b"GetSessionToken", b"GetSessionTokens")).refusal[1] == "InvalidAction"
    assert theirs.post(line, form + b"&DurationSeconds=1").refusal[1] == "ValidationError"

    reply = theirs.post(line, form)
    assert reply.status == 200
    account.secrets.words |= {reply.text("SecretAccessKey"), reply.text("SessionToken")}
    assert theirs.post(line, form).refusal == (
        403,
        "AccessDenied",
        "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
    )


def test_a_header_sent_twice_counts_as_neither(line: Line, admins_sts: Signer) -> None:
    headers = admins_sts.headers(line.host, WHO_AM_I)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    for twice in (f"X-Amz-Date: {headers['X-Amz-Date']}\r\n", f"Authorization: {headers['Authorization']}\r\n"):
        line.send(f"POST / HTTP/1.1\r\n{head}{twice}Content-Length: {len(WHO_AM_I)}\r\n\r\n".encode() + WHO_AM_I)
        status, code, _ = line.reply().refusal
        assert (status, code) in ((400, "IncompleteSignature"), (403, "SignatureDoesNotMatch"))
    assert line.post(WHO_AM_I, {**headers, "Content-Type": FORM}).status == 200
