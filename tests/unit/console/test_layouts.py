from __future__ import annotations

from dataclasses import replace

import pytest
from jinja2 import ChoiceLoader, DictLoader

from instep.console.frame import FieldError, Frame, Identity, Link, Theme
from instep.console.languages import Language
from instep.console.rendering import Renderer, templates
from tests.unit.console.pages import ASSETS, LANGUAGES, frame

PAGES = {
    f"{layout}.html": f'{{% extends "layouts/{layout}.html" %}}{{% block heading %}}Users & <i>more</i>{{% endblock %}}'
    "{% block content %}{{ text }}{% endblock %}"
    for layout in ("signed_in", "signed_out")
}
RENDERER = Renderer(ASSETS, LANGUAGES, loader=ChoiceLoader([templates(), DictLoader(PAGES)]))


def page(around: Frame, layout: str = "signed_out") -> str:
    return RENDERER.page(f"{layout}.html", around, text="<text>")


@pytest.mark.parametrize("layout", ["signed_in", "signed_out"])
@pytest.mark.parametrize("language", Language)
def test_a_page_tells_its_language_and_offers_the_other(language: Language, layout: str) -> None:
    identity = Identity("Richard @ example", "123456789012", [], sign_out="/signout")
    html = page(replace(frame(language), identity=identity, query={"next": "/console/"}), layout)

    assert f'<html lang="{language}"' in html
    assert 'href="/signin?next=%2Fconsole%2F&amp;lang=ja" lang="ja" hreflang="ja"' in html
    assert ">日本語</a>" in html
    assert ">English</a>" in html


def test_the_title_is_the_heading_and_says_when_something_went_wrong() -> None:
    wrong = replace(frame(Language.JAPANESE), errors=(FieldError("Wrong", "code"),))

    assert "<title>Users &amp; more – instep</title>" in page(frame())
    assert "<title>エラー: Users &amp; more – instep</title>" in page(wrong)
    assert '<a href="#code">Wrong</a>' in page(wrong)


def test_what_a_page_is_given_is_escaped() -> None:
    assert "&lt;text&gt;" in page(frame())


@pytest.mark.parametrize(
    ("theme", "media"),
    [(Theme.AUTO, "(prefers-color-scheme: dark)"), (Theme.LIGHT, "not all"), (Theme.DARK, "all")],
)
def test_the_theme_that_was_chosen_holds_without_scripts(theme: Theme, media: str) -> None:
    html = page(frame(theme=theme))

    assert f'media="{media}"' in html
    assert f'data-theme="{theme}"' in html


def test_one_heading_and_the_way_past_the_navigation_come_first() -> None:
    html = page(frame())

    assert html.count("<h1>") == 1
    assert html.index('<a class="skip-link" href="#main">') < html.index("<header")


def test_a_connection_in_the_clear_is_warned_of_on_every_page() -> None:
    assert "not encrypted" in page(replace(frame(), insecure=True))
    assert "not encrypted" not in page(frame())


def test_signing_out_is_a_post_with_its_proof() -> None:
    identity = Identity("Richard @ example", "123456789012", [Link("Mine", "/mine", current=True)], sign_out="/signout")
    html = page(replace(frame(), identity=identity), "signed_in")

    assert '<form method="post" action="/signout">' in html
    assert '<input type="hidden" name="csrf_token" value="proof">' in html
    assert '<a href="/mine" aria-current="page">Mine</a>' in html
    assert "proof" not in repr(frame())
