"""The anchor: the one process that holds a lab's namespaces. When it ends, everything of the lab ends with it."""

from __future__ import annotations

import os
import subprocess
import sys

from lab import fabric, processes
from lab.layout import CODE, CONTROL_NET, CONTROLLER, CONTROLLER_HOST, DATA_NET, Endpoint, Layout

ROLE = "anchor"
RESOLVER_ROLE = "resolver"
NAMESPACES = ("--mount", "--net", "--ipc", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
WHOLE_DISK = "90%"


def find_anchor(layout: Layout) -> int | None:
    """The pid of the lab's PID 1, or None when the lab is not running."""
    return processes.find_init(layout.identity, ROLE)


def start_anchor(layout: Layout, endpoints: tuple[Endpoint, ...], disk: str | None, *, tied: bool) -> int | None:
    """Start the anchor and return when it can be entered.

    Tied, the lab hangs on the file descriptor that is returned: it ends when that is closed, as the end of this process does.
    """
    if not tied:
        _start(layout, endpoints, disk, "nobody", subprocess.DEVNULL)
        return None
    held, leash = os.pipe()
    try:
        _start(layout, endpoints, disk, "owner", held)
    except BaseException:
        os.close(leash)
        raise
    finally:
        os.close(held)
    return leash


def _start(layout: Layout, endpoints: tuple[Endpoint, ...], disk: str | None, hold: str, stdin: int) -> None:
    script = ["bash", str(CODE / "anchor-init.sh"), str(layout.folder), f"size={disk or WHOLE_DISK}", hold]
    inside = [*script, *(endpoint.name for endpoint in endpoints)]
    command = ["setsid", "--fork", "unshare", *NAMESPACES, "--", *inside]
    environment = processes.marked_environment(layout.identity, ROLE)
    processes.start_until_ready(command, "the lab's namespaces", layout.folder / "anchor.log", environment, stdin)


def start_resolver(layout: Layout, anchor: int) -> None:
    """Start the name server that knows the lab's names, and return when it answers."""
    addresses = [f"{net}.{CONTROLLER_HOST}" for net in (CONTROL_NET, DATA_NET)]
    program = [sys.executable, "-I", "-S", str(CODE / "resolver.py"), str(layout.controller / "hosts"), *addresses]
    network = f"--net={fabric.network_namespace(anchor, CONTROLLER)}"
    command = ["nsenter", f"--target={anchor}", "--mount", "--pid", network, "--", "setsid", "--fork", *program]
    environment = processes.marked_environment(layout.identity, RESOLVER_ROLE)
    processes.start_until_ready(command, "the lab's name server", layout.folder / "resolver.log", environment)
