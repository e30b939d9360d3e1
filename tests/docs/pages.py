"""The pages that people read, and what is in them: links, headings, code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CLONE = Path(__file__).parents[2]
PAGES = [*(CLONE / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")), *sorted((CLONE / "docs").rglob("*.md"))]

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`]+)`")  # may go on in the next line
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Found:
    """Something on a page, with its line for the message."""

    page: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(CLONE)}:{self.line}: {self.text}"


def _found(page: Path, whole: str, position: int, text: str) -> Found:
    return Found(page, whole.count("\n", 0, position) + 1, text)


def without_fences(text: str) -> str:
    """The prose; fenced lines become empty, so that line numbers stay."""
    return FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)


def nothing(found: Iterable[object]) -> None:
    """Fail with everything that was found, a line each."""
    lines = [str(item) for item in found]
    assert not lines, "\n" + "\n".join(lines)


def links() -> Iterator[Found]:
    """Every link that stays in the repository."""
    for page in PAGES:
        prose = without_fences(page.read_text())
        for match in LINK.finditer(prose):
            if "://" not in match[1] and not match[1].startswith("mailto:"):
                yield _found(page, prose, match.start(), match[1])


def code_spans() -> Iterator[Found]:
    """Every `code` in the prose, on one line."""
    for page in PAGES:
        prose = without_fences(page.read_text())
        for match in SPAN.finditer(prose):
            yield _found(page, prose, match.start(), " ".join(match[1].split()))


def fenced_lines(*languages: str) -> Iterator[Found]:
    """Every line of the blocks in these languages."""
    for page in PAGES:
        whole = page.read_text()
        for match in FENCE.finditer(whole):
            if match["language"] in languages:
                first = match.start("text")
                for number, line in enumerate(match["text"].splitlines()):
                    found = _found(page, whole, first, line.strip())
                    yield Found(page, found.line + number, found.text)


def anchors(page: Path) -> set[str]:
    """What may follow a # in a link to the page, as GitHub makes it of the headings."""
    headings = HEADING.findall(without_fences(page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}
