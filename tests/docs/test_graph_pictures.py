"""The page on pictures shows them as they are now."""

from __future__ import annotations

from pathlib import Path

from hack.graph_pictures import DOCS, main, pictures


def test_the_pictures_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_the_page_shows_each_of_them() -> None:
    page = Path(DOCS, "graph.md").read_text(encoding="utf-8")
    assert [path.name for path in pictures() if f"]({path.name})" not in page] == []
