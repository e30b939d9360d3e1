"""`dtnctl doctor ssh://HOST` on bare machines: planted faults are found, no others, their fixes repair them, and nothing is left there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lab.hardware import NEAR_NIC, Guests
from tests.hardware.bare_hosts import ADDRESSES, DATA, OURS, WAIT, BareHosts
from tests.hardware.scene import both

HOST, PEER = "dtn2", "dtn1"
NETWORK = "net-10-88-0-0-24"
RPS = f"for queue in /sys/class/net/{NEAR_NIC}/queues/rx-*; do echo %s >$queue/rps_cpus; done"
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
PASSING = {"nic.errors", "nic.drops", "nic.dropped"}  # they count what passes, and more may have passed meanwhile
# ntpd's and chrony's last words to the kernel are those of a clock in time; somebody who sets it by hand ends that.
CLOCK = """python3 -c 'import ctypes; ctypes.CDLL(None).adjtimex((ctypes.c_long * 64)(0x10 | 0x4 | 0x8))'"""
# One for each check: its subject, how it is right, how it is planted. The guests' disks have two paths, and no scheduler of their own.
FAULTS = {
    "net.rmem_max": ("", "sysctl -q net.core.rmem_max=67108864", "sysctl -q net.core.rmem_max=212992"),
    "net.tcp_wmem": ("", "sysctl -q 'net.ipv4.tcp_wmem=4096 65536 33554432'", "sysctl -q 'net.ipv4.tcp_wmem=4096 16384 4194304'"),
    "net.tcp_sack": ("", "sysctl -q net.ipv4.tcp_sack=1", "sysctl -q net.ipv4.tcp_sack=0"),
    "net.congestion_control": ("", "sysctl -q net.ipv4.tcp_congestion_control=cubic", "sysctl -q net.ipv4.tcp_congestion_control=reno"),
    "host.numa_balancing": ("", "sysctl -q kernel.numa_balancing=0", "sysctl -q kernel.numa_balancing=1"),
    "host.huge_pages": ("", f"echo madvise >{HUGE_PAGES}", f"echo never >{HUGE_PAGES}"),
    "host.clock": ("", CLOCK, "date --set=@$(date +%s) >/dev/null"),
    "nic.jumbo": (NETWORK, f"ip link set {NEAR_NIC} mtu 9000", f"ip link set {NEAR_NIC} mtu 1500"),
    "nic.offloads": (NEAR_NIC, f"ethtool -K {NEAR_NIC} gro on", f"ethtool -K {NEAR_NIC} gro off"),
    "nic.qdisc": (NEAR_NIC, f"tc qdisc replace dev {NEAR_NIC} root fq", f"tc qdisc replace dev {NEAR_NIC} root pfifo"),
    "nic.rps": (NEAR_NIC, RPS % 0, RPS % 3),
    "disk.atime": (DATA, f"mount -o remount,noatime {DATA}", f"mount -o remount,strictatime {DATA}"),
}
BY_HAND = {"host.clock", "nic.rps", "disk.atime"}  # whose fix is advice, or begins with some
RIGHT, PLANTED = ("; ".join([*(row[column] for row in FAULTS.values()), WAIT]) for column in (1, 2))
SYSCTLS = "net.core.rmem_max net.ipv4.tcp_wmem net.ipv4.tcp_sack net.ipv4.tcp_congestion_control kernel.numa_balancing"
USUAL = f"ip link set {NEAR_NIC} mtu 1500; {RPS % 0}; ethtool -K {NEAR_NIC} gro on; tc qdisc delete dev {NEAR_NIC} root"
MTU = f"ip link set {NEAR_NIC} mtu %d; {WAIT}"
SMALL_SWITCH = f"iptables -t raw %s PREROUTING -i {NEAR_NIC} -m length --length 1501:65535 -j DROP"


@pytest.fixture(scope="module")
def bare(guests: Guests, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareHosts]:
    hosts = BareHosts.make(guests, tmp_path_factory.mktemp("bare"))
    try:
        kept = both(lambda name: hosts.on(name, f"sysctl {SYSCTLS}").replace(" = ", "="))
        pages = both(lambda name: hosts.on(name, f"cat {HUGE_PAGES}").partition("[")[2].partition("]")[0])
        both(lambda name: hosts.on(name, RIGHT))
        yield hosts
        both(lambda name: hosts.on(name, f"printf %s '{kept[name]}' | sysctl -q -p -; echo {pages[name]} >{HUGE_PAGES}; {USUAL}"))
    finally:
        hosts.leave()


def faults(document: Any) -> dict[tuple[str, str], Any]:
    """What is not as it should be on the first host, by check and subject."""
    found = [item for item in document["hosts"][0]["findings"] if item["severity"] in ("error", "warning", "info")]
    return {(item["check"], item["subject"]): item for item in found if item["check"] not in PASSING}


def test_nothing_of_dtnctl_is_on_the_hosts(bare: BareHosts) -> None:
    """All other tests here are of hosts without agent and engine."""
    assert set(both(lambda name: bare.on(name, OURS)).values()) == {""}
    running = "systemctl is-active dtn-agent.service docker.service docker.socket || true"
    assert set(both(lambda name: bare.on(name, running)).values()) == {"inactive\n" * 3}


def test_planted_faults_are_found_by_their_checks_and_no_others(bare: BareHosts) -> None:
    bare.on(HOST, RIGHT)
    before = bare.doctor(HOST).json
    assert [item["interface"] for item in before["hosts"][0]["carried"]] == [NEAR_NIC]
    bare.on(HOST, PLANTED)
    ran = bare.doctor(HOST)
    assert ran.code == 2, ran.err
    assert len(FAULTS) >= 10
    assert not set(faults(before)) & {(check, row[0]) for check, row in FAULTS.items()}
    assert faults(ran.json).keys() - faults(before).keys() == {(check, row[0]) for check, row in FAULTS.items()}


def test_what_the_report_says_to_type_repairs_each_fault(bare: BareHosts) -> None:
    bare.on(HOST, PLANTED)
    text = bare.doctor(HOST, more=())
    assert text.code == 2, text.err
    assert f"warning  nic.qdisc of NIC {NEAR_NIC}" in text.out
    found = faults(bare.doctor(HOST).json)
    fixes = {check: found[check, row[0]]["fix"].partition(", if")[0] for check, row in FAULTS.items() if check not in BY_HAND}
    bare.on(HOST, "; ".join([*fixes.values(), WAIT]))
    left = faults(bare.doctor(HOST).json).keys()
    assert {check for check, row in FAULTS.items() if (check, row[0]) in left} == BY_HAND


def test_frames_that_a_switch_on_the_way_drops_and_ends_that_differ_are_found(bare: BareHosts) -> None:
    both(lambda name: bare.on(name, RIGHT))
    document = bare.doctor(HOST, PEER).json
    (pair,) = document["pairs"]
    assert (pair["subnet"], pair["near"]["interface"], pair["far"]["interface"]) == ("10.88.0.0/24", NEAR_NIC, NEAR_NIC)
    assert (pair["speed"], pair["passes"], pair["trouble"], document["pair_faults"]) == (1000, 9000, "", [])
    bare.on(PEER, SMALL_SWITCH % "-I")
    try:
        narrow = bare.doctor(HOST, PEER)
    finally:
        bare.on(PEER, SMALL_SWITCH % "-D")
    (fault,) = narrow.json["pair_faults"]
    assert (narrow.code, fault["severity"], narrow.json["pairs"][0]["passes"]) == (2, "error", 1500)
    both(lambda name: bare.on(name, MTU % (1500 if name == PEER else 9000)))
    differ = bare.doctor(HOST, PEER)
    assert differ.code == 2
    assert faults(differ.json)["nic.mtu_peers", NETWORK]["actual"] == f"1500 on {PEER}, 9000 on {HOST}"


def test_hosts_are_as_they_were_before(bare: BareHosts) -> None:
    """Files, processes, packages, modules, sockets and settings; of files those that any login touches are known from one."""
    both(lambda name: bare.on(name, f"{RIGHT}; touch {DATA}/there"))
    first = bare.looks()
    both(bare.login)
    before = bare.looks()
    of_a_login = {key: {_path(line) for line in before[key] ^ first[key]} for key in before}
    assert bare.doctor(HOST, PEER, more=()).code in (0, 2)
    after = bare.looks()
    assert {key: new for key in after if (new := {line for line in after[key] ^ before[key] if _path(line) not in of_a_login[key]})} == {}
    for name in ADDRESSES:
        assert len(before[name, "files"]) > 10_000
        assert {f"{DATA}/there"} < {_path(line) for line in before[name, "files"]}
        assert any(" /lib/systemd/systemd" in line or "/sbin/init" in line for line in before[name, "processes"])


def _path(line: str) -> str:
    return line.partition("|")[0]
