"""Two consecutive codes, and where they say the clock stands."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instep.api.errors import InvalidAuthenticationCode
from instep.domain.totp import Algorithm, PairRefusal, Token, code_reader, explain_refused_pair, resynchronize

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOKEN = Token(b"a seed that is no secret")
HERE = TOKEN.time_step(NOON)
DAY = 2880
ALL = range(HERE - DAY, HERE + DAY + 1)
WEEK = range(HERE - 7 * DAY, HERE + 7 * DAY + 1)


def find(first: str, second: str, *, token: Token = TOKEN, expected: int = HERE, within: range = ALL) -> int:
    return resynchronize(token, first, second, expected=expected, within=within)


@settings(max_examples=60)
@given(
    ahead=st.integers(-DAY, DAY),
    expected=st.integers(-2 * DAY, 2 * DAY),
    algorithm=st.sampled_from(Algorithm),
    seed=st.binary(min_size=20, max_size=40),
)
def test_two_consecutive_codes_tell_where_a_drifted_clock_stands(
    ahead: int, expected: int, algorithm: Algorithm, seed: bytes
) -> None:
    token = Token(seed, algorithm)
    shown = HERE + ahead

    step = find(token.code(shown - 1), token.code(shown), token=token, expected=HERE + expected)

    assert step == shown


@pytest.mark.parametrize("ahead", [-DAY, DAY, 0, -1, 1, 59, 60, 61, -59, -60, -61, 179, 180, -180, -181])
def test_the_ends_of_the_reach_and_of_each_look_are_in_it(ahead: int) -> None:
    shown = HERE + ahead

    assert find(TOKEN.code(shown - 1), TOKEN.code(shown)) == shown


@pytest.mark.parametrize("ahead", [-DAY - 1, DAY + 1])
def test_a_pair_that_ends_just_out_of_reach_is_refused(ahead: int) -> None:
    shown = HERE + ahead

    with pytest.raises(InvalidAuthenticationCode) as refusal:
        find(TOKEN.code(shown - 1), TOKEN.code(shown))

    assert refusal.value.message == "Authentication code for device is not valid."
    assert refusal.value.reason is None


@settings(max_examples=40)
@given(shown=st.integers(HERE - DAY, HERE + DAY), distance=st.sampled_from([-5, -2, -1, 0, 2, 3, 5]))
def test_codes_reversed_equal_or_apart_are_refused(shown: int, distance: int) -> None:
    with pytest.raises(InvalidAuthenticationCode):
        find(TOKEN.code(shown), TOKEN.code(shown + distance))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("12345", "123456"),
        ("123456", "1234567"),
        ("12345a", "123456"),
        ("１２３４５６", "654321"),
        ("123456\n", "654321"),
        ("+12345", "654321"),
        ("123 456", "654321"),
    ],
)
def test_what_is_not_six_ascii_digits_is_refused(first: str, second: str) -> None:
    with pytest.raises(InvalidAuthenticationCode, match=r"^Authentication code for device is not valid\.$"):
        find(first, second)
    with pytest.raises(InvalidAuthenticationCode, match=r"^Authentication code for device is not valid\.$"):
        find(second, first)


def test_equal_codes_are_refused_even_where_the_device_shows_them() -> None:
    token, shown = _token_that_repeats_itself()

    with pytest.raises(InvalidAuthenticationCode):
        find(token.code(shown - 1), token.code(shown), token=token, expected=shown, within=range(shown - 5, shown + 6))


def _token_that_repeats_itself() -> tuple[Token, int]:
    """A token and a step whose code is that of the step before, which happens once in a million."""
    for number in range(1000):
        token = Token(b"a seed made by counting " + bytes([number // 256, number % 256]))
        read = code_reader(token)
        codes = map(read, range(20_000))
        for step, (one, other) in enumerate(pairwise(codes), start=1):
            if one == other:
                return token, step
    raise AssertionError("twenty million codes without one twice in a row")


def test_a_clock_is_found_from_either_side() -> None:
    for expected in range(HERE - 200, HERE + 201, 25):
        assert find(TOKEN.code(HERE - 1), TOKEN.code(HERE), expected=expected, within=range(HERE - 90, HERE + 91)) == HERE


@pytest.mark.parametrize("within", [range(HERE, HERE), range(HERE + 1, HERE), range(0), range(-10, 1)])
def test_nothing_is_found_where_nothing_may_be_looked_for(within: range) -> None:
    with pytest.raises(InvalidAuthenticationCode):
        find(TOKEN.code(HERE - 1), TOKEN.code(HERE), within=within)


def test_the_first_pair_there_ever_was_can_be_found() -> None:
    assert find(TOKEN.code(0), TOKEN.code(1), expected=0, within=range(-10, 10)) == 1


@pytest.mark.parametrize("spent", [{HERE}, {HERE - 1}, {HERE - 1, HERE}])
def test_a_pair_with_a_spent_code_is_refused_as_spent(spent: set[int]) -> None:
    with pytest.raises(InvalidAuthenticationCode) as refusal:
        resynchronize(TOKEN, TOKEN.code(HERE - 1), TOKEN.code(HERE), expected=HERE, within=ALL, refused=spent.__contains__)

    assert refusal.value.reason == "spent"


def test_spent_codes_elsewhere_do_not_matter() -> None:
    spent = {HERE - 2, HERE + 1}

    assert (
        resynchronize(TOKEN, TOKEN.code(HERE - 1), TOKEN.code(HERE), expected=HERE, within=ALL, refused=spent.__contains__)
        == HERE
    )


def why(first: int, second: int, *, within: range = ALL, spent: tuple[int, ...] = ()) -> PairRefusal:
    return explain_refused_pair(TOKEN, TOKEN.code(first), TOKEN.code(second), within=within, wide=WEEK, spent=spent.__contains__)


def test_an_administrator_is_told_why_a_pair_was_refused() -> None:
    far = HERE - 3 * DAY

    assert why(HERE, HERE - 1) is PairRefusal.REVERSED
    assert why(HERE, HERE - 3) is PairRefusal.REVERSED
    assert why(far, far - 1) is PairRefusal.REVERSED
    assert why(HERE, HERE) is PairRefusal.GAP
    assert why(HERE, HERE + 2) is PairRefusal.GAP
    assert why(far, far + 5) is PairRefusal.GAP
    assert why(far - 1, far) is PairRefusal.BEYOND_WINDOW
    assert why(far - 1, far, spent=(far,)) is PairRefusal.SPENT
    assert why(HERE - 1, HERE, spent=(HERE - 1,)) is PairRefusal.SPENT
    assert why(HERE - 8 * DAY, HERE - 8 * DAY + 1) is PairRefusal.NO_MATCH
    assert why(HERE, HERE + 100) is PairRefusal.NO_MATCH
    assert explain_refused_pair(TOKEN, "12345", "123456", within=ALL, wide=WEEK, spent=lambda step: False) is PairRefusal.NO_MATCH


def test_the_first_and_last_pair_of_the_seven_days_are_explained_too() -> None:
    assert why(WEEK[0] - 1, WEEK[0]) is PairRefusal.BEYOND_WINDOW
    assert why(WEEK[-1] - 1, WEEK[-1]) is PairRefusal.BEYOND_WINDOW
    assert why(WEEK[-1], WEEK[-1] + 1) is PairRefusal.NO_MATCH


def test_a_pair_in_reach_that_was_refused_lost_a_race() -> None:
    assert why(HERE - 1, HERE) is PairRefusal.SPENT


def test_one_code_alone_is_not_told_from_none() -> None:
    strange = next(f"{number:06d}" for number in range(10**6) if f"{number:06d}" not in set(map(code_reader(TOKEN), WEEK)))

    assert (
        explain_refused_pair(TOKEN, TOKEN.code(HERE), strange, within=ALL, wide=WEEK, spent=lambda step: True)
        is PairRefusal.NO_MATCH
    )
