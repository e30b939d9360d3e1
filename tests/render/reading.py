"""Reads a comment as the forge does: its own parser, then what a reader sees and what could act."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options

# What the forge looks for in text that is not code.
ACTIVE = re.compile(r"(^|[^\w`])@\w|\w@\w|#\d|\bGH-\d|://|\bwww\.|:\w+:", re.IGNORECASE)
QUIET = {"code", "pre"}


class Reading(HTMLParser):
    """`tags` and `comments` of the page, `text` that is seen, and `loose`: the text outside of code."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.comments: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.loose = ""
        # Raw HTML comes through, so that nothing is hidden from the tests by the parser's own filter.
        extensions = ["table", "autolink", "strikethrough", "tasklist"]
        self.feed(cmarkgfm.markdown_to_html_with_extensions(markdown, Options.CMARK_OPT_UNSAFE, extensions))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> ends nothing"

    def handle_data(self, data: str) -> None:
        self.text += data
        self.loose += "\n" if QUIET & set(self.open) else data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)
