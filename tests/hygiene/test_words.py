"""Code, messages and pages use the words that network engineers use already; a word on this list has a better one beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CLONE = Path(__file__).parents[2]
BETTER = {
    r"anew": "again; recreate",
    r"mend(ed|s|ing)?": "fix, repair",
    r"fates?": "disposition",
    r"wish(es|ed)?": "request",
    r"elsewhere": "where it is: another file, host, namespace",
    r"told|tells": "reports, shows, returns",
    r"nobody|everybody": "no process, every client",
    r"put(s|ting)? back|given back|gives? back": "restore, release",
    r"clear(s|ed)? away": "clean up",
    r"sits? on": "uses, is on top of",
    r"(?<!by )(?<!by-)hands?": "placeholder container; passes; holders",
    r"ground": "host view",
    r"whichever|of whom|so many": "any, whose, the number of",
    r"(leave|leaves|left) it away": "omit it",
    r"take (them|it) along": "include them in this run",
    r"goes on to replace|ends the replacement": "resumes replacing, completes the replacement",
    r"made right": "corrected",
    r"eyes|visits?": "observer, connection",
}
FOLDERS = ("dtnctl", "agent/dtn_agent", "docs")


def _lines() -> list[tuple[str, str]]:
    """(place, line) of the product's code and of every page."""
    files = [file for folder in FOLDERS for ending in ("py", "md", "sh") for file in sorted((CLONE / folder).rglob(f"*.{ending}"))]
    files += sorted(CLONE.glob("*.md"))
    return [(f"{file.relative_to(CLONE)}:{number}", line) for file in files for number, line in enumerate(file.read_text().splitlines(), 1)]


@pytest.mark.parametrize("word", BETTER)
def test_the_words_of_the_field_are_used(word: str) -> None:
    pattern = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    found = [f"{place}: {line.strip()[:120]}" for place, line in _lines() if pattern.search(line)]
    assert found == [], f"better: {BETTER[word]}"
