"""Says what of a host was not looked at, and why. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dtnctl.model.audit import HostRead
from dtnctl.printable import plural

PROCESS = re.compile(r"/proc/\d+(/|$)")


def unseen(read: HostRead, *, has_data_mounts: bool) -> Iterator[str]:
    """A sentence for each."""
    if read.user:
        yield f"the login is not root (its user has number {read.user}): what only root may read is not known"
        if any(item.pcie is not None and item.pcie.payload is None for item in read.facts.interfaces):
            yield "packet sizes of PCIe links: they are in a part of a device's registers that only root is shown"
    processes = [path for path in read.denied if PROCESS.match(path)]
    if processes:
        yield "which processes listen on ports: those of other users are closed to this login"
    others = [path for path in read.denied if path not in processes]
    if others:
        yield f"{plural(len(others), 'file')} that this login may not read, such as {others[0]}"
    if not has_data_mounts:
        yield "disks: no file system of a disk is mounted outside of the system's own folders"
