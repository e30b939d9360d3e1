"""What the page of guard rails shows is what plans say: its examples are those of tests/cases."""

from __future__ import annotations

import re

import pytest

from tests.cases.cases import FOLDER
from tests.docs.pages import CLONE

PAGE = " ".join((CLONE / "docs/guard-rails.md").read_text().split())
SHOWN = (  # case, the start of a part of its plan, what it ends before
    ("protected-session-removed", "✖ blocked", "- destroy"),
    ("session-suspended", "NOTE     session climate is suspended", "ENDPOINT"),
    ("session-suspended", "NOTE     session climate expires", "NOTE     session climate is"),
    ("site-frozen", "✖ blocked  session/climate", "plan hash"),
    ("freeze-overridden", "NOTE", "ENDPOINT"),
    ("wrong-folder", "✖ blocked  session/weather", "plan hash"),
)


@pytest.mark.parametrize(("case", "start", "end"), SHOWN)
def test_examples_are_parts_of_plans(case: str, start: str, end: str) -> None:
    text = (FOLDER / case / "plan.txt").read_text()
    (part,) = re.findall(rf"^{re.escape(start)}.*?(?=^\s*{re.escape(end)})", text, re.MULTILINE | re.DOTALL)
    assert " ".join(part.split()) in PAGE
