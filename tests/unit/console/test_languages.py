from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from markupsafe import Markup

from instep.console.languages import Language, Speech, choose_language, read_languages
from instep.console.messages import Message, drift_in_words, drift_sentence, steps_in_words

NOON = datetime(2026, 11, 23, 15, 4, 5, 999_000, tzinfo=UTC)
LANGUAGES = read_languages()
ENGLISH, JAPANESE = LANGUAGES[Language.ENGLISH], LANGUAGES[Language.JAPANESE]


@pytest.mark.parametrize(
    ("query", "cookie", "accepted", "chosen"),
    [
        (None, None, None, "en"),
        ("ja", "en", "en", "ja"),
        (None, "ja", "en", "ja"),
        ("fr", "ja", "en", "ja"),
        ("JA", None, None, "en"),
        (None, "<script>", "ja", "ja"),
        (None, None, "ja", "ja"),
        (None, None, "ja-JP", "ja"),
        (None, None, "JA-jp;q=0.9, en;q=0.8", "ja"),
        (None, None, "fr, en;q=0.5, ja;q=0.7", "ja"),
        (None, None, "en, ja", "en"),
        (None, None, "ja;q=0", "en"),
        (None, None, "*", "en"),
        (None, None, "ja;q=2", "en"),
        (None, None, "jargon", "en"),
        (None, None, ", " * 10_000 + "ja", "en"),
    ],
)
def test_address_then_cookie_then_browser_choose_the_language(
    query: str | None, cookie: str | None, accepted: str | None, chosen: str
) -> None:
    assert choose_language(query, cookie, accepted) == chosen


def test_times_are_written_the_way_of_each_language() -> None:
    assert ENGLISH.moment(NOON) == (
        '<time datetime="2026-11-23T15:04:05Z" data-local-time>2026-11-23 15:04:05\N{NO-BREAK SPACE}UTC</time>'
    )
    assert ">2026年11月23日 15:04:05\N{NO-BREAK SPACE}UTC<" in JAPANESE.moment(NOON)


def test_times_of_other_zones_are_told_in_utc() -> None:
    there = datetime.fromisoformat("2026-11-24T00:04:05+09:00")

    assert ENGLISH.moment(there) == ENGLISH.moment(NOON)


@pytest.mark.parametrize(
    ("length", "english", "japanese"),
    [
        (timedelta(seconds=1), "1 second", "1 秒"),
        (30, "30 seconds", "30 秒"),
        (-600.0, "10 minutes", "10 分"),
        (timedelta(hours=9), "9 hours", "9 時間"),
        (timedelta(days=7), "7 days", "7 日"),
    ],
)
def test_durations_stand_in_a_unit_that_suits_them(length: timedelta | float, english: str, japanese: str) -> None:
    assert ENGLISH.duration(length).replace("\N{NO-BREAK SPACE}", " ") == english
    assert JAPANESE.duration(length).replace("\N{NO-BREAK SPACE}", " ") == japanese


def test_values_of_a_message_are_escaped_unless_they_are_markup() -> None:
    said = ENGLISH.say(Message.ASSIGNED, name="<b>")

    assert said == "&#34;&lt;b&gt;&#34; is assigned. The next sign-in asks for it."
    assert "<time>" in ENGLISH.say(Message.SERVER_TIME, time=Markup("<time>now</time>"))


def test_translations_are_escaped_as_well() -> None:
    speech = Speech(Language.JAPANESE, {"Hello": "<script>"})

    assert speech.say("Hello") == "&lt;script&gt;"


def test_a_message_whose_value_is_missing_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="name"):
        ENGLISH.say(Message.ASSIGNED)


def test_drift_is_told_as_fast_slow_or_right_with_steps() -> None:
    fast = drift_sentence(ENGLISH, 20, 600).unescape().replace("\N{NO-BREAK SPACE}", " ")
    slow = drift_in_words(JAPANESE, -40, -1200).replace("\N{NO-BREAK SPACE}", " ")

    assert fast == "This device's clock is about 10 minutes fast (+20 steps)."
    assert slow == "約 20 分の遅れ (−40 ステップ)"
    assert drift_sentence(ENGLISH, 0, 3).unescape() == "This device's clock agrees with the server's."
    assert [steps_in_words(ENGLISH, steps) for steps in (-1, 0, 1, 2)] == ["−1 step", "0 steps", "+1 step", "+2 steps"]
