"""Whether everything that the pages say can be said in both languages."""

from __future__ import annotations

import ast
import re
from importlib import resources
from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.pofile import read_po
from jinja2 import nodes

from instep.console import rendering
from instep.console.assets import read_assets
from instep.console.languages import Language, read_languages
from instep.console.messages import Message

CONSOLE = Path(str(resources.files("instep.console")))
ASSETS = read_assets()
LANGUAGES = read_languages()
JAPANESE = LANGUAGES[Language.JAPANESE]


def calls_in_templates() -> list[nodes.Call]:
    environment = rendering.environment(ASSETS, JAPANESE, rendering.templates())
    found = []
    for path in sorted((CONSOLE / "templates").rglob("*.html")):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        found += [call for call in tree.find_all(nodes.Call) if isinstance(call.node, nodes.Name) and call.node.name == "_"]
    return found


def sentences_in_templates() -> set[str]:
    first = [call.args[0] for call in calls_in_templates()]
    return {node.value for node in first if isinstance(node, nodes.Const)}


def sentences_in_modules() -> set[str]:
    found = set()
    for path in CONSOLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="say"), args=[ast.Constant(value=str(sentence)), *_]):
                    found.add(sentence)
                case _:
                    pass
    return found


USED = {*map(str, Message), *sentences_in_templates(), *sentences_in_modules()}


def test_every_sentence_is_said_in_japanese() -> None:
    assert USED - JAPANESE.translations.keys() == set()


def test_no_translation_is_used_by_nobody() -> None:
    assert JAPANESE.translations.keys() - USED == set()


def test_translations_have_the_fields_of_their_sentence() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    assert [sentence for sentence, said in JAPANESE.translations.items() if fields(said) != fields(sentence)] == []


def test_no_translation_is_double_unfinished_or_left_in_english() -> None:
    text = (CONSOLE / "locales/ja/console.po").read_text(encoding="utf-8")
    catalogue = read_po(BytesIO(text.encode()), locale="ja")

    assert len(re.findall(r"^msgid ", text, re.MULTILINE)) == len(catalogue) + 1  # the header's is empty
    assert [entry.id for entry in catalogue if entry.id and (not entry.string or entry.fuzzy)] == []
    assert [sentence for sentence, said in JAPANESE.translations.items() if not re.search(r"[ぁ-んァ-ヶ一-龠]", said)] == []


def test_templates_say_literal_sentences_or_messages_only() -> None:
    """What is put together while a page is made cannot be looked up here, nor be translated."""
    first = [call.args[0] for call in calls_in_templates()]

    assert all(
        isinstance(node, nodes.Const)
        or (isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "Message")
        for node in first
    )


def test_the_fixed_terms_stand_as_agreed() -> None:
    said = " ".join(JAPANESE.translations.values())

    for term in ("再同期", "ルートユーザー", "無効化", "割り当て", "セキュリティキー", "MFA コード 1"):
        assert term in said
    for other in ("リシンク", "ルート ユーザー", "セキュリティー", "ユーザ ", "サーバ "):
        assert other not in said
