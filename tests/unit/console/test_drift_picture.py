from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from instep.console.drift_picture import DriftPicture, Observation, Sync
from tests.unit.console.pages import NOW, rendered


def picture(steps: int, *, before: int | None = None, behind: int = 1, ahead: int = 1) -> DriftPicture:
    return DriftPicture(steps=steps, seconds=30 * steps, state=Sync.DRIFTING, behind=behind, ahead=ahead, before=before)


@given(
    steps=st.integers(-100_000, 100_000),
    before=st.none() | st.integers(-100_000, 100_000),
    behind=st.integers(0, 3000),
    ahead=st.integers(0, 3000),
)
def test_everything_stays_on_the_axis(steps: int, before: int | None, behind: int, ahead: int) -> None:
    drawn = picture(steps, before=before, behind=behind, ahead=ahead)
    left, width = drawn.band

    assert 0 <= drawn.place(steps) <= 100
    assert drawn.place(0) == 50
    assert width >= 1.49
    assert left >= -1
    assert left + width <= 101
    assert drawn.end >= abs(steps)


def test_a_fast_clock_stands_right_of_the_middle_and_a_slow_one_left() -> None:
    assert picture(3).place(3) > 50 > picture(-3).place(-3)


def test_the_table_under_the_picture_has_the_newest_twenty_observations() -> None:
    seen = [Observation(NOW - timedelta(days=day), f"event {day}.", day, 30.0 * day) for day in range(30)]
    drawn = DriftPicture(steps=0, seconds=0, state=Sync.IN_SYNC, behind=1, ahead=1, observations=seen)

    html = rendered('{% from "macros/devices.html" import drift_picture %}{{ drift_picture(picture, "d") }}', picture=drawn)

    assert "event 0." in html
    assert "event 19." in html
    assert "event 20." not in html
    assert html.index("event 0.") < html.index("event 19.")
