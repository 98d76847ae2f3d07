"""What accepted codes teach about a clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median_high

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.drift import (
    Sighting,
    Source,
    Tracking,
    after_code,
    after_pair,
    candidates,
    common_shift,
    expected_step,
    thin,
)
from instep.domain.totp import Token
from instep.settings import Totp

NOON = datetime(2026, 11, 24, 12, 0, 15, tzinfo=UTC)
DAY = timedelta(days=1)
TOKEN = Token(b"a seed that is no secret")
HERE = TOKEN.time_step(NOON)
WINDOWS = Totp()


def pair(step: int, now: datetime, *, tracking: Tracking | None = None, hardware: bool = False) -> Tracking:
    return after_pair(tracking or Tracking.unseen(now), Sighting(now, step, Source.RESYNC), hardware=hardware, period=30)


def one(tracking: Tracking, step: int, now: datetime, *, hardware: bool = False) -> Tracking:
    return after_code(tracking, Sighting(now, step, Source.SIGNIN), hardware=hardware, period=30, windows=WINDOWS)


def drift_of(tracking: Tracking, now: datetime = NOON) -> float:
    return tracking.drift.seconds_at(now)


def in_step(offset: timedelta = timedelta(0), *, hardware: bool = False, codes: int = 1) -> Tracking:
    """A device `offset` off, that was enabled and has signed in `codes` times, once a day and in the middle of a code."""
    start = NOON - DAY * (codes + 1)
    tracking = pair(TOKEN.time_step(start + offset), start, hardware=hardware)
    for day in range(1, codes + 1):
        tracking = one(tracking, TOKEN.time_step(start + offset + day * DAY), start + day * DAY, hardware=hardware)
    return tracking


def test_a_sighting_is_kept_to_the_millisecond() -> None:
    assert Sighting(NOON.replace(microsecond=123_999), 1, Source.CHECK).at.microsecond == 123_000


def test_a_code_in_the_middle_of_its_life_measures_no_drift() -> None:
    assert Sighting(NOON, HERE, Source.STS).measure(30) == 0
    assert Sighting(NOON, HERE - 40, Source.STS).measure(30) == -1200
    assert Sighting(NOON, TOKEN.time_step(NOON) // 2, Source.STS).measure(60) in (-15, 15)


@pytest.mark.parametrize("source", [Source.ENABLE, Source.RESYNC])
def test_a_pair_starts_the_drift_anew_from_its_second_code(source: Source) -> None:
    tracking = after_pair(in_step(codes=9), Sighting(NOON, HERE - 40, source), hardware=False, period=30)

    assert drift_of(tracking) == -1200
    assert expected_step(tracking, NOON, period=30) == HERE - 40
    assert not tracking.confirmed
    assert tracking.restarted_at == tracking.last_seen == NOON
    assert tracking.sightings[-1] == Sighting(NOON, HERE - 40, source)
    assert len(tracking.sightings) == 11


def test_the_newest_accepted_step_is_the_highest() -> None:
    fast = pair(HERE + 1000, NOON)

    assert fast.newest_accepted_step == HERE + 1000
    assert pair(HERE, NOON, tracking=fast).newest_accepted_step == HERE + 1000
    assert one(fast, HERE + 1001, NOON).newest_accepted_step == HERE + 1001


@pytest.mark.parametrize("ahead", [10, 5, 1, 0, -1])
def test_the_first_code_after_a_pair_starts_the_drift_anew_from_its_own_step(ahead: int) -> None:
    tracking = one(pair(HERE - 40 - 2880, NOON - DAY), HERE - 40 + ahead, NOON)

    assert drift_of(tracking) == (ahead - 40) * 30
    assert tracking.confirmed
    assert tracking.restarted_at == NOON


def test_a_first_code_far_behind_the_pair_is_a_clock_put_right() -> None:
    fast_by_an_hour = pair(HERE + 120 - 2880, NOON - DAY)

    assert drift_of(one(fast_by_an_hour, HERE, NOON)) == 0


def test_a_first_code_typed_late_after_a_prompt_pair_drags_the_drift_no_further_than_a_period() -> None:
    tracking = one(pair(HERE - 40 - 2880, NOON - DAY), HERE - 42, NOON)

    assert drift_of(tracking) == -41 * 30


@given(
    before=st.lists(st.integers(-14, 14), min_size=1, max_size=9),
    late=st.integers(0, 120),
    hardware=st.booleans(),
)
def test_one_late_code_never_drags_the_drift(before: list[int], late: int, hardware: bool) -> None:
    tracking = pair(HERE, NOON, hardware=hardware)
    for day, jitter in enumerate(before, start=1):
        at = NOON + day * DAY
        tracking = one(tracking, TOKEN.time_step(at), at + timedelta(seconds=jitter), hardware=hardware)
    kept = [one.measure(30) for one in tracking.sightings[1:]]
    at = NOON + (len(before) + 1) * DAY
    after = one(tracking, TOKEN.time_step(at), at + timedelta(seconds=late), hardware=hardware)

    # Wherever it goes, it goes to something an earlier, prompt code said, or to this one when that is the faster.
    assert drift_of(after, at) >= min(kept)
    assert abs(drift_of(after, at) - drift_of(tracking, at)) <= 30


def test_of_two_measures_the_faster_one_counts_as_nobody_types_early() -> None:
    tracking = in_step()

    assert drift_of(one(tracking, HERE - 1, NOON)) == 0
    assert drift_of(one(tracking, HERE + 1, NOON)) == 30


def test_the_drift_is_the_median_of_the_last_seven_measures() -> None:
    tracking = in_step(codes=20)
    measures = [0, 3, -4, 12, -8, 5, 1, -30]
    for n, measure in enumerate(measures):
        at = NOON + n * DAY
        tracking = one(tracking, TOKEN.time_step(at), at - timedelta(seconds=measure))

    assert drift_of(tracking) == median_high(measures[-7:])


@given(steps=st.lists(st.integers(-50, 50), min_size=1, max_size=12))
def test_the_drift_of_a_virtual_device_moves_one_period_a_code_at_most(steps: list[int]) -> None:
    tracking = in_step(codes=3)
    for n, step in enumerate(steps):
        before = drift_of(tracking)
        tracking = one(tracking, HERE + n + step, NOON + n * timedelta(seconds=30))
        assert abs(drift_of(tracking) - before) <= 30


def test_what_was_learnt_before_a_pair_does_not_count_after_it() -> None:
    tracking = pair(HERE - 40, NOON, tracking=in_step(codes=9))
    tracking = one(tracking, HERE - 40 + 2880, NOON + DAY)
    tracking = one(tracking, HERE - 40 + 2 * 2880, NOON + 2 * DAY)

    assert drift_of(tracking) == -1200


def test_a_phone_put_right_works_on_and_its_drift_follows_a_period_a_code() -> None:
    tracking = in_step(timedelta(minutes=20), codes=9)
    drifts = []
    for n in range(60):
        now = NOON + n * DAY
        step = TOKEN.time_step(now)
        assert step in candidates(tracking, now, hardware=False, period=30, windows=WINDOWS)
        tracking = one(tracking, step, now)
        drifts.append(drift_of(tracking, now))

    assert drifts[0] == 1200
    assert drifts[-1] == 0
    assert all(0 <= earlier - later <= 30 for earlier, later in pairwise(drifts))


class Crystal:
    """A hardware token that runs `ppm` fast, and its owner, who types some seconds late."""

    def __init__(self, ppm: float, *, offset: float = 0.0) -> None:
        self._ppm, self._offset = ppm, offset

    def step(self, now: datetime) -> int:
        drift = self._offset + self._ppm * 1e-6 * (now - NOON).total_seconds()
        return TOKEN.time_step(now + timedelta(seconds=drift))


def use(crystal: Crystal, tracking: Tracking, days: list[float], *, late: int = 7) -> Tracking:
    """Signs in on those days; fails where a code is not open."""
    for n, day in enumerate(days):
        read = NOON + timedelta(days=day, seconds=n * 11 % 30)
        typed = read + timedelta(seconds=n * 5 % (late + 1))
        steps = candidates(tracking, typed, hardware=True, period=30, windows=WINDOWS)
        assert crystal.step(read) in steps, f"day {day}: {crystal.step(read) - expected_step(tracking, typed, period=30)}"
        tracking = one(tracking, crystal.step(read), typed, hardware=True)
    return tracking


@pytest.mark.parametrize("ppm", [30, -30, 5, -12, 0])
def test_a_hardware_token_used_monthly_for_two_years_stays_in_step(ppm: float) -> None:
    crystal = Crystal(ppm, offset=300)
    tracking = pair(crystal.step(NOON), NOON, hardware=True)
    # Until its rate is known it is used every other day; then once a month.
    tracking = use(crystal, tracking, [float(day) for day in range(1, 60, 2)])
    tracking = use(crystal, tracking, [60.0 + 30.5 * month for month in range(1, 25)])

    assert tracking.drift.rate_ppm == pytest.approx(ppm, abs=1)


def test_a_rate_is_believed_after_45_days_and_five_sightings() -> None:
    crystal = Crystal(30)
    tracking = use(crystal, pair(HERE, NOON, hardware=True), [1.0, 2.0, 3.0, 4.0, 5.0])
    assert tracking.drift.rate_ppm == 0

    assert use(crystal, tracking, [5.5, 6.5]).drift.rate_ppm == 0
    at = NOON + 44 * DAY
    assert one(tracking, crystal.step(at), at, hardware=True).drift.rate_ppm == 0
    at = NOON + 46 * DAY
    assert one(tracking, crystal.step(at), at, hardware=True).drift.rate_ppm == pytest.approx(30, abs=4)


def test_four_sightings_say_nothing_about_a_rate() -> None:
    crystal = Crystal(10)
    tracking = use(crystal, pair(HERE, NOON, hardware=True), [20.0, 40.0])
    at = NOON + 60 * DAY

    assert one(tracking, crystal.step(at), at, hardware=True).drift.rate_ppm == 0


@pytest.mark.parametrize("ppm", [500, -500])
def test_no_rate_is_believed_beyond_sixty_parts_per_million(ppm: int) -> None:
    crystal = Crystal(ppm)
    tracking = pair(HERE, NOON, hardware=True)
    for day in range(1, 60):
        at = NOON + day * DAY
        tracking = pair(crystal.step(at), at, tracking=tracking, hardware=True)

    assert tracking.drift.rate_ppm == (60 if ppm > 0 else -60)


def test_a_virtual_device_has_no_rate() -> None:
    tracking = in_step(codes=60)
    slower = replace(
        tracking,
        sightings=tuple(replace(one, step=one.step - number) for number, one in enumerate(tracking.sightings)),
    )

    assert one(slower, HERE, NOON).drift.rate_ppm == 0
    assert pair(HERE, NOON, tracking=slower).drift.rate_ppm == 0


def test_a_resync_starts_a_hardware_token_s_drift_anew_and_keeps_its_rate() -> None:
    crystal = Crystal(-20)
    tracking = use(crystal, pair(HERE, NOON, hardware=True), [float(day) for day in range(1, 100, 3)])
    at = NOON + 101 * DAY
    tracking = pair(TOKEN.time_step(at) - 100, at, tracking=tracking, hardware=True)

    assert tracking.drift.rate_ppm == pytest.approx(-20, abs=1)
    assert drift_of(tracking, at) == pytest.approx(-3000)
    assert drift_of(tracking, at + 50 * DAY) == pytest.approx(-3000 - 86.4, abs=5)


def test_sightings_of_a_stormy_hour_do_not_blur_the_rate() -> None:
    crystal = Crystal(25)
    tracking = use(crystal, pair(HERE, NOON, hardware=True), [float(day) for day in range(1, 61, 2)])
    tracking = use(crystal, tracking, [60.5 + 0.002 * n for n in range(45)])

    assert tracking.drift.rate_ppm == pytest.approx(25, abs=4)


def test_a_few_codes_typed_minutes_late_do_not_bend_the_rate() -> None:
    crystal = Crystal(15)
    sightings = [
        Sighting(at + timedelta(seconds=200 if n % 5 == 0 else 5), crystal.step(at), Source.STS)
        for n, at in enumerate(NOON + day * DAY for day in range(0, 90, 3))
    ]
    tracking = replace(in_step(hardware=True), restarted_at=NOON, sightings=tuple(sightings))
    at = NOON + 91 * DAY

    assert one(tracking, crystal.step(at), at, hardware=True).drift.rate_ppm == pytest.approx(15, abs=2)


def at_days(days: list[float]) -> tuple[Sighting, ...]:
    return tuple(Sighting(NOON + timedelta(days=day), HERE + round(day * 2880), Source.STS) for day in days)


def test_the_last_48_sightings_are_kept_and_of_older_ones_the_first_of_each_week() -> None:
    sightings = at_days([day / 4 for day in range(4 * 70)])
    keep, drop = thin(sightings, sightings[-1].at)

    assert keep[-48:] == sightings[-48:]
    assert sorted((*keep, *drop), key=lambda one: one.at) == list(sightings)
    older = keep[:-48]
    assert 8 <= len(older) <= 10
    # The first one begins in the middle of a week.
    assert all(later.at - earlier.at >= 6 * DAY for earlier, later in pairwise(older[1:]))


def test_older_sightings_go_after_three_years_but_the_last_48_stay() -> None:
    sightings = at_days([7.0 * week for week in range(48)])
    later = NOON + 4 * 365 * DAY

    assert thin(sightings, later) == (sightings, ())
    assert thin((Sighting(NOON - DAY, 1, Source.STS), *sightings), later)[1] == (Sighting(NOON - DAY, 1, Source.STS),)


@given(days=st.lists(st.floats(0, 1500), min_size=1, max_size=150))
def test_thinning_as_one_goes_keeps_the_like_of_thinning_at_the_end_and_never_thins_twice(days: list[float]) -> None:
    kept: tuple[Sighting, ...] = ()
    for sighting in at_days(sorted(days)):
        kept, _ = thin((*kept, sighting), sighting.at)
    at_once, _ = thin(at_days(sorted(days)), kept[-1].at)

    assert kept == at_once
    assert thin(kept, kept[-1].at) == (kept, ())
    assert len(kept) <= 48 + 3 * 53 + 1


def test_a_server_clock_stepped_back_breaks_nothing() -> None:
    tracking = in_step(codes=60, hardware=True)
    back = NOON - timedelta(hours=2)

    after = one(tracking, TOKEN.time_step(back), back, hardware=True)

    assert [sighting.at for sighting in after.sightings] == sorted(sighting.at for sighting in after.sightings)
    assert TOKEN.time_step(back) in candidates(after, back, hardware=True, period=30, windows=WINDOWS)


def test_many_devices_that_moved_together_accuse_the_server() -> None:
    assert common_shift([(drift, drift + 35) for drift in (-1200.0, 0, 4, 90, -7, 0)]) == timedelta(seconds=35)
    assert common_shift([(0, -28), (5, -20), (9, -25), (0, -40), (3, 2), (0, -30), (0, -33)]) == timedelta(seconds=-30)


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [(0.0, 40.0)] * 4,
        [(0.0, 10.0)] * 50,
        [(0.0, 40.0), (0.0, -40.0)] * 10,
        [(0.0, 40.0)] * 6 + [(0.0, 0.0)] * 4,
    ],
)
def test_few_small_or_contrary_moves_accuse_nobody(changes: list[tuple[float, float]]) -> None:
    assert common_shift(changes) is None
