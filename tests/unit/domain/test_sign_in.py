"""What people type, how long they wait, and what the right password is still good for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.identity import LoginProfile
from instep.domain.password_policy import PasswordPolicy
from instep.domain.sign_in import (
    Failures,
    PasswordAge,
    PasswordTries,
    State,
    is_account_id,
    one_more,
    password_age,
    state_after,
    typed_account,
    typed_name,
)

NOON = datetime(2026, 11, 24, 12, 0, 10, tzinfo=UTC)
TRIES = PasswordTries(waits_from=5, within=timedelta(minutes=5), longest_wait=timedelta(minutes=15))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456789012", "123456789012"),
        ("1234-5678-9012", "123456789012"),
        ("１２３４ ５６７８ ９０１２", "123456789012"),
        (" Example-Corp ", "example-corp"),
        ("1234", "1234"),
        ("٠١٢٣٤٥٦٧٨٩٠١", "٠١٢٣٤٥٦٧٨٩٠١"),
    ],
)
def test_an_account_is_read_as_people_type_it(typed: str, read: str) -> None:
    assert typed_account(typed) == read
    assert is_account_id(typed_account(typed)) is (read == "123456789012")


@given(st.text())
def test_whatever_is_typed_is_read_the_same_twice(text: str) -> None:
    typed_name(text)
    assert is_account_id(typed_account(text)) == (
        typed_account(text).isascii() and typed_account(text).isdigit() and len(typed_account(text)) == 12
    )


def test_waits_grow_to_the_longest() -> None:
    waits = [TRIES.wait_after(failures).total_seconds() for failures in range(1, 13)]

    assert waits == [0, 0, 0, 0, 5, 15, 60, 300, 900, 900, 900, 900]
    shorter = PasswordTries(waits_from=1, within=timedelta(minutes=5), longest_wait=timedelta(seconds=20))
    assert [shorter.wait_after(failures).total_seconds() for failures in (1, 2, 3, 99)] == [5, 15, 20, 20]


def test_failures_are_counted_until_they_are_long_enough_ago() -> None:
    first = one_more(None, NOON, TRIES)
    assert first == Failures(1, NOON)
    assert one_more(first, NOON + timedelta(minutes=4, seconds=59), TRIES).count == 2
    assert one_more(first, NOON + timedelta(minutes=5), TRIES).count == 1
    waited = Failures(9, NOON, NOON + timedelta(minutes=15))
    # While the wait goes on nothing is forgotten, nor right after it.
    assert one_more(waited, NOON + timedelta(minutes=19), TRIES).count == 10
    assert one_more(waited, NOON + timedelta(minutes=20), TRIES).count == 1


def test_a_wait_written_by_a_clock_that_was_far_ahead_is_none() -> None:
    waited = Failures(9, NOON, NOON + timedelta(minutes=15))

    assert waited.waiting_until(NOON, TRIES) == NOON + timedelta(minutes=15)
    assert waited.waiting_until(NOON + timedelta(minutes=15), TRIES) is None
    assert waited.waiting_until(NOON - timedelta(seconds=1), TRIES) is None


def test_the_second_factor_comes_before_the_change_of_password() -> None:
    assert state_after(factor_missing=True, must_change=True) is State.PASSWORD_OK
    assert state_after(factor_missing=False, must_change=True) is State.MUST_CHANGE_PASSWORD
    assert state_after(factor_missing=False, must_change=False) is State.SIGNED_IN


@pytest.mark.parametrize(
    ("policy", "reset_required", "age"),
    [
        (None, False, PasswordAge.GOOD),
        (None, True, PasswordAge.CHANGE),
        (PasswordPolicy(), False, PasswordAge.GOOD),
        (PasswordPolicy(max_age=31), False, PasswordAge.GOOD),
        (PasswordPolicy(max_age=30), False, PasswordAge.CHANGE),
        (PasswordPolicy(max_age=30, hard_expiry=True), True, PasswordAge.EXPIRED),
        (PasswordPolicy(max_age=31, hard_expiry=True), True, PasswordAge.CHANGE),
        (PasswordPolicy(hard_expiry=True), False, PasswordAge.GOOD),
    ],
)
def test_what_the_right_password_is_still_good_for(policy: PasswordPolicy | None, reset_required: bool, age: PasswordAge) -> None:
    profile = LoginProfile("123456789012", "AIDARICHARD", "hash", NOON, NOON, reset_required)

    assert password_age(profile, policy, NOON + timedelta(days=30)) is age
