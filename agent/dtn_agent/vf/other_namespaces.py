"""Finds a device's interface in the other network namespaces of this host, to report who has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dtn_agent.cgroups import container_of
from dtn_agent.kernel_links import KernelLinks
from dtn_agent.namespaces import within


@dataclass(frozen=True, slots=True)
class NamespaceFolders:
    """Where the host keeps network namespaces: processes have them, and files keep them alive."""

    proc: Path = Path("/proc")
    kept: tuple[Path, ...] = (Path("/run/netns"), Path("/run/docker/netns"))


def holder_in_other_namespaces(links: KernelLinks, device: str, folders: NamespaceFolders = NamespaceFolders()) -> str:
    """Who has the device's interface, in words: a container, a process, a kept namespace. Empty if it is in none that we can enter."""
    seen = {(folders.proc / "thread-self/ns/net").stat().st_ino}
    for path, who in _namespaces(folders):
        try:
            with path.open("rb") as namespace:
                number = os.fstat(namespace.fileno()).st_ino
                if number in seen:
                    continue
                seen.add(number)
                devices = within(namespace.fileno(), lambda: {links.device_of(link) for link in links.all()})
        except OSError:  # the process ended meanwhile, or the file keeps no namespace any more
            continue
        if device in devices:
            return who
    return ""


def _namespaces(folders: NamespaceFolders) -> Iterator[tuple[Path, str]]:
    for folder in sorted(folders.proc.iterdir()):
        if folder.name.isdecimal():
            yield folder / "ns/net", _process(folder)
    for kept in folders.kept:
        if kept.is_dir():
            yield from ((path, f"network namespace {path}") for path in sorted(kept.iterdir()))


def _process(folder: Path) -> str:
    try:
        container = container_of((folder / "cgroup").read_text())
        program = (folder / "comm").read_text().strip()
    except OSError:
        return f"process {folder.name}"
    return f"container {container[:12]}" if container else f"process {folder.name} ({program})"
