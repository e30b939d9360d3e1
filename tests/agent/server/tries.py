"""What the agent's parts do that needs a capability, one try each: `python tries.py NAME PID`, for a process of another user's container.

Runs as a program of its own, with the capabilities that the test gives it. Exit code 0: it worked.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CLONE_NEWNET, CLONE_NEWNS = 0x4000_0000, 0x2_0000


def enter(pid: str) -> None:
    """As QoS does for a container, and the search for a VF."""
    file = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    call(lambda libc: libc.setns(file, CLONE_NEWNET))


def make_link(pid: str) -> None:
    """As VLANs are made, in the container's namespace, where it hurts nobody."""
    from pyroute2 import IPRoute

    enter(pid)
    with IPRoute() as netlink:
        netlink.link("add", ifname="try0", kind="veth", peer={"ifname": "try1"})
        netlink.link("del", ifname="try0")


def set_sysctl(pid: str) -> None:
    """As tuning does, in the container's namespace."""
    enter(pid)
    path = Path("/proc/sys/net/ipv4/tcp_keepalive_time")
    path.write_text(path.read_text())


def find_listener(pid: str) -> None:
    """As the probe tells which process listens on a port."""
    if not any(str(file.readlink()).startswith("socket:") for file in Path(f"/proc/{pid}/fd").iterdir()):
        raise OSError("no socket was seen")


def try_kernel(pid: str) -> None:
    """As abilities are found, in a namespace of its own."""
    del pid
    call(lambda libc: libc.unshare(CLONE_NEWNET))


def give_socket_to_group(pid: str) -> None:
    """As the agent's unix socket is made."""
    del pid
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        os.chown(f"{folder}/socket", -1, 54321)


def enter_mounts(pid: str) -> None:
    """As volumes are mounted: where the host's first process sees them."""
    file = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    call(lambda libc: libc.setns(file, CLONE_NEWNS))


def make_immutable(pid: str) -> None:
    """As the folder below a volume takes no files."""
    del pid
    from dtn_agent.errors import RefusedError
    from dtn_agent.nvmeof.mounts import drop_folder, have_folder

    with tempfile.TemporaryDirectory() as folder:
        try:
            have_folder(Path(folder) / "volume")
        except RefusedError as error:
            raise PermissionError(str(error)) from None
        drop_folder(Path(folder) / "volume")


def call(function: Callable[[ctypes.CDLL], int]) -> None:
    if function(ctypes.CDLL(None, use_errno=True)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


TRIES = {
    function.__name__: function
    for function in (
        enter,
        make_link,
        set_sysctl,
        find_listener,
        try_kernel,
        give_socket_to_group,
        enter_mounts,
        make_immutable,
    )
}


if __name__ == "__main__":
    TRIES[sys.argv[1]](sys.argv[2])
