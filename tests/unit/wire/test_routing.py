from __future__ import annotations

import pytest
from falcon.testing import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instep.api.common import SignatureDoesNotMatch
from instep.wire.received import BODY_LIMIT
from tests.unit.wire.door import FORM, REQUEST_ID, Door, client_of, fault_document, post


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("Action=NoSuchAction&Version=2011-06-15", "Could not find operation NoSuchAction for version 2011-06-15"),
        ("Action=ListUsers&Version=2011-06-15", "Could not find operation ListUsers for version 2011-06-15"),
        ("Action=ListUsers", "Could not find operation ListUsers for version NO_VERSION_SPECIFIED"),
        ("Action=ListUsers&Version=", "Could not find operation ListUsers for version "),
        ("Action=ListUsers&Version=1999-01-01", "Could not find operation ListUsers for version 1999-01-01"),
        ("Action=&Version=2011-06-15", "Could not find operation  for version 2011-06-15"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_action_or_version_that_does_not_exist_is_refused_by_the_gate(
    client: TestClient, door: Door, method: str, parameters: str, message: str
) -> None:
    door.finds_no_operation()

    result = post(client, parameters) if method == "POST" else client.simulate_get("/", query_string=parameters)

    assert result.status_code == 400
    assert result.text == fault_document("InvalidAction", message)
    assert door.asked[0].signed is not None
    assert door.asked[0].parameters == {}


def test_a_wrong_signature_wins_over_an_unknown_action(client: TestClient, door: Door) -> None:
    door.raises(SignatureDoesNotMatch("wrong"))

    assert post(client, "Action=NoSuchAction").text == fault_document("SignatureDoesNotMatch", "wrong")


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "multipart/form-data; boundary=x", "application/json"])
def test_a_post_that_is_not_a_form_goes_to_the_product_s_page(client: TestClient, door: Door, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    result = post(client, "Action=ListUsers&Version=2010-05-08", headers=headers, query_string="Action=ListUsers")

    assert (result.status_code, result.headers["location"], result.content) == (302, "https://aws.amazon.com/iam", b"")
    assert result.headers["x-amzn-requestid"] == REQUEST_ID
    assert door.asked == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "APPLICATION/X-WWW-Form-Urlencoded;charset=UTF-8",
        " application/x-www-form-urlencoded ; x",
    ],
)
def test_a_form_is_known_however_its_type_is_written(client: TestClient, door: Door, content_type: str) -> None:
    post(client, "Action=DeleteUser&Version=2010-05-08", headers={"Content-Type": content_type})

    assert len(door.asked) == 1


@pytest.mark.parametrize("body", ["", "Version=2010-05-08&UserName=Bob", "action=ListUsers"])
def test_a_post_without_action_goes_to_the_product_s_page(client: TestClient, door: Door, body: str) -> None:
    result = post(client, body, query_string="a=1")

    assert (result.status_code, result.headers["location"], result.content) == (302, "https://aws.amazon.com/iam", b"")
    assert door.asked == []


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("", "https://aws.amazon.com/iam"),
        ("Version=2010-05-08&a=%2F+b", "https://aws.amazon.com/iam?Version=2010-05-08&a=%2F+b"),
        ('a=\xe6\x9d\xb1&b="<>\r\nSet-Cookie: x', "https://aws.amazon.com/iam?a=%E6%9D%B1&b=%22%3C%3E%0D%0ASet-Cookie:%20x"),
    ],
)
def test_a_get_without_action_keeps_its_query_on_the_way_to_the_product_s_page(
    client: TestClient, door: Door, query: str, location: str
) -> None:
    result = client.simulate_get("/", query_string=query)

    assert (result.status_code, result.headers["location"], result.content) == (302, location, b"")
    assert door.asked == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/iam", "//", "/index.html", "/%2e%2e/etc/passwd", "/\u6771"])
def test_another_path_is_an_unknown_operation(client: TestClient, method: str, path: str) -> None:
    result = client.simulate_request(method, path)

    assert (result.status_code, result.content) == (404, b"<UnknownOperationException/>")
    assert result.headers["x-amzn-requestid"] == REQUEST_ID


def test_options_says_what_a_browser_may_send(client: TestClient, door: Door) -> None:
    result = client.simulate_options("/", headers={"Origin": "https://example.com"})

    assert (result.status_code, result.content) == (200, b"")
    assert result.headers["access-control-allow-origin"] == "*"
    assert result.headers["access-control-allow-methods"] == "POST"
    assert result.headers["access-control-max-age"] == "172800"
    assert door.asked == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_not_allowed(client: TestClient, door: Door, method: str) -> None:
    result = client.simulate_request(method, "/", query_string="Action=ListUsers&Version=2010-05-08")

    assert (result.status_code, result.content) == (405, b"")
    assert result.headers["allow"] == "GET, OPTIONS, POST"
    assert result.headers["x-amzn-requestid"] == REQUEST_ID
    assert door.asked == []


@pytest.mark.parametrize("length", [BODY_LIMIT + 1, 10_000_000])
def test_a_body_over_the_limit_gets_413_and_nothing_else(client: TestClient, door: Door, length: int) -> None:
    result = post(client, b"Action=ListUsers&Version=2010-05-08&x=".ljust(length, b"x"))

    assert (result.status_code, result.content) == (413, b"")
    assert door.asked == []


def test_a_body_at_the_limit_is_served(client: TestClient, door: Door) -> None:
    post(client, b"Action=DeleteUser&Version=2010-05-08&x=".ljust(BODY_LIMIT, b"x"))

    assert len(door.asked) == 1


def test_nothing_is_done_for_a_client_that_left_in_the_middle(client: TestClient, door: Door) -> None:
    body = "Action=DeleteUser&Version=2010-05-08&UserName=Bob"

    result = post(client, body, headers={"Content-Type": FORM, "Content-Length": str(len(body) + 4)})

    assert result.status_code == 400
    assert result.text == fault_document("MalformedQueryString", "The body of the request is shorter than its Content-Length.")
    assert door.asked == []


def test_a_form_that_cannot_be_read_is_refused_in_words(client: TestClient, door: Door) -> None:
    for body in (b"Action=ListUsers&a=\xff", b"Action=ListUsers&a=%ff"):
        assert post(client, body).text == fault_document("MalformedQueryString", "The request holds bytes that are not UTF-8.")
    for body in (b"a=1&" * 100_000, b"&".join(b"a%d=" % n for n in range(100_000))):
        assert post(client, body).text == fault_document("MalformedQueryString", "The request holds more than 10000 parameters.")
    assert door.asked == []


@given(
    method=st.sampled_from(["GET", "POST"]),
    body=st.binary(max_size=200) | st.binary(max_size=50).map(b"Action=ListUsers&Version=2010-05-08&".__add__),
    query=st.binary(max_size=40).map(lambda raw: raw.decode("latin-1").removeprefix("?")),
    content_type=st.sampled_from([FORM, "", "text/plain"]) | st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_of_a_stranger_end_in_a_failure_of_ours(method: str, body: bytes, query: str, content_type: str) -> None:
    door = Door()
    door.finds_no_operation()

    result = client_of(door).simulate_request(method, "/", body=body, query_string=query, headers={"Content-Type": content_type})

    assert result.status_code in (302, 400)
