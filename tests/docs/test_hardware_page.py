"""The page about a session on hardware shows the plan that is made today."""

from __future__ import annotations

from hack import hardware_page


def test_page_is_up_to_date() -> None:
    assert hardware_page.PAGE.read_text(encoding="utf-8") == hardware_page.render_page(), "run: python hack/hardware_page.py"
