"""What mkdocs calls for `make docs`: the navigation is docs/index.md, and links that leave docs/ lead to copies inside of the site.

Pages are written for GitHub, too, so nothing of mkdocs is in them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from dtnctl.cli.topics import Topic, read_index

CLONE = Path(__file__).resolve().parents[1]
DOCS = CLONE / "docs"
DECISIONS = "decisions"
COPIES = "repository"  # where files of the repository are in the site, as plain text
# pages that are written outside of docs/, and their names in the site
PAGES_OUTSIDE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "README.md": "index.md"}
INSIDE_AN_ITEM = " " * 4  # for GitHub two or three are enough
ADDED = ("CHANGELOG.md", "CONTRIBUTING.md")

STYLE_FILE = "site.css"
# plans have 120 columns
STYLE = ".md-grid {max-width: 84rem}\n.md-typeset pre > code {font-size: .78em}\n"

INSIDE = re.compile(r"^ {2,3}(?=\S)", re.MULTILINE)
FENCE = re.compile(r"^(?P<indent> *)```.*?\n.*?^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?=\))")
ITEM = re.compile(r" *(?:[-*]|\d+\.) ")
FIRST_ITEM = re.compile(r"(?:[-*]|1\.) ")  # another number does not begin a list
TEXT = re.compile(r"[^#| ]")  # of a paragraph that is in no item
ROW = re.compile(r" *\|")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The index is the navigation."""
    config.extra_css = [STYLE_FILE]
    config.nav = navigation(tuple(read_index((DOCS / "index.md").read_text(encoding="utf-8"))), decisions())
    return config


def navigation(topics: tuple[Topic, ...], records: Mapping[str, str]) -> list[dict[str, Any]]:
    """The parts of the index as mkdocs takes them; `records` are titles by path, of the decisions."""
    found: list[dict[str, Any]] = [{"Home": "index.md"}]
    for part, of_part in groupby(topics, lambda topic: topic.part):
        below: list[dict[str, Any]] = []
        for group, of_group in groupby(of_part, lambda topic: topic.group):
            entries = [{topic.title: _target(topic, records)} for topic in of_group]
            below += [{group: entries}] if group else entries
        found.append({part: below})
    return found


def _target(topic: Topic, records: Mapping[str, str]) -> Any:
    if topic.page == DECISIONS:
        return [f"{DECISIONS}/index.md", *({title: path} for path, title in records.items())]
    return site_path("docs", topic.page)


def decisions() -> dict[str, str]:
    """Path in the site and title of each decision, by number."""
    files = sorted((DOCS / DECISIONS).glob("[0-9]*.md"))
    return {f"{DECISIONS}/{file.name}": file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for file in files}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The list of decisions, the pages at the root of the repository, and the files that pages lead to."""
    rows = "".join(f"- [{title}]({posixpath.basename(path)})\n" for path, title in decisions().items())
    files.append(File.generated(config, f"{DECISIONS}/index.md", content=f"# Decisions\n\n{rows}"))
    files.append(File.generated(config, STYLE_FILE, content=STYLE))
    for name in ADDED:
        files.append(File.generated(config, PAGES_OUTSIDE[name], abs_src_path=str(CLONE / name)))
    for path in sorted(set(_copied(files))):
        files.append(File.generated(config, f"{COPIES}/{path}.txt", abs_src_path=str(CLONE / path)))
    return files


def _copied(files: Files) -> Iterator[str]:
    for file in files.documentation_pages():
        text = file.content_string
        for link in LINK.finditer(FENCE.sub("", text)):
            path = site_path(folder_of(file.src_uri), link["path"])
            copied = path.removeprefix(f"{COPIES}/").removesuffix(".txt")
            if path != copied and (CLONE / copied).is_file():  # mkdocs names a link to what is not there
                yield copied


def folder_of(page: str) -> str:
    """Where in the repository the text of the site's page is, as a folder."""
    is_outside = page in {PAGES_OUTSIDE[name] for name in ADDED}
    return "" if is_outside else posixpath.join("docs", posixpath.dirname(page)).rstrip("/")


def site_path(folder: str, link: str) -> str:
    """Where the file that a link in this folder of the repository names is in the site."""
    if "://" in link or link.startswith("mailto:"):
        return link
    path = posixpath.normpath(posixpath.join(folder, link))
    if path.startswith("docs/"):
        inside = path.removeprefix("docs/")
        return f"{inside}/index.md" if inside == DECISIONS else inside
    return PAGES_OUTSIDE.get(path, f"{COPIES}/{path}.txt")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page's text as Python's Markdown and the site need it; code stays as it is."""
    del config, files
    if page.file.src_uri.startswith(f"{DECISIONS}/"):
        page.meta["search"] = {"boost": 0.5}  # who searches wants the page first that says how
    return outside_of_fences(markdown, lambda text: with_site_links(with_lists(text), page.file.src_uri))


def outside_of_fences(markdown: str, change: Callable[[str], str]) -> str:
    """The text with its prose changed, and its fenced code as it was, but for its indent."""
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [change(markdown[end : fence.start()]), _in_its_item(fence)]
        end = fence.end()
    return "".join([*parts, change(markdown[end:])])


def _in_its_item(fence: re.Match[str]) -> str:
    """Code that is a part of a list's item is as far in as its text."""
    return fence[0] if not fence["indent"] else indent(dedent(fence[0]), INSIDE_AN_ITEM)


def with_lists(text: str) -> str:
    """With empty lines where GitHub needs none: before a list or table that follows a text, and after an item of several paragraphs.

    What is inside of an item is as far in as it must be.
    """
    lines, is_long = list[str](), False  # whether this is a further paragraph of an item
    for line in INSIDE.sub(INSIDE_AN_ITEM, text).splitlines(keepends=True):
        before = lines[-1] if lines else "\n"
        if before.strip() and (_begins(line, before) or (ITEM.match(line) and is_long)):
            lines.append("\n")
        is_after_empty_line = not before.strip()
        is_long = line.startswith(INSIDE_AN_ITEM) if is_after_empty_line else is_long and not ITEM.match(line)
        lines.append(line)
    return "".join(lines)


def _begins(line: str, before: str) -> bool:
    """Whether a list or a table begins with this line, after that one."""
    if ROW.match(line):
        return not ROW.match(before)
    return FIRST_ITEM.match(line) is not None and TEXT.match(before) is not None and not ITEM.match(before)


def with_site_links(text: str, page: str) -> str:
    """With links as this page of the site has them."""

    def in_site(link: re.Match[str]) -> str:
        if "://" in link["path"] or link["path"].startswith("mailto:"):
            return link[0]
        path = site_path(folder_of(page), link["path"])
        return posixpath.relpath(path, posixpath.dirname(page) or ".") + (link["anchor"] or "")

    return LINK.sub(in_site, text)
