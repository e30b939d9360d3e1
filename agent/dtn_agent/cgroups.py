"""Which container a process is in, by its control group."""

from __future__ import annotations

import re

# Docker's and containerd's cgroups end in the container's id, with or without systemd's words around it.
CONTAINER_ID = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:/|$)", re.MULTILINE)


def container_of(cgroup: str) -> str:
    """The container's id from the text of /proc/PID/cgroup; of one that runs inside of another, the outer one's. Empty if in none."""
    match = CONTAINER_ID.search(cgroup)
    return match[1] if match is not None else ""
