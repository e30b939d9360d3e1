"""The notebooks of docs/notebooks run from top to bottom, and show what their cells print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.docs.notebooks import NOTEBOOKS, code_cells, outputs, stored, text_of


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_print_what_the_notebook_shows(path: Path, tmp_path: Path) -> None:
    notebook = json.loads(path.read_text())
    shown = [stored(cell) for cell in code_cells(notebook)]
    assert outputs(notebook, tmp_path) == shown, "run: python -m tests.docs.notebooks"
    assert "".join(shown).count("\n") > 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_as_jupyter_saves_it(path: Path) -> None:
    notebook = json.loads(path.read_text())
    assert text_of(notebook) == path.read_text()
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert [cell["execution_count"] for cell in code_cells(notebook)] == list(range(1, len(list(code_cells(notebook))) + 1))


def test_there_is_a_notebook() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["first-look"]
