"""Requests signed by botocore itself: as signed they pass, and with any part changed they do not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from instep.api.common import AWSError
from instep.domain.sigv4 import HTTPRequest, Signature, check_scope, check_signature, check_time, read_signature

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
BODY = b"Action=ResyncMFADevice&Version=2010-05-08&UserName=Richard&SerialNumber=RichardsMFA&AuthenticationCode1=123456"
EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
MISMATCH_TEXT = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)
MISMATCH = (403, "SignatureDoesNotMatch", MISMATCH_TEXT)


def as_received(text: str) -> str:
    """One character per byte of its UTF-8."""
    return text.encode().decode("latin-1")


def sent(
    signer: type[SigV4Auth] = SigV4Auth,
    *,
    method: str = "POST",
    url: str = "http://localhost:8700/",
    params: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = tuple(FORM.items()),
    body: bytes = BODY,
    token: str | None = None,
    region: str = "us-east-1",
) -> HTTPRequest:
    """The request as it arrives here after botocore has signed it."""
    # As pairs, so that names may repeat; the stubs know of mappings alone.
    request = AWSRequest(method=method, url=url, params=list(params), data=body)  # type: ignore[arg-type]
    for name, value in headers:
        request.headers.add_header(name, value)
    signer(Credentials("AKIDEXAMPLE", SECRET, token), "iam", region).add_auth(request)
    # What its client adds after signing goes unsigned.
    arrived = [(name.lower(), as_received(str(value))) for name, value in request.headers.items()]
    arrived += [("user-agent", "aws-cli/1"), ("amz-sdk-invocation-id", "1"), ("x-amzn-trace-id", "Root=1")]
    prepared = request.prepare()
    target = urlsplit(prepared.url)
    if "host" not in dict(arrived):
        arrived.append(("host", target.netloc))
    return HTTPRequest(method, target.path, as_received(target.query), tuple(arrived), body)


def presigned(method: str = "GET", **changes: Any) -> HTTPRequest:
    return sent(SigV4QueryAuth, **{"method": method, "headers": [], "body": b"", **changes})


def verify(request: HTTPRequest, services: Sequence[str] = ("iam",), secret: str = SECRET) -> Signature:
    """As the door does it, a second after signing; no test waits, and none depends on the day it is run."""
    signature = read_signature(request)
    check_scope(signature, services)
    check_time(signature, signature.timestamp + timedelta(seconds=1))
    check_signature(signature, request, secret)
    return signature


def refusal_of(request: HTTPRequest, services: Sequence[str] = ("iam",), secret: str = SECRET) -> tuple[int, str, str]:
    with pytest.raises(AWSError) as refusal:
        verify(request, services, secret)
    return refusal.value.status, refusal.value.code, refusal.value.message


REPEATED = [("b", "2"), ("a", "2"), ("b", "10"), ("a", ""), ("a", "1"), ("A", "0"), ("a-b", "1"), ("a_b", "2"), ("", "")]
ODD_CHARACTERS = [("UserName", "リチャード é"), ("名", "~*/+ %'()!@=&?#;,:$[]"), ("Path", "/a b/"), ("Tags.member.1.Key", "a+b")]
CLEAN = {
    "body alone": sent(),
    "empty body": sent(body=b""),
    "bytes that are no UTF-8": sent(body=b"\xff\x00\xfe"),
    "unicode in the body": sent(body=f"UserName={quote('リチャード')}&Path=%2Fa%2F".encode()),
    "raw unicode in the body": sent(body="UserName=リチャード".encode()),
    "a session token": sent(token="FwoGZXIvYXdzE+/=" * 20),
    "query beside the body": sent(params=[("Action", "ListUsers"), ("Version", "2010-05-08")]),
    "GET": sent(method="GET", params=[("Action", "ListUsers"), ("Version", "2010-05-08")], body=b""),
    "repeated and empty names": sent(method="GET", params=REPEATED, body=b""),
    "odd characters": sent(method="GET", params=ODD_CHARACTERS, body=b""),
    "a name without a value": sent(method="GET", url="http://localhost:8700/?Action=", body=b""),
    "port": sent(url="http://localhost:8700/"),
    "no port": sent(url="https://sts.example.com/"),
    "no path": sent(url="http://localhost:8700"),
    "dots and slashes": sent(url="http://localhost:8700//a/./b/../c%20d/~e/"),
    "another region": sent(region="ap-northeast-1"),
    "the region of the default endpoint": sent(region="aws-global"),
    "spaces in a header": sent(headers=[*FORM.items(), ("X-Test", "  a   b\tc  ")]),
    "a repeated header": sent(headers=[*FORM.items(), ("X-Test", "b"), ("X-Test", " a  c")]),
    "unicode in a header": sent(headers=[*FORM.items(), ("X-Test", "à la carte é")]),
    "the hash of the body": sent(headers=[("X-Amz-Content-SHA256", EMPTY_HASH)], body=b""),
    "the date of HTTP": sent(headers=[*FORM.items(), ("Date", "x")]),
    "presigned GET": presigned(params=[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]),
    "presigned with a token": presigned(params=[("Action", "GetCallerIdentity")], token="a+b/c=="),
    "presigned with a header": presigned(headers=[("x-k8s-aws-id", "cluster")]),
    "presigned POST": presigned("POST", url="http://localhost:8700/?a=b+c&d=%7E%2a"),
    "presigned odd characters": presigned(params=ODD_CHARACTERS),
}  # fmt: skip


@pytest.mark.parametrize("request_", CLEAN.values(), ids=CLEAN.keys())
def test_what_botocore_signs_passes(request_: HTTPRequest) -> None:
    assert verify(request_).access_key_id == "AKIDEXAMPLE"


@pytest.mark.parametrize("request_", CLEAN.values(), ids=CLEAN.keys())
def test_headers_may_arrive_in_any_order(request_: HTTPRequest) -> None:
    for seed in range(5):
        names = list(dict(request_.headers))
        random.Random(seed).shuffle(names)
        # The values of one header keep their order, which HTTP says has a meaning.
        verify(replace(request_, headers=tuple(pair for name in names for pair in request_.headers if pair[0] == name)))


@pytest.mark.parametrize("request_", CLEAN.values(), ids=CLEAN.keys())
def test_another_secret_does_not_match(request_: HTTPRequest) -> None:
    assert refusal_of(request_, secret=SECRET[:-1] + "Z") == MISMATCH
    assert refusal_of(request_, secret="") == MISMATCH


def test_tokens_arrive_as_they_were_given() -> None:
    assert verify(CLEAN["a session token"]).session_token == "FwoGZXIvYXdzE+/=" * 20
    assert verify(CLEAN["presigned with a token"]).session_token == "a+b/c=="
    assert verify(CLEAN["presigned GET"]).expires == timedelta(hours=1)


# The signature's own parameters mean what they say.
NAMES = st.text().filter(lambda name: not name.startswith("X-Amz-"))


@given(st.lists(st.tuples(NAMES, st.text()), max_size=6), st.binary(max_size=50))
def test_any_parameters_and_body_pass(params: list[tuple[str, str]], body: bytes) -> None:
    verify(sent(params=params, body=body))


@given(st.dictionaries(NAMES, st.text(), max_size=6))
def test_any_presigned_parameters_pass(params: dict[str, str]) -> None:
    verify(presigned(params=list(params.items())))


# What a proxy may do on the way, and a server's own reading undoes.
EQUIVALENT: dict[str, Callable[[HTTPRequest], HTTPRequest]] = {
    "parameters in another order": lambda r: replace(r, query="&".join(reversed(r.query.split("&")))),
    "an empty parameter between": lambda r: replace(r, query=f"&{r.query}&&"),
    "small hexadecimal digits": lambda r: replace(r, query=r.query.replace("%C3%A9", "%c3%a9")),
    "more escapes than needed": lambda r: replace(r, query=r.query.replace("Action", "%41ction")),
    "fewer escapes than needed": lambda r: replace(r, query=r.query.replace("%C3%A9", "\xc3\xa9").replace("%2A", "*")),
    "another spelling of a space": lambda r: replace(r, query=r.query.replace("+", "%20")),
    "spaces around a header": lambda r: replace(r, headers=tuple((n, f"  {v} ") for n, v in r.headers)),
}


@pytest.mark.parametrize("change", EQUIVALENT.values(), ids=EQUIVALENT.keys())
@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
def test_another_spelling_of_the_same_request_passes(
    signer: type[SigV4Auth], change: Callable[[HTTPRequest], HTTPRequest]
) -> None:
    parameters = [("Action", "ListUsers"), ("Name", "é b*"), ("Name2", "a")]

    verify(change(sent(signer, method="GET", params=parameters, headers=[], body=b"")))


@dataclass(frozen=True)
class Tampering:
    """`request` with one thing changed since it was signed."""

    request: HTTPRequest

    def with_header(self, name: str, change: Callable[[str], str]) -> HTTPRequest:
        changed = tuple((n, change(v) if n == name else v) for n, v in self.request.headers)
        assert changed != self.request.headers
        return replace(self.request, headers=changed)

    def without_header(self, name: str) -> HTTPRequest:
        return replace(self.request, headers=tuple(pair for pair in self.request.headers if pair[0] != name))

    def plus_header(self, name: str, value: str) -> HTTPRequest:
        return replace(self.request, headers=(*self.request.headers, (name, value)))

    def in_authorization(self, old: str, new: str) -> HTTPRequest:
        return self.with_header("authorization", lambda value: value.replace(old, new))

    def in_query(self, old: str, new: str) -> HTTPRequest:
        assert old in self.request.query
        return replace(self.request, query=self.request.query.replace(old, new, 1))


TOKEN = "FwoGZXIvYXdzEExampleToken"
PARAMETERS = [("Action", "ListUsers"), ("Path", "/a b/")]
SIGNED = Tampering(sent(params=PARAMETERS, headers=[*FORM.items(), ("X-Test", "one"), ("X-Test", "two")], token=TOKEN))
PRESIGNED = Tampering(presigned(params=PARAMETERS, headers=[("X-Test", "one")], token=TOKEN))
LIST = "content-type;host;x-amz-date;x-amz-security-token;x-test"
STAMP = dict(SIGNED.request.headers)["x-amz-date"]
DAY = STAMP[:8]
PRESIGNED_STAMP = PRESIGNED.request.query.partition("X-Amz-Date=")[2][:16]


def next_second(stamp: str) -> str:
    """Another time of the same day."""
    return stamp[:9] + ("000001Z" if stamp[9:] == "000000Z" else "000000Z")


MISMATCHES = {
    "method": replace(SIGNED.request, method="PUT"),
    "method in small letters": replace(SIGNED.request, method="post"),
    "path": replace(SIGNED.request, path="/x"),
    "no query": replace(SIGNED.request, query=""),
    "query name": SIGNED.in_query("Action", "action"),
    "query value": SIGNED.in_query("ListUsers", "ListUsersX"),
    "query value emptied": SIGNED.in_query("ListUsers", ""),
    "a plus for a space": SIGNED.in_query("+", "%2B"),
    "query value encoded twice": SIGNED.in_query("%2F", "%252F"),
    "query parameter added": SIGNED.in_query("Action", "a=b&Action"),
    "query parameter repeated": SIGNED.in_query("Action", "Action=ListUsers&Action"),
    "a parameter split in two": SIGNED.in_query("ListUsers", "List&Users"),
    "a signature in the query": SIGNED.in_query("Action", "X-Amz-Signature=x&Action"),
    "no body": replace(SIGNED.request, body=b""),
    "body longer": replace(SIGNED.request, body=SIGNED.request.body + b"\n"),
    "host": SIGNED.with_header("host", lambda _: "localhost:8701"),
    "no host": SIGNED.without_header("host"),
    "two hosts": SIGNED.plus_header("host", "localhost:8700"),
    "content type": SIGNED.with_header("content-type", lambda _: "text/plain"),
    "no content type": SIGNED.without_header("content-type"),
    "letters of a value": SIGNED.with_header("x-test", str.upper),
    "one of two values gone": replace(SIGNED.request, headers=tuple(p for p in SIGNED.request.headers if p[1] != "two")),
    "a third value": SIGNED.plus_header("x-test", "three"),
    "time": SIGNED.with_header("x-amz-date", next_second),
    "session token": SIGNED.with_header("x-amz-security-token", str.lower),
    "no session token": SIGNED.without_header("x-amz-security-token"),
    "region": SIGNED.in_authorization("us-east-1", "us-east-2"),
    "a signed header more": SIGNED.in_authorization(LIST, f"{LIST};user-agent"),
    "a signed header that is not there": SIGNED.in_authorization(LIST, f"accept;{LIST}"),
    "a signed header without a name": SIGNED.in_authorization(LIST, f"{LIST};"),
    "a signed header less": SIGNED.in_authorization("content-type;", ""),
    "another signed header less": SIGNED.in_authorization(";x-test", ""),
    "a signed header twice": SIGNED.in_authorization("host;", "host;host;"),
    "signed headers in another order": SIGNED.in_authorization("content-type;host", "host;content-type"),
    "signature shorter": SIGNED.with_header("authorization", lambda value: value[:-1]),
    "signature longer": SIGNED.with_header("authorization", lambda value: value + "0"),
    "signature in capitals": SIGNED.with_header("authorization", lambda v: v[:-64] + v[-64:].upper()),
    "signature beyond ASCII": SIGNED.with_header("authorization", lambda value: value[:-1] + "é"),
    "no signature": SIGNED.with_header("authorization", lambda value: value[:-64]),
    "presigned: method": replace(PRESIGNED.request, method="POST"),
    "presigned: body": replace(PRESIGNED.request, body=b"x"),
    "presigned: host": PRESIGNED.with_header("host", lambda _: "localhost"),
    "presigned: header": PRESIGNED.with_header("x-test", lambda _: "two"),
    "presigned: header gone": PRESIGNED.without_header("x-test"),
    "presigned: name": PRESIGNED.in_query("Action", "action"),
    "presigned: value": PRESIGNED.in_query("ListUsers", "DeleteUser"),
    "presigned: added": PRESIGNED.in_query("Action", "a=b&Action"),
    "presigned: region": PRESIGNED.in_query("us-east-1", "us-east-2"),
    "presigned: longer life": PRESIGNED.in_query("Expires=3600", "Expires=604800"),
    "presigned: no end": PRESIGNED.in_query("X-Amz-Expires=3600&", ""),
    "presigned: time": PRESIGNED.in_query(PRESIGNED_STAMP, next_second(PRESIGNED_STAMP)),
    "presigned: token": PRESIGNED.in_query(TOKEN, TOKEN.lower()),
    "presigned: no token": PRESIGNED.in_query(f"&X-Amz-Security-Token={TOKEN}", ""),
    "presigned: signed header less": PRESIGNED.in_query("host%3Bx-test", "host"),
    "presigned: signed header more": PRESIGNED.in_query("host%3Bx-test", "host%3Buser-agent%3Bx-test"),
    "presigned: signature beyond ASCII": PRESIGNED.in_query("X-Amz-Signature=", "X-Amz-Signature=%C3%A9"),
}  # fmt: skip


@pytest.mark.parametrize("request_", MISMATCHES.values(), ids=MISMATCHES.keys())
def test_a_request_changed_since_does_not_match(request_: HTTPRequest) -> None:
    assert refusal_of(request_) == MISMATCH


@pytest.mark.parametrize("tampering", [SIGNED, PRESIGNED], ids=["header", "presigned"])
@pytest.mark.parametrize("position", range(64))
def test_no_digit_of_a_signature_may_differ(tampering: Tampering, position: int) -> None:
    signature = read_signature(tampering.request).signature
    changed = signature[:position] + ("1" if signature[position] == "0" else "0") + signature[position + 1 :]

    forged = tampering.in_authorization(signature, changed) if tampering is SIGNED else tampering.in_query(signature, changed)

    assert refusal_of(forged) == MISMATCH


def test_no_byte_of_a_body_may_differ() -> None:
    body = SIGNED.request.body

    for position in range(len(body)):
        changed = body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]
        assert refusal_of(replace(SIGNED.request, body=changed)) == MISMATCH


NOT_SIGNED = "'{}' must be a 'SignedHeader' in the AWS Authorization."
DATES = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', from '{}'."
SERVICE = "Credential should be scoped to correct service: 'iam'. "
OTHER_DAY = "20010101"
OUT_OF_FORM = {
    "service": (SIGNED.in_authorization("/iam/", "/sts/"), SERVICE),
    "terminator": (
        SIGNED.in_authorization("aws4_request", "aws4_reques"),
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4_reques'. ",
    ),
    "date": (SIGNED.in_authorization(f"/{DAY}/", f"/{OTHER_DAY}/"), DATES.format(OTHER_DAY, DAY, STAMP)),
    "header date": (
        SIGNED.with_header("x-amz-date", lambda value: OTHER_DAY + value[8:]),
        DATES.format(DAY, OTHER_DAY, OTHER_DAY + STAMP[8:]),
    ),
    "host no longer signed": (SIGNED.in_authorization("host;", ""), NOT_SIGNED.format("Host' or ':authority")),
    "date no longer signed": (SIGNED.in_authorization("x-amz-date;", ""), NOT_SIGNED.format("x-amz-date")),
    "token no longer signed": (SIGNED.in_authorization("x-amz-security-token;", ""), NOT_SIGNED.format("x-amz-security-token")),
    "token added": (
        Tampering(CLEAN["body alone"]).plus_header("x-amz-security-token", "t"),
        NOT_SIGNED.format("x-amz-security-token"),
    ),
    "presigned: service": (PRESIGNED.in_query("%2Fiam%2F", "%2Fsts%2F"), SERVICE),
}


@pytest.mark.parametrize(("request_", "message"), OUT_OF_FORM.values(), ids=OUT_OF_FORM.keys())
def test_a_request_changed_out_of_form_is_told_how(request_: HTTPRequest, message: str) -> None:
    assert refusal_of(request_) == (403, "SignatureDoesNotMatch", message)


INCOMPLETE = {
    "signature": ("X-Amz-Signature", "X-Amz-S", "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the"),
    "algorithm": ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'"),
    "date": ("X-Amz-Date=2", "X-Amz-Date=x", "Date must be in ISO-8601 'basic format'. Got 'x"),
    "credential": (
        "%2Fiam",
        "",
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_a_presigned_request_that_lost_a_part_is_told_which(old: str, new: str, message: str) -> None:
    status, code, text = refusal_of(PRESIGNED.in_query(old, new))

    assert (status, code) == (400, "IncompleteSignature")
    assert text.startswith(message)


def test_a_request_that_lost_its_authorization_lacks_its_token() -> None:
    refusal = refusal_of(SIGNED.without_header("authorization"))

    assert refusal == (403, "MissingAuthenticationToken", "Request is missing Authentication Token")


def test_a_scope_moved_to_another_valid_service_does_not_match() -> None:
    assert refusal_of(SIGNED.in_authorization("/iam/", "/sts/"), services=("iam", "sts")) == MISMATCH


def test_a_body_declared_unsigned_is_not_taken() -> None:
    unsigned = sent(headers=[*FORM.items(), ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")])

    assert refusal_of(unsigned) == MISMATCH
