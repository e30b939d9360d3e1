"""What the agent reads inside containers' network namespaces is what is true there, and not what is true on the host."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dtn_agent.probe.containers import containers, first_processes
from dtn_agent.protocol import ContainerInterface, ContainerNet

from tests.agent.recorded import unpack

ONE, OTHER = (hashlib.sha256(name).hexdigest() for name in (b"one", b"other"))
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 524288               files
Max locked memory         unlimited            unlimited            bytes
"""


def process(proc: Path, pid: int, cgroup: str, namespace: str) -> None:
    """A process of a made-up /proc. Its namespace is a link that leads nowhere: it can be read, not entered."""
    (proc / str(pid) / "ns").mkdir(parents=True)
    (proc / str(pid) / "cgroup").write_text(cgroup)
    (proc / str(pid) / "ns/net").symlink_to(namespace)
    (proc / str(pid) / "limits").write_text(LIMITS)


# --- which processes are containers -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cgroup",
    [
        f"0::/system.slice/docker-{ONE}.scope\n",
        f"0::/docker/{ONE}\n",
        f"12:memory:/docker/{ONE}\n11:cpu:/docker/{ONE}\n0::/\n",
        f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ONE}.scope\n",
        f"0::/docker/{ONE}/docker/{OTHER}\n",
        f"0::/docker/{ONE}/init.scope\n",
    ],
    ids=["systemd", "cgroupfs", "first version", "kubernetes", "engine in a container", "systemd in a container"],
)
def test_container_is_known_by_its_cgroup(tmp_path: Path, cgroup: str) -> None:
    process(tmp_path, 7, cgroup, "net:[2]")
    assert [(item.pid, item.container, item.namespace) for item in first_processes(tmp_path)] == [(7, ONE, "net:[2]")]


@pytest.mark.parametrize("cgroup", ["0::/user.slice/user-0.slice\n", f"0::/system.slice/x{ONE}y.scope\n", f"0::/docker/{ONE[:12]}\n", ""])
def test_other_processes_are_not_containers(tmp_path: Path, cgroup: str) -> None:
    process(tmp_path, 7, cgroup, "net:[2]")
    assert first_processes(tmp_path) == ()


def test_first_process_speaks_for_its_container(tmp_path: Path) -> None:
    for pid, container in ((100, OTHER), (20, ONE), (9, ONE)):
        process(tmp_path, pid, f"0::/docker/{container}\n", "net:[2]")
    (tmp_path / "uptime").write_text("1 1\n")
    assert [(item.pid, item.container) for item in first_processes(tmp_path)] == sorted(
        [(9, ONE), (100, OTHER)], key=lambda entry: entry[1]
    )


def test_container_on_the_hosts_network_is_left_out(tmp_path: Path) -> None:
    process(tmp_path, 1, "0::/init.scope\n", "net:[1]")
    process(tmp_path, 7, f"0::/docker/{ONE}\n", "net:[1]")
    assert containers(tmp_path) == ()


def test_container_that_ends_meanwhile_is_left_out(tmp_path: Path) -> None:
    process(tmp_path, 1, "0::/init.scope\n", "net:[1]")
    process(tmp_path, 7, f"0::/docker/{ONE}\n", "net:[2]")
    assert containers(tmp_path) == ()


def test_host_without_containers_has_none(tmp_path: Path) -> None:
    assert containers(tmp_path) == ()


# --- a real namespace ---------------------------------------------------------------------------------------

SETTING_UP = """\
set -e
sysctl -qw net.ipv4.tcp_mtu_probing=2 "net.ipv4.tcp_rmem=4096 131072 7000000"
ip link add data0 mtu 8999 type veth peer name peer0
ip addr add 10.99.0.2/24 dev data0
ip addr add fd00:99::2/64 dev data0 nodad
ip link set data0 up
ip link set lo up
ulimit -n 4321
mount -t tmpfs none /dev
mkdir /dev/infiniband
touch /dev/infiniband/rdma_cm /dev/infiniband/uverbs1
echo ready
exec sleep 600
"""


def writable_cgroup() -> Path | None:
    """A hierarchy in which a group can be made: version 2, else the freezer's of version 1."""
    for folder in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer"):
        if (Path(folder) / "cgroup.procs").exists() and os.access(folder, os.W_OK):
            return Path(folder)
    return None


@pytest.fixture
def container() -> Iterator[str]:
    """A process in a cgroup and a network namespace such as an engine makes; gives the container's id."""
    root = writable_cgroup()
    if os.geteuid() != 0 or root is None:
        pytest.skip("needs root and a cgroup hierarchy to write to")
    identity = hashlib.sha256(f"namespaces test {os.getpid()}".encode()).hexdigest()
    group = root / f"docker-{identity}.scope"
    group.mkdir()
    try:
        with contextlib.ExitStack() as stack:
            started = subprocess.Popen(["unshare", "--net", "--mount", "bash", "-c", SETTING_UP], stdout=subprocess.PIPE, text=True)
            stack.callback(started.wait)
            stack.callback(started.kill)
            assert started.stdout is not None
            stack.callback(started.stdout.close)
            assert started.stdout.readline() == "ready\n"
            (group / "cgroup.procs").write_text(str(started.pid))
            yield identity
    finally:
        group.rmdir()


def seen(identity: str, sys: Path = Path("/sys")) -> ContainerNet:
    return next(item for item in containers(sys=sys) if item.id == identity)


def namespaces_of_threads() -> set[Path]:
    """Where our own process is, all of its threads. One left behind would keep a container's namespace alive for ever."""
    found = set[Path]()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that is just ending
            found.add((task / "ns/net").readlink())
    return found


@pytest.mark.lab
def test_sysctls_are_those_of_the_namespace_and_not_the_hosts(container: str) -> None:
    host = Path("/proc/sys/net/ipv4/tcp_mtu_probing").read_text().strip()
    sysctls = seen(container).sysctls
    assert sysctls["net.ipv4.tcp_mtu_probing"] == "2" != host
    assert sysctls["net.ipv4.tcp_rmem"] == "4096 131072 7000000"
    assert not [name for name in sysctls if not name.startswith("net.")]
    assert "net.core.default_qdisc" not in sysctls


@pytest.mark.lab
def test_interfaces_are_those_of_the_namespace(container: str) -> None:
    data, peer = seen(container).interfaces
    assert isinstance(data, ContainerInterface)
    assert (data.name, data.mtu, data.is_up, data.qdisc) == ("data0", 8999, True, "noqueue")
    assert {"10.99.0.2/24", "fd00:99::2/64"} <= set(data.addresses)
    assert (peer.name, peer.is_up) == ("peer0", False)


@pytest.mark.lab
def test_limits_are_those_of_the_first_process(container: str) -> None:
    assert seen(container).limits["nofile"] == 4321


@pytest.mark.lab
def test_rdma_devices_are_those_whose_device_files_it_has(container: str, tmp_path: Path) -> None:
    (device,) = seen(container, unpack("two-sockets", tmp_path).sys).rdma
    assert (device.name, device.uverbs) == ("mlx5_0", "uverbs1")
    assert [gid.index for port in device.ports for gid in port.gids] == [0, 1, 3]


@pytest.mark.lab
def test_looking_leaves_our_own_process_where_it_is(container: str) -> None:
    before = namespaces_of_threads()
    assert seen(container).id == container
    deadline = time.monotonic() + 60  # Python joins a thread a moment before the kernel has ended it
    while namespaces_of_threads() != before and time.monotonic() < deadline:
        os.sched_yield()
    assert namespaces_of_threads() == before
    assert Path("/proc/sys/net/ipv4/tcp_rmem").read_text().split()[-1] != "7000000"


@pytest.mark.lab
def test_looking_twice_gives_the_same(container: str) -> None:
    assert seen(container) == seen(container)
