"""The door: who is turned away where, what is undone, and what is written down."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from instep.api.common import (
    AWSError,
    InvalidAction,
    InvalidClientTokenId,
    MissingAuthenticationToken,
    SignatureDoesNotMatch,
    ValidationError,
)
from instep.api.errors import InvalidAuthenticationCode, LimitExceeded
from instep.api.iam import IAM
from instep.domain.drift import Source
from instep.domain.sigv4 import HTTPRequest
from instep.services.faults import Fault
from instep.services.gate import Answer, Request
from instep.services.trail import Trail
from tests.support.house import ACCOUNT, House


def signed(home: House, access_key_id: str, secret: str, action: str, body: bytes = b"", **tampered: str) -> Request:
    """A request as botocore signs it at the house's own time."""
    aws = AWSRequest("POST", "http://localhost:8700/", headers={"Host": "localhost:8700"}, data=body)
    at = home.clock.now.strftime("%Y%m%dT%H%M%SZ")
    aws.context["timestamp"] = at
    aws.headers["X-Amz-Date"] = at
    signer = SigV4Auth(Credentials(access_key_id, secret), "iam", "ap-northeast-1")
    signature = signer.signature(signer.string_to_sign(aws, signer.canonical_request(aws)), aws)
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={access_key_id}/{signer.credential_scope(aws)},"
        f" SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    headers = {"host": "localhost:8700", "x-amz-date": at, "authorization": authorization, **tampered}
    return Request(
        service=IAM,
        action=action,
        version=IAM.version,
        parameters={"UserName": "Made"},
        request_id="r",
        source_ip="192.0.2.7",
        user_agent="tests",
        signed=HTTPRequest("POST", "/", "", tuple(headers.items()), body),
    )


def key_of(home: House, user_name: str | None = None) -> tuple[str, str]:
    named = {"UserName": user_name} if user_name else {}
    key = home.call("iam:CreateAccessKey", **named).access_key
    return key.access_key_id, key.secret_access_key


def test_a_signed_request_of_root_is_answered_and_its_key_is_known_to_be_used(home: House) -> None:
    key_id, secret = key_of(home)

    answer = home.service.gate.run(signed(home, key_id, secret, "CreateUser"))

    assert isinstance(answer, Answer)
    assert answer.principal.arn == f"arn:aws:iam::{ACCOUNT}:root"
    home.service.trail.flush()
    used = home.call("iam:GetAccessKeyLastUsed", AccessKeyId=key_id).access_key_last_used
    assert (used.service_name, used.region, used.last_used_date) == ("iam", "ap-northeast-1", home.clock.now)


def test_strangers_write_nothing_and_never_wait_for_the_writers_lock(home: House) -> None:
    key_id, _ = key_of(home)
    before = len(home.events())
    unknown = signed(home, "AKIA0000000000000000", "x" * 40, "CreateUser")
    forged = signed(home, key_id, "x" * 40, "CreateUser")
    unsigned = replace(unknown, signed=HTTPRequest("POST", "/", "", (("host", "localhost"),), b""))
    entered, leave = threading.Event(), threading.Event()

    def hold(_tx: object) -> None:
        entered.set()
        leave.wait(60)

    writer = threading.Thread(target=home.service.store.write, args=(hold,))
    writer.start()
    entered.wait(60)
    try:
        for request, error in (
            (unknown, InvalidClientTokenId),
            (forged, SignatureDoesNotMatch),
            (unsigned, MissingAuthenticationToken),
        ):
            with pytest.raises(error):
                home.service.gate.run(request)
    finally:
        leave.set()
        writer.join()

    assert len(home.events()) == before


def test_an_unknown_action_is_told_to_known_callers_only(home: House) -> None:
    key_id, secret = key_of(home)
    known = signed(home, key_id, secret, "NoSuchAction")
    with pytest.raises(InvalidAction, match="Could not find operation NoSuchAction for version 2010-05-08"):
        home.service.gate.run(known)
    with pytest.raises(InvalidAction, match="Could not find operation NoSuchAction for version NO_VERSION_SPECIFIED"):
        home.service.gate.run(replace(known, service=None, version=None))
    with pytest.raises(InvalidAction, match="CreateSAMLProvider of version 2010-05-08 is known but not built"):
        home.service.gate.run(replace(known, action="CreateSAMLProvider"))
    with pytest.raises(SignatureDoesNotMatch):
        home.service.gate.run(replace(signed(home, key_id, "x" * 40, "NoSuchAction"), service=None))


def test_only_scopes_that_a_signature_has_proven_are_remembered(home: House) -> None:
    from instep.services import authenticate

    key_id, secret = key_of(home)
    remembered = authenticate._scoped_keys._keys
    remembered.clear()
    with pytest.raises(SignatureDoesNotMatch):
        home.service.gate.run(signed(home, key_id, "x" * 40, "ListUsers"))
    assert not remembered

    for _ in range(2):
        home.service.gate.run(signed(home, key_id, secret, "ListUsers"))
    assert len(remembered) == 1
    with pytest.raises(SignatureDoesNotMatch):
        home.service.gate.run(signed(home, key_id, "x" * 40, "ListUsers"))


def test_a_deactivated_key_is_refused_at_once(home: House) -> None:
    home.user("Richard")
    key_id, secret = key_of(home, "Richard")
    home.call("iam:UpdateAccessKey", UserName="Richard", AccessKeyId=key_id, Status="Inactive")

    with pytest.raises(InvalidClientTokenId, match=r"The security token included in the request is invalid\."):
        home.service.gate.run(signed(home, key_id, secret, "CreateUser"))


def test_a_refusal_undoes_what_the_handler_wrote_and_keeps_the_event(home: House) -> None:
    home.user("Richard")
    for number in range(8):
        home.enabled_device("Richard", f"device-{number}")
    ninth, device = home.virtual_device("ninth")

    with pytest.raises(LimitExceeded):
        home.enable("Richard", ninth, device)

    event = home.events()[-1]
    assert (event["eventName"], event["errorCode"], event["readOnly"]) == ("EnableMFADevice", "LimitExceededException", False)
    assert home.call("iam:ListVirtualMFADevices", AssignmentStatus="Unassigned").virtual_mfa_devices[0].serial_number == ninth


def test_a_refused_code_stays_counted_though_the_refusal_undoes_the_rest(home: House) -> None:
    richard = home.user("Richard")
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")
    for _ in range(3):
        with pytest.raises(AWSError):
            home.session(richard, serial_number, "000000")

    device = home.service.store.read(lambda tx: tx.mfa_devices.find(ACCOUNT, serial_number))

    assert device is not None
    assert device.misses.codes == 3
    assert [sighting.source for sighting in home.service.store.read(lambda tx: tx.mfa_devices.sightings(device))] == [
        Source.ENABLE
    ]


def test_events_have_cloudtrails_shape_and_no_secret(home: House) -> None:
    richard = home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(minutes=1)
    credentials = home.session(richard, serial_number, device.code(home.clock.now))
    home.call("iam:ListMFADevices", UserName="Richard")

    events = home.events()

    text = json.dumps(events)
    for secret in (device.token.base32, credentials.secret_access_key, credentials.session_token):
        assert secret not in text
    session = next(event for event in events if event["eventName"] == "GetSessionToken")
    assert session["eventSource"] == "sts.amazonaws.com"
    assert session["requestParameters"] == {"serialNumber": serial_number}
    assert session["responseElements"]["credentials"]["accessKeyId"] == credentials.access_key_id
    assert session["userIdentity"] == {
        "type": "IAMUser",
        "principalId": richard.holder_id,
        "arn": richard.arn,
        "accountId": ACCOUNT,
        "accessKeyId": richard.access_key_id,
        "userName": "Richard",
    }
    assert [event["eventName"] for event in events if event["readOnly"]] == ["ListMFADevices"]
    enabled = next(event for event in events if event["eventName"] == "EnableMFADevice")
    assert (enabled["requestParameters"], enabled["responseElements"]) == (
        {"userName": "Richard", "serialNumber": serial_number},
        None,
    )


def test_what_does_not_pass_validation_is_not_kept(home: House) -> None:
    with pytest.raises(AWSError):
        home.call("iam:EnableMFADevice", UserName="123456", SerialNumber="654321", AuthenticationCode1="246802")

    event = home.events()[-1]

    assert (event["errorCode"], event["requestParameters"]) == ("ValidationException", None)
    assert "246802" not in json.dumps(event)


def test_what_a_caller_sends_does_not_fill_the_trail_or_the_answer(home: House) -> None:
    richard = home.user("Richard")
    with pytest.raises(ValidationError) as caught:
        home.call("sts:GetSessionToken", richard, SerialNumber="a" * 1_000_000, TokenCode="123456")
    assert len(caught.value.message) < 5000
    with pytest.raises(InvalidAction) as unknown:
        home.service.gate.run(
            Request(
                service=None,
                action="x" * 1_000_000,
                version="v" * 1_000_000,
                parameters={},
                request_id="request-999999",
                source_ip="192.0.2.7",
                user_agent="u" * 1_000_000,
                principal=richard,
            )
        )
    assert len(unknown.value.message) < 1000

    assert all(len(json.dumps(event)) < 4000 for event in home.events())


def test_a_code_in_the_place_of_a_serial_number_is_not_kept(home: House) -> None:
    richard = home.user("Richard")
    with pytest.raises(ValidationError) as caught:
        home.call("sts:GetSessionToken", richard, SerialNumber="246802", TokenCode="arn:aws:iam::123456789012:mfa/x")
    assert "Value '246802' at 'serialNumber' failed" in caught.value.message

    assert "246802" not in json.dumps(home.events()[-1])


def test_a_claim_is_counted_before_anything_is_evaluated(home: House) -> None:
    """Of many wrong pairs at once no more are looked at than the hour allows."""
    home.user("Richard")
    serial_number, _ = home.enabled_device("Richard", "RichardsMFA")
    reasons: list[str | None] = []

    def guess(number: int) -> None:
        try:
            home.call(
                "iam:ResyncMFADevice",
                UserName="Richard",
                SerialNumber=serial_number,
                AuthenticationCode1=f"{number:06d}",
                AuthenticationCode2=f"{number + 1:06d}",
            )
        except InvalidAuthenticationCode as refusal:
            reasons.append(refusal.reason)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert reasons.count("waiting") == 15
    assert len(reasons) == 25


def test_the_log_names_a_known_caller_who_was_refused(home: House) -> None:
    richard = home.user("Richard")
    with pytest.raises(AWSError) as caught:
        home.call("iam:ListUsers", richard)

    assert caught.value.caller == richard.arn


def test_a_read_that_cannot_be_accounted_for_is_not_answered(home: House) -> None:
    trail = Trail(home.service.store, length=1, patience=timedelta(0))
    event = home.service.store.read(lambda tx: tx.audit_events.latest(None, limit=1))[0]
    trail.later(replace(event, event_id="one"))

    with pytest.raises(Fault, match="The audit trail cannot be written quickly enough"):
        trail.later(replace(event, event_id="two"))

    trail.flush()
    trail.later(replace(event, event_id="two"))
    trail.flush()
    assert {"one", "two"} <= {kept.event_id for kept in home.service.store.read(lambda tx: tx.audit_events.latest(None, limit=9))}


def test_the_trails_thread_writes_without_being_asked_and_stops_with_nothing_left(home: House) -> None:
    trail = Trail(home.service.store, length=10, patience=timedelta(seconds=5))
    event = home.service.store.read(lambda tx: tx.audit_events.latest(None, limit=1))[0]
    trail.start()
    for number in range(25):
        trail.later(replace(event, event_id=f"thread-{number}"))
    trail.stop()

    kept = {kept.event_id for kept in home.service.store.read(lambda tx: tx.audit_events.latest(None, limit=100))}
    assert {f"thread-{number}" for number in range(25)} <= kept


def test_only_somebody_else_is_told_why_a_pair_was_refused(home: House) -> None:
    home.user("Richard")
    serial_number, device = home.enabled_device("Richard", "RichardsMFA")
    for principal, headers in ((home.root, {"x-instep-reason": "spent"}), (home.owner("Richard"), {})):
        with pytest.raises(InvalidAuthenticationCode) as caught:
            home.resync("Richard", serial_number, device, principal)
        assert caught.value.headers == headers


def test_ids_are_of_awss_forms() -> None:
    from instep.domain import ids

    assert len(ids.account_id(os.urandom)) == 12
    assert len(ids.temporary_access_key_id(os.urandom)) == 20
    assert len(ids.secret_access_key(os.urandom)) == 40


def test_an_event_does_not_keep_more_than_a_trail_can_bear(home: House) -> None:
    document = '{"Version": "2012-10-17", "Statement": []}'.ljust(40_000)
    home.call("iam:CreateUser", UserName="Richard")
    with pytest.raises(AWSError):
        home.call("iam:SimulateCustomPolicy", PolicyInputList=[document] * 3, ActionNames=["iam:ListUsers"])

    assert home.events()[-1]["requestParameters"] == {"omitted": True, "originalSize": 120_013}
