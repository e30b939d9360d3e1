"""The probe on the kernel that the tests run on: against psutil, pyroute2's own ethtool, and iproute2 in a network namespace."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from dtn_agent.ethtool import COALESCE, KernelNic
from dtn_agent.probe import HostRoot, nics, probe
from dtn_agent.probe.answers import Ethtool
from dtn_agent.probe.files import Files
from dtn_agent.probe.kernel import ask_kernel
from dtn_agent.probe.listeners import listeners
from dtn_agent.protocol import Facts, Rings
from pyroute2.ethtool.ioctl import EthtoolCoalesce, IoctlEthtool, NotSupportedError

CLONE = Path(__file__).parents[3]
# a world of its own, with a sysfs that shows it: two ends of a cable, one in a bridge, and a child on the other
WORLD = """
set -e
mount -t sysfs sysfs /sys
ip link add cable0 mtu 4000 alias 'to the other' txqueuelen 777 type veth peer name cable1
ip link add bridge0 type bridge
ip link set cable1 master bridge0
ip link add child0 link cable0 type macvlan mode bridge
ip address add 192.0.2.7/24 dev cable0
ip address add 2001:db8::7/64 dev cable0 nodad
ip link set cable0 up
ip link set cable1 up
ip -json -details link > links.json
ip -json address > addresses.json
"""


def test_it_tells_this_hosts_cpus_memory_and_interfaces() -> None:
    facts = probe()
    assert facts.cpus.logical == psutil.cpu_count()
    assert facts.cpus.cores == psutil.cpu_count(logical=False)
    assert facts.memory.total == psutil.virtual_memory().total
    assert {item.name for item in facts.interfaces} == set(psutil.net_if_stats()) - {"lo"}
    assert (facts.system.hostname, facts.system.kernel, facts.system.machine) == (
        os.uname().nodename,
        os.uname().release,
        os.uname().machine,
    )


def test_mounts_of_this_hosts_disks_are_those_that_psutil_tells() -> None:
    told = {mount.target: mount.filesystem for disk in probe().block_devices for mount in disk.mounts}
    for partition in psutil.disk_partitions():
        if partition.device.startswith("/dev/") and not partition.device.startswith("/dev/loop"):
            assert told[partition.mountpoint] == partition.fstype


def test_own_listeners_are_found_with_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as second:
        second.bind(("::1", 0))
        found = {(item.protocol, item.address, item.port): item.process for item in listeners(Files(HostRoot()))}
        name = Path("/proc/self/comm").read_text().strip()
        assert found["tcp", "127.0.0.1", first.getsockname()[1]] == name
        assert found["udp", "::1", second.getsockname()[1]] == name


# --- ethtool --------------------------------------------------------------------------------------------------------


@pytest.fixture
def name() -> str:
    return next(link.name for link in ask_kernel().links if not link.is_loopback)


@pytest.fixture
def theirs(name: str) -> Iterator[IoctlEthtool]:
    asker = IoctlEthtool(name)
    yield asker
    asker.close()


def test_features_are_those_that_pyroute2_reads(name: str, theirs: IoctlEthtool) -> None:
    expected = sorted(feature for feature, is_on, *_ in theirs.get_features() if is_on)
    assert list(nics.ask([name])[name].features or ()) == expected


def test_rings_channels_and_coalescing_are_those_that_pyroute2_reads_or_unknown(name: str, theirs: IoctlEthtool) -> None:
    ours = nics.ask([name])[name]
    rings, channels, coalesce = (_told(ask) for ask in (theirs.get_rings, theirs.get_channels, theirs.get_coalesce))
    assert ours.rings == (rings and Rings(rx=rings["rx"], tx=rings["tx"], rx_max=rings["rx_max"], tx_max=rings["tx_max"]))
    assert (ours.channels and ours.channels.combined_max) == (channels and channels["max_combined"])
    assert ours.adaptive_rx == (coalesce and bool(coalesce["use_adaptive_rx_coalesce"]))


class Coalescing(KernelNic):
    """A NIC that reports its coalescing, as pyroute2 lays it out, and nothing else."""

    def __init__(self, **fields: int) -> None:
        super().__init__("none")
        self.answer = bytes(EthtoolCoalesce(cmd=COALESCE.get, **fields))

    def ask(self, question: bytes) -> bytes:
        if question[:4] != self.answer[:4]:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return self.answer[: len(question)]


@pytest.mark.parametrize("is_on", [0, 1])
def test_adaptive_coalescing_is_that_of_receiving_not_of_sending(is_on: int) -> None:
    nic = Coalescing(use_adaptive_rx_coalesce=is_on, use_adaptive_tx_coalesce=1 - is_on)
    assert nics.answers_of(nic, ()).adaptive_rx == bool(is_on)


def _told(ask: Any) -> Any:
    try:
        return ask()
    except NotSupportedError:
        return None


def test_interface_that_is_gone_has_no_answers_and_is_no_error() -> None:
    assert nics.ask(["gone0"]) == {"gone0": Ethtool()}


# --- a network namespace --------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> tuple[Facts, dict[str, Any], dict[str, Any]]:
    """Facts from within, and what iproute2 says there of links and addresses; it ends with its only process."""
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    script = f"{WORLD}exec {sys.executable} -m dtn_agent facts"
    environment = os.environ | {"PYTHONPATH": str(CLONE / "agent")}
    ran = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    if "Unknown device type" in ran.stderr:
        pytest.skip(f"this kernel lacks a kind of interface: {ran.stderr.strip()}")
    assert ran.returncode == 0, ran.stderr
    links, addresses = (
        {item["ifname"]: item for item in json.loads((tmp_path / f"{name}.json").read_text())} for name in ("links", "addresses")
    )
    return Facts.model_validate_json(ran.stdout), links, addresses


@pytest.mark.lab
def test_interfaces_of_a_namespace_are_those_that_iproute2_shows(world: tuple[Facts, dict[str, Any], dict[str, Any]]) -> None:
    facts, links, addresses = world
    assert {item.name for item in facts.interfaces} == {"bridge0", "cable0", "cable1", "child0"}
    for item in facts.interfaces:
        link = links[item.name]
        assert (item.index, item.mac, item.mtu, item.alias) == (link["ifindex"], link["address"], link["mtu"], link.get("ifalias", ""))
        assert (item.tx_queue_len, item.kind) == (link["txqlen"], link["linkinfo"]["info_kind"])
        assert item.is_up == ("UP" in link["flags"])
        assert item.max_mtu == (link["max_mtu"] or None)
        assert item.offload_sizes is not None
        assert (item.offload_sizes.gso, item.offload_sizes.gro) == (link["gso_max_size"], link.get("gro_max_size"))
        assert item.addresses == tuple(f"{told['local']}/{told['prefixlen']}" for told in addresses[item.name]["addr_info"])


@pytest.mark.lab
def test_what_interfaces_sit_on_and_belong_to_is_told_by_name(world: tuple[Facts, dict[str, Any], dict[str, Any]]) -> None:
    facts, _, _ = world
    found = {item.name: item for item in facts.interfaces}
    assert (found["child0"].parent, found["cable1"].master) == ("cable0", "bridge0")
    assert found["cable0"].parent == "", "the other end of a cable is no parent"
    assert (found["cable0"].carrier, found["cable0"].speed, found["cable0"].duplex) == (True, 10000, "full")
    assert (found["child0"].is_up, found["child0"].carrier) == (False, None)
    assert found["cable0"].counters["rx_dropped"] >= 0


# --- the program ----------------------------------------------------------------------------------------------------


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(CLONE / "agent")}
    return subprocess.run([sys.executable, "-m", "dtn_agent", *arguments], env=environment, capture_output=True, text=True, check=False)


def test_the_program_prints_one_json_document(tmp_path: Path) -> None:
    ran = program("facts", "--ledger", str(tmp_path / "none.json"))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert Facts.model_validate_json(ran.stdout).system.hostname == os.uname().nodename


def test_ledger_that_cannot_be_read_is_said_and_leaves_the_other_facts(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.json"
    ledger.write_text("{")
    ran = program("facts", "--ledger", str(ledger))
    assert ran.returncode == 0
    assert str(ledger) in ran.stderr
    assert Facts.model_validate_json(ran.stdout).cpus.logical == psutil.cpu_count()
    assert ledger.read_text() == "{"


def test_program_without_a_command_says_which_there_are() -> None:
    ran = program()
    assert ran.returncode == 2
    assert "COMMAND" in ran.stderr
