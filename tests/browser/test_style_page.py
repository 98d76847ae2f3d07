"""Every layout and macro in a real browser: accessible, within the window, and at work with scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tools.style_page import PAGES, write_pages

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
WIDTHS = (320, 390, 1280)

Open = Callable[..., Page]


class Handler(SimpleHTTPRequestHandler):
    """Serves the pages under the console's own content security policy."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name for it
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("style")
    write_pages(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Open]:
    """Opens a page; nothing may be said on its console."""
    said: list[str] = []
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], timezone_id="Asia/Tokyo")

    def go(page: str, language: str = "en", theme: str = "light", *, width: int = 1280, at: str | None = None) -> Page:
        opened = context.new_page()
        opened.set_viewport_size({"width": width, "height": 900})
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        if at is not None:
            opened.clock.install(time=at)
        opened.goto(f"{address}/{page}-{language}-{theme}.html")
        return opened

    yield go
    context.close()
    assert said == []


def open_everything(page: Page) -> None:
    for details in page.locator("main details").all():
        details.evaluate("details => details.open = true")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_wrong(visit: Open, name: str, language: str, theme: str) -> None:
    page = visit(name, language, theme)
    open_everything(page)

    assert _violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_menu_and_dialog_open(visit: Open, theme: str) -> None:
    page = visit("signed_in", "ja", theme, width=390)
    page.locator("summary", has_text="Richard").click()
    assert _violations(page) == []

    page.keyboard.press("Escape")
    page.get_by_role("button", name="ダイアログを開く").click()
    assert _violations(page) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_reaches_beyond_the_window(visit: Open, name: str, language: str, width: int) -> None:
    page = visit(name, language, width=width)
    open_everything(page)

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("name", PAGES)
def test_nothing_reaches_beyond_the_window_in_text_of_twice_the_size(visit: Open, name: str) -> None:
    page = visit(name, width=640)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    open_everything(page)

    assert page.evaluate("document.documentElement.scrollWidth") == 640


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_says_its_language(visit: Open, language: str) -> None:
    expect(visit("signed_out", language).locator("html")).to_have_attribute("lang", language)


def test_controls_are_large_enough_to_hit(visit: Open) -> None:
    page = visit("signed_in", width=320)

    for box in [each.bounding_box() for each in page.locator("button, .button, nav a, input, summary").all()]:
        assert box is None or min(box["width"], box["height"]) >= 24 or box["width"] <= 18  # a checkbox has its label
    for primary in page.locator(".button.primary").all():
        assert (primary.bounding_box() or {"height": 0})["height"] >= 44


def test_the_focus_begins_at_what_went_wrong_and_leads_to_the_field(visit: Open) -> None:
    page = visit("signed_in")
    summary = page.locator(".error-summary")

    expect(summary).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong")).to_be_focused()


def test_the_wait_between_two_codes_is_shown_from_the_first_one_on(visit: Open) -> None:
    page = visit("signed_in", at="2026-11-23T15:04:05Z")
    guide, seconds = page.locator("[data-guide]"), page.locator("[data-seconds]")
    expect(guide).to_have_text("Enter the code your device shows now.")

    page.locator("#code1").fill("１２３ ４５６")
    expect(guide).to_have_text("Wait for the code on your device to change (30 seconds at most).")
    expect(seconds).to_have_text("30")
    page.clock.run_for(10_000)
    expect(seconds).to_have_text("20")
    page.clock.run_for(21_000)
    expect(seconds).to_have_text("0")
    expect(guide).to_have_text("A new code should be showing now. Enter it.")
    expect(page.locator("#code1")).to_have_value("１２３ ４５６")

    page.locator("#code2").fill("234567")
    expect(page.locator("#code1")).to_have_value("123456")
    page.clock.run_for(46_000)
    expect(page.locator("[data-old]")).to_have_text("These codes are getting old. It is safer to enter the next two.")


def test_the_same_code_twice_is_told_before_it_is_sent(visit: Open) -> None:
    page = visit("signed_in", "ja")
    page.locator("#code1").fill("123456")
    page.locator("#code2").fill("１２３ー４５６")

    expect(page.locator("[data-same]")).to_contain_text("2 つのコードが同じです")
    expect(page.locator("#code2")).to_have_attribute("aria-invalid", "true")
    page.locator("#code2").fill("123457")
    expect(page.locator("[data-same]")).to_be_hidden()


def test_clock_waits_and_local_times_tick(visit: Open) -> None:
    page = visit("signed_out", "ja", at="2026-11-23T15:04:05Z")
    page.clock.run_for(3000)

    expect(page.locator("[data-server-clock]")).to_have_text("2026年11月23日 15:04:08 UTC")
    expect(page.locator("[data-countdown-number]")).to_have_text("27 秒")
    expect(visit("signed_in").locator(".local-time").first).to_have_text("(Nov 24, 12:04 AM GMT+9)")


def test_copying_puts_the_whole_command_on_the_clipboard(visit: Open) -> None:
    page = visit("signed_in")
    page.locator(".command-line summary").click()
    page.get_by_role("button", name="Copy the command for AWS CLI").click()

    expect(page.locator(".command-line").get_by_role("status").first).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("aws iam resync-mfa-device --user-name Richard --serial-number arn:aws:iam::123456789012:mfa/")
    assert "--authentication-code1 CODE1 --authentication-code2 CODE2" in copied


def test_a_dialog_keeps_the_focus_and_gives_it_back(visit: Open) -> None:
    page = visit("signed_in")
    opener = page.locator("#open-dialog")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Manage MFA device")).to_be_visible()

    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_theme_changes_in_place_and_is_remembered(visit: Open) -> None:
    page = visit("signed_out", theme="light")
    background = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    page.get_by_role("link", name="Dark").click()

    expect(page.locator("body")).not_to_have_css("background-color", background)
    expect(page.get_by_role("link", name="Dark")).to_have_attribute("aria-current", "true")
    assert {cookie["name"]: cookie["value"] for cookie in page.context.cookies()} == {"theme": "dark"}


def test_a_password_is_shown_when_asked_for(visit: Open) -> None:
    page = visit("signed_out")
    page.get_by_label("Show password").check()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_label("Show password").uncheck()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_without_scripts_nothing_is_offered_that_needs_them(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/signed_in-en-light.html")

    expect(page.locator("[data-copy]").first).to_be_hidden()
    expect(page.locator(".ring")).to_be_hidden()
    expect(page.get_by_text("Wait for the code on your device to change")).to_be_visible()
    page.locator("summary", has_text="Richard").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    context.close()


def test_pages_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    written = write_pages(tmp_path / "new")

    assert len(written) == 12
    assert all(path.read_text(encoding="utf-8").startswith("<!doctype html>") for path in written)


def _violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]
