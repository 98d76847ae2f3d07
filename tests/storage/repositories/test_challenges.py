"""What a security key is asked to sign: one at a time in a session, and taken once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from instep.domain.sign_in import Session, State
from instep.services.faults import Conflict
from instep.storage.transaction import Store
from tests.storage.repositories.builders import ACCOUNT, MS, NOON


def session(name: str) -> Session:
    return Session(
        account_id=ACCOUNT,
        access_key_id=f"ASIA{name}",
        session_key=f"fingerprint of {name}",
        holder_id="AIDARICHARD",
        state=State.PASSWORD_OK,
        password_key="fingerprint of the hash",
        began_at=NOON,
        seen_at=NOON,
        expires_at=NOON + timedelta(minutes=5),
    )


ONE, TWO = session("ONE"), session("TWO")


@pytest.fixture
def sessions(store: Store) -> Store:
    """A store with both."""
    for one in (ONE, TWO):
        store.write(lambda tx, one=one: tx.sign_ins.add(one))  # type: ignore[misc]
    return store


def test_a_challenge_is_taken_once(sessions: Store) -> None:
    sessions.write(lambda tx: tx.sign_ins.keep_challenge(ONE, b"\0sealed\xff", NOON + MS))

    assert sessions.write(lambda tx: tx.sign_ins.take_challenge(ONE)) == (b"\0sealed\xff", NOON + MS)
    assert sessions.write(lambda tx: tx.sign_ins.take_challenge(ONE)) is None


def test_each_session_has_its_own_and_only_the_newest(sessions: Store) -> None:
    for one, sealed in ((ONE, b"older"), (TWO, b"other"), (ONE, b"newer")):
        sessions.write(lambda tx, one=one, sealed=sealed: tx.sign_ins.keep_challenge(one, sealed, NOON))  # type: ignore[misc]

    assert sessions.write(lambda tx: tx.sign_ins.take_challenge(ONE)) == (b"newer", NOON)
    assert sessions.write(lambda tx: tx.sign_ins.take_challenge(TWO)) == (b"other", NOON)


def test_a_challenge_is_no_change_of_the_session(sessions: Store) -> None:
    sessions.write(lambda tx: tx.sign_ins.keep_challenge(ONE, b"sealed", NOON))
    assert sessions.read(lambda tx: tx.sign_ins.find_by_key(ACCOUNT, ONE.access_key_id)) == ONE

    sessions.write(lambda tx: tx.sign_ins.put(ONE))

    assert sessions.write(lambda tx: tx.sign_ins.take_challenge(ONE)) == (b"sealed", NOON)


def test_a_session_that_ended_is_asked_nothing(sessions: Store) -> None:
    sessions.write(lambda tx: tx.sign_ins.end(ONE))

    with pytest.raises(Conflict):
        sessions.write(lambda tx: tx.sign_ins.keep_challenge(ONE, b"sealed", NOON))
    assert sessions.write(lambda tx: tx.sign_ins.take_challenge(ONE)) is None
