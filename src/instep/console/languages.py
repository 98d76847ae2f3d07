"""The languages of the pages: choosing one, and saying messages, times and durations in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from importlib import resources
from typing import Literal

from babel.dates import format_timedelta
from babel.messages.pofile import read_po
from markupsafe import Markup, escape


class Language(StrEnum):
    """Named as in `<html lang>`."""

    ENGLISH = "en"
    JAPANESE = "ja"

    @property
    def own_name(self) -> str:
        """As its speakers call it."""
        return _OWN_NAMES[self]


_OWN_NAMES = {Language.ENGLISH: "English", Language.JAPANESE: "日本語"}
_MOMENTS = {
    Language.ENGLISH: "%Y-%m-%d %H:%M:%S\N{NO-BREAK SPACE}UTC",
    Language.JAPANESE: "%Y年%m月%d日 %H:%M:%S\N{NO-BREAK SPACE}UTC",
}
# One range of an Accept-Language header, with its weight if it has one (RFC 9110 §12.5.4).
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?", re.ASCII)
_LONGEST_HEADER = 1000
# From where on a duration is told in which unit.
_UNITS: tuple[tuple[timedelta, Literal["day", "hour", "minute"]], ...] = (
    (timedelta(days=2), "day"),
    (timedelta(hours=2), "hour"),
    (timedelta(minutes=2), "minute"),
)


def choose_language(query: str | None, cookie: str | None, accepted: str | None) -> Language:
    """The first that is known of what the address asks for, what was chosen before, and what the browser prefers; else English.

    `accepted` is the Accept-Language header.
    """
    for asked in (query, cookie):
        if asked in _OWN_NAMES:
            return Language(asked)
    # The first of several that weigh the same, as max() keeps it.
    best = max(_accepted(accepted or ""), key=lambda each: each[0], default=None)
    return best[1] if best and best[0] > 0 else Language.ENGLISH


def _accepted(header: str) -> Iterator[tuple[float, Language]]:
    for part in header[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found and (name := found[1].lower()) in _OWN_NAMES:
            yield float(found[2] or "1"), Language(name)


@dataclass(frozen=True, slots=True)
class Speech:
    """Says things in one language.  `translations` goes from the English sentence; one that is not there stays English."""

    language: Language
    translations: Mapping[str, str]

    def say(self, message: str, **values: object) -> Markup:
        """`message` in this language, with the `values` of its {fields}.  Texts among them are escaped, Markup is kept.

        Raises KeyError when a field has no value.
        """
        return escape(self.translations.get(message, str(message))).format_map(values)

    def moment(self, at: datetime) -> Markup:
        """A `<time>` that says `at` in UTC; with scripts the reader's local time comes beside it."""
        text = at.astimezone(UTC).strftime(_MOMENTS[self.language])
        return Markup('<time datetime="{}" data-local-time>{}</time>').format(stamp(at), text)

    def duration(self, length: timedelta | float) -> str:
        """`length` (a number: seconds), rounded to the unit that suits it: 90 seconds, 10 minutes; never broken in two."""
        length = abs(length if isinstance(length, timedelta) else timedelta(seconds=length))
        unit: Literal["day", "hour", "minute", "second"] = next((unit for least, unit in _UNITS if length >= least), "second")
        # Beyond any threshold, so that Babel stays with the unit it is given.
        text = format_timedelta(length, granularity=unit, threshold=float("inf"), locale=self.language.value)
        return text.replace(" ", "\N{NO-BREAK SPACE}")


def stamp(at: datetime) -> str:
    """`at` as the `datetime` attribute has it: 2026-11-23T15:04:05Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_languages() -> Mapping[Language, Speech]:
    """Every language, its catalogue read from the package."""
    return {language: Speech(language, _translations(language)) for language in Language}


def _translations(language: Language) -> Mapping[str, str]:
    if language is Language.ENGLISH:
        return {}
    file = resources.files("instep.console") / "locales" / language.value / "console.po"
    with file.open("rb") as content:
        catalogue = read_po(content, locale=language.value, abort_invalid=True)
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string and not entry.fuzzy}
