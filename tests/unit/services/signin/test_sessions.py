"""How long sessions last, what ends them, and that nothing of one opens another."""

from __future__ import annotations

from typing import Any

import pytest

from instep.api.common import AccessDenied
from instep.api.errors import PasswordPolicyViolation
from instep.domain.sign_in import Next, State
from instep.services.housekeeping import sweep
from instep.services.signin.refusals import AuthenticationFailed, SessionExpired
from tests.support.house import ACCOUNT, House
from tests.unit.services.signin.people import PASSWORD, call, enter, prompted, shown, state_of, submit, with_password

NEW = "another-Horse-8"


def change(home: House, session_id: str, password: str = NEW) -> Any:
    return call(home, "signin:UpdatePassword", session_id, NewPassword=password)


@pytest.fixture
def richard(home: House) -> str:
    """The id of a session of his."""
    with_password(home)
    return enter(home).session_id


def test_a_session_is_a_principal_at_the_gate_like_any_other(home: House, richard: str) -> None:
    with pytest.raises(AccessDenied, match="because no identity-based policy allows the iam:GetUser action"):
        call(home, "iam:GetUser", richard)
    home.allow("Richard", "iam:GetUser")

    assert call(home, "iam:GetUser", richard).user.user_name == "Richard"

    event = home.events()[-1]
    assert event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "false"
    assert event["userIdentity"]["accessKeyId"].startswith("ASIA")


def test_mfa_is_present_or_false_but_never_absent(home: House) -> None:
    serial_number, device = prompted(home)
    statement = {
        "Effect": "Allow",
        "Action": "iam:GetUser",
        "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "60"}},
    }
    home.put_policy("Richard", {"Version": "2012-10-17", "Statement": statement})
    with_mfa = submit(home, enter(home).session_id, serial_number, shown(home, device)).session_id

    assert call(home, "iam:GetUser", with_mfa).user.user_name == "Richard"
    home.clock.advance(seconds=60)
    with pytest.raises(AccessDenied):
        call(home, "iam:GetUser", with_mfa)

    home.call("iam:DeactivateMFADevice", UserName="Richard", SerialNumber=serial_number)
    statement["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    home.put_policy("Richard", {"Version": "2012-10-17", "Statement": statement})
    assert call(home, "iam:GetUser", enter(home).session_id).user.user_name == "Richard"


def test_a_session_that_is_used_lasts_twelve_hours_and_no_longer(home: House, richard: str) -> None:
    for _ in range(23):
        home.clock.advance(minutes=30)
        assert state_of(home, richard) is State.SIGNED_IN
    home.clock.advance(minutes=30)

    assert state_of(home, richard) is None


def test_a_session_that_is_not_used_lasts_an_hour(home: House, richard: str) -> None:
    home.clock.advance(minutes=59, seconds=59)
    assert state_of(home, richard) is State.SIGNED_IN
    home.clock.advance(hours=1)

    assert state_of(home, richard) is None
    with pytest.raises(SessionExpired):
        call(home, "sts:GetCallerIdentity", richard)


def test_the_right_password_waits_five_minutes_for_its_code(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id
    home.clock.advance(minutes=4, seconds=59)
    assert state_of(home, session_id) is State.PASSWORD_OK
    home.clock.advance(seconds=1)

    with pytest.raises(SessionExpired):
        submit(home, session_id, serial_number, shown(home, device))


def test_sign_out_ends_this_session_and_everywhere_ends_all_of_the_user(home: House, richard: str) -> None:
    others = [enter(home).session_id for _ in range(2)]
    with_password(home, "Diego")
    diego = enter(home, "Diego").session_id

    assert call(home, "signin:SignOut", richard).ended == 1
    assert [state_of(home, one) for one in (richard, *others)] == [None, State.SIGNED_IN, State.SIGNED_IN]
    assert call(home, "signin:SignOut", others[0], Everywhere="true").ended == 2

    assert [state_of(home, one) for one in (*others, diego)] == [None, None, State.SIGNED_IN]
    with pytest.raises(SessionExpired):
        call(home, "signin:SignOut", others[1])


def test_the_password_alone_does_not_sign_others_out(home: House) -> None:
    serial_number, device = prompted(home)
    signed_in = submit(home, enter(home).session_id, serial_number, shown(home, device)).session_id

    assert call(home, "signin:SignOut", enter(home).session_id, Everywhere="true").ended == 1

    assert state_of(home, signed_in) is State.SIGNED_IN


def test_sessions_end_with_their_user_and_with_the_password(home: House, richard: str) -> None:
    with_password(home, "Diego")
    diego = enter(home, "Diego").session_id
    home.call("iam:DeleteLoginProfile", UserName="Richard")
    home.call("iam:DeleteLoginProfile", UserName="Diego")
    home.call("iam:DeleteUser", UserName="Diego")

    assert (state_of(home, richard), state_of(home, diego)) == (None, None)
    with_password(home, "Diego")  # the same name, but somebody else
    assert state_of(home, diego) is None


def test_a_changed_password_ends_what_the_old_one_began(home: House) -> None:
    serial_number, device = prompted(home)
    session_id = enter(home).session_id
    home.call("iam:UpdateLoginProfile", UserName="Richard", Password=NEW)

    with pytest.raises(SessionExpired):
        submit(home, session_id, serial_number, shown(home, device))


def test_an_unknown_id_is_no_session(home: House, richard: str) -> None:
    for session_id in ("", "x", richard[:-1], richard + "A", "\ud800", "A" * 100_000):
        assert state_of(home, session_id) is None
        with pytest.raises(SessionExpired):
            call(home, "sts:GetCallerIdentity", session_id)


def test_the_id_is_kept_as_a_fingerprint_and_written_nowhere(home: House) -> None:
    serial_number, device = prompted(home)
    before = enter(home).session_id
    after = submit(home, before, serial_number, shown(home, device)).session_id

    rows = home.service.store.read(lambda tx: tx.connection.exec_driver_sql("SELECT * FROM sign_in_sessions").all())

    for session_id in (before, after):
        assert session_id not in str(rows)
        assert session_id not in str(home.events())


def test_csrf_tokens_belong_to_one_id(home: House, richard: str) -> None:
    session = home.service.sign_in.session(richard)
    assert session is not None

    assert session.csrf_token == home.service.sign_in.csrf_token(richard)
    assert session.csrf_token != home.service.sign_in.csrf_token(enter(home).session_id)
    assert richard not in session.csrf_token


def test_a_password_that_must_be_changed_is_changed_and_then_signs_in(home: House) -> None:
    with_password(home, PasswordResetRequired="true")
    home.allow("Richard", "iam:ChangePassword")
    before = enter(home).session_id
    with pytest.raises(AccessDenied):
        call(home, "sts:GetCallerIdentity", before)

    done = change(home, before)

    assert (done.next, state_of(home, before), state_of(home, done.session_id)) == (Next.HOME, None, State.SIGNED_IN)
    event = home.events()[-1]
    assert (event["eventName"], event["responseElements"]) == ("PasswordUpdated", {"PasswordUpdated": "Success"})
    assert NEW not in str(home.events())
    assert enter(home, password=NEW).next is Next.HOME
    with pytest.raises(AuthenticationFailed):
        enter(home)


def test_it_is_really_changed_by_the_accounts_rules_and_by_whoever_may(home: House) -> None:
    with_password(home, PasswordResetRequired="true")
    session_id = enter(home).session_id
    with pytest.raises(AccessDenied, match="iam:ChangePassword"):
        change(home, session_id)
    home.allow("Richard", "iam:ChangePassword")

    for password in (PASSWORD, "short"):
        with pytest.raises(PasswordPolicyViolation):
            change(home, session_id, password)

    assert state_of(home, session_id) is State.MUST_CHANGE_PASSWORD
    assert home.events()[-1]["responseElements"] == {"PasswordUpdated": "Failure"}
    assert change(home, session_id).next is Next.HOME


def test_a_session_that_is_signed_in_changes_no_password_without_the_old_one(home: House, richard: str) -> None:
    home.allow("Richard", "iam:ChangePassword")

    with pytest.raises(SessionExpired):
        change(home, richard)


def test_what_is_over_is_swept(home: House, richard: str) -> None:
    with pytest.raises(AuthenticationFailed):
        enter(home, password="wrong")
    home.clock.advance(hours=12, seconds=1)
    kept = enter(home).session_id

    sweep(home.service.store, home.service.settings, home.clock.now)

    def rows(table: str) -> Any:
        return home.service.store.read(lambda tx: tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar())

    assert rows("sign_in_sessions") == 1
    # That of the address, of which the success just now is taken back.
    assert rows("sign_in_waits") == 1
    assert state_of(home, kept) is State.SIGNED_IN
    assert home.service.store.read(lambda tx: tx.sign_ins.find_by_key(ACCOUNT, "ASIANONE")) is None
