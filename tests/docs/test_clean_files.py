"""What no file of the project may say: where it was written, or by which road its packages came."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.docs.pages import CLONE, nothing

# the middle of host names, so that this file has none
REGISTRY = re.compile(r"[\w.-]*(?:pypi|pythonhosted|npmjs|crates|deb\.debian|archive\.ubuntu|proxy\.golang)[\w-]*\.(?:org|com|io|net)\b")
ELSEWHERE = re.compile(r"(?<![\w.}])/(?:work|farm)/\w|/tmp/bas[h]|\.pyen[v]/")
LEFT_OVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|PLAN_" + r"HERE)\b")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that git keeps or would keep."""
    command = ["git", "-C", str(CLONE), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    ran = subprocess.run(command, text=True, capture_output=True, check=False)
    if ran.returncode != 0:
        pytest.skip(f"not a clone: {ran.stderr.strip()}")
    found = (name for name in ran.stdout.split("\0") if name and not name.endswith(".png") and (CLONE / name).is_file())
    return dict(map(_read, found))


def _read(name: str) -> tuple[str, str]:
    return name, (CLONE / name).read_bytes().decode("utf-8", "replace")


def lines_with(texts: dict[str, str], pattern: re.Pattern[str]) -> Iterator[str]:
    for name, text in texts.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                yield f"{name}:{number}: {line.strip()[:120]}"


def test_no_file_knows_where_its_clone_is(texts: dict[str, str]) -> None:
    nothing(lines_with(texts, re.compile(re.escape(f"{CLONE}/"))))
    nothing(lines_with(texts, ELSEWHERE))


def test_no_file_names_a_package_registry(texts: dict[str, str]) -> None:
    nothing(lines_with(texts, REGISTRY))


def test_nothing_is_left_to_do_in_a_comment(texts: dict[str, str]) -> None:
    nothing(lines_with(texts, LEFT_OVER))


def test_every_file_ends_with_one_newline(texts: dict[str, str]) -> None:
    ours = {name: text for name, text in texts.items() if "/samples/" not in name}  # those are what programs wrote
    nothing(name for name, text in ours.items() if text and (not text.endswith("\n") or text.endswith("\n\n")))


def test_every_script_says_what_it_is_for(texts: dict[str, str]) -> None:
    """The second line of a script is a sentence."""
    scripts = {name: text.splitlines() for name, text in texts.items() if text.startswith("#!") and not name.startswith("tests/")}
    nothing(name for name, lines in scripts.items() if len(lines) < 2 or not re.match(r'# \w|"""\w', lines[1]))
