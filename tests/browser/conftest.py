"""A browser for the tests of pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    chromium = os.environ.get("INSTEP_TEST_CHROMIUM") or shutil.which("chromium")
    assert chromium, "There is no Chromium here: ./test installs it, or name one in INSTEP_TEST_CHROMIUM."
    with sync_playwright() as playwright:
        # Its updates and look-ups have nothing to do with the pages; /dev/shm is small in containers.
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
        # A home of its own: it writes there, and whoever runs the tests keeps theirs as it is.
        home = str(tmp_path_factory.mktemp("home"))
        browser = playwright.chromium.launch(
            executable_path=chromium,
            headless=True,
            args=[*quiet, "--disable-dev-shm-usage", "--disable-gpu"],
            env={**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home},
        )
        yield browser
        browser.close()
