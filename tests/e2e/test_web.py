"""The page of a transfer while it runs, in a browser: its curve grows, and stays when the transfer has ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lab import Lab
from tests.e2e.transfer_scene import TransferScene
from tests.web.browser import chromium, opened, violations
from tests.web.serving import served

pytestmark = pytest.mark.lab
SIZE = 30_000_000
PICTURE = Path(__file__).parents[2] / "docs/pictures/web-transfer-light-wide.png"


@pytest.fixture(scope="module")
def scene(two_endpoints: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransferScene]:
    scene = TransferScene(two_endpoints, tmp_path_factory.mktemp("page"))
    scene.sh("dtn1", f"head -c {SIZE} /dev/urandom > /data/run14")
    yield scene
    scene.close()


def test_the_curve_of_a_transfer_grows_while_it_runs_and_stays_afterwards(scene: TransferScene) -> None:
    play = scene.play
    scene.forget()
    scene.declare("run14", "gridftp", "run14", "run14")
    with chromium() as browser, served(play.root) as pages, scene.slow():
        applying = play.start("apply", "--yes")
        with opened(browser, f"{pages.url}/") as page:
            expect(page.locator("tr[data-key=run14]")).to_contain_text("running", timeout=60_000)
            page.get_by_role("link", name="run14").first.click()
            expect(page.locator("#curve-words")).to_contain_text("running: ", timeout=60_000)
            first = _points(page, 1)
            assert _points(page, first + 2) > first
            expect(page.locator("#curve canvas")).to_be_visible()
            assert violations(page) == []
            if os.environ.get("DTNCTL_SCREENSHOTS"):
                _points(page, 5)
                page.screenshot(path=PICTURE)
            assert play.ended(applying).code == 0
            expect(page.locator("#curve-words")).to_contain_text("succeeded: 28.61 MiB", timeout=60_000)
            expect(page.get_by_text("md5 of 1 file equal at both ends").first).to_be_visible(timeout=60_000)
            page.reload()
            assert _points(page, 2) >= 2, "from the record"


def _points(page: Page, least: int) -> int:
    """How many samples are drawn, once there are at least that number."""
    while True:
        found = int(page.locator("#curve").get_attribute("data-points") or 0)
        if found >= least:
            return found
        page.wait_for_timeout(200)
