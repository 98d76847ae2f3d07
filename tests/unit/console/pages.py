"""Templates written in a test, rendered as the console renders its own."""

from __future__ import annotations

from datetime import UTC, datetime

from jinja2 import ChoiceLoader, DictLoader

from instep.console.assets import read_assets
from instep.console.frame import Frame, Theme
from instep.console.languages import Language, read_languages
from instep.console.rendering import Renderer, templates

NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
ASSETS = read_assets()
LANGUAGES = read_languages()


def frame(language: Language = Language.ENGLISH, *, theme: Theme = Theme.AUTO) -> Frame:
    return Frame(product="instep", language=language, now=NOW, path="/signin", theme=theme, csrf_token="proof")


def rendered(source: str, language: Language = Language.ENGLISH, **values: object) -> str:
    """What `source`, a template's text, becomes."""
    loader = ChoiceLoader([templates(), DictLoader({"test.html": source})])
    return Renderer(ASSETS, LANGUAGES, loader=loader).page("test.html", frame(language), **values)
