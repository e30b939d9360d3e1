"""Debian's Chromium, driven by Playwright: one for a whole file of tests, a context of its own for each."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

CHROMIUM = shutil.which("chromium")
WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 390, "height": 844}
RULES = {"resultTypes": ["violations"]}


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. It is root's, as the tests are: without its sandbox. Skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Ubuntu has it as a snap only)")
    with (
        sync_playwright() as playwright,
        contextlib.closing(
            playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        ) as browser,
    ):
        yield browser


@contextlib.contextmanager
def opened(browser: Browser, url: str, *, dark: bool = False, narrow: bool = False, may_fail: bool = False) -> Iterator[Page]:
    """A page that has been loaded. What it logged as an error, or asked of another host, fails the test.

    With `may_fail` the page itself may be one that is not there, and its server may end.
    """
    size = NARROW if narrow else WIDE
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light", timezone_id="UTC", locale="en-GB")
    with contextlib.closing(context):
        page = context.new_page()
        troubles: list[str] = []
        page.on("console", lambda message: troubles.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if not request.url.startswith(url.rsplit(":", 1)[0]) else None)
        page.goto(url)
        yield page
        left = [trouble for trouble in troubles if not (may_fail and ("404" in trouble or "net::ERR_" in trouble))]
        assert left == [], left


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong for people who use a keyboard or a screen reader, or who see little."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{item['id']}: {item['help']}: {node['html'][:200]}" for item in found for node in item["nodes"]]
