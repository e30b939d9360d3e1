"""`dtnctl doctor ssh://HOST` on a bare machine: ten faults that are planted are found, no others, and nothing is left there."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.hardware import FAR_NIC, NEAR_NIC, Guests
from lab.hardware.places import ADDRESS
from lab.hardware.remote import login_options
from tests.hardware.scene import CLONE, both

HOST, PEER = "dtn2", "dtn1"
DISK, DATA = "nvme1n1", "/nvme"
LONG = 300.0
SERVICES = "dtn-agent.service docker.service docker.socket containerd.service"
RPS = f"for queue in /sys/class/net/{NEAR_NIC}/queues/rx-*; do echo %s >$queue/rps_cpus; done"
PASSING = {"nic.errors", "nic.drops", "nic.dropped"}  # they count what passes, and more may have passed meanwhile
ADDRESSES = {PEER: "10.88.0.1/24", HOST: "10.88.0.2/24"}
# One for each check: how it is right, how it is planted.
FAULTS = {
    "net.rmem_max": ("sysctl -q net.core.rmem_max=2147483647", "sysctl -q net.core.rmem_max=212992"),
    "net.tcp_wmem": ("sysctl -q 'net.ipv4.tcp_wmem=4096 65536 1073741824'", "sysctl -q 'net.ipv4.tcp_wmem=4096 16384 4194304'"),
    "net.tcp_sack": ("sysctl -q net.ipv4.tcp_sack=1", "sysctl -q net.ipv4.tcp_sack=0"),
    "net.congestion_control": ("sysctl -q net.ipv4.tcp_congestion_control=cubic", "sysctl -q net.ipv4.tcp_congestion_control=reno"),
    "nic.jumbo": (f"ip link set {NEAR_NIC} mtu 9000", f"ip link set {NEAR_NIC} mtu 1500"),
    "nic.offloads": (f"ethtool -K {NEAR_NIC} gro on", f"ethtool -K {NEAR_NIC} gro off"),
    "nic.qdisc": (f"tc qdisc replace dev {NEAR_NIC} root fq", f"tc qdisc replace dev {NEAR_NIC} root pfifo"),
    "nic.rps": (RPS % 0, RPS % 3),
    "disk.scheduler": (f"echo none >/sys/block/{DISK}/queue/scheduler", f"echo mq-deadline >/sys/block/{DISK}/queue/scheduler"),
    "host.huge_pages": (
        "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled",
        "echo never >/sys/kernel/mm/transparent_hugepage/enabled",
    ),
}
# a card that is given another MTU has no link for a moment
WAIT = f"until [ $(cat /sys/class/net/{NEAR_NIC}/carrier) = 1 ]; do sleep 1; done"
RIGHT, PLANTED = ("; ".join([*(pair[number] for pair in FAULTS.values()), WAIT]) for number in (0, 1))
UP = f"ip link set {NEAR_NIC} up; ip link set {FAR_NIC} up; {WAIT}; {WAIT.replace(NEAR_NIC, FAR_NIC)}"
# Every file of the root's file system and of /run, with its times; what the system itself writes all the time is left out.
LEFT_OUT = ("/run/systemd", "/run/udev", "/run/log", "/run/lock", "/var/log", "/var/lib/systemd", "/tmp/systemd-private-*")
PRUNED = " -o ".join(f"-path '{path}'" for path in LEFT_OUT)
FILES = f"find / /run -xdev '(' {PRUNED} ')' -prune -o -printf '%p|%T@|%C@|%s\\n'"
PROCESSES = "ps --no-headers -e -o comm= | grep -v -E '^(kworker|ps|grep|sshd|bash|sh|timeout|find|sort|irq/|systemd)' | sort"


@dataclass(frozen=True)
class Bare:
    """Two machines that are reached by nothing but their logins, and dtnctl on this one."""

    guests: Guests
    root: Path
    path: str

    def on(self, name: str, script: str, *, seconds: float = 120.0) -> str:
        return self.guests.remote(name).run(script, seconds=seconds)

    def doctor(self, *names: str, arguments: tuple[str, ...] = ()) -> Any:
        """The document of these machines."""
        hosts = [f"ssh://root@{ADDRESS}:{self.guests.guest(name).ports.ssh}" for name in names]
        command = [sys.executable, "-m", "dtnctl", "doctor", *hosts, *arguments, "-o", "json", "--timeout", "120s"]
        environment = {**os.environ, "PATH": self.path, "PYTHONPATH": f"{CLONE}:{CLONE}/agent"}
        ran = subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=LONG, check=False)
        assert ran.returncode in (0, 2), ran.stderr
        document = json.loads(ran.stdout)
        faults = sum(host["summary"]["error"] + host["summary"]["warning"] for host in document["hosts"])
        assert ran.returncode == (2 if faults or document["pair_faults"] else 0)
        return document


@pytest.fixture(scope="module")
def bare(guests: Guests, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """Agent and engine are off; a data NIC with an address on each, and a file system on a disk of the host."""
    root = tmp_path_factory.mktemp("bare")
    known = " ".join(f"{guest.folder}/known_hosts" for guest in guests.all)
    options = login_options(guests.layout, guests.guest(HOST)) | {"UserKnownHostsFile": known}
    words = " ".join(f"-o {shlex.quote(f'{option}={value}')}" for option, value in options.items())
    (root / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F none {words} "$@"\n')
    (root / "ssh").chmod(0o755)
    here = Bare(guests, root, f"{root}:{os.environ['PATH']}")
    both(lambda name: here.on(name, f"systemctl stop {SERVICES} '*.timer'", seconds=LONG))
    both(lambda name: here.on(name, f"{UP}; ip address add {ADDRESSES[name]} dev {NEAR_NIC}"))
    here.on(HOST, f"mkfs.ext4 -q -F /dev/{DISK} && mkdir -p {DATA} && mount -o noatime /dev/{DISK} {DATA}")
    yield here
    here.on(HOST, f"umount {DATA}; rmdir {DATA}; blkdiscard --force --zeroout /dev/{DISK}; {RIGHT}")
    back = f"ip address delete dev {NEAR_NIC} %s; ip link set {NEAR_NIC} mtu 1500; tc qdisc delete dev {NEAR_NIC} root || true"
    both(lambda name: here.on(name, f"{back % ADDRESSES[name]}; systemctl start timers.target {SERVICES}", seconds=LONG))


def found(document: Any) -> set[tuple[str, str]]:
    """Checks of the first machine that are not as they should be, with what they are about."""
    (host, *_) = document["hosts"]
    faults = [item for item in host["findings"] if item["severity"] in ("error", "warning", "info")]
    return {(item["check"], item["subject"]) for item in faults if item["check"] not in PASSING}


def test_ten_planted_faults_are_found_and_no_others(bare: Bare) -> None:
    bare.on(HOST, RIGHT)
    before = bare.doctor(HOST)
    assert [item["interface"] for item in before["hosts"][0]["carried"]] == [FAR_NIC, NEAR_NIC]
    bare.on(HOST, PLANTED)
    new = found(bare.doctor(HOST)) - found(before)
    assert sorted(check for check, _ in new) == sorted(FAULTS)
    assert len(FAULTS) == 10


def test_each_fault_comes_with_a_command_that_repairs_it(bare: Bare) -> None:
    """What the report says to type is typed, as far as it is a command and not advice."""
    bare.on(HOST, PLANTED)
    planted = bare.doctor(HOST)
    faults = found(planted)
    (host,) = planted["hosts"]
    fixes = {item["check"]: item["fix"] for item in host["findings"] if (item["check"], item["subject"]) in faults and is_near(item)}
    assert fixes.keys() >= FAULTS.keys()
    commands = {check: fixes[check].partition(", if")[0] for check in FAULTS if check != "nic.rps"}
    bare.on(HOST, "; ".join([*commands.values(), WAIT]))
    (host,) = bare.doctor(HOST)["hosts"]
    left = [item["check"] for item in host["findings"] if item["check"] in commands and item["severity"] != "ok" and is_near(item)]
    assert left == []


def is_near(finding: Any) -> bool:
    """Not of the other card, which is never tuned."""
    return FAR_NIC not in (finding["subject"], *finding["fix"].split())


def test_nothing_is_left_on_the_machine(bare: Bare) -> None:
    bare.doctor(HOST)
    seen = [(bare.on(HOST, FILES).splitlines(), bare.on(HOST, PROCESSES).splitlines())]
    bare.doctor(HOST)
    seen.append((bare.on(HOST, FILES).splitlines(), bare.on(HOST, PROCESSES).splitlines()))
    (files, processes), (files_after, processes_after) = seen
    assert len(files) > 10_000
    assert sorted(set(files) ^ set(files_after)) == []
    assert processes == processes_after
    assert bare.on(HOST, "pgrep -f '[s]ys.stdin.buffer' || true") == ""


def test_between_two_machines_frames_pass_whole_and_those_that_differ_are_found(bare: Bare) -> None:
    both(lambda name: bare.on(name, f"ip link set {NEAR_NIC} mtu 9000; {WAIT}"))
    document = bare.doctor(HOST, PEER)
    (pair,) = document["pairs"]
    assert (pair["subnet"], pair["near"]["interface"], pair["passes"]) == ("10.88.0.0/24", NEAR_NIC, 9000)
    both(lambda name: bare.on(name, f"ip link set {NEAR_NIC} mtu {1500 if name == PEER else 9000}; {WAIT}"))
    assert ("nic.mtu_peers", "net-10-88-0-0-24") in found(bare.doctor(HOST, PEER))
