"""The pictures of the pages in docs/: of the site of the talk, wide and narrow, light and dark. `DTNCTL_SCREENSHOTS=1` makes them again.

Their pixels are not compared: each version of Chromium draws letters in its own way.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.web.browser import chromium, opened
from tests.web.scenes import scinet
from tests.web.serving import served_view
from tests.web.test_browser import Standing

FOLDER = Path(__file__).parents[2] / "docs/pictures"
PAGES = {"overview": "", "endpoint": "endpoints/starlight-dtn", "plan": "plan", "networks": "networks"}
FORMS = {"light-wide": (False, False), "dark-narrow": (True, True)}
LARGEST = 200 * 1024  # bytes
MAKES = bool(os.environ.get("DTNCTL_SCREENSHOTS"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PAGES)
def test_a_picture_of_the_page_is_there_and_small(name: str, form: str) -> None:
    content = (FOLDER / f"web-{name}-{form}.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(content) < LARGEST


@pytest.mark.skipif(not MAKES, reason="DTNCTL_SCREENSHOTS=1 makes them again")
def test_pictures_are_made() -> None:
    FOLDER.mkdir(exist_ok=True)
    with chromium() as browser, served_view(scinet(), Standing()) as pages:
        for name, path in PAGES.items():
            for form, (dark, narrow) in FORMS.items():
                with opened(browser, f"{pages.url}/{path}", dark=dark, narrow=narrow) as page:
                    page.screenshot(path=FOLDER / f"web-{name}-{form}.png", full_page=name == "endpoint" and not narrow)
