"""docs/index.md is the way in: it has every page, no page is a dead end, and `dtnctl help` and the site have what it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dtnctl.cli.topics import Topic, read_index, topics
from tests.docs.pages import CLONE, LINK, nothing, without_fences

DOCS = CLONE / "docs"
INDEX = DOCS / "index.md"
PAGES = sorted(path for path in DOCS.glob("*.md") if path != INDEX)
ENTRIES = tuple(read_index(INDEX.read_text()))
PARTS = ["Tutorial", "How-to", "Reference", "Explanation"]


def leads_to(page: Path) -> set[Path]:
    """The files that its links name."""
    targets = (match[1].partition("#")[0] for match in LINK.finditer(without_fences(page.read_text())))
    return {(page.parent / target).resolve() for target in targets if target and "://" not in target}


def test_index_has_four_parts_and_every_page_once() -> None:
    assert list(dict.fromkeys(entry.part for entry in ENTRIES)) == PARTS
    named = [entry.page for entry in ENTRIES]
    nothing(f"docs/index.md has {page} twice" for page in sorted({page for page in named if named.count(page) > 1}))
    nothing(f"docs/index.md: add a line for {path.name}" for path in PAGES if path.name not in named)


def test_every_entry_is_a_title_and_a_sentence() -> None:
    lines = re.findall(r"^- .*$", INDEX.read_text(), re.MULTILINE)
    assert len(lines) == len(ENTRIES)
    nothing(entry for entry in ENTRIES if not entry.line.endswith(".") or len(entry.line) > 120)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_ends_with_where_to_go_next(page: Path) -> None:
    last = page.read_text().rstrip("\n").splitlines()[-1]
    assert last.startswith("Next: "), f"the last line of docs/{page.name}: Next: [a page](page.md) · [another](another.md)"
    assert leads_to(page) - {page}, "to itself alone"


def test_from_the_index_each_page_is_reached_and_the_index_leads_to_the_tutorial() -> None:
    reached, waiting = set[Path](), [INDEX]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        waiting += [path for path in leads_to(page) if path.suffix == ".md" and path.parent == DOCS and path not in reached]
    assert {path.name for path in reached} >= {path.name for path in PAGES}
    assert DOCS / "tutorial.md" in leads_to(INDEX)


def test_topics_are_the_pages_that_the_index_has() -> None:
    assert [topic.page for topic in topics()] == [entry.page for entry in ENTRIES if entry.is_shipped]
    assert {topic.name for topic in topics()} == {path.stem for path in PAGES}


def test_entries_know_their_part_and_group() -> None:
    text = "# Title\n\n## How-to\n\n- [A](a.md): of a.\n\n### Hosts\n\n- [B](b.md): of b.\n- no entry\n"
    text += "\n## Reference\n\n- [C](../C.md): of c.\n"
    assert list(read_index(text)) == [
        Topic("How-to", "", "A", "a.md", "of a."),
        Topic("How-to", "Hosts", "B", "b.md", "of b."),
        Topic("Reference", "", "C", "../C.md", "of c."),
    ]
