"""Reads what running containers see in network namespaces of their own: sysctls, interfaces, RDMA, limits. Changes nothing.

Most TCP settings exist once in every network namespace and are not inherited from the host, so they are only known from inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute

from dtn_agent.cgroups import container_of
from dtn_agent.namespaces import within
from dtn_agent.netlink import whole
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.rdma import rdma_devices
from dtn_agent.protocol import TRANSFER_SYSCTLS, ContainerInterface, ContainerNet

IFF_UP = 1
LIMITS = {"Max locked memory": "memlock", "Max open files": "nofile"}
ANSWER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class FirstProcess:
    """The first process of a container, and the network namespace that it is in."""

    pid: int
    container: str
    namespace: str


def containers(proc: Path = Path("/proc"), sys: Path = Path("/sys")) -> tuple[ContainerNet, ...]:
    """Every running container with a network namespace of its own, by id. One that ends meanwhile is left out."""
    files = Files(HostRoot(sys=sys))
    host = _namespace(proc / "1") or _namespace(proc / "self")
    firsts = [process for process in first_processes(proc) if process.namespace and process.namespace != host]
    return tuple(net for process in firsts if (net := _seen(process, proc, files)) is not None)


def first_processes(proc: Path) -> tuple[FirstProcess, ...]:
    """The process with the lowest number of each container, by container id."""
    found: dict[str, FirstProcess] = {}
    for pid in sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal()):
        container = container_of(_text(proc / str(pid) / "cgroup"))
        if container and container not in found:
            found[container] = FirstProcess(pid, container, _namespace(proc / str(pid)))
    return tuple(found[container] for container in sorted(found))


def _seen(process: FirstProcess, proc: Path, files: Files) -> ContainerNet | None:
    """None if the container ended, or if its namespace cannot be entered, or not in time."""
    try:
        with (proc / str(process.pid) / "ns/net").open("rb") as namespace:
            net = within(namespace.fileno(), lambda: _look(process, proc, files), ANSWER_SECONDS)
    except OSError:
        return None
    # The pid may have been given to another process meanwhile; then all of it is that one's.
    return net if process == _again(process, proc) else None


def _look(process: FirstProcess, proc: Path, files: Files) -> ContainerNet:
    return ContainerNet(
        id=process.container,
        sysctls=dict(_sysctls(proc)),
        interfaces=_interfaces(),
        limits=dict(_limits(_text(proc / str(process.pid) / "limits"))),
        rdma=rdma_devices(files, files.names(str(proc / str(process.pid) / "root/dev/infiniband"))),
    )


def _again(process: FirstProcess, proc: Path) -> FirstProcess:
    folder = proc / str(process.pid)
    return FirstProcess(process.pid, container_of(_text(folder / "cgroup")), _namespace(folder))


def _sysctls(proc: Path) -> Iterator[tuple[str, str]]:
    """What this thread's namespace says; settings that are the host's alone do not exist in it."""
    for name in TRANSFER_SYSCTLS:
        path = proc / "sys" / name.replace(".", "/")
        if name.startswith("net.") and path.exists():
            yield name, " ".join(_text(path).split())


def _interfaces() -> tuple[ContainerInterface, ...]:
    with IPRoute() as route:
        addresses: dict[int, list[str]] = {}
        for message in whole(route.get_addr):
            text = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            addresses.setdefault(message["index"], []).append(f"{text}/{message['prefixlen']}")
        links = [message for message in whole(route.get_links) if message.get_attr("IFLA_IFNAME") != "lo"]
    found = [
        ContainerInterface(
            name=message.get_attr("IFLA_IFNAME"),
            mtu=message.get_attr("IFLA_MTU") or 0,
            qdisc=message.get_attr("IFLA_QDISC") or "",
            is_up=bool(message["flags"] & IFF_UP),
            addresses=tuple(sorted(addresses.get(message["index"], []))),
        )
        for message in links
    ]
    return tuple(sorted(found, key=lambda item: item.name))


def _limits(text: str) -> Iterator[tuple[str, int]]:
    """Soft limits of /proc/PID/limits, whose columns are fixed in width: `Max open files            1024    524288    files`."""
    for line in text.splitlines():
        name, _, rest = line.partition("  ")
        if name in LIMITS:
            soft = rest.split()[0]
            yield LIMITS[name], -1 if soft == "unlimited" else int(soft)


def _namespace(folder: Path) -> str:
    """`net:[4026531840]`; nothing where the process is gone or not ours to look at."""
    try:
        return str((folder / "ns/net").readlink())
    except OSError:
        return ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
