"""What a shell with `--echo` printed, and the page that shows it beside the talk's. `DTN_WRITE_TALK=1` writes the page again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "shell-talk.md"
PROMPT = "dtnctl> "
OURS = re.compile(r"(?<=^```text\n)dtnctl> .*?(?=^```$)", re.MULTILINE | re.DOTALL)
LOG = "show transfers log"
Blocks = Sequence[tuple[str, str]]  # (command, what it printed)


def blocks(printed: str) -> Blocks:
    """Each command with what it printed."""
    found: list[tuple[str, str]] = []
    for part in re.split(rf"^{re.escape(PROMPT)}", printed, flags=re.MULTILINE)[1:]:
        command, _, text = part.partition("\n")
        found.append((command, text))
    return found


def blocks_of_page() -> Blocks:
    """What the page shows of ours."""
    return [block for section in OURS.findall(PAGE.read_text()) for block in blocks(section)]


def shown(command: str, text: str) -> str:
    """As it stands on the page: of a plan its verdict, of apply its result, too; ids are cut."""
    text = re.sub(r"([0-9a-f]{12})[0-9a-f]{52}", r"\1…", text)
    lines = text.splitlines()
    if command.startswith("apply"):
        lines = [*_first(lines, "VERDICT"), "…", *_first(lines, "Applied")]
    elif _first(lines, "VERDICT"):
        lines = [*lines[: lines.index(_first(lines, "VERDICT")[0]) + 1], "…"]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _first(lines: Sequence[str], word: str) -> list[str]:
    return [line for line in lines if line.startswith(word)][:1]


def comparable(found: Blocks) -> list[tuple[str, str]]:
    """Without what is another one in each run: ids, how far a transfer is, and what it logged."""
    return [(command, "" if command.startswith(LOG) else _steady(text)) for command, text in found]


def _steady(text: str) -> str:
    return re.sub(r"[0-9a-f]{12}…", "ID…", re.sub(r"(starting|running|verifying)$", "under way", text, flags=re.MULTILINE))


def write_page(found: Blocks) -> None:
    """Ours in the place of ours before: each block of the page has the same number of commands."""
    rest = iter(found)
    PAGE.write_text(OURS.sub(lambda section: "".join(_taken(rest, len(blocks(section[0])))), PAGE.read_text()))


def _taken(rest: Iterator[tuple[str, str]], count: int) -> Iterator[str]:
    for _ in range(count):
        command, text = next(rest)
        yield f"{PROMPT}{command}\n{text}"
