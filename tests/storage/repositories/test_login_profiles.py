"""Passwords of users: one each, old ones remembered, wrong guesses counted; and the account's report and password policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from instep.api.errors import EntityAlreadyExists
from instep.domain.credential_report import CredentialReport
from instep.domain.identity import LoginProfile
from instep.domain.mfa import CodeTries
from instep.domain.password_policy import MOST_REMEMBERED, PasswordPolicy
from instep.services.faults import Conflict
from instep.storage.schema import old_passwords
from instep.storage.transaction import Store
from tests.storage.repositories.builders import ACCOUNT, MS, NOON, OTHER_ACCOUNT, access_key, add, count, device, user

RICHARD = user("Richard")
TRIES = CodeTries(free=2, first_wait=timedelta(seconds=30), longest_wait=timedelta(seconds=100), stop_after=4)


def profile(name: str = "Richard", account_id: str = ACCOUNT, **values: Any) -> LoginProfile:
    made = LoginProfile(
        account_id=account_id,
        user_id=f"AIDA{name.upper()}",
        password_hash="hash-0",
        created_at=NOON,
        changed_at=NOON + MS,
        reset_required=True,
    )
    return replace(made, **values)


def found(store: Store, name: str = "Richard") -> LoginProfile | None:
    return store.read(lambda tx: tx.login_profiles.find(ACCOUNT, f"AIDA{name.upper()}"))


def present(store: Store) -> LoginProfile:
    now = found(store)
    assert now is not None
    return now


def change(store: Store, number: int, **at: float) -> None:
    """To the password of that number, set then."""
    store.write(
        lambda tx: tx.login_profiles.change(
            present(store), password_hash=f"hash-{number}", changed_at=NOON + timedelta(**at), reset_required=False
        )
    )


def old(store: Store, limit: int = 100) -> list[str]:
    return store.read(lambda tx: tx.login_profiles.old_hashes(ACCOUNT, "AIDARICHARD", limit=limit))


@pytest.fixture
def richard(store: Store) -> Store:
    add(store, RICHARD)
    store.write(lambda tx: tx.login_profiles.add(profile()))
    return store


def test_a_login_profile_comes_back_as_it_was_added(store: Store) -> None:
    add(store, RICHARD, user("Diego"))
    diego = profile("Diego", reset_required=False, revision=7)
    store.write(lambda tx: tx.login_profiles.add(profile()))
    store.write(lambda tx: tx.login_profiles.add(diego))

    assert found(store) == profile()
    assert store.read(lambda tx: tx.login_profiles.all(ACCOUNT)) == {RICHARD.user_id: profile(), diego.user_id: diego}


def test_a_user_has_one_password(richard: Store) -> None:
    with pytest.raises(EntityAlreadyExists) as refused:
        richard.write(lambda tx: tx.login_profiles.add(profile(password_hash="other")))

    assert refused.value.message == "Login Profile for user Richard already exists."
    assert found(richard) == profile()


def test_accounts_do_not_see_one_anothers_passwords(richard: Store) -> None:
    add(richard, user("Richard", OTHER_ACCOUNT))
    richard.write(lambda tx: tx.login_profiles.add(profile(account_id=OTHER_ACCOUNT, password_hash="other")))
    other = richard.read(lambda tx: tx.login_profiles.find(OTHER_ACCOUNT, RICHARD.user_id))
    assert other is not None
    richard.write(lambda tx: tx.login_profiles.delete(other))

    assert old(richard) == []
    assert richard.read(lambda tx: tx.login_profiles.all(ACCOUNT)) == {RICHARD.user_id: profile()}
    assert richard.read(lambda tx: tx.login_profiles.all(OTHER_ACCOUNT)) == {}


def test_old_passwords_are_remembered_newest_first(richard: Store) -> None:
    change(richard, 1, hours=1)
    change(richard, 2, hours=2)

    assert present(richard) == profile(
        password_hash="hash-2", changed_at=NOON + timedelta(hours=2), reset_required=False, revision=2
    )
    assert old(richard) == ["hash-1", "hash-0"]
    assert old(richard, limit=1) == ["hash-1"]


def test_they_keep_their_order_when_the_clock_is_set_back_or_stands_still(richard: Store) -> None:
    for number, hours in enumerate((3, 3, 1, 1, 2, 2), start=1):
        change(richard, number, hours=hours)

    assert old(richard) == ["hash-5", "hash-4", "hash-3", "hash-2", "hash-1", "hash-0"]


def test_no_more_are_remembered_than_any_policy_asks_for(richard: Store) -> None:
    for number in range(1, MOST_REMEMBERED + 4):
        change(richard, number, hours=number)

    assert old(richard) == [f"hash-{number}" for number in range(MOST_REMEMBERED + 2, 2, -1)]


def test_a_password_is_remembered_when_it_is_deleted_and_forgotten_with_its_user(richard: Store) -> None:
    richard.write(lambda tx: tx.login_profiles.delete(profile()))
    assert found(richard) is None
    richard.write(lambda tx: tx.login_profiles.add(profile(password_hash="again")))
    assert old(richard) == ["hash-0"]

    richard.write(lambda tx: tx.users.delete(RICHARD))

    assert found(richard) is None
    assert count(richard, old_passwords) == 0


def test_who_changes_a_password_that_others_changed_since_is_refused(richard: Store) -> None:
    richard.write(lambda tx: tx.login_profiles.set_reset_required(profile(), False))
    assert present(richard) == profile(reset_required=False, revision=1)

    with pytest.raises(Conflict):
        richard.write(lambda tx: tx.login_profiles.change(profile(), password_hash="x", changed_at=NOON, reset_required=False))
    with pytest.raises(Conflict):
        richard.write(lambda tx: tx.login_profiles.delete(profile()))
    with pytest.raises(Conflict):
        richard.write(lambda tx: tx.login_profiles.set_reset_required(profile(), True))
    assert old(richard) == []


def test_wrong_guesses_wait_longer_and_longer_but_are_never_stopped(richard: Store) -> None:
    def claim(seconds: float) -> bool:
        return richard.write(lambda tx: tx.login_profiles.claim(profile(), NOON + timedelta(seconds=seconds), TRIES))

    assert [claim(at) for at in (0, 0)] == [True, True]
    assert [claim(at) for at in (0, 29.999, 30)] == [False, False, True]
    assert [claim(at) for at in (89.999, 90)] == [False, True]
    assert [claim(at) for at in (189.999, 190, 289.999, 290)] == [False, True, False, True]


def test_a_changed_password_is_guessed_at_anew_and_a_claim_is_no_change(richard: Store) -> None:
    for _ in range(2):
        richard.write(lambda tx: tx.login_profiles.claim(profile(), NOON, TRIES))
    assert not richard.write(lambda tx: tx.login_profiles.claim(profile(), NOON, TRIES))
    assert found(richard) == profile()

    change(richard, 1, hours=1)

    assert richard.write(lambda tx: tx.login_profiles.claim(present(richard), NOON, TRIES))


def test_a_wait_written_while_the_clock_was_ahead_is_no_wait(richard: Store) -> None:
    year = timedelta(days=365)
    for _ in range(2):
        richard.write(lambda tx: tx.login_profiles.claim(profile(), NOON + year, TRIES))

    assert richard.write(lambda tx: tx.login_profiles.claim(profile(), NOON, TRIES))


def test_there_is_nothing_to_guess_at_once_the_password_is_gone(richard: Store) -> None:
    richard.write(lambda tx: tx.login_profiles.delete(profile()))

    with pytest.raises(Conflict):
        richard.write(lambda tx: tx.login_profiles.claim(profile(), NOON, TRIES))


def test_an_account_keeps_its_last_report(store: Store) -> None:
    first, second = CredentialReport(NOON, b"user\n\xe8\xb2\xa1"), CredentialReport(NOON + MS, b"")
    assert store.read(lambda tx: tx.login_profiles.report(ACCOUNT)) is None

    store.write(lambda tx: tx.login_profiles.keep_report(ACCOUNT, first))
    assert store.read(lambda tx: tx.login_profiles.report(ACCOUNT)) == first
    store.write(lambda tx: tx.login_profiles.keep_report(ACCOUNT, second))

    assert store.read(lambda tx: tx.login_profiles.report(ACCOUNT)) == second
    assert store.read(lambda tx: tx.login_profiles.report(OTHER_ACCOUNT)) is None


@pytest.mark.parametrize("policy", [PasswordPolicy(), PasswordPolicy(128, True, True, True, True, True, 90, 24, False)])
def test_a_password_policy_comes_back_as_it_was_set(store: Store, policy: PasswordPolicy) -> None:
    assert store.read(lambda tx: tx.accounts.password_policy(ACCOUNT)) is None
    before = store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT))

    store.write(lambda tx: tx.accounts.set_password_policy(ACCOUNT, policy))

    assert store.read(lambda tx: tx.accounts.password_policy(ACCOUNT)) == policy
    assert store.read(lambda tx: tx.accounts.password_policy(OTHER_ACCOUNT)) is None
    assert store.read(lambda tx: tx.accounts.policies_revision(ACCOUNT)) == before + 1
    store.write(lambda tx: tx.accounts.set_password_policy(ACCOUNT, None))
    assert store.read(lambda tx: tx.accounts.password_policy(ACCOUNT)) is None


def test_all_keys_of_an_account_and_all_who_have_a_device_are_found_at_once(store: Store) -> None:
    second = access_key("second", created_at=NOON + MS)
    first, others = access_key("first"), access_key("others", "AIDADIEGO")
    add(store, second, first, others, access_key("elsewhere", account_id=OTHER_ACCOUNT))
    add(store, device("a", holder_id="AIDARICHARD"), device("b", holder_id="AIDARICHARD"), device("c"))
    add(store, device("d", OTHER_ACCOUNT, holder_id="AIDADIEGO"))

    assert store.read(lambda tx: tx.access_keys.all(ACCOUNT)) == {"AIDARICHARD": [first, second], "AIDADIEGO": [others]}
    assert store.read(lambda tx: tx.mfa_devices.holders(ACCOUNT)) == {"AIDARICHARD"}
