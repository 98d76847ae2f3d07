"""What stands around every page: language, theme, who is signed in, where one can go, and what just happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from instep.console.languages import Language


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Tone(StrEnum):
    """What kind of news an alert or a notice is; each has a picture and a word of its own besides its colour."""

    INFO = "info"
    SUCCESS = "success"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message at the top of a page."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with the field whose element has that id; without one, with the form as a whole."""

    text: str
    field_id: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    address: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is signed in, as the top bar says it: `user @ alias`, or the account's name for the root user."""

    name: str
    account_id: str
    links: Sequence[Link]
    sign_out: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`path` and `query` are this page's own address, for switching language or theme in place.

    `errors` are listed first thing on the page; `insecure`, whether the session travels in the clear.
    """

    product: str
    language: Language
    now: datetime
    path: str
    theme: Theme = Theme.AUTO
    query: Mapping[str, str] = field(default_factory=dict)
    csrf_token: str = field(default="", repr=False)
    identity: Identity | None = None
    navigation: Sequence[Link] = ()
    notices: Sequence[Notice] = ()
    errors: Sequence[FieldError] = ()
    insecure: bool = False

    def here(self, **changes: str) -> str:
        """This page's address with `changes` to its query."""
        query = {**self.query, **changes}
        return f"{self.path}?{urlencode(query)}" if query else self.path
