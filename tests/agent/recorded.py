"""Recorded hosts: one text file lists a host's files, one JSON file what its kernel answers to netlink and ethtool.

`python -m tests.agent.recorded` writes the facts that the probe reads from each of them into its folder; look at what changed.

The lines of `files.txt`, below the folder that the last `[sys/…]` line named:

    PATH = text          a file, one line        PATH -> target    a link
    PATH |               a file of the indented lines that follow
    PATH ~ 34:40 …       a file of 256 bytes, zero but for those that follow an offset, both in hexadecimal
    PATH /               an empty folder         PATH !            a file that opens and refuses to be read (a folder does so, too)

`{0-3}` in a path makes one line for each number, which `{}` in the text repeats, and `{+32}` repeats with 32 added.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dtn_agent.probe import HostRoot, probe
from dtn_agent.probe.answers import Answers, Kernel
from dtn_agent.protocol import Facts, Held
from pydantic import TypeAdapter

HOSTS = Path(__file__).parent / "hosts"
NAMES = ("container", "no-sriov", "two-sockets", "virtual-machine")
RANGE = re.compile(r"\{(\d+)-(\d+)\}")
NUMBER = re.compile(r"\{\+?(\d*)\}")
LINE = re.compile(r"(?P<path>\S+) (?P<kind>=|->|\||/|!|~)(?: (?P<text>.*))?")


class RecordedKernel:
    """Answers as the kernel of a recorded host did. To show another state of that host, change `answers`."""

    def __init__(self, name: str) -> None:
        self.answers = TypeAdapter(Answers).validate_json((HOSTS / name / "kernel.json").read_bytes())

    def __call__(self) -> Answers:
        return self.answers


def held_of(name: str) -> Held:
    """What the agent's ledger on that host holds; nothing where none is recorded."""
    path = HOSTS / name / "held.json"
    return Held.model_validate_json(path.read_bytes()) if path.exists() else Held()


def unpack(name: str, folder: Path) -> HostRoot:
    """Make the recorded host's files below the folder."""
    for path, kind, text in _entries((HOSTS / name / "files.txt").read_text()):
        write(folder / path, kind, text)
    names = ("sys", "proc", "dev", "run", "etc", "modules", "state")
    return HostRoot(**{name: folder / name for name in names})


def facts_of(name: str, folder: Path, kernel: Kernel | None = None) -> Facts:
    """The facts that the probe reads from the recorded host."""
    return probe(unpack(name, folder), held_of(name), kernel or RecordedKernel(name))


def write(path: Path, kind: str, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match kind:
        case "->":
            path.symlink_to(text)
        case "/" | "!":
            path.mkdir(exist_ok=True)
        case "~":
            path.write_bytes(_registers(text))
        case _:
            path.write_text(text + "\n")


def _registers(text: str) -> bytes:
    content = bytearray(256)
    for offset, _, value in (word.partition(":") for word in text.split()):
        start, data = int(offset, 16), bytes.fromhex(value)
        content[start : start + len(data)] = data
    return bytes(content)


def _entries(listing: str) -> Iterator[tuple[str, str, str]]:
    """Path, kind and text of everything that is listed."""
    folder = ""
    lines = listing.splitlines()
    for number, line in enumerate(lines):
        if not line or line.startswith((" ", "#")):
            continue
        if line.startswith("["):
            folder = line.strip("[]")
            continue
        found = LINE.fullmatch(line)
        assert found, f"line {number + 1} is none of a recorded host: {line}"
        text = "\n".join(_indented(lines[number + 1 :])) if found["kind"] == "|" else found["text"] or ""
        for path, value in _expanded(f"{folder}/{found['path']}" if folder else found["path"], text):
            yield path, found["kind"], value


def _indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line and not line.startswith("  "):
            return
        yield line[2:]


def _expanded(path: str, text: str) -> Iterator[tuple[str, str]]:
    found = RANGE.search(path)
    if found is None:
        yield path, text
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        filled = f"{path[: found.start()]}{number}{path[found.end() :]}"
        yield from _expanded(filled, _counted(text, number))


def _counted(text: str, number: int) -> str:
    return NUMBER.sub(lambda found: str(number + int(found[1] or 0)), text)


def golden(facts: Facts) -> str:
    return facts.model_dump_json(indent=1, exclude_defaults=True) + "\n"


def main() -> None:
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            (HOSTS / name / "facts.json").write_text(golden(facts_of(name, Path(folder))))


if __name__ == "__main__":
    main()
