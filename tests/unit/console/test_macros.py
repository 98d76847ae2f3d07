from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from instep.console.commands import aws_cli
from instep.console.drift_picture import DriftPicture, Observation, Sync
from instep.console.frame import FieldError, Identity, Link, Notice, Tone
from instep.console.languages import Language
from tests.unit.console.pages import NOW, frame, rendered

TEMPLATES = Path(str(resources.files("instep.console"))) / "templates"
EVIL = "\"'><script>alert(1)</script>{{ 1111 * 1111 }}"
EVIL_LINK = Link(EVIL, EVIL)
EVIL_PICTURE = DriftPicture(
    steps=3, seconds=90, state=Sync.DRIFTING, behind=1, ahead=1, before=9, observations=(Observation(NOW, EVIL, 3, 90),)
)

# Every macro with a hostile text wherever it takes one.
CALLS = {
    "buttons": {
        "button": "button(evil, name=evil, value=evil, about=evil, id=evil)",
        "button_link": "button_link(evil, evil, about=evil, id=evil, dialog=evil)",
        "copy_button": "copy_button(evil, evil)",
        "identifier": "identifier(evil, evil)",
    },
    "codes": {
        "code_field": "code_field(evil, evil, evil, hint=evil, error=evil, autocomplete=evil)",
        "code_pair": 'code_pair(now, errors={"code1": evil, "code2": evil})',
        "server_clock": "server_clock(now)",
        "whose_code": "whose_code(evil)",
    },
    "containers": {
        "container": "container(evil, evil, evil, id=evil)",
        "expandable_section": "expandable_section(evil)",
        "from_the_command_line": "from_the_command_line(commands)",
        "key_value_pairs": "key_value_pairs([(evil, evil)])",
        "modal": "modal(evil, evil)",
        "table": "table(evil, [evil, evil], [[evil, evil]], empty=evil)",
    },
    "devices": {
        "device_badge": 'device_badge("hardware")',
        "device_name": 'device_name("security-key")',
        "device_picture": 'device_picture("virtual")',
        "drift_picture": "drift_picture(picture, evil)",
        "fob_picture": "fob_picture()",
        "sync_mark": "sync_mark(Sync.OUT_OF_SYNC)",
        "sync_state": "sync_state(Sync.NEVER_USED)",
    },
    "feedback": {
        "alert": "alert(Tone.ERROR, evil, heading=evil, id=evil)",
        "error_summary": "error_summary(errors)",
        "flashbar": "flashbar(notices)",
        "tone_icon": "tone_icon(Tone.WARNING)",
        "tone_word": "tone_word(Tone.INFO)",
        "too_many_attempts": "too_many_attempts(30)",
    },
    "forms": {
        "checkbox": "checkbox(evil, evil, evil, hint=evil)",
        "field_error": "field_error(evil, evil)",
        "form": "form(frame, evil, id=evil)",
        "form_field": "form_field(evil, evil, evil, evil)",
        "input": "input(evil, evil, evil, value=evil, type=evil, autocomplete=evil, hint=evil, error=evil)",
        "password_field": "password_field(evil, evil, evil, autocomplete=evil, hint=evil, error=evil)",
        "radio_group": "radio_group(evil, evil, evil, [(evil, evil, evil)], chosen=evil, error=evil)",
        "select": "select(evil, evil, evil, [(evil, evil)], chosen=evil, hint=evil, error=evil)",
    },
    "navigation": {
        "language_switch": "language_switch(frame)",
        "side_navigation": "side_navigation([link])",
        "tabs": "tabs(evil, [link])",
        "theme_switch": "theme_switch(frame)",
        "top_navigation": "top_navigation(signed_in)",
        "wordmark": "wordmark(frame, evil)",
    },
}
WRAPPING = {"container", "expandable_section", "form", "form_field", "modal"}
MACROS = [(file, name) for file, calls in CALLS.items() for name in calls]


def shown(file: str, name: str, language: Language = Language.ENGLISH) -> str:
    call = CALLS[file][name]
    wrapped = f"{{% call(tied) {call} %}}x{{% endcall %}}" if name == "form_field" else f"{{% call {call} %}}x{{% endcall %}}"
    source = wrapped if name in WRAPPING else f"{{{{ {call} }}}}"
    identity = Identity(EVIL, EVIL, [EVIL_LINK], sign_out=EVIL)
    return rendered(
        f'{{% from "macros/{file}.html" import {name} %}}{source}',
        language,
        commands=[aws_cli("iam get-user", {"user-name": EVIL}, endpoint=EVIL)],
        errors=[FieldError(EVIL, EVIL), FieldError(EVIL)],
        evil=EVIL,
        link=EVIL_LINK,
        notices=[Notice(Tone.SUCCESS, EVIL)],
        now=NOW,
        picture=EVIL_PICTURE,
        signed_in=_with(identity),
    )


def _with(identity: Identity) -> object:
    return type(frame())(
        product=EVIL, language=Language.ENGLISH, now=NOW, path=EVIL, query={EVIL: EVIL}, csrf_token=EVIL, identity=identity
    )


def test_every_macro_is_looked_at() -> None:
    there = {
        path.stem: sorted(re.findall(r"{% macro ([a-z]\w*)\(", path.read_text(encoding="utf-8")))
        for path in (TEMPLATES / "macros").glob("*.html")
    }

    assert there == {file: sorted(calls) for file, calls in CALLS.items()}


@pytest.mark.parametrize(("file", "name"), MACROS)
def test_texts_given_to_a_macro_are_escaped(file: str, name: str) -> None:
    html = shown(file, name)

    assert "<script>" not in html
    assert "1234321" not in html
    if "evil" in CALLS[file][name]:
        assert "&lt;script&gt;" in html


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("file", "name"), MACROS)
def test_nothing_a_macro_writes_needs_inline_style_or_script(file: str, name: str, language: Language) -> None:
    tags = " ".join(re.findall(r"<[a-z][^>]*>", shown(file, name, language)))

    assert not re.search(r"""\s(style|on\w+)\s*=|<style|javascript:""", tags)


def test_templates_have_no_inline_style_or_script() -> None:
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\bstyle\s*=|<style|\son\w+=|javascript:", text), path.name
        assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path.name
        assert "| safe" not in text, path.name


def test_a_field_is_tied_to_its_label_hint_and_error() -> None:
    html = rendered('{% from "macros/forms.html" import input %}{{ input("name", "n", "Name", hint="Hint", error="Wrong") }}')

    assert '<label for="name">Name</label>' in html
    assert 'id="name" aria-describedby="name-hint name-error" aria-invalid="true" required' in html
    assert 'id="name-hint"' in html
    assert 'id="name-error"' in html


def test_a_field_without_hint_and_error_is_not_described() -> None:
    html = rendered('{% from "macros/forms.html" import input %}{{ input("name", "n", "Name") }}')

    assert "aria-" not in html


def test_password_managers_fill_only_the_first_code_of_a_pair() -> None:
    html = rendered('{% from "macros/codes.html" import code_pair %}{{ code_pair(now) }}', now=NOW)
    fields = re.findall(r"<input[^>]*>", html)

    assert [re.findall(r'autocomplete="([^"]*)"', field) for field in fields] == [["one-time-code"], ["off"]]
    assert all('inputmode="numeric"' in field and 'maxlength="16"' in field and 'type="text"' in field for field in fields)


def test_a_password_is_never_written_into_a_page() -> None:
    html = rendered('{% from "macros/forms.html" import password_field %}{{ password_field("p", "p", "Password") }}')

    assert "value=" not in html


def test_a_name_that_nobody_gave_is_a_mistake() -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ missing }}")
