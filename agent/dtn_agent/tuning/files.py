"""Settings that are one file of sysfs: transparent huge pages, and the queues of block devices."""

from __future__ import annotations

import re
from pathlib import Path

from dtn_agent.tuning.setting import Root, Setting, number, one_of, text_of

BLOCK_NUMBERS = {"nr_requests": 2**20, "read_ahead_kb": 2**20, "rq_affinity": 2, "nomerges": 2}


class Choice(Setting):
    """A file that lists all choices and marks the live one with brackets: `always [madvise] never`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> str | None:
        match = re.search(r"\[(\S+)\]", self._text())
        return match[1] if match else None

    def normal(self, value: str) -> str:
        return one_of(value, tuple(re.findall(r"[^\s\[\]]+", self._text())))

    def write(self, value: str) -> None:
        self.path.write_text(value)

    def _text(self) -> str:
        return text_of(self.path) or ""


class Number(Setting):
    """A file that holds a number."""

    def __init__(self, path: Path, highest: int) -> None:
        self.path = path
        self.highest = highest

    def read(self) -> str | None:
        return text_of(self.path)

    def normal(self, value: str) -> str:
        return number(value, self.highest)

    def write(self, value: str) -> None:
        self.path.write_text(value)


def huge_pages(root: Root) -> Setting:
    """The mode of transparent huge pages."""
    return Choice(root.sys / "kernel/mm/transparent_hugepage/enabled")


def block_setting(root: Root, device: str, name: str) -> Setting | None:
    """One setting of a block device's queue; None if there is none with this name."""
    path = root.sys / "block" / device / "queue" / name
    if name == "scheduler":
        return Choice(path)
    return Number(path, BLOCK_NUMBERS[name]) if name in BLOCK_NUMBERS else None
