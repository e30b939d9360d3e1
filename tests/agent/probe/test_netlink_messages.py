"""What the kernel's messages are read as: encoded by pyroute2 or by hand, as cards that this machine lacks would send them."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from dtn_agent.probe.links import address_of, link_of
from dtn_agent.probe.netlink import DONE, ERROR, HEADER, INTERRUPTED, InterruptedDumpError, dump
from dtn_agent.probe.queueing import qdisc_of, rate_text
from dtn_agent.protocol import Facts, OffloadSizes
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

CLONE = Path(__file__).parents[3]
LINK, QDISC = 16, 36
UNTOLD = 0xFFFFFFFF


def physical_function(*vfs: Mapping[str, object]) -> bytes:
    """A message about a link with these in its table, by names of attributes."""
    message = ifinfmsg()
    message["index"], message["flags"] = 5, 1
    table = [("IFLA_VF_INFO", {"attrs": list(vf.items())}) for vf in vfs]
    message["attrs"] = [("IFLA_IFNAME", "ens1f0"), ("IFLA_NUM_VF", len(vfs)), ("IFLA_VFINFO_LIST", {"attrs": table})]
    message.encode()
    return bytes(message.data)[HEADER.size :]


def test_vf_table_is_read_with_all_that_the_driver_tells() -> None:
    (vf,) = link_of(
        physical_function(
            {
                "IFLA_VF_MAC": {"vf": 3, "mac": "0a:00:00:00:00:03"},
                "IFLA_VF_VLAN": {"vf": 3, "vlan": 222, "qos": 5},
                "IFLA_VF_RATE": {"vf": 3, "min_tx_rate": 100, "max_tx_rate": 40000},
                "IFLA_VF_SPOOFCHK": {"vf": 3, "spoofchk": 1},
                "IFLA_VF_TRUST": {"vf": 3, "trust": 0},
                "IFLA_VF_LINK_STATE": {"vf": 3, "link_state": 2},
            }
        )
    ).vfs
    assert (vf.index, vf.mac, vf.vlan, vf.vlan_priority) == (3, "0a:00:00:00:00:03", 222, 5)
    assert (vf.min_rate, vf.max_rate, vf.spoofchk, vf.trust, vf.link_state) == (100, 40000, True, False, "disable")


def test_setting_that_a_driver_does_not_have_is_unknown_and_not_on() -> None:
    told = {"IFLA_VF_MAC": {"vf": 0, "mac": "0a:00:00:00:00:01"}}
    (vf,) = link_of(physical_function(told | {"IFLA_VF_SPOOFCHK": {"vf": 0, "spoofchk": UNTOLD}})).vfs
    assert (vf.spoofchk, vf.trust, vf.min_rate, vf.max_rate, vf.link_state) == (None, None, None, None, "")
    assert (vf.vlan, vf.vlan_priority) == (None, None)


def test_sizes_beyond_which_packets_are_cut_are_read_also_those_that_pyroute2_does_not_know() -> None:
    sizes = struct.pack("=HHIHHI", 8, 63, 131072, 8, 64, 65536)  # IFLA_GSO_IPV4_MAX_SIZE, IFLA_GRO_IPV4_MAX_SIZE
    message = ifinfmsg()
    message["index"] = 5
    message["attrs"] = [
        ("IFLA_IFNAME", "ens1f0"),
        ("IFLA_GSO_MAX_SIZE", 185000),
        ("IFLA_GRO_MAX_SIZE", 65536),
        ("IFLA_TSO_MAX_SIZE", 524280),
    ]
    message.encode()
    found = link_of(bytes(message.data)[HEADER.size :] + sizes).offload_sizes
    assert found == OffloadSizes(gso=185000, gro=65536, gso_ipv4=131072, gro_ipv4=65536, tso=524280)
    assert link_of(physical_function()).offload_sizes == OffloadSizes()


def test_table_of_many_vfs_is_read_whole() -> None:
    vfs = [{"IFLA_VF_MAC": {"vf": index, "mac": f"0a:00:00:00:00:{index:02x}"}} for index in range(127)]
    found = link_of(physical_function(*vfs)).vfs
    assert [(vf.index, vf.mac) for vf in found[-2:]] == [(125, "0a:00:00:00:00:7d"), (126, "0a:00:00:00:00:7e")]


def test_link_is_read_as_pyroute2_writes_it() -> None:
    message = ifinfmsg()
    message["index"], message["flags"] = 5, 1
    message["attrs"] = [
        ("IFLA_IFNAME", "ens1f0.222"),
        ("IFLA_IFALIAS", "to the other"),
        ("IFLA_ADDRESS", "0a:00:00:00:00:05"),
        ("IFLA_MTU", 9000),
        ("IFLA_MAX_MTU", 9978),
        ("IFLA_TXQLEN", 1000),
        ("IFLA_CARRIER", 1),
        ("IFLA_LINK", 4),
        ("IFLA_MASTER", 9),
        ("IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", "vlan"), ("IFLA_INFO_DATA", {"attrs": [("IFLA_VLAN_ID", 222)]})]}),
    ]
    message.encode()
    link = link_of(bytes(message.data)[HEADER.size :])
    assert (link.index, link.name, link.alias, link.mac) == (5, "ens1f0.222", "to the other", "0a:00:00:00:00:05")
    assert (link.mtu, link.max_mtu, link.tx_queue_len, link.is_up, link.carrier) == (9000, 9978, 1000, True, True)
    assert (link.kind, link.parent, link.master, link.vlan, link.is_loopback, link.vfs) == ("vlan", 4, 9, 222, False, ())


@pytest.mark.parametrize(
    ("family", "attributes", "expected"),
    [
        (socket.AF_INET, [("IFA_ADDRESS", "192.0.2.1"), ("IFA_LOCAL", "192.0.2.2")], "192.0.2.2/24"),
        (socket.AF_INET6, [("IFA_ADDRESS", "2001:db8::7")], "2001:db8::7/24"),
    ],
)
def test_address_is_our_own_and_not_the_peers(family: int, attributes: list[tuple[str, str]], expected: str) -> None:
    message = ifaddrmsg()
    message["family"], message["prefixlen"], message["index"] = family, 24, 5
    message["attrs"] = attributes
    message.encode()
    assert address_of(bytes(message.data)[HEADER.size :]) == (5, expected)


# --- queueing disciplines -------------------------------------------------------------------------------------------


def attribute(number: int, data: bytes) -> bytes:
    padding = bytes(-len(data) % 4)
    return struct.pack("=HH", 4 + len(data), number) + data + padding


def qdisc(kind: str, options: bytes, handle: int = 0x80010000, parent: int = 0xFFFFFFFF) -> tuple[str, str, str]:
    body = struct.pack("=BxxxiIII", 0, 7, handle, parent, 2) + attribute(1, kind.encode() + b"\0") + attribute(2, options)
    index, found = qdisc_of(body)
    assert (index, found.kind) == (7, kind)
    return found.handle, found.parent, found.options


def number(value: int) -> bytes:
    return struct.pack("=I", value)


def test_pacing_of_fq_is_told_in_the_words_of_tc() -> None:
    assert qdisc("fq", attribute(1, number(10000)) + attribute(7, number(2_500_000_000))) == ("8001:", "root", "maxrate 20000mbit")


def test_fq_without_pacing_has_no_options() -> None:
    assert qdisc("fq", attribute(1, number(10000)) + attribute(7, number(UNTOLD))) == ("8001:", "root", "")


def test_child_of_a_multiqueue_discipline_names_its_parents_class() -> None:
    assert qdisc("fq", b"", handle=0, parent=0x80010002) == ("0:", "8001:2", "")
    assert qdisc("fq", b"", handle=0, parent=3) == ("0:", ":3", "")


def test_rate_above_four_gigabytes_a_second_is_read_from_its_long_form() -> None:
    short = struct.pack("=BBHhHI", 0, 1, 0, 0, 0, UNTOLD) + bytes(24)
    assert qdisc("tbf", attribute(1, short) + attribute(4, struct.pack("=Q", 12_500_000_000)))[2] == "rate 100000mbit"


def test_what_netem_does_to_packets_is_told() -> None:
    fixed = struct.pack("=IIIIII", 0, 1000, UNTOLD // 100, 0, 0, 0)
    delays = attribute(10, struct.pack("=q", 25_000_000)) + attribute(11, struct.pack("=q", 1_500_000))
    disturbed = attribute(4, number(UNTOLD // 1000) + number(0)) + attribute(6, number(125_000) + bytes(12))
    assert qdisc("netem", fixed + delays + disturbed)[2] == "delay 25ms 1.5ms loss 1% corrupt 0.1% rate 1mbit"
    assert qdisc("netem", struct.pack("=IIIIII", 0, 1000, 0, 0, 0, 0))[2] == ""


def test_discipline_that_we_do_not_read_has_no_options() -> None:
    assert qdisc("fq_codel", attribute(1, number(5)))[2] == ""


@pytest.mark.parametrize(("rate", "text"), [(125, "1kbit"), (1, "8bit"), (125_000, "1mbit"), (187_500, "1500kbit")])
def test_rates_are_in_the_largest_unit_in_which_they_are_whole(rate: int, text: str) -> None:
    assert rate_text(rate) == text


@pytest.mark.lab
def test_rate_that_tc_set_is_read_back(tmp_path: Path) -> None:
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    script = f"""
ip link add cable0 type veth peer name cable1 || exit 77
tc qdisc add dev cable0 root tbf rate 100mbit burst 64kb latency 50ms || exit 77
exec {sys.executable} -m dtn_agent facts"""
    ran = subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(CLONE / "agent")},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode == 77:
        pytest.skip(f"this kernel lacks what it takes: {ran.stderr.strip()}")
    cable = next(item for item in Facts.model_validate_json(ran.stdout).interfaces if item.name == "cable0")
    assert [(item.kind, item.parent, item.options) for item in cable.qdiscs] == [("tbf", "root", "rate 100mbit")]


# --- dumps ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The probe's socket, and the kernel's end of it."""
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, kernel:
        yield ours, kernel


def message(kind: int, sequence: int, body: bytes = b"", flags: int = 0) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def test_dump_comes_in_several_pieces_and_ends_with_its_end(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, kernel = pair
    kernel.send(message(LINK, 1, b"aaaa") + message(LINK, 1, b"bbbb"))
    kernel.send(message(LINK, 1, b"cccc"))
    kernel.send(message(DONE, 1))
    assert [data[HEADER.size :] for data in dump(ours, 18, b"")] == [b"aaaa", b"bbbb", b"cccc"]


def test_list_that_changed_while_it_was_read_is_read_again(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, kernel = pair
    kernel.send(message(LINK, 1, b"old!", INTERRUPTED) + message(DONE, 1))
    kernel.send(message(LINK, 2, b"new!") + message(DONE, 2))
    assert [data[HEADER.size :] for data in dump(ours, 18, b"")] == [b"new!"]


def test_list_that_never_stands_still_is_an_error_and_not_half_a_list(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, kernel = pair
    for sequence in range(1, 5):
        kernel.send(message(LINK, sequence, b"old!", INTERRUPTED) + message(DONE, sequence))
    with pytest.raises(InterruptedDumpError, match="4 attempts"):
        dump(ours, 18, b"")


def test_refusal_of_the_kernel_is_told_with_its_number(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, kernel = pair
    kernel.send(message(ERROR, 1, struct.pack("=i", -errno.EPERM)))
    with pytest.raises(PermissionError):
        dump(ours, 18, b"")
