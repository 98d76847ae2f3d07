"""Which time steps a device may show, and how far to search for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.drift import (
    Drift,
    Sighting,
    Source,
    Tracking,
    after_code,
    after_pair,
    beyond_owner,
    candidates,
    expected_step,
    raised_floor,
    reach,
    sweep_before,
    wide_reach,
)
from instep.domain.practice import PracticeDevice
from instep.domain.totp import Token
from instep.settings import Totp

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOKEN = Token(b"a seed that is no secret")
HERE = TOKEN.time_step(NOON)
WINDOWS = Totp()
UNSEEN = Tracking.unseen(NOON)

drifts = st.integers(-3_600_000, 86_400_000).map(lambda ms: timedelta(milliseconds=ms))
virtual_or_hardware = st.booleans()
periods = st.sampled_from([30, 60])


def open_steps(tracking: Tracking, now: datetime, *, hardware: bool = False, period: int = 30) -> list[int]:
    return candidates(tracking, now, hardware=hardware, period=period, windows=WINDOWS)


def drifted(seconds: float, *, confirmed: bool = True, last_seen: datetime | None = NOON) -> Tracking:
    return Tracking(Drift(seconds, 0.0, NOON), NOON, confirmed=confirmed, newest_accepted_step=HERE, last_seen=last_seen)


def enabled(step: int, now: datetime, *, hardware: bool = False, period: int = 30) -> Tracking:
    return after_pair(UNSEEN, Sighting(now, step, Source.ENABLE), hardware=hardware, period=period)


def test_one_step_either_side_of_the_expected_one_is_open_nearest_first() -> None:
    assert open_steps(drifted(0), NOON) == [HERE, HERE - 1, HERE + 1]


def test_a_virtual_device_may_also_show_the_right_time() -> None:
    slow = drifted(-1200)

    assert open_steps(slow, NOON)[:3] == [HERE - 40, HERE - 41, HERE - 39]
    assert sorted(open_steps(slow, NOON)[3:]) == [HERE - 1, HERE, HERE + 1]


def test_a_hardware_token_may_not() -> None:
    assert open_steps(drifted(-1200), NOON, hardware=True) == [HERE - 40, HERE - 41, HERE - 39]


def test_no_more_than_six_codes_are_open_as_a_rule_and_sixteen_after_a_pair() -> None:
    assert len(open_steps(drifted(-1200), NOON)) == 6
    assert len(open_steps(drifted(-1200, confirmed=False), NOON)) == 16
    assert len(open_steps(drifted(-1200, confirmed=False), NOON, hardware=True)) == 13


@given(
    seconds=st.integers(-90_000, 90_000), floor=st.integers(-5000, 5000), confirmed=st.booleans(), hardware=virtual_or_hardware
)
def test_no_step_at_or_below_the_floor_is_ever_open(seconds: int, floor: int, confirmed: bool, hardware: bool) -> None:
    tracking = replace(drifted(seconds, confirmed=confirmed), floor=HERE + floor)
    steps = open_steps(tracking, NOON, hardware=hardware)
    expected = expected_step(tracking, NOON, period=30)

    assert all(step > HERE + floor for step in steps)
    assert steps == sorted(steps, key=lambda step: abs(step - expected))
    assert len(steps) == len(set(steps))
    for by_owner in (True, False):
        searched = reach(tracking, NOON, hardware=hardware, by_owner=by_owner, period=30, windows=WINDOWS)
        assert all(step - 1 > HERE + floor for step in searched)


def test_steps_before_1970_are_never_open() -> None:
    start = datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)

    assert open_steps(Tracking.unseen(start), start) == [0, 1]


def test_a_hardware_token_long_unused_may_show_one_step_more_either_side() -> None:
    # Twenty parts per million make half a period, 15 seconds, in 750,000 seconds.
    token = drifted(0)
    just = NOON + timedelta(seconds=750_000)

    assert len(open_steps(token, just, hardware=True)) == 3
    assert len(open_steps(token, just + SECOND, hardware=True)) == 5
    assert len(open_steps(token, just + timedelta(days=3000), hardware=True)) == 5
    assert len(open_steps(token, just + SECOND, hardware=False)) == 3


@given(
    drift=drifts, fraction=st.integers(0, 29_999), hardware=virtual_or_hardware, period=periods, wait=st.integers(0, 80_000_000)
)
def test_the_very_next_code_after_a_prompt_pair_is_open(
    drift: timedelta, fraction: int, hardware: bool, period: int, wait: int
) -> None:
    device = PracticeDevice("x", Token(TOKEN.seed, period=period), drift)
    typed = NOON + timedelta(milliseconds=fraction)
    tracking = enabled(device.step(typed), typed, hardware=hardware, period=period)

    for later in (typed + timedelta(seconds=device.seconds_left(typed)), typed + timedelta(milliseconds=wait)):
        assert device.step(later) in open_steps(tracking, later, hardware=hardware, period=period)


@given(drift=drifts, fraction=st.integers(0, 29_999), hardware=virtual_or_hardware, period=periods)
def test_the_very_next_code_is_open_when_the_pair_s_second_one_was_the_coming_one(
    drift: timedelta, fraction: int, hardware: bool, period: int
) -> None:
    device = PracticeDevice("x", Token(TOKEN.seed, period=period), drift)
    typed = NOON + timedelta(milliseconds=fraction)
    tracking = enabled(device.step(typed) + 1, typed, hardware=hardware, period=period)
    # Two steps on, as the code shown when the pair was typed and the one after it are both spent.
    later = typed + timedelta(seconds=device.seconds_left(typed) + period)

    assert device.step(later) in open_steps(tracking, later, hardware=hardware, period=period)


@given(drift=drifts, late=st.integers(0, 300_000), hardware=virtual_or_hardware, period=periods, wait=st.integers(0, 80_000_000))
def test_codes_after_a_pair_typed_up_to_ten_periods_late_are_open(
    drift: timedelta, late: int, hardware: bool, period: int, wait: int
) -> None:
    device = PracticeDevice("x", Token(TOKEN.seed, period=period), drift)
    # Late is counted from the middle of the second code's life, which is what a drift is measured from.
    typed = _middle(device, NOON) + timedelta(milliseconds=late * period // 30)
    tracking = enabled(device.step(NOON), typed, hardware=hardware, period=period)

    for later in (typed + timedelta(seconds=device.seconds_left(typed)), typed + timedelta(milliseconds=wait)):
        assert device.step(later) in open_steps(tracking, later, hardware=hardware, period=period)


def _middle(device: PracticeDevice, now: datetime) -> datetime:
    """When the device shows the middle of its present time step."""
    start = now + timedelta(seconds=device.seconds_left(now) - device.token.period)
    return start + timedelta(seconds=device.token.period / 2)


def test_a_hardware_token_whose_pair_was_typed_later_still_is_out_of_step() -> None:
    late = enabled(HERE - 14, NOON, hardware=True)

    assert HERE not in open_steps(late, NOON, hardware=True)


def test_a_virtual_device_that_was_right_all_along_is_in_step_however_late_the_pair() -> None:
    assert HERE in open_steps(enabled(HERE - 100, NOON), NOON)


def test_the_wider_reach_after_a_pair_ends_after_a_day() -> None:
    tracking = enabled(HERE, NOON, hardware=True)
    day = timedelta(hours=24)

    assert len(open_steps(tracking, NOON + day, hardware=True)) == 13
    assert len(open_steps(tracking, NOON + day + timedelta(milliseconds=1), hardware=True)) == 3


def test_the_wider_reach_after_a_pair_ends_with_the_first_code() -> None:
    tracking = enabled(HERE - 10, NOON, hardware=True)
    confirmed = _after(tracking, HERE, NOON, hardware=True)

    assert confirmed.confirmed
    assert open_steps(confirmed, NOON, hardware=True) == [HERE, HERE - 1, HERE + 1]


def _after(tracking: Tracking, step: int, now: datetime, *, hardware: bool) -> Tracking:
    return after_code(tracking, Sighting(now, step, Source.STS), hardware=hardware, period=30, windows=WINDOWS)


@given(drift=drifts, hardware=virtual_or_hardware, early=st.booleans(), fractions=st.tuples(*[st.integers(0, 29_999)] * 3))
def test_the_code_after_the_confirming_one_is_open_too(
    drift: timedelta, hardware: bool, early: bool, fractions: tuple[int, int, int]
) -> None:
    device = PracticeDevice("x", TOKEN, drift)
    first, second, third = (NOON + timedelta(minutes=10 * n, milliseconds=ms) for n, ms in enumerate(fractions))
    tracking = enabled(device.step(first) + early, first, hardware=hardware)
    tracking = _after(tracking, device.step(second), second, hardware=hardware)

    assert device.step(third) in open_steps(tracking, third, hardware=hardware)


def search(tracking: Tracking, *, by_owner: bool, hardware: bool = False, period: int = 30) -> tuple[int, int]:
    """Behind and ahead of the server's own step, in time steps."""
    found = reach(tracking, NOON, hardware=hardware, by_owner=by_owner, period=period, windows=WINDOWS)
    here = Token(TOKEN.seed, period=period).time_step(NOON)
    return here - found[0], found[-1] - here


def test_an_owner_reaches_an_hour_back_and_a_day_ahead() -> None:
    token = replace(UNSEEN, newest_accepted_step=HERE - 5000)

    assert search(token, by_owner=True) == (120, 2880)
    assert search(token, by_owner=True, hardware=True) == (120, 2880)


def test_anybody_else_and_enabling_reach_a_day_either_way() -> None:
    token = replace(UNSEEN, newest_accepted_step=HERE)

    assert search(token, by_owner=False) == (2880, 2880)
    assert search(token, by_owner=False, hardware=True) == (2880, 2880)
    assert search(UNSEEN, by_owner=False, period=60) == (1440, 1440)


def test_a_hardware_token_never_used_before_is_searched_seven_days_either_way() -> None:
    assert search(UNSEEN, by_owner=False, hardware=True) == (7 * 2880, 7 * 2880)
    assert search(UNSEEN, by_owner=True, hardware=True) == (7 * 2880, 7 * 2880)
    assert search(UNSEEN, by_owner=True, hardware=False) == (120, 2880)


def test_an_owner_never_goes_more_than_ten_steps_behind_the_newest_accepted_code() -> None:
    token = replace(UNSEEN, newest_accepted_step=HERE + 50)

    assert search(token, by_owner=True) == (-40, 2880)
    assert search(token, by_owner=False) == (2880, 2880)


def test_a_resync_an_owner_could_not_have_made_is_flagged() -> None:
    token = replace(UNSEEN, newest_accepted_step=HERE)

    assert not beyond_owner(token, HERE - 10, windows=WINDOWS)
    assert beyond_owner(token, HERE - 11, windows=WINDOWS)
    assert not beyond_owner(UNSEEN, 1, windows=WINDOWS)


def test_a_floor_above_everything_leaves_nothing_to_search() -> None:
    token = replace(UNSEEN, floor=HERE + 10_000)

    assert not reach(token, NOON, hardware=False, by_owner=False, period=30, windows=WINDOWS)


def test_an_explanation_looks_seven_days_either_way() -> None:
    wide = wide_reach(NOON, period=30, windows=WINDOWS)

    assert (wide[0], wide[-1]) == (HERE - 7 * 2880, HERE + 7 * 2880)


@given(age=st.integers(0, 40 * 86_400), ahead=st.integers(-7 * 2880, 7 * 2880), hardware=virtual_or_hardware)
def test_what_may_be_swept_is_past_every_search(age: int, ahead: int, hardware: bool) -> None:
    arrival = NOON - timedelta(seconds=age)
    step = TOKEN.time_step(arrival) + ahead
    if arrival < sweep_before(NOON, windows=WINDOWS):
        for by_owner in (True, False):
            searched = reach(UNSEEN, NOON, hardware=hardware, by_owner=by_owner, period=30, windows=WINDOWS)
            assert step < searched[0] - 1
    else:
        assert age <= 15 * 86_400


@pytest.mark.parametrize(("floor", "swept", "raised"), [(-1, [], -1), (-1, [5, 9, 7], 9), (10, [9], 10)])
def test_the_floor_rises_to_the_highest_step_swept_and_never_falls(floor: int, swept: list[int], raised: int) -> None:
    assert raised_floor(floor, swept) == raised
