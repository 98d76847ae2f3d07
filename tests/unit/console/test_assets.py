from __future__ import annotations

import re

import pytest

from instep.console.assets import Assets, read_assets

ASSETS = read_assets()


def test_an_address_leads_to_its_file() -> None:
    address = ASSETS.address("instep.css")
    found = ASSETS.find(address.removeprefix("/static/"))

    assert re.fullmatch(r"/static/[0-9a-f]{16}/instep\.css", address)
    assert found is not None
    assert found.content_type == "text/css; charset=utf-8"
    assert found.content.startswith(b"/*")


@pytest.mark.parametrize("path", ["", "instep.css", "0000000000000000/instep.css", "../assets.py", "{0}/../assets.py", "{0}/"])
def test_nothing_else_is_found(path: str) -> None:
    assert ASSETS.find(path.format(ASSETS.digest)) is None


def test_an_asset_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        ASSETS.address("missing.css")


def test_addresses_stay_while_files_do() -> None:
    assert read_assets().digest == ASSETS.digest


def test_modules_import_what_is_there() -> None:
    imported = {name for asset in ASSETS.files.values() for name in re.findall(rb'from "\./([^"]+)"', asset.content)}

    assert imported
    assert {name.decode() for name in imported} <= ASSETS.files.keys()


def test_style_sheets_and_scripts_load_nothing_from_elsewhere() -> None:
    for name, asset in _texts(ASSETS).items():
        assert not re.search(r"https?://(?!www\.w3\.org/)|url\(|@import|eval\(|innerHTML", asset), name


def test_both_themes_know_the_same_colors() -> None:
    texts = _texts(ASSETS)
    light = set(re.findall(r"^  (--(?:color|shadow)-[\w-]+):", texts["instep.css"], re.MULTILINE))
    dark = set(re.findall(r"^  (--(?:color|shadow)-[\w-]+):", texts["dark.css"], re.MULTILINE))

    assert light == dark
    assert set(re.findall(r"var\((--color-[\w-]+)\)", texts["instep.css"])) <= light


def _texts(assets: Assets) -> dict[str, str]:
    return {name: asset.content.decode() for name, asset in assets.files.items()}
