"""Every code has a row in docs/error-codes.md, and every row a code."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_page_and_program_know_the_same_codes() -> None:
    page = (REPOSITORY / "docs/error-codes.md").read_text()
    rows = re.findall(r"^\| (E\d{4}) \|", page, flags=re.MULTILINE)
    used = {code for file in (REPOSITORY / "dtnctl").rglob("*.py") for code in re.findall(r'"(E\d{4})"', file.read_text())}
    assert len(rows) == len(set(rows))
    assert set(rows) == used
