"""docs/backends.md shows what the rows of backends say."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.model.backends import BACKENDS
from hack import backends_page


def test_page_is_up_to_date() -> None:
    page = backends_page.PAGE.read_text()
    assert page == backends_page.render_page(page), "run: python hack/backends_page.py"


def test_each_backend_has_a_column_and_what_it_lacks_a_row_with_the_reason() -> None:
    tables = backends_page.render_tables()
    assert tables.startswith(f"| | {' | '.join(BACKENDS)} |\n")
    for row in BACKENDS.values():
        for field, lack in (*row.lacks.items(), *row.network_lacks.items(), *row.function_lacks.items()):
            (line,) = [text for text in tables.splitlines() if text.startswith(f"| `{field}`") and lack.words in text]
            assert lack.fix in line


def test_stale_page_is_found_and_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Before\n{backends_page.START}old\n{backends_page.END}after\n")
    monkeypatch.setattr(backends_page, "PAGE", page)
    assert backends_page.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{page} is stale; run: python hack/backends_page.py\n"
    assert (backends_page.main([]), backends_page.main(["--check"])) == (0, 0)
    assert page.read_text().startswith("# Before\n")
    assert page.read_text().endswith("after\n")
