"""Sessions found by their fingerprint alone, tries counted before they are looked at, and uses that are never turned back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from instep.domain.sign_in import Failures, PasswordTries, RefusedEntry, Session, State
from instep.services.faults import Conflict
from instep.storage.schema import sign_in_sessions, sign_in_waits
from instep.storage.transaction import Store
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, add, count, user

TRIES = PasswordTries(waits_from=2, within=timedelta(minutes=5), longest_wait=timedelta(seconds=60))


def session(name: str = "one", account_id: str = ACCOUNT, **values: Any) -> Session:
    """Every field set."""
    made = Session(
        account_id=account_id,
        access_key_id=f"ASIA{name.upper()}",
        session_key=f"fingerprint of {name}",
        holder_id="AIDARICHARD",
        state=State.PASSWORD_OK,
        password_key="fingerprint of the hash",
        began_at=NOON,
        seen_at=NOON + MS,
        expires_at=NOON + timedelta(minutes=5),
        mfa_serial=f"arn:aws:iam::{account_id}:mfa/RichardsMFA",
        mfa_at=NOON + 2 * MS,
        wrong_codes=3,
        entry=RefusedEntry(f"arn:aws:iam::{account_id}:mfa/RichardsMFA", b"\0sealed\xff", NOON + 3 * MS),
    )
    return replace(made, **values)


def keep(store: Store, *sessions: Session) -> None:
    for one in sessions:
        store.write(lambda tx, one=one: tx.sign_ins.add(one))  # type: ignore[misc]


def found(store: Store, one: Session) -> Session | None:
    return store.read(lambda tx: tx.sign_ins.find(one.session_key))


def claim(store: Store, *keys: str, at: datetime = NOON) -> Any:
    return store.write(lambda tx: tx.sign_ins.claim_password(keys, at, TRIES))


# Sessions


def test_a_session_comes_back_as_it_was_added(store: Store) -> None:
    bare = session("two", mfa_serial=None, mfa_at=None, entry=None, state=State.SIGNED_IN, revision=7)
    keep(store, session(), bare)

    assert (found(store, session()), found(store, bare)) == (session(), bare)
    assert store.read(lambda tx: tx.sign_ins.find_by_key(ACCOUNT, "ASIAONE")) == session()
    assert store.read(lambda tx: tx.sign_ins.find_by_key(OTHER_ACCOUNT, "ASIAONE")) is None
    assert store.read(lambda tx: tx.sign_ins.find("fingerprint of none")) is None


def test_no_two_sessions_have_one_fingerprint(store: Store) -> None:
    keep(store, session())

    with pytest.raises(Conflict):
        keep(store, session("two", OTHER_ACCOUNT, session_key=session().session_key))


def test_after_a_step_the_old_fingerprint_finds_nothing(store: Store) -> None:
    keep(store, session())
    stepped = replace(session(), session_key="another", state=State.SIGNED_IN, entry=None, wrong_codes=0)

    store.write(lambda tx: tx.sign_ins.put(stepped))

    assert found(store, session()) is None
    assert found(store, stepped) == replace(stepped, revision=1)


def test_who_steps_up_from_what_others_changed_since_is_refused(store: Store) -> None:
    keep(store, session())
    store.write(lambda tx: tx.sign_ins.put(replace(session(), wrong_codes=4)))

    with pytest.raises(Conflict):
        store.write(lambda tx: tx.sign_ins.put(session()))
    with pytest.raises(Conflict):
        store.write(lambda tx: tx.sign_ins.end(session()))


def test_being_seen_changes_nothing_else_and_is_never_turned_back(store: Store) -> None:
    keep(store, session())
    for minutes in (2, 1):
        store.write(lambda tx, at=NOON + timedelta(minutes=minutes): tx.sign_ins.seen(session(), at))  # type: ignore[misc]

    assert found(store, session()) == replace(session(), seen_at=NOON + timedelta(minutes=2))


def test_all_sessions_of_one_holder_end_at_once(store: Store) -> None:
    others = session("diego", holder_id="AIDADIEGO"), session("other", OTHER_ACCOUNT)
    keep(store, session(), session("two"), *others)

    assert store.write(lambda tx: tx.sign_ins.end_all(ACCOUNT, "AIDARICHARD")) == 2

    assert [found(store, one) for one in (session(), session("two"), *others)] == [None, None, *others]
    store.write(lambda tx: tx.sign_ins.end(others[0]))
    assert found(store, others[0]) is None


# Wrong passwords


def test_tries_are_counted_under_each_key_and_wait_under_any(store: Store) -> None:
    assert claim(store, "name", "address") == {"name": Failures(1, NOON), "address": Failures(1, NOON)}
    until = NOON + timedelta(seconds=5)
    assert claim(store, "name", "elsewhere")["name"] == Failures(2, NOON, until)

    assert claim(store, "name", "address", at=until - MS) == until
    assert claim(store, "address", at=until - MS) == {"address": Failures(2, until - MS, until - MS + timedelta(seconds=5))}
    assert claim(store, "name", at=until) == {"name": Failures(3, until, until + timedelta(seconds=15))}


def test_a_wait_that_ended_long_enough_ago_is_forgotten(store: Store) -> None:
    claim(store, "name")
    claim(store, "name")
    later = NOON + timedelta(minutes=5, seconds=5)

    assert claim(store, "name", at=later - MS)["name"].count == 3
    assert claim(store, "name", at=later + timedelta(minutes=6))["name"] == Failures(1, later + timedelta(minutes=6))


def test_a_try_taken_back_leaves_the_others_and_their_waits(store: Store) -> None:
    claim(store, "address")
    second = claim(store, "address")["address"]
    store.write(lambda tx: tx.sign_ins.take_back("address", second))
    assert claim(store, "address")["address"].count == 2

    other = Failures(2, NOON, NOON + timedelta(seconds=99))
    store.write(lambda tx: tx.sign_ins.take_back("address", other))

    assert claim(store, "address") == NOON + timedelta(seconds=5)


def test_cleared_failures_count_no_longer(store: Store) -> None:
    claim(store, "name", "address")
    store.write(lambda tx: tx.sign_ins.clear_failures("name"))

    assert claim(store, "name") == {"name": Failures(1, NOON)}
    assert claim(store, "address")["address"].count == 2


# Passwords used, root users, sweeping


def test_when_a_password_was_used_is_never_turned_back(store: Store) -> None:
    richard = user("Richard")
    add(store, richard)
    for holder_id in (richard.user_id, ACCOUNT):
        for hours in (2, 1):
            at = NOON + timedelta(hours=hours)
            store.write(lambda tx, holder_id=holder_id, at=at: tx.sign_ins.password_used(ACCOUNT, holder_id, at))  # type: ignore[misc]

    kept = store.read(lambda tx: tx.users.find_by_id(ACCOUNT, richard.user_id))
    assert kept == replace(richard, password_last_used=NOON + timedelta(hours=2))
    roots = [store.read(lambda tx, of=of: tx.accounts.root_of(of)) for of in (ACCOUNT, OTHER_ACCOUNT)]  # type: ignore[misc]
    assert [root.password_last_used for root in roots if root] == [NOON + timedelta(hours=2), NOON + 2 * MS]


def test_a_root_user_is_found_by_email_in_either_case(store: Store) -> None:
    root = store.read(lambda tx: tx.sign_ins.root_by_email(f"ROOT-{ACCOUNT}@example.com"))

    assert root == store.read(lambda tx: tx.accounts.root_of(ACCOUNT))
    assert store.read(lambda tx: tx.sign_ins.root_by_email("nobody@example.com")) is None


def test_sessions_that_are_over_and_old_failures_are_swept(store: Store) -> None:
    kept = session("two", expires_at=NOON + timedelta(hours=12))
    keep(store, session(), kept)
    claim(store, "old")
    claim(store, "new", at=NOON + timedelta(hours=1))

    later = NOON + timedelta(hours=1)
    assert store.write(lambda tx: tx.sign_ins.sweep(now=later, failed_before=later, limit=100)) == 2

    assert (found(store, session()), found(store, kept)) == (None, kept)
    assert (count(store, sign_in_sessions), count(store, sign_in_waits)) == (1, 1)
