"""What a code is worth once, how refused ones slow a device down, and what sweeping must not open again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instep.api.errors import InvalidAuthenticationCode
from instep.domain.mfa import Claimant, CodeTries, MFADevice, Misses, PairTries
from instep.services.faults import Conflict
from instep.storage.repositories.mfa_devices import _claim_code
from instep.storage.schema import pair_tries, spent_steps
from instep.storage.transaction import Store, Transaction
from tests.storage.repositories.builders import (
    ACCOUNT,
    MS,
    NOON,
    OTHER_ACCOUNT,
    account,
    add,
    count,
    kept,
    root_user,
    unseen_device,
)
from tests.storage.stores import Stopwatch, make_database, timed_store

PHONE = unseen_device("phone")
USUAL = CodeTries(free=5, first_wait=timedelta(seconds=1), longest_wait=timedelta(minutes=15), stop_after=200)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def phone(store: Store) -> MFADevice:
    add(store, PHONE, unseen_device("other"), replace(PHONE, account_id=OTHER_ACCOUNT))
    return PHONE


def spend(store: Store, device: MFADevice, *steps: int, at: datetime = NOON) -> None:
    store.write(lambda tx: tx.mfa_devices.spend(device, *steps, at=at))


def spent(store: Store, device: MFADevice) -> set[int]:
    return store.read(lambda tx: tx.mfa_devices.spent_among(device, range(-5, 2000)))


# Spent steps


def test_a_step_is_spent_once(store: Store, phone: MFADevice) -> None:
    spend(store, phone, 10, 11)

    for steps in ((10,), (11,), (9, 10), (11, 12), (12, 13, 11), (12, 12)):
        with pytest.raises(InvalidAuthenticationCode) as refused:
            spend(store, phone, *steps)
        assert refused.value.reason == "spent"
    assert spent(store, phone) == {10, 11}
    spend(store, phone, 12)
    assert spent(store, phone) == {10, 11, 12}


def test_each_token_has_steps_of_its_own(store: Store, phone: MFADevice) -> None:
    spend(store, phone, 10)

    for other in (unseen_device("other"), replace(PHONE, account_id=OTHER_ACCOUNT)):
        assert spent(store, other) == set()
        spend(store, other, 10)
    assert count(store, spent_steps) == 3


def test_spent_among_answers_for_what_it_was_asked(store: Store, phone: MFADevice) -> None:
    spend(store, phone, 1, 5, 9)

    assert store.read(lambda tx: tx.mfa_devices.spent_among(phone, [0, 1, 2, 9, 2**40])) == {1, 9}
    assert store.read(lambda tx: tx.mfa_devices.spent_among(phone, [])) == set()


# Sweeping


def test_sweeping_bars_for_good_what_it_forgets(store: Store, phone: MFADevice) -> None:
    spend(store, phone, 20, 10, at=NOON)
    spend(store, phone, 15, 30, at=NOON + MS)
    spend(store, unseen_device("other"), 7, at=NOON)

    assert store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=NOON + MS, limit=100)) == 3

    assert kept(store, phone).tracking.floor == 20
    assert spent(store, phone) == {15, 30}
    assert kept(store, unseen_device("other")).tracking.floor == 7
    assert kept(store, replace(PHONE, account_id=OTHER_ACCOUNT)).tracking.floor == -1


def test_sweeping_never_lowers_a_floor(store: Store, phone: MFADevice) -> None:
    spend(store, phone, 50, at=NOON)
    store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=NOON + MS, limit=100))
    # A phone whose clock was set back.
    spend(store, phone, 5, at=NOON)

    assert store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=NOON + MS, limit=100)) == 1

    assert kept(store, phone).tracking.floor == 50


def test_sweeping_in_small_parts_comes_to_the_same(store: Store, phone: MFADevice) -> None:
    for number in range(25):
        spend(store, phone, 100 + number, at=NOON + number * MS)

    gone = []
    while more := store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=NOON + 20 * MS, limit=7)):
        gone.append(more)
        assert kept(store, phone).tracking.floor == 99 + sum(gone)

    assert gone == [7, 7, 6]
    assert spent(store, phone) == {120, 121, 122, 123, 124}


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=1, max_size=20, unique_by=lambda one: one[0]),
    st.integers(0, 7),
    st.integers(1, 5),
)
def test_no_spent_step_is_ever_open_again(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]], before: int, limit: int
) -> None:
    with timed_store(make_database(tmp_path_factory.mktemp("sweep")), Stopwatch()) as store:
        store.write(lambda tx: tx.accounts.add(account(ACCOUNT), root_user(ACCOUNT)))
        add(store, PHONE)
        for step, at in steps:
            spend(store, PHONE, step, at=NOON + at * MS)

        while store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=NOON + before * MS, limit=limit)):
            floor, rows = kept(store, PHONE).tracking.floor, spent(store, PHONE)
            assert all(step <= floor or step in rows for step, _ in steps)
            assert floor in {step for step, at in steps if at < before}

        assert spent(store, PHONE) == {step for step, at in steps if at >= before}


def test_who_learnt_of_a_clock_before_a_sweep_does_not_lower_its_floor(store: Store, phone: MFADevice) -> None:
    spend(store, phone, 50, at=NOON)
    store.write(lambda tx: tx.mfa_devices.sweep(arrived_before=NOON + MS, limit=100))

    with pytest.raises(Conflict):
        store.write(lambda tx: tx.mfa_devices.clear_misses(phone))


# Single codes


def claim(store: Store, device: MFADevice, now: datetime, tries: CodeTries = USUAL) -> bool:
    return store.write(lambda tx: tx.mfa_devices.claim_code(device, now, tries))


@pytest.mark.parametrize(
    "tries",
    [
        USUAL,
        CodeTries(free=1, first_wait=500 * MS, longest_wait=500 * MS, stop_after=1000),
        CodeTries(free=2, first_wait=timedelta(0), longest_wait=HOUR, stop_after=1000),
        CodeTries(free=3, first_wait=timedelta(0), longest_wait=timedelta(0), stop_after=1000),
        CodeTries(free=3, first_wait=timedelta(seconds=7), longest_wait=timedelta(days=200 * 365), stop_after=1000),
        CodeTries(free=100, first_wait=timedelta(minutes=1), longest_wait=timedelta(minutes=3), stop_after=1000),
    ],
    ids=["usual", "at once and even", "no first wait", "no wait", "two centuries", "very patient"],
)
def test_every_miss_waits_as_long_as_the_rule_says(store: Store, phone: MFADevice, tries: CodeTries) -> None:
    def miss(tx: Transaction) -> None:
        for misses in range(1, 121):
            # As after any miss: each count from the same moment, so that centuries do not add up.
            row = tx.mfa_devices.find(ACCOUNT, phone.serial_number)
            assert row is not None
            assert row.misses.codes == misses - 1
            tx.connection.exec_driver_sql("UPDATE mfa_devices SET next_code_at = NULL")
            assert tx.mfa_devices.claim_code(row, NOON, tries)
            after = tx.mfa_devices.find(ACCOUNT, phone.serial_number)
            assert after is not None
            assert after.misses.codes == misses
            assert (after.misses.next_code_at or NOON) - NOON == tries.wait_after(misses)

    store.write(miss)

    assert kept(store, unseen_device("other")).misses == Misses()


@given(
    st.builds(
        CodeTries,
        free=st.integers(1, 30),
        first_wait=st.timedeltas(timedelta(0), timedelta(days=400)),
        longest_wait=st.timedeltas(timedelta(0), timedelta(days=4000)),
        stop_after=st.integers(1, 10**9),
    )
)
def test_the_statement_for_any_setting_is_a_short_one(tries: CodeTries) -> None:
    assert str(_claim_code(tries)).count("WHEN") <= 34


def test_a_waiting_device_takes_no_try_and_counts_none(store: Store, phone: MFADevice) -> None:
    for _ in range(4):
        assert claim(store, phone, NOON)
    assert kept(store, phone).misses == Misses(4)
    assert claim(store, phone, NOON)
    waiting = kept(store, phone)
    assert waiting.misses == Misses(5, NOON + timedelta(seconds=1))

    for early in (NOON - timedelta(minutes=14), NOON, NOON + timedelta(milliseconds=999)):
        assert not claim(store, phone, early)
        assert kept(store, phone) == waiting

    assert claim(store, phone, NOON + timedelta(seconds=1))
    assert kept(store, phone).misses == Misses(6, NOON + timedelta(seconds=3))


def test_a_clock_set_back_farther_than_any_wait_does_not_lengthen_one(store: Store, phone: MFADevice) -> None:
    for _ in range(5):
        assert claim(store, phone, NOON)
    assert not claim(store, phone, NOON - timedelta(minutes=14))

    assert claim(store, phone, NOON - timedelta(minutes=15))

    # And the wait goes on from there.
    assert kept(store, phone).misses == Misses(6, NOON - timedelta(minutes=15) + timedelta(seconds=2))


def test_a_try_does_not_wait_for_anybody_elses_change_of_the_device(store: Store, phone: MFADevice) -> None:
    store.write(lambda tx: tx.mfa_devices.set_tags(phone, {"by": "others"}))

    assert claim(store, phone, NOON)
    assert kept(store, phone).revision == 1


def test_a_device_stops_after_so_many_misses(store: Store, phone: MFADevice) -> None:
    tries = replace(USUAL, free=2, stop_after=3)
    now = NOON
    for _ in range(3):
        assert claim(store, phone, now, tries)
        now += HOUR

    assert not claim(store, phone, now + 1000 * DAY, tries)
    assert kept(store, phone).misses.codes == 3
    store.write(lambda tx: tx.mfa_devices.clear_misses(phone))
    assert claim(store, phone, now, tries)


def test_a_device_that_is_gone_takes_no_try(store: Store, phone: MFADevice) -> None:
    store.write(lambda tx: tx.mfa_devices.delete(phone))

    assert not claim(store, phone, NOON)


# Pairs


def claim_pair(
    store: Store, attempt: str, at: datetime, claimant: Claimant = Claimant.OWNER, *, per_hour: int = 3, per_day: int = 5
) -> bool:
    tries = PairTries(per_hour=per_hour, per_day=per_day)

    def work(tx: Transaction) -> tuple[bool, bool]:
        found = tx.mfa_devices.find(ACCOUNT, PHONE.serial_number)
        assert found is not None
        waiting = tx.mfa_devices.pair_waiting(found, claimant, at, tries)
        return waiting, tx.mfa_devices.claim_pair(found, claimant, at, tries, attempt)

    waiting, claimed = store.write(work)
    # A look beforehand says the same as the claim, and counts nothing.
    assert waiting is not claimed
    return claimed


def test_an_hour_takes_so_many_pairs_and_no_more(store: Store, phone: MFADevice) -> None:
    assert [claim_pair(store, f"a{n}", NOON + n * MS) for n in range(5)] == [True, True, True, False, False]
    assert count(store, pair_tries) == 3

    assert not claim_pair(store, "b", NOON + HOUR - MS)
    # The first is an hour old, the second not yet.
    assert claim_pair(store, "c", NOON + HOUR)
    assert not claim_pair(store, "d", NOON + HOUR)


def test_a_day_takes_so_many_pairs_and_no_more(store: Store, phone: MFADevice) -> None:
    assert all(claim_pair(store, f"a{n}", NOON + n * 2 * HOUR) for n in range(5))

    assert not claim_pair(store, "b", NOON + DAY - MS)
    assert claim_pair(store, "c", NOON + DAY)
    assert not claim_pair(store, "d", NOON + DAY)
    # What is a day old is not kept.
    assert count(store, pair_tries) == 5


def test_owner_and_others_have_tries_of_their_own(store: Store, phone: MFADevice) -> None:
    for n in range(3):
        assert claim_pair(store, f"owner{n}", NOON)
    assert not claim_pair(store, "owner", NOON)

    assert [claim_pair(store, f"other{n}", NOON, Claimant.OTHER) for n in range(4)] == [True, True, True, False]


def test_each_device_has_tries_of_its_own(store: Store, phone: MFADevice) -> None:
    assert claim_pair(store, "one", NOON, per_hour=1)
    assert not claim_pair(store, "two", NOON, per_hour=1)
    tries = PairTries(per_hour=1, per_day=1)

    for other in (unseen_device("other"), replace(PHONE, account_id=OTHER_ACCOUNT)):
        assert not store.read(lambda tx, other=other: tx.mfa_devices.pair_waiting(other, Claimant.OWNER, NOON, tries))  # type: ignore[misc]


def test_a_request_that_others_overtook_gets_no_new_try(store: Store, phone: MFADevice) -> None:
    assert claim_pair(store, "one", NOON, per_hour=1)

    assert not claim_pair(store, "two", NOON - timedelta(seconds=20), per_hour=1)


def test_a_clock_set_back_far_does_not_lengthen_the_wait_for_a_pair(store: Store, phone: MFADevice) -> None:
    for n in range(3):
        assert claim_pair(store, f"a{n}", NOON + 365 * DAY)
    assert not claim_pair(store, "b", NOON + 365 * DAY)

    assert [claim_pair(store, f"c{n}", NOON) for n in range(4)] == [True, True, True, False]


def test_a_success_forgets_misses_of_both_kinds(store: Store, phone: MFADevice) -> None:
    for n in range(3):
        assert claim_pair(store, f"owner{n}", NOON)
        assert claim_pair(store, f"other{n}", NOON, Claimant.OTHER)
    for _ in range(5):
        assert claim(store, phone, NOON)

    store.write(lambda tx: tx.mfa_devices.clear_misses(kept(store, phone)))

    assert kept(store, phone).misses == Misses()
    assert count(store, pair_tries) == 0
    assert claim(store, phone, NOON)
    assert claim_pair(store, "again", NOON)


def test_a_claimed_try_stays_when_the_savepoint_after_it_is_undone(store: Store, phone: MFADevice) -> None:
    def refuse(tx: Transaction, found: MFADevice) -> None:
        with tx.savepoint():
            tx.mfa_devices.spend(found, 10, at=NOON)
            tx.mfa_devices.spend(found, 9, 10, at=NOON)

    def work(tx: Transaction) -> None:
        found = tx.mfa_devices.find(ACCOUNT, phone.serial_number)
        assert found is not None
        assert tx.mfa_devices.claim_pair(found, Claimant.OWNER, NOON, PairTries(per_hour=9, per_day=9), "one")
        assert tx.mfa_devices.claim_code(found, NOON, USUAL)
        with pytest.raises(InvalidAuthenticationCode):
            refuse(tx, found)

    store.write(work)

    assert spent(store, phone) == set()
    assert count(store, pair_tries) == 1
    assert kept(store, phone).misses == Misses(1)
