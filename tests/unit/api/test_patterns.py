"""The vendor's patterns in Python."""

from __future__ import annotations

import pytest

from instep.api.patterns import matcher, translate
from tools.models import load_models

PATTERNS = sorted(
    {shape["pattern"] for model in load_models().values() for shape in model["shapes"].values() if "pattern" in shape}
)
ARN = r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+"
TAG_KEY = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"[\d]+", "123456"),
        (r"[\w+=,.@-]+", "Rich-ard_1@example.com"),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/"),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/test//double/"),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my-alias"),
        (TAG_KEY, "部署 Ａ１/é"),
        (ARN, "é" * 2048),
    ],
)
def test_a_value_of_the_right_form_matches(pattern: str, value: str) -> None:
    assert matcher(pattern)(value) is not None


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"[\d]+", "１２３４５６"),
        (r"[\d]*", "12345a"),
        (r"\d{12}", "12345678901２"),
        (r"[\w+=,.@-]+", "リチャード"),
        (r"[\w+=,.@-]+", "Richard\n"),
        (r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)", "/a"),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "my--alias"),
        (r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$", "alias\n"),
        (TAG_KEY, "a#b"),
        (ARN, "\U0001f600" * 2048),
    ],
)
def test_a_value_of_another_form_does_not_match(pattern: str, value: str) -> None:
    assert matcher(pattern)(value) is None


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_hostile_value_is_matched_in_linear_time(pattern: str) -> None:
    # Quadratic time would be hours here, and the test run never end.
    for part in ("/", "/a", "a", "a-", "1", "é", "http://a?", "o-0000000000/r-0000/", "v1."):
        for end in ("", "\x00", "/"):
            matcher(pattern)((part * 400_000)[:400_000] + end)


def test_groups_are_not_remembered_and_brackets_within_a_class_stand_for_themselves() -> None:
    assert translate(r"((a)[([]|(?!b)\()") == r"(?:(?:a)[(\[]|(?!b)\()"


def test_an_escape_that_no_model_has_used_yet_stops_the_translation() -> None:
    with pytest.raises(ValueError, match="no translation"):
        translate(r"\s+")
