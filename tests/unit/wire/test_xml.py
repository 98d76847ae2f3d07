from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instep.api.shape import OperationModel, ServiceModel, wire
from instep.wire.xml import FAULT_NAMESPACE, error_document, escaped, result_document
from tests.unit.wire.values import OPERATIONS, VENDOR, instances, parsed, printable, readable_members

REQUEST_ID = "7a62c49f-347e-4fc4-9331-6e8eEXAMPLE"


class Color(StrEnum):
    RED = "Red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    user_name: str = field(metadata=wire("UserName"))
    serial_number: str = field(metadata=wire("SerialNumber"))
    enable_date: datetime = field(metadata=wire("EnableDate"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDevicesResponse:
    is_truncated: bool | None = field(default=None, metadata=wire("IsTruncated"))
    devices: tuple[Device, ...] = field(metadata=wire("MFADevices"))
    marker: str | None = field(default=None, metadata=wire("Marker"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    note: str | None = field(default=None, metadata=wire("Note"))


@dataclass(frozen=True, slots=True, kw_only=True)
class EverythingResponse:
    text: str | None = field(default=None, metadata=wire("Text"))
    number: int | None = field(default=None, metadata=wire("Number"))
    flag: bool | None = field(default=None, metadata=wire("Flag"))
    at: datetime | None = field(default=None, metadata=wire("At"))
    picture: bytes | None = field(default=None, metadata=wire("Picture"))
    color: Color | None = field(default=None, metadata=wire("Color"))
    words: tuple[str, ...] | None = field(default=None, metadata=wire("Words"))
    sums: Mapping[str, int] | None = field(default=None, metadata=wire("Sums"))
    nothing: Nothing | None = field(default=None, metadata=wire("Nothing"))


DEVICES = OperationModel(name="ListMFADevices", input=None, output=ListDevicesResponse, errors=())
RESYNC = OperationModel(name="ResyncMFADevice", input=None, output=None, errors=())
EVERYTHING = OperationModel(name="Everything", input=None, output=EverythingResponse, errors=())
SERVICE = ServiceModel(
    name="iam",
    version="2010-05-08",
    namespace="https://iam.amazonaws.com/doc/2010-05-08/",
    operations=MappingProxyType({operation.name: operation for operation in (DEVICES, RESYNC, EVERYTHING)}),
)


def everything(response: EverythingResponse) -> str:
    """What stands in the result element of an answer."""
    document = result_document(SERVICE, EVERYTHING, response, REQUEST_ID).decode()
    return document.partition("\n")[2].partition("  <ResponseMetadata>")[0]


def test_a_result_is_written_as_aws_writes_it() -> None:
    bob = Device(
        user_name="Bob",
        serial_number="arn:aws:iam::123456789012:mfa/Bob",
        enable_date=datetime(2019, 10, 28, 20, 37, 9, 999_999, tzinfo=UTC),
    )

    document = result_document(SERVICE, DEVICES, ListDevicesResponse(is_truncated=False, devices=(bob,)), REQUEST_ID)

    assert document == (
        b'<ListMFADevicesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">\n'
        b"  <ListMFADevicesResult>\n"
        b"    <IsTruncated>false</IsTruncated>\n"
        b"    <MFADevices>\n"
        b"      <member>\n"
        b"        <UserName>Bob</UserName>\n"
        b"        <SerialNumber>arn:aws:iam::123456789012:mfa/Bob</SerialNumber>\n"
        b"        <EnableDate>2019-10-28T20:37:09Z</EnableDate>\n"
        b"      </member>\n"
        b"    </MFADevices>\n"
        b"  </ListMFADevicesResult>\n"
        b"  <ResponseMetadata>\n"
        b"    <RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId>\n"
        b"  </ResponseMetadata>\n"
        b"</ListMFADevicesResponse>\n"
    )


def test_an_operation_without_output_has_no_result_element() -> None:
    assert result_document(SERVICE, RESYNC, None, REQUEST_ID) == (
        b'<ResyncMFADeviceResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">\n'
        b"  <ResponseMetadata>\n"
        b"    <RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId>\n"
        b"  </ResponseMetadata>\n"
        b"</ResyncMFADeviceResponse>\n"
    )


def test_an_error_has_its_request_id_beside_it() -> None:
    document = error_document(
        namespace=SERVICE.namespace,
        fault="Sender",
        code="InvalidAuthenticationCode",
        message="Authentication code for device is not valid.",
        request_id=REQUEST_ID,
    )

    assert document == (
        b'<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">\n'
        b"  <Error>\n"
        b"    <Type>Sender</Type>\n"
        b"    <Code>InvalidAuthenticationCode</Code>\n"
        b"    <Message>Authentication code for device is not valid.</Message>\n"
        b"  </Error>\n"
        b"  <RequestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</RequestId>\n"
        b"</ErrorResponse>\n"
    )


def test_every_kind_of_value_has_its_form() -> None:
    response = EverythingResponse(
        text='<"Ä&é">',
        number=-7,
        flag=True,
        at=datetime(2026, 11, 23, 15, 0, tzinfo=timezone(timedelta(hours=9))),
        picture=b"\x89PNG",
        color=Color.RED,
        words=("a", ""),
        sums={"Users": 3, "x&y": 0},
        nothing=Nothing(note="n"),
    )

    assert everything(response) == (
        "  <EverythingResult>\n"
        '    <Text>&lt;"Ä&amp;é"&gt;</Text>\n'
        "    <Number>-7</Number>\n"
        "    <Flag>true</Flag>\n"
        "    <At>2026-11-23T06:00:00Z</At>\n"
        "    <Picture>iVBORw==</Picture>\n"
        "    <Color>Red</Color>\n"
        "    <Words>\n"
        "      <member>a</member>\n"
        "      <member></member>\n"
        "    </Words>\n"
        "    <Sums>\n"
        "      <entry>\n"
        "        <key>Users</key>\n"
        "        <value>3</value>\n"
        "      </entry>\n"
        "      <entry>\n"
        "        <key>x&amp;y</key>\n"
        "        <value>0</value>\n"
        "      </entry>\n"
        "    </Sums>\n"
        "    <Nothing>\n"
        "      <Note>n</Note>\n"
        "    </Nothing>\n"
        "  </EverythingResult>\n"
    )


def test_what_is_not_there_is_left_out_and_what_is_empty_is_not() -> None:
    assert everything(EverythingResponse()) == "  <EverythingResult/>\n"
    assert everything(EverythingResponse(text="", words=(), sums={}, nothing=Nothing())) == (
        "  <EverythingResult>\n    <Text></Text>\n    <Words/>\n    <Sums/>\n    <Nothing/>\n  </EverythingResult>\n"
    )


@given(st.text(st.characters()) | st.text(st.sampled_from("\x00\x07\x0b\x1b\x7f\x85\r\n\t&<>\"']\ud800\udfff\ufffe\uffff\u2028")))
def test_no_text_can_break_a_document(text: str) -> None:
    element = ET.fromstring(f"<x>{escaped(text)}</x>")

    expected = printable("".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text))
    assert (element.text or "") == expected
    escaped(text).encode()


@given(st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_botocore_reads_every_result_as_it_was_meant(data: st.DataObject) -> None:
    service, operation = data.draw(st.sampled_from([pair for pair in OPERATIONS if pair[1].output]))
    assert operation.output is not None
    result = data.draw(instances(operation.output))

    document = result_document(service, operation, result, REQUEST_ID)

    shape = VENDOR[service.name].operation_model(operation.name).output_shape
    answer = parsed(document, 200, shape)
    assert answer.pop("ResponseMetadata")["RequestId"] == REQUEST_ID
    assert answer == readable_members(result, operation.output)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=lambda model: model.name)
@given(data=st.data())
@settings(max_examples=1, suppress_health_check=list(HealthCheck))
def test_botocore_reads_every_member_of_every_operation(
    data: st.DataObject, service: ServiceModel, operation: OperationModel
) -> None:
    result = data.draw(instances(operation.output, complete=True)) if operation.output else None

    document = result_document(service, operation, result, REQUEST_ID)

    shape = VENDOR[service.name].operation_model(operation.name).output_shape
    answer = parsed(document, 200, shape)
    assert answer.pop("ResponseMetadata")["RequestId"] == REQUEST_ID
    assert answer == (readable_members(result, operation.output) if operation.output else {})


@given(st.text(min_size=1), st.sampled_from(["Sender", "Receiver"]))
def test_botocore_reads_every_error_message(message: str, fault: str) -> None:
    document = error_document(
        namespace=FAULT_NAMESPACE, fault=fault, code="ValidationError", message=message, request_id=REQUEST_ID
    )

    answer = parsed(document, 400)

    assert answer["Error"] == {"Type": fault, "Code": "ValidationError", "Message": printable(message)}
    assert answer["ResponseMetadata"]["RequestId"] == REQUEST_ID
