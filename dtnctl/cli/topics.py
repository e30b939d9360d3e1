"""The pages of docs/ as topics of `dtnctl help`: which there are, in which order, is said by their index. No I/O but reading them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INDEX = "index"
IN_A_WHEEL, IN_A_CLONE = "help", "docs"  # the folder beside the package's modules, or beside the package
HEADING = re.compile(r"^(?P<marks>##|###) (?P<text>.+)$")
ENTRY = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<page>[^)\s]+)\): (?P<line>.+)$")


@dataclass(frozen=True, slots=True)
class Topic:
    """A page in the index: below which headings it stands, where it leads (from docs/), and what it is about, in one line."""

    part: str
    group: str
    title: str
    page: str
    line: str

    @property
    def name(self) -> str:
        """As people type it."""
        return self.page.removesuffix(".md")

    @property
    def is_shipped(self) -> bool:
        """Whether its page comes with the program: pages outside of docs/ and folders do not."""
        return self.page.endswith(".md") and "/" not in self.page


def read_index(text: str) -> Iterator[Topic]:
    """The entries of docs/index.md, in its order."""
    part = group = ""
    for line in text.splitlines():
        if heading := HEADING.match(line):
            part, group = (heading["text"], "") if heading["marks"] == "##" else (part, heading["text"])
        elif entry := ENTRY.match(line):
            yield Topic(part, group, entry["title"], entry["page"], entry["line"])


@cache
def folder() -> Path:
    """Where the pages are: in the package of a wheel, or in the clone of an editable installation."""
    package = Path(__file__).parents[1]
    return package / IN_A_WHEEL if (package / IN_A_WHEEL).is_dir() else package.parent / IN_A_CLONE


def topics() -> tuple[Topic, ...]:
    """Every topic that `dtnctl help` has."""
    return tuple(topic for topic in read_index(page_text(INDEX)) if topic.is_shipped)


def page_text(name: str) -> str:
    """The Markdown of a page."""
    return (folder() / f"{name}.md").read_text(encoding="utf-8")
