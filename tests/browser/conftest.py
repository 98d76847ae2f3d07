"""A browser for the tests of pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("INSTEP_TEST_CHROMIUM") or shutil.which("chromium")
    assert chromium, "There is no Chromium here: ./test installs it, or name one in INSTEP_TEST_CHROMIUM."
    with sync_playwright() as playwright:
        # Its updates and look-ups have nothing to do with the pages; /dev/shm is small in containers.
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
        browser = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=[*quiet, "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()
