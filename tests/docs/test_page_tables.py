"""Tables that programs write into pages leave the rest of the page alone."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from hack import backends_page, doctor_page


@pytest.mark.parametrize("program", [backends_page, doctor_page], ids=["backends", "doctor"])
def test_stale_page_is_found_and_corrected(
    program: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{program.TABLES.start}old\n{program.TABLES.end}after\n")
    monkeypatch.setattr(program, "PAGE", page)
    assert program.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{page} is stale; run: python -m {program.__name__}\n"
    assert (program.main([]), program.main(["--check"])) == (0, 0)
    assert page.read_text() == program.render_page(page.read_text())
    assert (page.read_text().startswith("# Before\n"), page.read_text().endswith("after\n")) == (True, True)
