"""The password step: who gets in, what strangers learn (nothing), and how guessing slows down."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import argon2
import pytest

from instep.domain.sign_in import Next, State
from instep.services.signin.passwords import _NOBODYS, Entered
from instep.services.signin.refusals import AuthenticationFailed, PasswordExpired, Waiting
from tests.support.house import ACCOUNT, OTHER_ACCOUNT, House
from tests.unit.services.signin.people import (
    HASH,
    PASSWORD,
    ROOT_EMAIL,
    Verifier,
    door,
    enter,
    enter_root,
    entry,
    state_of,
    with_password,
)

REFUSED = "Your authentication information is incorrect. Please try again."


def waits(home: House, name: str = "Richard", **more: str) -> datetime | None:
    """Until when, after one more wrong password."""
    try:
        enter(home, name, "wrong", **more)
    except Waiting as waiting:
        return waiting.until
    except AuthenticationFailed:
        return None
    raise AssertionError("a wrong password signed in")


def set_hash(home: House, name: str = "Richard") -> None:
    """One that the tests' verifier knows."""
    user = home.principal(name)

    def work(tx):  # type: ignore[no-untyped-def]
        profile = tx.login_profiles.find(ACCOUNT, user.holder_id)
        tx.login_profiles.change(profile, password_hash=HASH, changed_at=home.clock.now, reset_required=False)

    home.service.store.write(work)


@pytest.mark.parametrize("account", [ACCOUNT, "example", "1234-5678-9012", "１２３４５６７８９０１２", " EXAMPLE "])
def test_the_right_password_without_a_device_signs_in(home: House, account: str) -> None:
    with_password(home)

    entered = enter(home, "richard", account=account)

    assert entered == Entered(entered.session_id, Next.HOME, ACCOUNT, "example", "Richard")
    session = home.service.sign_in.session(entered.session_id)
    assert session is not None
    principal = session.principal
    assert (session.state, principal.user_name, principal.mfa_present, principal.temporary) == (
        State.SIGNED_IN,
        "Richard",
        False,
        False,
    )
    assert principal.access_key_id is not None
    assert principal.access_key_id.startswith("ASIA")
    assert home.call("iam:GetUser", UserName="Richard").user.password_last_used == home.clock.now.replace(microsecond=0)


def test_the_event_of_a_sign_in_is_a_console_login(home: House) -> None:
    with_password(home)
    enter(home)

    event = home.events()[-1]

    assert (event["eventSource"], event["eventName"], event["eventType"]) == (
        "signin.amazonaws.com",
        "ConsoleLogin",
        "AwsConsoleSignIn",
    )
    assert event["responseElements"] == {"ConsoleLogin": "Success"}
    assert event["additionalEventData"] == {
        "LoginTo": "http://localhost:8700/console/",
        "MobileVersion": "No",
        "MFAUsed": "No",
    }
    assert event["userIdentity"]["userName"] == "Richard"
    assert event["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/Richard"


def test_before_the_password_is_right_every_failure_is_the_same(home: House) -> None:
    with_password(home)
    home.user("Keys")  # has no password
    set_hash(home)
    failures = {
        "wrong password": entry(password="wrong"),
        "no password": entry("Keys"),
        "unknown user": entry("Nobody"),
        "unknown account": entry(account="999999999999"),
        "unknown alias": entry(account="nowhere"),
        "other account": entry(account=OTHER_ACCOUNT),
        "root's e-mail as a user": entry(ROOT_EMAIL),
        "unknown e-mail": entry("nobody@example.com", account=None),
        "root's password": entry(ROOT_EMAIL, account=None),
    }

    for number, (kind, typed) in enumerate(failures.items()):
        verify = Verifier()
        with pytest.raises(AuthenticationFailed) as refused:
            door(home, verify).enter(entry(typed.name, typed.password, typed.account, f"192.0.2.{number}"))
        assert (refused.value.message, refused.value.reason) == (REFUSED, None), kind
        assert len(verify.asked) == 1, kind


def test_whoever_has_no_password_is_not_let_in_by_any(home: House) -> None:
    home.user("Keys")

    with pytest.raises(AuthenticationFailed):
        door(home, lambda _password, _hash: True).enter(entry("Keys"))


def test_nobodys_hash_takes_as_long_as_everybodys() -> None:
    assert not argon2.PasswordHasher().check_needs_rehash(_NOBODYS)


def test_a_failed_sign_in_is_written_down_without_what_was_typed(home: House) -> None:
    with_password(home)
    for name, password in (("Richard", "secret-one"), ("my-Password-9", "secret-two")):
        with pytest.raises(AuthenticationFailed):
            enter(home, name, password)
    with pytest.raises(AuthenticationFailed):
        enter(home, "Richard", "secret-three", account="999999999999")

    known, unknown = home.events()[-2:]

    assert known["errorMessage"] == "Failed authentication"
    assert known["responseElements"] == {"ConsoleLogin": "Failure"}
    assert known["userIdentity"] == {
        "type": "IAMUser",
        "principalId": home.principal("Richard").holder_id,
        "accountId": ACCOUNT,
        "accessKeyId": "",
        "userName": "Richard",
    }
    assert unknown["errorMessage"] == "No username found in supplied account"
    assert unknown["userIdentity"] == {
        "type": "IAMUser",
        "accountId": ACCOUNT,
        "accessKeyId": "",
        "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
    }
    assert not {word for word in ("secret", "my-Password") if word in json.dumps(home.events())}


@pytest.mark.parametrize("name", ["Richard", "Nobody"])
def test_from_the_fifth_failure_on_each_waits_longer(home: House, name: str) -> None:
    with_password(home)

    assert [waits(home, name) for _ in range(5)] == [None] * 5
    for seconds in (5, 15, 60, 300, 900, 900):
        until = home.clock.now + timedelta(seconds=seconds)
        assert waits(home, name) == until
        home.clock.advance(seconds=seconds - 0.5)
        assert waits(home, name) == until  # tries while waiting do not lengthen the wait
        home.clock.advance(seconds=0.5)
        assert waits(home, name) is None


def test_while_waiting_the_right_password_is_not_looked_at(home: House) -> None:
    with_password(home)
    set_hash(home)
    verify = Verifier()
    at_door = door(home, verify)
    for _ in range(5):
        with pytest.raises(AuthenticationFailed):
            at_door.enter(entry(password="wrong"))

    with pytest.raises(Waiting):
        at_door.enter(entry())

    assert len(verify.asked) == 5
    home.clock.advance(seconds=5)
    assert at_door.enter(entry()).next is Next.HOME


def test_a_name_waits_whatever_address_the_tries_come_from_and_an_address_whatever_the_names(home: House) -> None:
    with_password(home)
    for number in range(5):
        waits(home, source_ip=f"192.0.2.{number}")
    assert waits(home, "richard", source_ip="192.0.2.99") is not None
    for number in range(5):
        waits(home, f"Nobody{number}", source_ip="2001:db8::1")

    # One network of IPv6 is one address; a neighbor's is not.
    assert waits(home, "Somebody", source_ip="2001:db8::ffff") is not None
    assert waits(home, "Somebody", source_ip="2001:db8:0:1::1") is None


def test_failures_are_forgotten_after_a_while_and_after_a_success(home: House) -> None:
    with_password(home)
    for _ in range(4):
        waits(home)
    home.clock.advance(minutes=5)
    assert [waits(home) for _ in range(4)] == [None] * 4

    enter(home)

    assert waits(home, source_ip="192.0.2.1") is None


def test_a_success_does_not_clear_the_address_of_what_was_guessed_from_it(home: House) -> None:
    with_password(home)
    with_password(home, "Mallory")
    for _ in range(4):
        waits(home)
        enter(home, "Mallory")
    waits(home)

    assert waits(home, "Somebody") is not None


def test_a_password_changed_while_it_was_verified_signs_nobody_in(home: House) -> None:
    with_password(home)

    def verify(password: str, _hash: str) -> bool:
        home.call("iam:UpdateLoginProfile", UserName="Richard", Password="another-Horse-8")
        return password == PASSWORD

    with pytest.raises(AuthenticationFailed):
        door(home, verify).enter(entry())

    assert home.events()[-1]["responseElements"] == {"ConsoleLogin": "Failure"}


def test_fifty_guesses_at_once_share_no_count(home: House) -> None:
    with_password(home)
    set_hash(home)
    verify = Verifier()
    at_door = door(home, verify)

    def guess(number: int) -> str:
        try:
            at_door.enter(entry(password=f"guess {number}", source_ip=f"192.0.2.{number}"))
        except (AuthenticationFailed, Waiting) as refused:
            return type(refused).__name__
        return "signed in"

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(guess, range(50)))

    assert (outcomes.count("AuthenticationFailed"), outcomes.count("Waiting")) == (5, 45)
    assert len(verify.asked) == 5


def test_a_clock_set_back_does_not_lengthen_a_wait(home: House) -> None:
    with_password(home)
    home.clock.advance(days=1)
    for _ in range(5):
        waits(home)

    home.clock.advance(hours=-3)

    assert enter(home).next is Next.HOME


def test_a_password_that_must_be_changed_opens_no_session_yet(home: House) -> None:
    with_password(home, PasswordResetRequired="true")

    entered = enter(home)

    assert entered.next is Next.CHANGE_PASSWORD
    assert state_of(home, entered.session_id) is State.MUST_CHANGE_PASSWORD


def test_an_old_password_must_be_changed_and_where_expiry_is_hard_lets_nobody_in(home: House) -> None:
    with_password(home)
    home.call("iam:UpdateAccountPasswordPolicy", MaxPasswordAge="90")
    home.clock.advance(days=90, seconds=-1)
    assert enter(home).next is Next.HOME
    home.clock.advance(seconds=1)
    assert enter(home).next is Next.CHANGE_PASSWORD

    home.call("iam:UpdateAccountPasswordPolicy", MaxPasswordAge="90", HardExpiry="true")

    with pytest.raises(AuthenticationFailed):
        enter(home, password="wrong")
    with pytest.raises(PasswordExpired):
        enter(home)
    assert home.events()[-1]["additionalEventData"]["reason"] == "password-expired"


def test_the_root_user_signs_in_by_email_in_either_case(home: House) -> None:
    entered = enter_root(home, ROOT_EMAIL.upper())

    assert (entered.next, entered.account_id, entered.user_name) == (Next.HOME, ACCOUNT, None)
    event = home.events()[-1]
    assert (event["userIdentity"]["type"], event["userIdentity"]["arn"]) == ("Root", f"arn:aws:iam::{ACCOUNT}:root")
    assert home.call("iam:GetUser").user.password_last_used == home.clock.now


def test_broken_characters_are_refused_like_any_other_name(home: House) -> None:
    for typed in (entry("\ud800"), entry(password="\udcff"), entry(account="\ud800")):
        with pytest.raises(AuthenticationFailed):
            home.service.sign_in.enter(typed)


def test_no_secret_is_in_a_repr(home: House) -> None:
    with_password(home)
    entered = enter(home)

    assert PASSWORD not in repr(entry())
    assert entered.session_id not in repr(entered)
