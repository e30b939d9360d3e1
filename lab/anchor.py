"""The anchor: the one process that holds a lab's namespaces. When it ends, everything of the lab ends with it."""

from __future__ import annotations

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


def start_anchor(layout: Layout, endpoints: tuple[Endpoint, ...], disk: str | None, *, tied: bool) -> subprocess.Popen[bytes]:
    """Start the anchor and return when it can be entered; tied, it ends with the caller's process."""
    size = f"size={disk or WHOLE_DISK}"
    script = ["bash", str(CODE / "anchor-init.sh"), str(layout.folder), size, "owner" if tied else "nobody"]
    command = ["unshare", *NAMESPACES, "--", *script, *(endpoint.name for endpoint in endpoints)]
    return processes.start_until_ready(
        command,
        "the lab's namespaces",
        layout.folder / "anchor.log",
        processes.marked_environment(layout.identity, ROLE),
        stdin=subprocess.PIPE if tied else subprocess.DEVNULL,
    )


def start_resolver(layout: Layout, anchor: int) -> None:
    """Start the name server that knows no names and return when it answers."""
    addresses = [f"{net}.{CONTROLLER_HOST}" for net in (CONTROL_NET, DATA_NET)]
    program = [sys.executable, "-I", "-S", str(CODE / "resolver.py"), *addresses]
    network = f"--net={fabric.network_namespace(anchor, CONTROLLER)}"
    command = ["nsenter", f"--target={anchor}", "--mount", "--pid", network, "--", "setsid", "--fork", *program]
    environment = processes.marked_environment(layout.identity, RESOLVER_ROLE)
    processes.start_until_ready(command, "the lab's name server", layout.folder / "resolver.log", environment).wait()
