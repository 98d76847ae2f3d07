"""Security keys at sign-in and their registration: a challenge for one answer, soon; and a trail without what a key says."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from instep.api.common import AccessDenied, ValidationError
from instep.api.errors import EntityAlreadyExists, LimitExceeded, NoSuchEntity
from instep.domain.sign_in import Next, State
from instep.services.signin.refusals import CodeRefused, SecurityKeyNotAccepted, SessionExpired
from instep.services.signin.relying_party import relying_party
from instep.settings import Settings
from tests.support.authenticator import Authenticator, b64, passkey, private_key, u2f_key
from tests.support.house import ACCOUNT, House
from tests.unit.services.signin.people import answer, call, enter, enter_root, prompted, shown, state_of, submit, with_password

ORIGIN = "http://localhost:8700"


def options(home: House, session_id: str) -> Any:
    return json.loads(call(home, "signin:StartSecurityKey", session_id).options)


def prove(home: House, session_id: str, reply: str) -> Any:
    return call(home, "signin:SubmitSecurityKey", session_id, Answer=reply)


def refused(home: House, session_id: str, reply: str) -> str | None:
    with pytest.raises(SecurityKeyNotAccepted) as caught:
        prove(home, session_id, reply)
    return caught.value.reason


def new_key(home: House, session_id: str, **target: str) -> Any:
    """The options that a new key is asked with."""
    return json.loads(call(home, "signin:StartSecurityKeyRegistration", session_id, Name="yubi", **target).options)


def register(home: House, session_id: str, reply: str, **target: str) -> str:
    done = call(home, "signin:RegisterSecurityKey", session_id, Name="yubi", Answer=reply, **target)
    return str(done.serial_number)


def registration_refused(home: House, session_id: str, reply: str, **target: str) -> str | None:
    with pytest.raises(SecurityKeyNotAccepted) as caught:
        register(home, session_id, reply, **target)
    return caught.value.reason


def signed_in(home: House, name: str = "Richard") -> str:
    """The session of a new user who may enable devices of anybody's."""
    with_password(home, name)
    home.allow(name, "iam:EnableMFADevice")
    return enter(home, name).session_id


def with_key(home: House, name: str = "Richard", key: Authenticator | None = None) -> tuple[str, Authenticator]:
    """A new user with a password and a registered key: its serial number, and the key."""
    key = key or Authenticator(origin=ORIGIN)
    session_id = signed_in(home, name)
    return register(home, session_id, key.register(new_key(home, session_id))), key


def kept(home: House, serial_number: str) -> Any:
    return home.service.store.read(lambda tx: tx.security_keys.find(ACCOUNT, serial_number))


# Signing in


@pytest.mark.parametrize("key", [Authenticator(), u2f_key(), passkey()], ids=["FIDO2", "U2F", "passkey"])
def test_password_and_key_sign_in_with_mfa(home: House, key: Authenticator) -> None:
    serial_number, key = with_key(home, key=key.but(origin=ORIGIN))
    home.clock.advance(seconds=5)
    entered = enter(home)
    assert entered.next is Next.MFA

    done = prove(home, entered.session_id, key.prove(options(home, entered.session_id)))

    assert done.next is Next.HOME
    session = home.service.sign_in.session(done.session_id)
    assert session is not None
    now = home.clock.now.replace(microsecond=0)
    assert (session.state, session.principal.mfa_present, session.principal.mfa_at) == (State.SIGNED_IN, True, now)
    row = home.service.store.read(lambda tx: tx.sign_ins.find_by_key(ACCOUNT, session.principal.access_key_id or ""))
    assert row is not None
    assert row.mfa_serial == serial_number
    assert (kept(home, serial_number).credential.sign_count, kept(home, serial_number).last_used_at) == (key.counter, now)
    login = home.events()[-1]
    assert (login["eventName"], login["eventSource"], login["responseElements"]) == (
        "ConsoleLogin",
        "signin.amazonaws.com",
        {"ConsoleLogin": "Success"},
    )
    assert login["additionalEventData"] == {
        "LoginTo": f"{ORIGIN}/console/",
        "MobileVersion": "No",
        "MFAUsed": "Yes",
        "MFAIdentifier": serial_number,
    }
    assert state_of(home, entered.session_id) is None


def test_any_of_the_holders_keys_will_do_and_only_theirs_are_asked(home: House) -> None:
    session_id = signed_in(home)
    first = Authenticator(origin=ORIGIN)
    second = Authenticator(key=private_key(-7, 1), credential_id=b"the second", origin=ORIGIN)
    for key in (first, second):
        register(home, session_id, key.register(new_key(home, session_id)))
    stranger = Authenticator(key=private_key(-7, 2), credential_id=b"somebody else's", origin=ORIGIN)
    with_key(home, "Mary", stranger)
    here = enter(home).session_id

    asked = options(home, here)

    assert {one["id"] for one in asked["allowCredentials"]} == {b64(first.credential_id), b64(second.credential_id)}
    assert refused(home, here, stranger.prove(asked)) == "unknown-credential"
    assert "MFAIdentifier" not in home.events()[-1]["additionalEventData"]
    assert prove(home, here, second.prove(options(home, here))).next is Next.HOME


def test_a_challenge_counts_once_whatever_becomes_of_the_answer(home: House) -> None:
    _, key = with_key(home)
    here = enter(home).session_id
    asked = options(home, here)
    assert len(asked["challenge"]) == 43

    assert refused(home, here, key.but(key=private_key(-7, 9)).prove(asked)) == "wrong-signature"
    assert refused(home, here, key.prove(asked)) == "challenge-over"
    assert prove(home, here, key.prove(options(home, here))).next is Next.HOME


def test_only_the_newest_challenge_counts_and_in_its_own_session(home: House) -> None:
    _, key = with_key(home)
    here, elsewhere = enter(home).session_id, enter(home).session_id
    before = options(home, here)
    of_other = options(home, elsewhere)
    options(home, here)
    assert refused(home, here, key.prove(before)) == "wrong-challenge"
    options(home, here)
    assert refused(home, here, key.prove(of_other)) == "wrong-challenge"


def test_an_answer_after_two_minutes_is_too_late(home: House) -> None:
    _, key = with_key(home)
    here = enter(home).session_id
    asked = options(home, here)
    home.clock.advance(seconds=119)
    assert prove(home, here, key.prove(asked)).next is Next.HOME

    here = enter(home).session_id
    asked = options(home, here)
    home.clock.advance(seconds=121)
    assert refused(home, here, key.prove(asked)) == "challenge-over"
    assert refused(home, here, key.prove(asked)) == "challenge-over"


def test_two_answers_at_once_sign_in_once(home: House) -> None:
    _, key = with_key(home)
    here = enter(home).session_id
    reply = key.prove(options(home, here))

    def attempt(_: int) -> bool:
        try:
            prove(home, here, reply)
        except (SecurityKeyNotAccepted, SessionExpired):
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(attempt, range(4))) == 1


def test_a_counter_that_went_backwards_signs_nobody_in_and_is_told_to_those_who_watch(home: House) -> None:
    serial_number, key = with_key(home)
    twin = key.but()
    first = enter(home).session_id
    key.counter += 5
    prove(home, first, key.prove(options(home, first)))
    here = enter(home).session_id
    asked = options(home, here)
    reply = twin.prove(asked)

    with structlog.testing.capture_logs() as lines:
        assert refused(home, here, reply) == "counter-went-backwards"

    assert state_of(home, here) is State.PASSWORD_OK
    assert [(line["log_level"], line["serial_number"]) for line in lines] == [("warning", serial_number)]
    event = home.events()[-1]
    assert (event["errorMessage"], event["responseElements"]) == ("Failed authentication", {"ConsoleLogin": "Failure"})
    assert event["additionalEventData"]["reason"] == "counter-went-backwards"
    assert event["additionalEventData"]["MFAIdentifier"] == serial_number
    assert event["userIdentity"]["accessKeyId"] == ""
    said = json.loads(reply)
    for secret in (asked["challenge"], said["rawId"], *(one for one in said["response"].values() if one)):
        assert secret not in str(lines) + str(home.events())
    # What was counted before still holds, so the other one goes on.
    assert prove(home, here, key.prove(options(home, here))).next is Next.HOME


@pytest.mark.parametrize("reply", ["{}", "no JSON", "[" * 5000, '{"rawId": "é", "response": 1}'])
def test_what_no_key_says_is_refused(home: House, reply: str) -> None:
    with_key(home)
    here = enter(home).session_id
    options(home, here)

    assert refused(home, here, reply) == "malformed"


def test_another_sites_answer_is_refused(home: House) -> None:
    _, key = with_key(home)
    here = enter(home).session_id

    assert refused(home, here, key.but(origin="http://localhost:8701").prove(options(home, here))) == "wrong-origin"


def test_a_wrong_code_leaves_the_challenge_and_the_code_signs_in_as_well(home: House) -> None:
    _, key = with_key(home)
    device_serial, device = home.enabled_device("Richard", "RichardsMFA")
    home.clock.advance(days=2)
    here = enter(home).session_id
    asked = options(home, here)
    with pytest.raises(CodeRefused):
        submit(home, here, device_serial, shown(home, device, 500))
    assert prove(home, here, key.prove(asked)).next is Next.HOME

    again = enter(home).session_id
    options(home, again)
    assert submit(home, again, device_serial, shown(home, device)).next is Next.HOME


def test_a_password_that_has_to_be_changed_is_changed_after_the_key(home: House) -> None:
    _, key = with_key(home)
    home.call("iam:UpdateLoginProfile", UserName="Richard", PasswordResetRequired="true")
    here = enter(home).session_id

    done = prove(home, here, key.prove(options(home, here)))

    assert done.next is Next.CHANGE_PASSWORD
    assert state_of(home, done.session_id) is State.MUST_CHANGE_PASSWORD


def test_who_has_no_key_is_asked_for_none_and_who_is_signed_in_neither(home: House) -> None:
    prompted(home)
    with pytest.raises(NoSuchEntity):
        options(home, enter(home).session_id)
    with pytest.raises(SessionExpired):
        options(home, signed_in(home, "Mary"))
    with pytest.raises(AccessDenied):
        home.call("signin:StartSecurityKey", home.principal("Mary"))


def test_a_key_deactivated_since_it_was_asked_signs_nobody_in(home: House) -> None:
    serial_number, key = with_key(home)
    here = enter(home).session_id
    asked = options(home, here)
    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_number)

    assert refused(home, here, key.prove(asked)) == "unknown-credential"


# Registering


def test_a_registered_key_is_a_device_of_its_holders_and_told_as_any_other(home: House) -> None:
    session_id = signed_in(home)
    key = Authenticator(origin=ORIGIN)
    asked = new_key(home, session_id)
    reply = key.register(asked)

    serial_number = register(home, session_id, reply)

    assert asked["rp"] == {"id": "localhost", "name": "instep"}
    assert asked["user"]["name"] == "Richard@example"
    assert serial_number.startswith(f"arn:aws:iam::{ACCOUNT}:u2f/user/Richard/yubi-")
    event = home.events()[-1]
    assert (event["eventSource"], event["eventName"], event["eventType"]) == (
        "iam.amazonaws.com",
        "EnableMFADevice",
        "AwsApiCall",
    )
    assert event["requestParameters"] == {"userName": "Richard", "name": "yubi", "serialNumber": serial_number}
    assert event["responseElements"] is None
    said = json.loads(reply)
    secrets = (asked["challenge"], said["rawId"], said["response"]["attestationObject"], said["response"]["clientDataJSON"])
    assert not [one for one in secrets if one in str(home.events())]
    listed = home.call("iam:ListMFADevices", UserName="Richard").mfa_devices
    assert [one.serial_number for one in listed] == [serial_number]


def test_a_registration_takes_the_permission_to_enable_devices_of_that_user(home: House) -> None:
    with_password(home)
    with_password(home, "Mary")
    session_id = enter(home).session_id
    with pytest.raises(AccessDenied, match=r"iam:EnableMFADevice on resource: .*user/Richard"):
        new_key(home, session_id)
    home.allow("Richard", "iam:EnableMFADevice", resource=f"arn:aws:iam::{ACCOUNT}:user/Richard")
    asked = new_key(home, session_id)
    with pytest.raises(AccessDenied, match="user/Mary"):
        new_key(home, session_id, UserName="Mary")
    with pytest.raises(AccessDenied, match="user/Mary"):
        register(home, session_id, "{}", UserName="Mary")
    home.allow("Richard", "iam:ListMFADevices")
    with pytest.raises(AccessDenied):
        register(home, session_id, Authenticator(origin=ORIGIN).register(asked))
    assert home.events()[-1]["eventName"] == "EnableMFADevice"


def test_a_challenge_for_one_holder_registers_nothing_for_another_and_signs_nothing(home: House) -> None:
    session_id = signed_in(home)
    with_password(home, "Mary")
    key = Authenticator(origin=ORIGIN)

    reply = key.register(new_key(home, session_id))
    assert registration_refused(home, session_id, reply, UserName="Mary") == "challenge-over"
    assert registration_refused(home, session_id, reply) == "challenge-over"
    serial_number = register(home, session_id, key.register(new_key(home, session_id, UserName="Mary")), UserName="Mary")
    assert "/Mary/" in serial_number
    assert home.events()[-1]["requestParameters"]["userName"] == "Mary"


def test_the_root_user_registers_a_key_and_signs_in_with_it(home: House) -> None:
    session_id = enter_root(home).session_id
    key = Authenticator(origin=ORIGIN)

    serial_number = register(home, session_id, key.register(new_key(home, session_id)))

    assert serial_number.startswith(f"arn:aws:iam::{ACCOUNT}:u2f/root/yubi-")
    assert home.events()[-1]["requestParameters"]["userName"] == "AWS ROOT USER"
    here = enter_root(home)
    assert here.next is Next.MFA
    assert prove(home, here.session_id, key.prove(options(home, here.session_id))).next is Next.HOME


def test_nobody_holds_more_than_the_quota_and_is_told_before_touching_a_key(home: House) -> None:
    session_id = signed_in(home)
    last = new_key(home, session_id)
    for number in range(8):
        home.enabled_device("Richard", f"device-{number}")
        if number == 6:
            last = new_key(home, session_id)

    with pytest.raises(LimitExceeded, match="MFADevicesPerUser: 8"):
        new_key(home, session_id)
    with pytest.raises(LimitExceeded, match="MFADevicesPerUser: 8"):
        register(home, session_id, Authenticator(origin=ORIGIN).register(last))


def test_one_key_is_registered_once(home: House) -> None:
    _, key = with_key(home)
    other = signed_in(home, "Mary")
    asked = new_key(home, other)
    assert asked["excludeCredentials"] == []
    with pytest.raises(EntityAlreadyExists):
        register(home, other, key.register(asked))

    here = enter(home).session_id
    here = prove(home, here, key.prove(options(home, here))).session_id
    assert registration_refused(home, here, key.register(new_key(home, here))) == "already-registered"


@pytest.mark.parametrize("name", ["", "my key", "鍵", "a/b", "n" * 129])
def test_a_name_that_no_serial_number_can_hold_is_refused(home: House, name: str) -> None:
    session_id = signed_in(home)
    for action, more in (("StartSecurityKeyRegistration", {}), ("RegisterSecurityKey", {"Answer": "{}"})):
        with pytest.raises(ValidationError):
            answer(home, f"signin:{action}", session_id, Name=name, **more)


# The site


@pytest.mark.parametrize(
    ("public_url", "host", "origin"),
    [
        ("", "localhost", "http://localhost:8700"),
        ("https://ID.example.com/", "id.example.com", "https://id.example.com"),
        ("https://id.example.com:443", "id.example.com", "https://id.example.com"),
        ("https://id.example.com:8443", "id.example.com", "https://id.example.com:8443"),
        ("http://id.example.com:443", "id.example.com", "http://id.example.com:443"),
        ("https://鍵.example.com", "xn--5y4a.example.com", "https://xn--5y4a.example.com"),
    ],
)
def test_the_relying_party_is_the_site_as_browsers_write_it(tmp_path: Path, public_url: str, host: str, origin: str) -> None:
    settings = Settings.defaults(tmp_path)
    if public_url:
        server = msgspec.structs.replace(settings.server, public_url=public_url)
        settings = msgspec.structs.replace(settings, server=server)

    party = relying_party(settings)

    assert (party.id, party.origins) == (host, frozenset({origin}))
