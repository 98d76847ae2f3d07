from __future__ import annotations

import json
from base64 import b64decode
from urllib.parse import urlencode

from falcon.testing import TestClient
from hypothesis import given
from hypothesis import strategies as st
from structlog.typing import EventDict

from instep.api.common import SignatureDoesNotMatch, ValidationError
from instep.api.iam import IAM
from instep.api.sts import STS
from instep.services.faults import Fault
from instep.services.gate import Answer, Request
from tests.unit.wire.door import DEVICES, FORM, IDENTITY, REQUEST_ID, Door, Teapot, client_of, post
from tests.unit.wire.values import parsed, printable


def test_an_answer_is_a_document_with_its_request_id_beside_it(client: TestClient, door: Door) -> None:
    door.answers(DEVICES)

    result = post(client, "Action=ListMFADevices&Version=2010-05-08&UserName=Bob")

    assert result.status_code == 200
    assert result.text == (
        '<ListMFADevicesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">\n'
        "  <ListMFADevicesResult>\n"
        "    <IsTruncated>false</IsTruncated>\n"
        "    <MFADevices>\n"
        "      <member>\n"
        "        <UserName>Bob</UserName>\n"
        "        <SerialNumber>arn:aws:iam::123456789012:mfa/Bob</SerialNumber>\n"
        "        <EnableDate>2019-10-28T20:37:09Z</EnableDate>\n"
        "      </member>\n"
        "    </MFADevices>\n"
        "  </ListMFADevicesResult>\n"
        "  <ResponseMetadata>\n"
        f"    <RequestId>{REQUEST_ID}</RequestId>\n"
        "  </ResponseMetadata>\n"
        "</ListMFADevicesResponse>\n"
    )
    assert result.headers["content-type"] == "text/xml"
    assert result.headers["x-amzn-requestid"] == REQUEST_ID
    assert "x-amz-sts-extended-request-id" not in result.headers


def test_the_gate_is_asked_with_everything_that_came(client: TestClient, door: Door) -> None:
    body = "Action=TagUser&Version=2010-05-08&UserName=Bob&Tags.member.1.Key=k&Tags.member.1.Value=v&Other=1"

    post(
        client,
        body,
        query_string="x=%2F",
        protocol="https",
        host="id.example.com",
        remote_addr="192.0.2.7",
        headers={"Content-Type": FORM, "User-Agent": "aws-cli/2", "X-Amz-Date": "20261123T151532Z"},
    )

    (asked,) = door.asked
    assert (asked.service, asked.action, asked.version) == (IAM, "TagUser", "2010-05-08")
    assert asked.parameters == {"UserName": "Bob", "Tags": [{"Key": "k", "Value": "v"}]}
    assert (asked.request_id, asked.source_ip, asked.user_agent) == (REQUEST_ID, "192.0.2.7", "aws-cli/2")
    assert asked.principal is None
    assert asked.signed is not None
    assert (asked.signed.method, asked.signed.path, asked.signed.query) == ("POST", "/", "x=%2F")
    assert asked.signed.body == body.encode()
    headers = dict(asked.signed.headers)
    assert headers["host"] == "id.example.com"
    assert headers["content-type"] == FORM
    assert headers["content-length"] == str(len(body))
    assert headers["x-amz-date"] == "20261123T151532Z"


def test_get_takes_its_parameters_from_the_query_and_presigning_adds_none(client: TestClient, door: Door) -> None:
    door.answers(IDENTITY)
    query = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Signature=00"

    result = client.simulate_get("/", query_string=query)

    assert result.status_code == 200
    assert door.asked[0].parameters == {}
    assert door.asked[0].signed is not None
    assert door.asked[0].signed.query == query


def test_a_post_may_name_its_action_in_the_query_and_the_body_comes_first(client: TestClient, door: Door) -> None:
    post(client, "UserName=Body", query_string="Action=DeleteUser&Version=2010-05-08&UserName=Query")

    assert door.asked[0].action == "DeleteUser"
    assert door.asked[0].parameters == {"UserName": "Body"}


def test_the_first_action_and_version_win(client: TestClient, door: Door) -> None:
    door.answers(IDENTITY)

    post(client, "Action=GetCallerIdentity&Version=2011-06-15&Action=DeleteUser&Version=2010-05-08")

    assert (door.asked[0].service, door.asked[0].action) == (STS, "GetCallerIdentity")


def test_sts_adds_its_extended_request_id_to_answers_and_refusals(client: TestClient, door: Door) -> None:
    door.answers(IDENTITY)
    answered = post(client, "Action=GetCallerIdentity&Version=2011-06-15")
    door.raises(ValidationError("no"))
    refused = post(client, "Action=GetCallerIdentity&Version=2011-06-15")

    for result in (answered, refused):
        assert b64decode(result.headers["x-amz-sts-extended-request-id"]) == b"1:us-east-1:S:1795446932123:R:4a1b2c3d"


def test_headers_of_answers_and_refusals_are_sent(client: TestClient, door: Door) -> None:
    door.answers(None, {"x-instep-drift-seconds": "-1200"})
    assert post(client, "Action=ResyncMFADevice&Version=2010-05-08").headers["x-instep-drift-seconds"] == "-1200"

    refusal = ValidationError("no")
    refusal.headers = {"x-instep-reason": "spent"}
    door.raises(refusal)
    assert post(client, "Action=ResyncMFADevice&Version=2010-05-08").headers["x-instep-reason"] == "spent"


def test_a_refusal_has_the_status_and_the_namespace_of_its_service(client: TestClient, door: Door) -> None:
    door.raises(SignatureDoesNotMatch("<&>"))

    result = post(client, "Action=ResyncMFADevice&Version=2010-05-08")

    assert result.status_code == 403
    assert result.text == (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">\n'
        "  <Error>\n"
        "    <Type>Sender</Type>\n"
        "    <Code>SignatureDoesNotMatch</Code>\n"
        "    <Message>&lt;&amp;&gt;</Message>\n"
        "  </Error>\n"
        f"  <RequestId>{REQUEST_ID}</RequestId>\n"
        "</ErrorResponse>\n"
    )


def test_our_own_failure_says_what_it_may_and_the_log_where_it_arose(
    client: TestClient, door: Door, lines: list[EventDict]
) -> None:
    door.raises(Fault("The disk is full."))

    result = post(client, "Action=ListUsers&Version=2010-05-08")

    assert result.status_code == 500
    answer = parsed(result.content, 500)
    assert answer["Error"] == {"Type": "Receiver", "Code": "ServiceFailure", "Message": "The disk is full."}
    assert answer["ResponseMetadata"]["RequestId"] == REQUEST_ID
    failed, request = lines
    assert (failed["log_level"], failed["request_id"], failed["failure"]) == ("error", REQUEST_ID, "The disk is full.")
    assert "in refuse" in failed["traceback"]
    assert failed["traceback"].endswith("instep.services.faults.Fault\n")
    assert (request["status"], request["error"]) == (500, "ServiceFailure")


def test_a_failure_nobody_foresaw_tells_no_secret_to_client_or_log(
    client: TestClient, door: Door, lines: list[EventDict]
) -> None:
    def fail(request: Request) -> Answer:
        code = request.parameters["AuthenticationCode1"]
        try:
            raise KeyError(code)
        except KeyError as error:
            raise RuntimeError(f"no such code: {code}") from error

    door.answer = fail

    result = post(client, "Action=ResyncMFADevice&Version=2010-05-08&AuthenticationCode1=755224")

    assert result.status_code == 500
    assert "The request processing has failed because of an unknown error, exception or failure." in result.text
    assert "Traceback" not in result.text
    assert "builtins.KeyError\n" in lines[0]["traceback"]
    assert lines[0]["traceback"].endswith("builtins.RuntimeError\n")
    assert "755224" not in result.text
    assert "755224" not in json.dumps(lines)


def test_an_answer_that_cannot_be_written_is_our_failure(client: TestClient, door: Door) -> None:
    door.answers(None)

    assert post(client, "Action=ListUsers&Version=2010-05-08").status_code == 500
    assert post(client, "Action=NoSuchAction&Version=2010-05-08").status_code == 500


def test_each_request_is_one_line_without_its_parameters(client: TestClient, door: Door, lines: list[EventDict]) -> None:
    door.answers(DEVICES)
    post(client, "Action=ListMFADevices&Version=2010-05-08&UserName=Secret", remote_addr="192.0.2.7")

    (line,) = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "request_id": REQUEST_ID,
        "method": "POST",
        "operation": "iam:ListMFADevices",
        "principal": "arn:aws:iam::123456789012:root",
        "source_ip": "192.0.2.7",
        "status": 200,
        "error": None,
    }


def test_an_action_nobody_knows_is_not_written_down(client: TestClient, door: Door, lines: list[EventDict]) -> None:
    door.finds_no_operation()
    post(client, "Action=hunter2&Version=2010-05-08")
    post(client, urlencode({"Action": "ListUsers", "Version": "hunter2"}))
    client.simulate_get("/hunter2", query_string="hunter2")

    assert len(lines) == 3
    assert "hunter2" not in json.dumps(lines)
    assert [line["operation"] for line in lines] == [None, None, None]
    assert [line["error"] for line in lines] == ["InvalidAction", "InvalidAction", "UnknownOperationException"]


@given(st.text(), st.text())
def test_whatever_a_message_holds_the_document_can_be_read(action: str, message: str) -> None:
    door = Door()

    def refuse(request: Request) -> Answer:
        raise Teapot(message + request.action)

    door.answer = refuse

    result = post(client_of(door), urlencode({"Action": action, "Version": "2010-05-08"}))

    answer = parsed(result.content, 418)
    assert result.status_code == 418
    # With nothing to say there is no element, as AWS answers.
    assert answer["Error"].get("Message", "") == printable(message + action)
