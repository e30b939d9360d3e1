"""No secret of a site that has one of each kind is on a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.canary_site import canary_site
from tests.web.serving import served

PATHS: tuple[str, ...] = (
    "/",
    "/endpoints",
    "/endpoints/a",
    "/sessions",
    "/sessions/s",
    "/transfers",
    "/transfers/t",
    "/plan",
    "/plan?commit=main",
)
PATHS += ("/networks", "/history", "/history/main")


def test_no_canary_is_on_a_page(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, canary_site(tmp_path) as (made, variables):
        for name, value in variables.items():
            patch.setenv(name, value)
        made.run("apply", "--yes", "--lock-timeout", "1")
        with served(made.root) as pages:
            shown = [pages.get(path) for path in PATHS]
    assert {answer.status for answer in shown} == {200}
    assert "STARTED" in shown[3].text
    assert made.found_in("".join(answer.text for answer in shown)) == []
