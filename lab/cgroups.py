"""Removes the empty control groups that engines leave behind, in every hierarchy (version 1 and 2)."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

PATIENCE_SECONDS = 5.0


def hierarchies() -> list[Path]:
    """Where control groups are mounted on this machine."""
    fields = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return sorted(Path(field[1]) for field in fields if field[2] in ("cgroup", "cgroup2"))


def find_groups(name: str) -> list[Path]:
    """The top folders of this name."""
    return [folder for top in hierarchies() if (folder := top / name).is_dir()]


def remove_groups(name: str) -> None:
    """Remove the groups of this name and all below; a group whose last process is just ending is waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    for top in find_groups(name):
        for folder, _, _ in os.walk(top, topdown=False):
            _remove_when_empty(Path(folder), deadline)


def remove_empty_groups(name: str) -> None:
    """Remove those of the groups of this name and below that nothing runs in: others may be another lab's."""
    for top in find_groups(name):
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def _remove_when_empty(folder: Path, deadline: float) -> None:
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
