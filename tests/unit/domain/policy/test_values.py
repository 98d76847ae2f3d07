"""What texts stand for: numbers, dates, truth values, bytes and addresses, as condition operators see them."""

from __future__ import annotations

import pytest

from tests.unit.domain.policy.making import condition, holds


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("Equals", False, True, False),
        ("NotEquals", True, False, True),
        ("LessThan", True, False, False),
        ("LessThanEquals", True, True, False),
        ("GreaterThan", False, False, True),
        ("GreaterThanEquals", False, True, True),
    ],
)
def test_numbers_and_dates_are_ordered(operator: str, below: bool, equal: bool, above: bool) -> None:
    assert holds(f"Numeric{operator}", "3600", "3599.5") is below
    assert holds(f"Numeric{operator}", "3600", "3600.0") is equal
    assert holds(f"Numeric{operator}", "3600", "10000") is above
    assert holds(f"Date{operator}", "2026-11-24T12:00:00Z", "2026-11-24T11:59:59Z") is below
    assert holds(f"Date{operator}", "2026-11-24T12:00:00Z", "1795521600") is equal
    assert holds(f"Date{operator}", "2026-11-24T12:00:00Z", "2026-11-24T12:00:00.001Z") is above


@pytest.mark.parametrize("text", ["-1", "+1", "1", "1.5", "-0.25", "1.", ".5", "0" * 40])
def test_decimal_numbers_are_numbers(text: str) -> None:
    assert holds("NumericEquals", text, text)


@pytest.mark.parametrize(
    "text", ["", "abc", "1e3", "0x10", "１２", "NaN", "Infinity", " 1", "1_000", "--1", ".", "9" * 41, "${aws:x}"]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        condition("NumericEquals", text)
    assert not holds("NumericEquals", "1", text)
    assert holds("NumericNotEquals", "1", text)


def test_large_numbers_keep_all_their_digits() -> None:
    assert not holds("NumericEquals", "9007199254740993", "9007199254740992")


@pytest.mark.parametrize(
    "same_moment",
    [
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00Z",
        "2026-11-24T12:00:00",
        "2026-11-24 12:00:00Z",
        "2026-11-24t12:00:00z",
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T12:00:00,000000000Z",
        "2026-11-24T21:00:00+09:00",
        "2026-11-24T07:00:00-0500",
        "20261124T120000Z",
        "1795521600",
        "1795521600.0",
    ],
)
def test_dates_come_in_many_forms(same_moment: str) -> None:
    assert holds("DateEquals", "2026-11-24T12:00:00Z", same_moment)
    assert holds("DateEquals", same_moment, "2026-11-24T12:00:00Z")


def test_a_date_without_a_time_is_its_first_moment() -> None:
    for date in ("2026", "2026-01", "2026-01-01"):
        assert holds("DateEquals", date, "2026-01-01T00:00:00Z")


def test_digits_alone_are_seconds_unless_they_are_four() -> None:
    assert holds("DateEquals", "20261124", "1970-08-23T12:05:24Z")
    assert holds("DateEquals", "-1.5", "1969-12-31T23:59:58.5Z")
    assert holds("DateEquals", "1970", "0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "today",
        "2026-13",
        "2026-02-30",
        "2026-11-24T24:00Z",
        "2026-11-24T12Z",
        "2026-11-24T12:00:61Z",
        "2026-11-24T12:00+99:00",
        "2026-1124",
        "2026-*",
        "24/11/2026",
        "2026-11-24T12:00:00Zulu",
        "0000-01-01",
        "1" * 13,
        "２０２６",
        "2026-11-24" + " " * 80,
    ],
)
def test_other_texts_are_no_dates(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        condition("DateEquals", text)
    assert not holds("DateLessThan", "2026-11-24", text)


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        ("true", "true", True),
        ("True", "true", True),
        ("true", "TRUE", True),
        ("true", "false", False),
        ("false", "false", True),
        ("false", "true", False),
        ("false", "", False),
    ],
)
def test_truth_values_are_compared_ignoring_case(wanted: str, given: str, expected: bool) -> None:
    assert holds("Bool", wanted, given) is expected


@pytest.mark.parametrize("operator", ["Bool", "BoolIfExists", "Null"])
@pytest.mark.parametrize("text", ["", "yes", "1", "flase"])
def test_what_is_neither_true_nor_false_is_refused(operator: str, text: str) -> None:
    with pytest.raises(ValueError, match="is neither true nor false"):
        condition(operator, text)


def test_bytes_are_compared_by_what_base64_stands_for() -> None:
    assert holds("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==")
    assert not holds("BinaryEquals", "QUJD", "QUJE")
    assert not holds("BinaryEquals", "QUJD", "not base64")
    for text in ("QUJ", "QU-D", "日本", "QUJD\n"):
        with pytest.raises(ValueError, match="is no base64"):
            condition("BinaryEquals", text)


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        ("203.0.113.0/24", "203.0.113.7", True),
        ("203.0.113.0/24", "203.0.114.7", False),
        ("203.0.113.5/24", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("0.0.0.0/0", "203.0.113.7", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("::/0", "203.0.113.7", False),
        ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:9::1", True),
        ("2001:db8::1", "2001:0db8:0:0:0:0:0:1", True),
        ("203.0.113.0/24", "::ffff:203.0.113.7", True),
        ("::ffff:203.0.113.0/120", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:cb00:7107", True),
        ("203.0.113.0/24", "localhost", False),
        ("203.0.113.0/24", "203.0.113.0/25", True),
    ],
)
def test_addresses_lie_in_ranges(wanted: str, given: str, expected: bool) -> None:
    assert holds("IpAddress", wanted, given) is expected
    assert holds("NotIpAddress", wanted, given) is not expected


@pytest.mark.parametrize(
    "text",
    ["", "*", "10", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "10.0.0.0/", "010.0.0.1", "fe80::1%eth0", "::/129", "${aws:SourceIp}"],
)
def test_other_texts_are_no_addresses(text: str) -> None:
    with pytest.raises(ValueError, match="is no IP address or range"):
        condition("IpAddress", text)
