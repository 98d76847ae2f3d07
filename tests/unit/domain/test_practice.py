"""A practice device shows what a real one would."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instep.domain.practice import PracticeDevice
from instep.domain.totp import Algorithm, Token, UnusableToken

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKEN = Token(b"a seed that is no secret")
DEVICE = PracticeDevice("RichardsMFA", TOKEN, timedelta(minutes=-20))


def test_a_slow_device_shows_what_a_right_one_showed_before() -> None:
    right = PracticeDevice("right", TOKEN)

    assert DEVICE.code(NOON) == right.code(NOON - timedelta(minutes=20))
    assert DEVICE.step(NOON) == TOKEN.time_step(NOON) - 40


def test_the_next_code_is_the_one_it_shows_a_period_later() -> None:
    assert DEVICE.next_code(NOON) == DEVICE.code(NOON + timedelta(seconds=30)) != DEVICE.code(NOON)


@pytest.mark.parametrize(("late", "left"), [(0, 30), (0.001, 30), (1, 29), (29, 1), (29.999, 1), (30, 30)])
def test_begun_seconds_count_whole(late: float, left: int) -> None:
    assert DEVICE.seconds_left(NOON + timedelta(seconds=late)) == left


@given(milliseconds=st.integers(-(10**9), 10**9), period=st.sampled_from([30, 60]))
def test_a_code_lives_as_long_as_the_device_says(milliseconds: int, period: int) -> None:
    device = PracticeDevice("x", Token(TOKEN.seed, period=period), timedelta(milliseconds=milliseconds))
    left = device.seconds_left(NOON)

    assert 1 <= left <= period
    assert device.step(NOON + timedelta(seconds=left - 1)) == device.step(NOON)
    assert device.step(NOON + timedelta(seconds=left)) == device.step(NOON) + 1


def test_a_device_survives_its_file() -> None:
    device = PracticeDevice("RichardsMFA", Token(TOKEN.seed, Algorithm.SHA256, 60), timedelta(minutes=-20, milliseconds=5))

    assert PracticeDevice.from_dict(json.loads(json.dumps(device.to_dict()))) == device


def test_a_device_never_shows_its_seed() -> None:
    assert TOKEN.base32 not in repr(DEVICE)
    assert "seed" not in repr(DEVICE)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"version": None},
        {"name": 5},
        {"secret": "not base32!"},
        {"secret": None},
        {"algorithm": "MD5"},
        {"period": 31},
        {"period": "30"},
        {"drift_seconds": "1"},
        {"drift_seconds": 1e12},
        {"drift_seconds": 1e300},
        {"drift_seconds": float("nan")},
    ],
)
def test_a_damaged_file_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UnusableToken):
        PracticeDevice.from_dict({**DEVICE.to_dict(), **change})


def test_a_file_that_lacks_something_is_refused() -> None:
    for name in DEVICE.to_dict():
        with pytest.raises(UnusableToken):
            PracticeDevice.from_dict({key: value for key, value in DEVICE.to_dict().items() if key != name})
