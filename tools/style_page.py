"""Writes the console's style pages: every layout and macro, in each language and theme, to look at in a browser.

    python -m tools.style_page FOLDER

Browsers load modules over HTTP only, so serve the folder to see the scripts at work: python -m http.server --directory FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import ChoiceLoader, FileSystemLoader

from instep.console.assets import Assets, read_assets
from instep.console.commands import aws_cli, powershell
from instep.console.drift_picture import DriftPicture, Observation, Sync
from instep.console.frame import FieldError, Frame, Identity, Link, Notice, Theme, Tone
from instep.console.languages import Language, read_languages
from instep.console.rendering import Renderer, templates

NOW = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
SERIAL = "arn:aws:iam::123456789012:mfa/RichardsMFA"
PAGES = ("signed_in", "signed_out")


class Samples:
    """Words that only these pages say, and what a page would be given."""

    def __init__(self, language: Language) -> None:
        self._japanese = language is Language.JAPANESE

    def say(self, english: str, japanese: str) -> str:
        return japanese if self._japanese else english

    @property
    def navigation(self) -> tuple[Link, ...]:
        names = (("Dashboard", "ダッシュボード"), ("Users", "ユーザー"), ("Activity", "アクティビティ"), ("Import", "取り込み"))
        links = [Link(self.say(*name), "#", current=name[0] == "Users") for name in names]
        return (*links, Link(self.say("Account settings", "アカウント設定"), "#"))

    @property
    def identity(self) -> Identity:
        links = (Link(self.say("My Security Credentials", "セキュリティ認証情報"), "#"),)
        return Identity("Richard @ example-corp", "123456789012", links, sign_out="#")

    @property
    def notices(self) -> tuple[Notice, ...]:
        return (
            Notice(Tone.SUCCESS, self.say('"RichardsMFA" is deactivated.', "「RichardsMFA」を無効化しました。")),
            Notice(Tone.INFO, self.say("The import goes on in the background.", "取り込みはバックグラウンドで続行されます。")),
            Notice(Tone.WARNING, self.say("Two users have no MFA device.", "2 人のユーザーに MFA デバイスがありません。")),
            Notice(Tone.ERROR, self.say("The file could not be read.", "ファイルを読み取れませんでした。")),
        )

    @property
    def errors(self) -> tuple[FieldError, ...]:
        return (
            FieldError(
                self.say("Enter the six digits shown on your device.", "デバイスに表示されている 6 桁の数字を入力してください。"),
                "wrong",
            ),
            FieldError(self.say("Enter a user name.", "ユーザー名を入力してください。"), "name"),
        )

    def pictures(self) -> dict[str, DriftPicture]:
        sign_in = self.say("Sign-in", "サインイン")
        seen = tuple(Observation(NOW - timedelta(days=day), sign_in, 18 + day % 4, 545.0 + 30 * (day % 4)) for day in range(1, 8))
        return {
            "right": DriftPicture(steps=0, seconds=2, state=Sync.IN_SYNC, behind=1, ahead=1),
            "drifting": DriftPicture(steps=3, seconds=95, state=Sync.DRIFTING, behind=1, ahead=1, observations=seen),
            "lost": DriftPicture(steps=-40, seconds=-1200, state=Sync.OUT_OF_SYNC, behind=1, ahead=1),
            "mended": DriftPicture(steps=0, seconds=0, state=Sync.IN_SYNC, behind=1, ahead=1, before=20),
        }


def write_pages(folder: Path) -> list[Path]:
    """Writes every page and what they load; returns the pages."""
    assets = read_assets("static/")
    _write_assets(assets, folder)
    loader = ChoiceLoader([templates(), FileSystemLoader(Path(__file__).parent / "templates")])
    renderer = Renderer(assets, read_languages(), loader=loader)
    written = []
    for language in Language:
        for theme in Theme:
            for page in PAGES:
                path = folder / f"{page}-{language}-{theme}.html"
                path.write_text(_render(renderer, page, language, theme), encoding="utf-8")
                written.append(path)
    return written


def _render(renderer: Renderer, page: str, language: Language, theme: Theme) -> str:
    samples = Samples(language)
    signed_in = page == "signed_in"
    frame = Frame(
        product="instep",
        language=language,
        now=NOW,
        path=f"{page}-{language}-{theme}.html",
        theme=theme,
        csrf_token="sample",
        identity=samples.identity if signed_in else None,
        navigation=samples.navigation if signed_in else (),
        notices=samples.notices if signed_in else (),
        errors=samples.errors if signed_in else (),
        insecure=not signed_in,
    )
    endpoint = "https://id.example.com"
    codes = {"authentication-code1": "CODE1", "authentication-code2": "CODE2"}
    ours = {"UserName": "Richard", "SerialNumber": SERIAL, "AuthenticationCode1": "CODE1", "AuthenticationCode2": "CODE2"}
    commands = (
        aws_cli("iam resync-mfa-device", {"user-name": "Richard", "serial-number": SERIAL, **codes}, endpoint=endpoint),
        powershell("Sync-IAMMFADevice", ours, endpoint=endpoint),
    )
    return renderer.page(
        f"style_{page}.html", frame, say=samples.say, pictures=samples.pictures(), commands=commands, serial_number=SERIAL
    )


def _write_assets(assets: Assets, folder: Path) -> None:
    for name, asset in assets.files.items():
        path = folder / assets.address(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(asset.content)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the pages go; made if it is not there")
    for path in write_pages(parser.parse_args(arguments).folder):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
