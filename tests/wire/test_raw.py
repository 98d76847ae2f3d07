"""The protocol as it is really served: which requests are routed where, and answers to the byte."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import UTC, datetime

import pytest

from tests.support.server import Server
from tests.wire.people import Account, Person
from tests.wire.raw import (
    FAULT_SPACE,
    FORM,
    IAM_SPACE,
    STS_SPACE,
    Line,
    Reply,
    Signer,
    error_document,
    iam_form,
    sts_form,
)

PRODUCT_PAGE = "https://aws.amazon.com/iam"
WHO_AM_I = sts_form("GetCallerIdentity")


def assert_redirected(reply: Reply, location: str = PRODUCT_PAGE) -> None:
    assert (reply.status, reply.headers["location"], reply.body) == (302, location, b"")
    assert uuid.UUID(reply.request_id).version == 4


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", PRODUCT_PAGE),
        ("/?", PRODUCT_PAGE),
        ("/?a=b%20c&d=%E6%9D%B1", f"{PRODUCT_PAGE}?a=b%20c&d=%E6%9D%B1"),
        ("/?Version=2010-05-08", f"{PRODUCT_PAGE}?Version=2010-05-08"),
    ],
)
def test_a_get_without_an_action_is_sent_to_the_product_page(line: Line, target: str, location: str) -> None:
    assert_redirected(line.ask("GET", target), location)


def test_a_post_without_an_action_is_sent_to_the_product_page_without_its_query(line: Line) -> None:
    assert_redirected(line.ask("POST", "/?a=b", {"Content-Type": FORM}, b"Version=2010-05-08"))


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_a_post_that_is_not_form_encoded_is_sent_to_the_product_page(line: Line, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    assert_redirected(line.ask("POST", "/", headers, iam_form("ListUsers")))


@pytest.mark.parametrize("target", ["/x", "//", "/%2F", "/.", "/iam/", "/x?Action=ListUsers", "*"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_there_is_nothing_at_any_other_path(line: Line, method: str, target: str) -> None:
    reply = line.ask(method, target, {"Content-Type": FORM}, b"" if method == "POST" else None)

    assert (reply.status, reply.body) == (404, b"<UnknownOperationException/>")
    assert reply.headers["content-type"] == "text/xml"


def test_options_tells_browsers_that_anybody_may_post(line: Line) -> None:
    reply = line.ask("OPTIONS")

    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "POST"
    assert reply.headers["access-control-max-age"] == "172800"


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_other_methods_are_refused(line: Line, method: str) -> None:
    reply = line.ask(method)

    assert (reply.status, reply.headers["allow"], reply.body) == (405, "GET, OPTIONS, POST", b"")


def test_a_list_of_devices_is_answered_to_the_byte(line: Line, account: Account, admin: Signer) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    enabled = account.iam.list_mfa_devices(UserName=person.name)["MFADevices"][0]["EnableDate"]

    reply = admin.post(line, iam_form("ListMFADevices", UserName=person.name))

    assert reply.status == 200
    assert reply.headers["content-type"] == "text/xml"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert "x-amz-sts-extended-request-id" not in reply.headers
    expected = (
        f'<ListMFADevicesResponse xmlns="{IAM_SPACE}">\n'
        "  <ListMFADevicesResult>\n"
        "    <IsTruncated>false</IsTruncated>\n"
        "    <MFADevices>\n"
        "      <member>\n"
        f"        <UserName>{person.name}</UserName>\n"
        f"        <SerialNumber>{phone.serial_number}</SerialNumber>\n"
        f"        <EnableDate>{enabled:%Y-%m-%dT%H:%M:%SZ}</EnableDate>\n"
        "      </member>\n"
        "    </MFADevices>\n"
        "  </ListMFADevicesResult>\n"
        "  <ResponseMetadata>\n"
        f"    <RequestId>{reply.request_id}</RequestId>\n"
        "  </ResponseMetadata>\n"
        "</ListMFADevicesResponse>\n"
    )
    assert reply.body == expected.encode()


def test_a_resync_is_answered_to_the_byte(line: Line, account: Account, admin: Signer) -> None:
    person = account.person()
    phone = account.enabled_phone(person.name)
    asked = {"UserName": person.name, "SerialNumber": phone.serial_number}

    done = admin.post(line, iam_form("ResyncMFADevice", **asked, **phone.pair()))
    refused = admin.post(line, iam_form("ResyncMFADevice", **asked, AuthenticationCode1="000000", AuthenticationCode2="000000"))

    assert done.status == 200
    assert re.fullmatch(r"-?\d+", done.headers["x-instep-drift-seconds"])
    expected = (
        f'<ResyncMFADeviceResponse xmlns="{IAM_SPACE}">\n'
        "  <ResponseMetadata>\n"
        f"    <RequestId>{done.request_id}</RequestId>\n"
        "  </ResponseMetadata>\n"
        "</ResyncMFADeviceResponse>\n"
    )
    assert done.body == expected.encode()
    assert refused.status == 403
    sentence = "Authentication code for device is not valid."
    assert refused.body == error_document(IAM_SPACE, "InvalidAuthenticationCode", sentence, refused.request_id)
    assert "x-instep-drift-seconds" not in refused.headers


def test_an_identity_is_answered_to_the_byte(line: Line, account: Account, root: Person) -> None:
    reply = Signer(root.access_key_id, root.secret_access_key, service="sts").post(line, WHO_AM_I)

    expected = (
        f'<GetCallerIdentityResponse xmlns="{STS_SPACE}">\n'
        "  <GetCallerIdentityResult>\n"
        f"    <Arn>arn:aws:iam::{account.account_id}:root</Arn>\n"
        f"    <UserId>{account.account_id}</UserId>\n"
        f"    <Account>{account.account_id}</Account>\n"
        "  </GetCallerIdentityResult>\n"
        "  <ResponseMetadata>\n"
        f"    <RequestId>{reply.request_id}</RequestId>\n"
        "  </ResponseMetadata>\n"
        "</GetCallerIdentityResponse>\n"
    )
    assert reply.body == expected.encode()
    extended = base64.b64decode(reply.headers["x-amz-sts-extended-request-id"], validate=True).decode()
    match = re.fullmatch(r"1:us-east-1:S:(\d{13}):R:[0-9a-f]{8}", extended)
    assert match is not None
    assert abs(datetime.fromtimestamp(int(match[1]) / 1000, UTC) - datetime.now(UTC)).total_seconds() < 60


def test_every_answer_has_a_request_id_of_its_own(line: Line, admins_sts: Signer) -> None:
    replies = [admins_sts.post(line, WHO_AM_I), admins_sts.post(line, WHO_AM_I), line.ask("GET"), line.ask("GET", "/x")]

    assert len({uuid.UUID(reply.request_id) for reply in replies}) == 4


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (b"Action=NoSuchAction&Version=2011-06-15", "Could not find operation NoSuchAction for version 2011-06-15"),
        (b"Action=NoSuchAction", "Could not find operation NoSuchAction for version NO_VERSION_SPECIFIED"),
        (b"Action=NoSuchAction&Version=", "Could not find operation NoSuchAction for version "),
        (b"Action=ListUsers&Version=2011-06-15", "Could not find operation ListUsers for version 2011-06-15"),
        (b"Action=GetCallerIdentity&Version=1999-01-01", "Could not find operation GetCallerIdentity for version 1999-01-01"),
        (b"Action=&Version=2011-06-15", "Could not find operation  for version 2011-06-15"),
        (b"Action=%3C%26%3E&Version=2011-06-15", "Could not find operation &lt;&amp;&gt; for version 2011-06-15"),
        ("Action=東京&Version=2011-06-15".encode(), "Could not find operation 東京 for version 2011-06-15"),
    ],
)
def test_an_unknown_action_or_version_is_told_to_those_who_signed(
    line: Line, admins_sts: Signer, form: bytes, message: str
) -> None:
    reply = admins_sts.post(line, form)

    assert reply.status == 400
    assert reply.body == error_document(FAULT_SPACE, "InvalidAction", message, reply.request_id)


def test_of_a_repeated_parameter_the_first_counts_and_unknown_ones_nothing(line: Line, account: Account, admin: Signer) -> None:
    person, other = account.person(), account.person()
    form = iam_form("GetUser", UserName=person.name) + iam_form("", UserName=other.name).replace(b"Action=", b"&Action=ListUsers")

    reply = admin.post(line, form + b"&Color=blue&Tags.member.1.Key=x&UserName.member.1=y")

    assert (reply.status, reply.text("UserName")) == (200, person.name)


def test_a_signed_get_answers_as_a_post_does(line: Line, admins_sts: Signer, account: Account) -> None:
    target = f"/?{WHO_AM_I.decode()}"

    reply = line.ask("GET", target, admins_sts.headers(line.host, b"", method="GET", target=target))

    assert (reply.status, reply.text("Account")) == (200, account.account_id)


def test_sts_repeats_the_value_that_it_refuses_and_iam_does_not(line: Line, account: Account, admin: Signer) -> None:
    person = account.person()
    sts = Signer(person.access_key_id, person.secret_access_key, service="sts")
    failed = "failed to satisfy constraint: Member must"

    assert sts.post(line, sts_form("GetSessionToken", DurationSeconds="899")).refusal == (
        400,
        "ValidationError",
        f"1 validation error detected: Value '899' at 'durationSeconds' {failed} have value greater than or equal to 900",
    )
    assert admin.post(line, iam_form("ListUsers", MaxItems="0", Marker="")).refusal[:2] == (400, "ValidationError")
    assert admin.post(line, iam_form("ResyncMFADevice", UserName="x", AuthenticationCode1="12345")).refusal == (
        400,
        "ValidationError",
        (
            f"3 validation errors detected: Value at 'serialNumber' {failed} not be null;"
            f" Value at 'authenticationCode1' {failed} have length greater than or equal to 6;"
            f" Value at 'authenticationCode2' {failed} not be null"
        ),
    )
    assert sts.post(line, sts_form("GetSessionToken", DurationSeconds="soon")).refusal[:2] == (400, "MalformedInput")


def test_the_log_has_a_line_for_each_request_and_repeats_nothing_of_it(server: Server, line: Line, account: Account) -> None:
    words = {f"confided-{uuid.uuid4().hex}" for _ in range(6)}
    account.secrets.words |= words
    action, version, unknown, path, query, header = words

    replies = [
        line.post(f"Action={action}&Version={version}&{unknown}={unknown}".encode()),
        line.post(f"Action={action}&Password={unknown}%zz".encode()),
        line.ask("GET", f"/{path}?{query}"),
        line.ask("GET", f"/?{query}={query}", {"Authorization": header, "Cookie": header, "X-Amz-Security-Token": header}),
        line.ask("GET", f"/?Action={action}", {"Authorization": f"AWS4-HMAC-SHA256 Credential={header}"}),
    ]

    log = server.log_text()
    assert all(reply.request_id in log for reply in replies)
    assert account.secrets.leaked_into(log) == 0
