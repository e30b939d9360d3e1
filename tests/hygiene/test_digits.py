"""`"²".isdigit()` is true and `int("²")` fails, so text is asked by isdecimal(); bytes have isdigit() alone, which means 0 to 9 there."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OF_BYTES = ("dtnctl/movers/checksums.py", "agent/dtn_agent/server/middleware.py")


@pytest.mark.parametrize("package", ["dtnctl", "agent/dtn_agent"])
def test_what_becomes_a_number_is_asked_by_isdecimal(package: str) -> None:
    files = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in (ROOT / package).rglob("*.py")}
    assert files
    assert sorted(name for name, text in files.items() if ".isdigit()" in text and name not in OF_BYTES) == []
