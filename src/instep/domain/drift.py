"""Where a device's clock stands: what its accepted codes teach, which time steps it may show next, how far to search for it.

Drift is device clock minus server clock.  An accepted code of time step s that arrives at t measures m = (s + ½)·period − t;
whoever types late makes the clock look slow, never fast.  Which codes are spent is kept elsewhere, in whole steps, and never
worked out from seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import combinations
from statistics import median, median_high
from typing import Protocol

# Of a drift's newest measures, so many decide where it stands.
MEASURES = 7
# A crystal's rate is believed once so many sightings lie over so long a time, and never beyond this.
RATE_POINTS = 5
RATE_SPAN = timedelta(days=45)
RATE_LIMIT_PPM = 60.0
# Two sightings closer than this say more about when somebody typed than about a crystal.
RATE_BASE = timedelta(days=7)
# The newest sightings are all kept, of older ones one a week.
SIGHTINGS = 48
SIGHTINGS_AGE = timedelta(days=3 * 365)
# What was spent outlives the widest search by so much before it is swept.
SWEEP_MARGIN = timedelta(days=1)
# When at least so many devices, and nearly all there are, moved at least so far the same way, the server moved.
SHIFTED_DEVICES = 5
SHIFTED_SHARE = 0.8
SHIFT = timedelta(seconds=20)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK = timedelta(weeks=1)


class Windows(Protocol):
    """How far to look, in time steps or time: the operator's settings."""

    @property
    def sign_in_window(self) -> int: ...
    @property
    def late_pair_behind(self) -> int: ...
    @property
    def late_pair_ahead(self) -> int: ...
    @property
    def late_pair_allowance(self) -> timedelta: ...
    @property
    def resync_behind(self) -> timedelta: ...
    @property
    def resync_ahead(self) -> timedelta: ...
    @property
    def administrator_reach(self) -> timedelta: ...
    @property
    def unused_hardware_reach(self) -> timedelta: ...
    @property
    def owner_steps_behind_accepted(self) -> int: ...
    @property
    def crystal_ppm(self) -> float: ...


class Source(StrEnum):
    """Where a code was accepted."""

    ENABLE = "enable"
    RESYNC = "resync"
    SIGNIN = "signin"
    STS = "sts"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One accepted code; of a pair, the second.  `at` is its arrival, cut to the millisecond."""

    at: datetime
    step: int
    source: Source

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", self.at.replace(microsecond=self.at.microsecond // 1000 * 1000))

    def measure(self, period: int) -> float:
        """The drift in seconds that this code alone speaks for."""
        return (self.step + 0.5) * period - (self.at - _EPOCH).total_seconds()


@dataclass(frozen=True, slots=True)
class Drift:
    """Device clock minus server clock: `seconds` at `at`, changing by `rate_ppm` (microseconds a second) from there on."""

    seconds: float
    rate_ppm: float
    at: datetime

    def seconds_at(self, now: datetime) -> float:
        return self.seconds + self.rate_ppm * 1e-6 * (now - self.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Tracking:
    """What is known of the clock of one token.

    `restarted_at`: when `drift` was last started anew, by a pair or by the code that confirmed one; `confirmed`: a code has been
    accepted since the last pair.  No step at or below `floor` is ever accepted (−1: none is barred).  `newest_accepted_step` is
    the highest, None for a token never used.  `sightings` are oldest first.
    """

    drift: Drift
    restarted_at: datetime
    confirmed: bool = True
    newest_accepted_step: int | None = None
    floor: int = -1
    last_seen: datetime | None = None
    sightings: tuple[Sighting, ...] = ()

    @classmethod
    def unseen(cls, now: datetime) -> Tracking:
        """Of a token that has shown nothing yet: its clock is taken to be right."""
        return cls(drift=Drift(0.0, 0.0, now), restarted_at=now)


def expected_step(tracking: Tracking, now: datetime, *, period: int) -> int:
    """The time step the device should show now (E)."""
    return _step_at(now + timedelta(seconds=tracking.drift.seconds_at(now)), period)


def candidates(tracking: Tracking, now: datetime, *, hardware: bool, period: int, windows: Windows) -> list[int]:
    """The time steps one code may be of, nearest to the expected one first; none at or below the floor."""
    expected = expected_step(tracking, now, period=period)
    behind = ahead = windows.sign_in_window
    if hardware and _predicted_error(tracking, now, windows) > timedelta(seconds=period / 2):
        behind, ahead = behind + 1, ahead + 1
    if not tracking.confirmed and now - tracking.restarted_at <= windows.late_pair_allowance:
        # The pair may have been typed late, or one step early when its second code was the coming one.
        behind, ahead = max(behind, windows.late_pair_behind), max(ahead, windows.late_pair_ahead)
    steps = set(range(expected - behind, expected + ahead + 1))
    if not hardware:
        # A phone whose clock is put right works at once.
        here = _step_at(now, period)
        steps.update(range(here - windows.sign_in_window, here + windows.sign_in_window + 1))
    return sorted((step for step in steps if step > tracking.floor), key=lambda step: (abs(step - expected), step))


def reach(tracking: Tracking, now: datetime, *, hardware: bool, by_owner: bool, period: int, windows: Windows) -> range:
    """The time steps that the second code of a pair may be of, around the server's own step; for a hardware token in somebody
    else's hands around the expected one as well.

    `by_owner`: the device's own holder resynchronizes it; not when someone else does, nor when it is being enabled.
    """
    here = expected = _step_at(now, period)
    newest = tracking.newest_accepted_step
    # Both codes of the pair lie above the floor.
    lowest = tracking.floor + 2
    if newest is None and hardware:
        # Years in a drawer; and nothing can have been seen and kept by someone.
        behind = ahead = windows.unused_hardware_reach
    elif by_owner:
        behind, ahead = windows.resync_behind, windows.resync_ahead
        if newest is not None:
            lowest = max(lowest, newest - windows.owner_steps_behind_accepted)
    else:
        behind = ahead = windows.administrator_reach
        if hardware:
            # Nobody can set such a clock: one that was enabled days off must stay in reach.
            expected = expected_step(tracking, now, period=period)
    length = timedelta(seconds=period)
    return range(max(min(here, expected) - behind // length, lowest), max(here, expected) + ahead // length + 1)


def wide_reach(now: datetime, *, period: int, windows: Windows) -> range:
    """The widest search anybody is ever allowed: where to look when telling an administrator why a pair was refused."""
    here, far = _step_at(now, period), _widest(windows) // timedelta(seconds=period)
    return range(max(here - far, 1), here + far + 1)


def beyond_owner(tracking: Tracking, step: int, *, windows: Windows) -> bool:
    """A resync at `step` goes further back than the owner may: the audit event is flagged."""
    newest = tracking.newest_accepted_step
    return newest is not None and step < newest - windows.owner_steps_behind_accepted


def after_pair(tracking: Tracking, sighting: Sighting, *, hardware: bool, period: int) -> Tracking:
    """What is known once a pair was accepted whose second code is `sighting`: the drift starts anew, to be confirmed by a code.

    `tracking` comes with its sightings: the older ones keep serving a hardware token's rate, whose crystal is the same.
    """
    seen = _seen(tracking, sighting)
    rate = _rate(seen.sightings, period) if hardware else None
    drift = Drift(sighting.measure(period), rate or 0.0, sighting.at)
    return replace(seen, drift=drift, restarted_at=sighting.at, confirmed=False)


def after_code(tracking: Tracking, sighting: Sighting, *, hardware: bool, period: int, windows: Windows) -> Tracking:
    """What is known once a single code was accepted.  `tracking` comes with its sightings."""
    seen = _seen(tracking, sighting)
    rate = _rate(seen.sightings, period) if hardware else None
    if not tracking.confirmed:
        drift = Drift(_confirmed(tracking, sighting, period, windows), rate or 0.0, sighting.at)
        return replace(seen, drift=drift, restarted_at=sighting.at, confirmed=True)
    recent = [one for one in seen.sightings if one.at >= tracking.restarted_at][-MEASURES:] or [sighting]
    if rate is not None:
        here = median_high(Drift(one.measure(period), rate, one.at).seconds_at(sighting.at) for one in recent)
        return replace(seen, drift=Drift(here, rate, sighting.at))
    # The higher one of the middle two: late typing errs to the low side, and must not get half a say of two.
    middle = median_high(one.measure(period) for one in recent)
    before = tracking.drift.seconds_at(sighting.at)
    return replace(seen, drift=Drift(min(max(middle, before - period), before + period), 0.0, sighting.at))


def thin(sightings: Iterable[Sighting], now: datetime) -> tuple[tuple[Sighting, ...], tuple[Sighting, ...]]:
    """Which sightings to keep and which to drop, both oldest first.

    The newest 48 are kept; of older ones the first of each week, for three years.
    """
    ordered = sorted(sightings, key=lambda one: one.at)
    split = max(len(ordered) - SIGHTINGS, 0)
    keep: list[Sighting] = []
    drop: list[Sighting] = []
    week: int | None = None
    for one in ordered[:split]:
        # Weeks by the calendar, not from the newest: so what was kept once is kept next time too.
        its_week = (one.at - _EPOCH) // _WEEK
        if now - one.at > SIGHTINGS_AGE or its_week == week:
            drop.append(one)
        else:
            keep.append(one)
            week = its_week
    return (*keep, *ordered[split:]), tuple(drop)


def sweep_before(now: datetime, *, windows: Windows) -> datetime:
    """Spent steps that arrived before then may be swept, as may no others.

    Nothing is accepted further ahead of its arrival than the widest reach, so what arrived twice that long ago is past every
    search by its step as well.
    """
    return now - 2 * _widest(windows) - SWEEP_MARGIN


def raised_floor(floor: int, swept: Iterable[int]) -> int:
    """The floor once the spent steps `swept` are gone.

    It rises to steps that were really shown, never to one worked out from the clock: a server whose clock once ran a year ahead
    would bar every device for that year.
    """
    return max((floor, *swept))


def common_shift(changes: Sequence[tuple[float, float]]) -> timedelta | None:
    """How far the devices moved together, if so many did that the server's own clock is at fault; positive: the server is slow.

    `changes` holds, for each device seen of late, its drift in seconds before and the measure of its newest code.
    """
    moves = [latest - before for before, latest in changes]
    if len(moves) < SHIFTED_DEVICES:
        return None
    middle = median(moves)
    if abs(middle) < SHIFT.total_seconds():
        return None
    along = sum(1 for move in moves if move * middle > 0 and abs(move) >= SHIFT.total_seconds() / 2)
    return timedelta(seconds=middle) if along >= SHIFTED_SHARE * len(moves) else None


def _step_at(at: datetime, period: int) -> int:
    return (at - _EPOCH) // timedelta(seconds=period)


def _widest(windows: Windows) -> timedelta:
    return max(windows.resync_behind, windows.resync_ahead, windows.administrator_reach, windows.unused_hardware_reach)


def _predicted_error(tracking: Tracking, now: datetime, windows: Windows) -> timedelta:
    """How far a crystal may have wandered from where it is expected, since it was last seen."""
    idle = now - tracking.last_seen if tracking.last_seen else timedelta(0)
    return idle * (windows.crystal_ppm * 1e-6)


def _seen(tracking: Tracking, sighting: Sighting) -> Tracking:
    newest = tracking.newest_accepted_step
    keep, _ = thin((*tracking.sightings, sighting), sighting.at)
    return replace(
        tracking,
        newest_accepted_step=sighting.step if newest is None else max(newest, sighting.step),
        last_seen=sighting.at,
        sightings=keep,
    )


def _confirmed(tracking: Tracking, sighting: Sighting, period: int, windows: Windows) -> float:
    """The drift in seconds that the first code after a pair gives: its own.

    Except where it makes the clock look a little slower than the pair did.  A pair errs to the fast side by one period at most
    (its second code was the coming one), so what goes beyond that is late typing, of which one code must not convince us.
    """
    measured = sighting.measure(period)
    expected = expected_step(tracking, sighting.at, period=period)
    if sighting.step >= expected - max(windows.late_pair_behind, windows.sign_in_window):
        return max(measured, tracking.drift.seconds_at(sighting.at) - period)
    return measured


def _rate(sightings: Sequence[Sighting], period: int) -> float | None:
    """How many parts per million fast a crystal runs: the median of the slopes between sightings (Theil–Sen).

    None while it is too early to say.
    """
    if len(sightings) < RATE_POINTS or sightings[-1].at - sightings[0].at < RATE_SPAN:
        return None
    points = [((one.at - _EPOCH).total_seconds(), one.measure(period)) for one in sightings]
    base = RATE_BASE.total_seconds()
    slopes = [(m2 - m1) / (t2 - t1) for (t1, m1), (t2, m2) in combinations(points, 2) if t2 - t1 >= base]
    return min(max(median(slopes) * 1e6, -RATE_LIMIT_PPM), RATE_LIMIT_PPM)
