"""Runs the notebooks of docs/notebooks without Jupyter; `python -m tests.docs.notebooks` writes what their cells print into them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.example_repository import example_repository
from tests.docs.pages import CLONE

NOTEBOOKS = sorted((CLONE / "docs/notebooks").glob("*.ipynb"))


def code_cells(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """In their order."""
    yield from (cell for cell in notebook["cells"] if cell["cell_type"] == "code")


def outputs(notebook: dict[str, Any], folder: Path) -> list[str]:
    """What each cell prints, run one after the other in the example repository, which is made in the folder."""
    names: dict[str, Any] = {}
    before, printed = Path.cwd(), []
    with example_repository(folder):
        os.chdir(folder)
        try:
            for cell in code_cells(notebook):
                with contextlib.redirect_stdout(io.StringIO()) as output:
                    exec("".join(cell["source"]), names)  # the notebook's own code
                printed.append(output.getvalue())
        finally:
            os.chdir(before)
    return printed


def stored(cell: dict[str, Any]) -> str:
    """What the notebook shows below the cell."""
    return "".join(line for output in cell["outputs"] for line in output["text"])


def text_of(notebook: dict[str, Any]) -> str:
    """As Jupyter saves it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    for path in NOTEBOOKS:
        notebook = json.loads(path.read_text())
        with tempfile.TemporaryDirectory() as folder:
            printed = outputs(notebook, Path(folder))
        for number, (cell, text) in enumerate(zip(code_cells(notebook), printed, strict=True), start=1):
            lines = text.splitlines(keepends=True)
            cell["execution_count"] = number
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": lines}] if text else []
        path.write_text(text_of(notebook))
    return 0


if __name__ == "__main__":
    sys.exit(main())
