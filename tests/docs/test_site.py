"""`make docs`: the pages as a site, built strictly; every page is in the navigation, and none loads anything from another host."""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import markdown
import pytest

from hack.site_pages import decisions, navigation, outside_of_fences, site_path, with_lists, with_site_links
from tests.docs.pages import CLONE, nothing

DOCS = CLONE / "docs"
PAGES = sorted(str(path.relative_to(DOCS).with_suffix(".html")) for path in DOCS.rglob("*.md"))
LOADING = {  # what a browser fetches without being asked
    **dict.fromkeys(("script", "img", "iframe", "embed", "source", "video", "audio", "track", "input"), ("src", "srcset", "poster")),
    "link": ("href",),
    "object": ("data",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
}
NOT_LOADED = {"canonical", "prev", "next", "alternate"}  # rel of <link>
IN_STYLES = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    ran = build(CLONE, folder)
    assert ran.returncode == 0, ran.stderr
    assert "WARNING" not in ran.stderr, ran.stderr
    return folder


def build(clone: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """As `make docs` does, into another folder. Not quietly: then warnings do not count."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(CLONE)}
    return subprocess.run(command, cwd=clone, env=environment, text=True, capture_output=True, check=False)


class Parsed(HTMLParser):
    """What a page loads, which links its navigation has, and which classes its elements have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.navigation: set[str] = set()
        self.classes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        classes = set(found.get("class", "").split())
        self.classes |= classes
        if tag == "a" and "md-nav__link" in classes:
            self.navigation.add(found.get("href", ""))
        if tag == "link" and NOT_LOADED & set(found.get("rel", "").split()):
            return
        self.loaded += [found[name] for name in LOADING.get(tag, ()) if name in found]
        self.loaded += IN_STYLES.findall(found.get("style", ""))


def parsed(site: Path) -> Iterator[tuple[str, Parsed]]:
    for path in sorted(site.rglob("*.html")):
        yield str(path.relative_to(site)), Parsed(path.read_text())


def test_every_page_is_in_the_site_and_in_its_navigation(site: Path) -> None:
    assert {str(path.relative_to(site)) for path in site.rglob("*.html")} >= {*PAGES, "changelog.html", "contributing.html"}
    linked = set[str]()
    for name, page in parsed(site):
        links = (link.partition("#")[0] for link in page.navigation)
        linked |= {posixpath.normpath(posixpath.join(posixpath.dirname(name), link)) for link in links if link}
    nothing(f"docs/index.md: add a line for {name}" for name in PAGES if name not in linked)


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    nothing(f"{name}: {where}" for name, page in parsed(site) for where in page.loaded if re.match(r"(?:[a-z]+:)?//", where))
    styles = ((path, found) for path in sorted(site.rglob("*.css")) for found in IN_STYLES.findall(path.read_text()))
    nothing(f"{path.relative_to(site)}: {found}" for path, found in styles)


def test_no_page_has_what_makes_the_theme_load_something(site: Path) -> None:
    """Diagrams of mermaid are drawn by a script from another host; a picture that `dtnctl graph` made is a file."""
    nothing(name for name, page in parsed(site) if "mermaid" in page.classes)


def test_what_pages_load_is_there(site: Path) -> None:
    def is_missing(name: str, where: str) -> bool:
        return not where.startswith("data:") and not (site / Path(name).parent / where.partition("?")[0].partition("#")[0]).exists()

    loaded = (
        (name, where) for name, page in parsed(site) if name != "404.html" for where in page.loaded if where
    )  # that one is at any address
    nothing(f"{name}: {where}" for name, where in loaded if is_missing(name, where))


def test_pages_can_be_searched_and_decisions_come_after_them(site: Path) -> None:
    boosts = {entry["location"]: entry.get("boost", 1) for entry in json.loads((site / "search/search_index.json").read_text())["docs"]}
    assert boosts["how-it-works.html"] == 1
    assert {boost for location, boost in boosts.items() if location.startswith("decisions/0")} == {0.5}


def test_dead_link_dead_anchor_and_page_that_is_not_in_the_index_stop_the_build(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "hack/site_pages.py", "CHANGELOG.md", "CONTRIBUTING.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CLONE / name, tmp_path / name)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Here\n\n## Part\n\n- [A](a.md): a page.\n")
    (tmp_path / "docs/a.md").write_text("# A\n\n[1](b.md#nowhere) [2](nothing.md) [3](../nothing.txt) [4](index.md#part)\n")
    (tmp_path / "docs/b.md").write_text("# B\n")
    ran = build(tmp_path, tmp_path / "site")
    assert ran.returncode == 1
    warnings = [line for line in ran.stderr.splitlines() if line.startswith("WARNING")]
    for found in ("- b.md", "'#nowhere'", "'nothing.md'", "'repository/nothing.txt.txt'"):
        assert [line for line in ran.stderr.splitlines() if found in line], ran.stderr
    assert not [line for line in warnings if "#part" in line]


def test_links_that_leave_the_docs_lead_to_copies_inside() -> None:
    assert site_path("docs", "../CHANGELOG.md") == "changelog.md"
    assert site_path("docs", "decisions") == site_path("docs", "decisions/") == "decisions/index.md"
    assert site_path("docs/decisions", "../agent.md") == "agent.md"
    assert site_path("", "docs/json.md") == "json.md"
    assert site_path("docs", "../images/agent/Dockerfile") == "repository/images/agent/Dockerfile.txt"
    changed = with_site_links("[a](../CHANGELOG.md#b) [c](https://d.example.net/e) [f](#g)", "glossary.md")
    assert changed == "[a](changelog.md#b) [c](https://d.example.net/e) [f](#g)"
    assert with_site_links("[a](docs/json.md#history)", "contributing.md") == "[a](json.md#history)"
    assert with_site_links("[a](../agent.md)", "decisions/0001-x.md") == "[a](../agent.md)"


ADDED = {
    "a list after a text": ("**Refused.**\n- one\n- two\n  more\n- three\n", "**Refused.**\n\n- one\n- two\n    more\n- three\n"),
    "a list after a heading": ("# Title\n- one\n\ntext\n1. one\n", "# Title\n- one\n\ntext\n\n1. one\n"),
    "a number at the beginning of a line": ("from 50000 to\n51000. Then\n", "from 50000 to\n51000. Then\n"),
    "a table inside of an item": ("1. one\n   | a |\n   |---|\n", "1. one\n\n    | a |\n    |---|\n"),
    "an item after one of two paragraphs": ("1. one\n\n   more\n2. two\n3. three\n", "1. one\n\n    more\n\n2. two\n3. three\n"),
}


@pytest.mark.parametrize(("text", "wanted"), ADDED.values(), ids=ADDED)
def test_lists_and_tables_get_the_empty_lines_that_github_does_not_need(text: str, wanted: str) -> None:
    assert with_lists(text) == wanted


@pytest.mark.parametrize(
    "page", [*sorted(DOCS.rglob("*.md")), CLONE / "CONTRIBUTING.md", CLONE / "CHANGELOG.md"], ids=lambda page: page.stem
)
def test_site_has_the_lists_and_tables_that_github_shows(page: Path) -> None:
    text = page.read_text()
    extensions = ["attr_list", "tables", "pymdownx.superfences", "pymdownx.highlight"]
    ours = markdown.markdown(outside_of_fences(text, with_lists), extensions=extensions)
    assert elements(ours) == elements(cmarkgfm.github_flavored_markdown_to_html(text))


def elements(html: str) -> Counter[str]:
    """How often a page has each of its parts, but for those of code."""
    return Counter(re.findall(r"<(li|ol|ul|table|tr|h[1-6]|img|blockquote|strong|pre)[ >]", html))


def test_code_inside_of_an_item_stays_there() -> None:
    text = "1. one\n   ```sh\n   a\n     b\n   ```\n2. two\n\n```\nc\n```\n"
    assert outside_of_fences(text, str.upper) == "1. ONE\n    ```sh\n    a\n      b\n    ```\n2. TWO\n\n```\nc\n```\n"


def test_navigation_has_every_decision() -> None:
    (part,) = (found for found in navigation((), decisions()) if "Home" in found)
    assert part == {"Home": "index.md"}
    assert len(decisions()) == len(list((DOCS / "decisions").glob("[0-9]*.md")))
