"""Reads what is mounted on the host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dtn_agent.probe.files import Files
from dtn_agent.protocol import Mounted

OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """`number` is the device's `major:minor`; `device` its name if the source is a device file.

    File systems over several devices (btrfs) have a number of their own: those are found by name.
    """

    target: str
    number: str
    device: str
    mounted: Mounted


def mounts(files: Files) -> tuple[Mount, ...]:
    """As the host's first process sees them: our own view has what our service manager protects changed to read-only."""
    found = files.text(f"{files.proc}/1/mountinfo") or files.value(f"{files.proc}/self/mountinfo")
    return read_mounts(found)


def read_mounts(text: str) -> tuple[Mount, ...]:
    """Those of a mountinfo."""
    return tuple(mount for line in text.splitlines() if (mount := _mount(line)))


def _mount(line: str) -> Mount | None:
    before, dash, after = line.partition(" - ")
    left, right = before.split(" "), after.split(" ")
    if not dash or len(left) < 6 or len(right) < 3:
        return None
    target, source = _plain(left[4]), _plain(right[1])
    options = tuple(dict.fromkeys([*left[5].split(","), *right[2].split(",")]))
    return Mount(
        target=target,
        number=left[2],
        device=source.rpartition("/")[2] if source.startswith("/dev/") else "",
        mounted=Mounted(target=target, filesystem=right[0], options=options),
    )


def _plain(text: str) -> str:
    """The kernel writes spaces in names as `\\040`."""
    return OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
