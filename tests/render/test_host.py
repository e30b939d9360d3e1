"""A host on the screen: what makes it a DTN, on any width; what is unknown is not nothing, and nothing in it obeys."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dtn_agent.protocol import Ability, Facts, Held, Host, Interface, Qdisc
from dtn_agent.protocol.volumes import Backing, HeldExport, HeldMount, HeldVolume, Portal
from hypothesis import example, given
from hypothesis import strategies as st

from dtnctl.render.context import RenderContext
from dtnctl.render.host import render_host
from dtnctl.render.text import PAINT, cells
from tests.render.plans import TEXT

HOSTS = Path(__file__).parents[1] / "agent/hosts"
CONTEXT = RenderContext()
LITERALS = ("protocol", "iommu", "rdma_netns")  # closed sets of words


def recorded(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((HOSTS / name / "facts.json").read_text())
    return document


def host_of(facts: dict[str, Any], **more: Any) -> Host:
    return Host(version=1, agent="0.1.0", facts=Facts.model_validate(facts), **more)


@pytest.fixture
def dtn() -> Host:
    """Two sockets, two ConnectX-6, four NVMe; one VF is held, and one ability is missing."""
    held = Held.model_validate_json((HOSTS / "two-sockets/held.json").read_bytes())
    abilities = (Ability(name="vf"), Ability(name="netem", lacks="this kernel has no sch_netem"))
    return host_of(recorded("two-sockets"), held=held, abilities=abilities)


def test_host_is_one_screen_of_eighty_columns(dtn: Host) -> None:
    assert (
        render_host(dtn, CONTEXT)
        == """\
host: starlight-dtn · up 240 h 2 min
kernel: 6.8.0-60-generic x86_64 · agent 0.1.0
cpus: Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz · 2 sockets · 32 cores ·
      64 CPUs · SMT on · turbo on · governor performance, powersave
memory: 503.53 GiB · 474.93 GiB available
settings: IOMMU passthrough · irqbalance on · clock synchronized ·
          huge pages madvise · ASPM performance · RDMA namespaces shared

NODE  CPUS             MEMORY        FREE  HUGE PAGES
0     0-15,32-47   251.76 GiB  191.88 GiB  1,000 of 1,024 x 2.00 MiB free
1     16-31,48-63  251.77 GiB  200.27 GiB
DISTANCE left out to save room; -o wide shows every column

INTERFACE      NODE  STATE          SPEED  DRIVER      MTU  PCI
data7          0     down               -  mlx5_core  1500  0000:41:00.2
docker0              up           10 Gb/s  bridge     1500
eno1           0     no carrier         -  tg3        1500  0000:04:00.0
ens1f0np0      0     up          100 Gb/s  mlx5_core  9000  0000:41:00.0
ens1f0np0.222        up          100 Gb/s  vlan       9000
ens2f0np0      1     up          100 Gb/s  mlx5_core  9000  0000:c1:00.0
ADDRESSES, ON, PCIE, QDISC, VFS, IRQ CPUS, MAC, FIRMWARE, ALIAS
left out to save room; -o wide shows every column
= 1 interface of containers (--all lists them)

PF         VF  PCI           MAC                VLAN        HOLDER
ens1f0np0   0  0000:41:00.2  00:00:00:00:00:00              free
ens1f0np0   1  0000:41:00.3  0a:00:00:00:00:01  100 prio 3  another namespace
ens1f0np0   2  0000:41:00.4  0a:00:00:00:00:02  222         scinet/ofed-test
ens1f0np0   3  0000:41:00.5  0a:00:00:00:00:03              vfio-pci
INTERFACE, TRUST, SPOOFCHK, RATE, RDMA, DRIVER left out to save room;
-o wide shows every column

RDMA    UVERBS   INTERFACE  STATE       RATE  GIDS
mlx5_0  uverbs1  ens1f0np0  ACTIVE  100 Gb/s  3 (IB/RoCE v1, RoCE v2)
mlx5_1  uverbs0  ens2f0np0  ACTIVE  100 Gb/s  1 (IB/RoCE v1)
mlx5_2  uverbs5  data7      DOWN     40 Gb/s  0
mlx5_3  uverbs2  -          ACTIVE  100 Gb/s  1
PORT, LAYER, PCI left out to save room; -o wide shows every column

DISK     NODE        SIZE  BY    SCHEDULER    MOUNTS
dm-0     -     488.28 MiB        -            / (ext4)
md0      -       6.52 TiB        none         /nvme (xfs), /srv/with space (xfs)
nvme0n1  0       3.26 TiB  pcie  none         /nvme (xfs), /srv/with space (xfs)
nvme1n1  0       3.26 TiB  pcie  mq-deadline  /nvme (xfs), /srv/with space (xfs)
nvme2n1  1     447.13 GiB  pcie  none         / (ext4), /boot (ext4)
nvme3n1  1       3.26 TiB  pcie  none         /archive (btrfs)
MODEL, PCIE, HOLDERS left out to save room; -o wide shows every column

listeners: 5 tcp · 2 udp · 1 of them in containers
held: 1 VF
lacks: netem: this kernel has no sch_netem
"""
    )


def test_wide_screen_shows_more_columns(dtn: Host) -> None:
    assert (
        render_host(dtn, replace(CONTEXT, width=138))
        == """\
host: starlight-dtn · up 240 h 2 min
kernel: 6.8.0-60-generic x86_64 · agent 0.1.0
cpus: Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz · 2 sockets · 32 cores · 64 CPUs · SMT on · turbo on · governor performance, powersave
memory: 503.53 GiB · 474.93 GiB available
settings: IOMMU passthrough · irqbalance on · clock synchronized · huge pages madvise · ASPM performance · RDMA namespaces shared

NODE  CPUS             MEMORY        FREE  DISTANCE  HUGE PAGES
0     0-15,32-47   251.76 GiB  191.88 GiB  10 20     1,000 of 1,024 x 2.00 MiB free
1     16-31,48-63  251.77 GiB  200.27 GiB  20 10

INTERFACE      NODE  STATE          SPEED  DRIVER      MTU  PCI           ADDRESSES
data7          0     down               -  mlx5_core  1500  0000:41:00.2
docker0              up           10 Gb/s  bridge     1500                172.17.0.1/16
eno1           0     no carrier         -  tg3        1500  0000:04:00.0
ens1f0np0      0     up          100 Gb/s  mlx5_core  9000  0000:41:00.0  165.124.33.182/26
ens1f0np0.222        up          100 Gb/s  vlan       9000                192.168.2.64/24, fe80::ba3f:d2ff:feaa:10/64
ens2f0np0      1     up          100 Gb/s  mlx5_core  9000  0000:c1:00.0
ON, PCIE, QDISC, VFS, IRQ CPUS, MAC, FIRMWARE, ALIAS left out to save room; -o wide shows every column
= 1 interface of containers (--all lists them)

PF         VF  PCI           INTERFACE  MAC                VLAN        TRUST  SPOOFCHK  RATE       RDMA    DRIVER     HOLDER
ens1f0np0   0  0000:41:00.2  data7      00:00:00:00:00:00              off    off                  mlx5_2  mlx5_core  free
ens1f0np0   1  0000:41:00.3             0a:00:00:00:00:01  100 prio 3  off    on        ≤ 40 Gb/s  mlx5_3  mlx5_core  another namespace
ens1f0np0   2  0000:41:00.4             0a:00:00:00:00:02  222         on     on                           mlx5_core  scinet/ofed-test
ens1f0np0   3  0000:41:00.5             0a:00:00:00:00:03              off    on                           vfio-pci   vfio-pci

RDMA    UVERBS   INTERFACE  PORT  STATE       RATE  LAYER     GIDS                     PCI
mlx5_0  uverbs1  ens1f0np0     1  ACTIVE  100 Gb/s  Ethernet  3 (IB/RoCE v1, RoCE v2)  0000:41:00.0
mlx5_1  uverbs0  ens2f0np0     1  ACTIVE  100 Gb/s  Ethernet  1 (IB/RoCE v1)           0000:c1:00.0
mlx5_2  uverbs5  data7         1  DOWN     40 Gb/s  Ethernet  0                        0000:41:00.2
mlx5_3  uverbs2  -             1  ACTIVE  100 Gb/s  Ethernet  1                        0000:41:00.3

DISK     NODE        SIZE  MODEL                      BY    SCHEDULER    PCIE                      MOUNTS
dm-0     -     488.28 MiB                                   -                                      / (ext4)
md0      -       6.52 TiB                                   none                                   /nvme (xfs), /srv/with space (xfs)
nvme0n1  0       3.26 TiB  Micron_7450_MTFDKCC3T2TFS  pcie  none         16 GT/s x4                /nvme (xfs), /srv/with space (xfs)
nvme1n1  0       3.26 TiB  Micron_7450_MTFDKCC3T2TFS  pcie  mq-deadline  16 GT/s x2 of 16 GT/s x4  /nvme (xfs), /srv/with space (xfs)
nvme2n1  1     447.13 GiB  Micron_7450_MTFDKBA480TFR  pcie  none         16 GT/s x4                / (ext4), /boot (ext4)
nvme3n1  1       3.26 TiB  INTEL SSDPF2KX038TZ        pcie  none         16 GT/s x4                /archive (btrfs)
HOLDERS left out to save room; -o wide shows every column

listeners: 5 tcp · 2 udp · 1 of them in containers
held: 1 VF
lacks: netem: this kernel has no sch_netem
"""
    )


def test_virtual_machine_shows_what_it_does_not_tell_as_unknown() -> None:
    assert (
        render_host(host_of(recorded("virtual-machine")), CONTEXT)
        == """\
host: guest · kvm · up 12.0 s
kernel: 6.12.95+deb12-amd64 x86_64 · agent 0.1.0
cpus: QEMU Virtual CPU version 2.5+ · 2 sockets · 2 cores · 2 CPUs · SMT off ·
      turbo - · governor -
memory: 3.84 GiB · 3.43 GiB available
settings: IOMMU - · irqbalance - · clock synchronized · huge pages always ·
          ASPM - · RDMA namespaces -

NODE  CPUS    MEMORY      FREE  DISTANCE
0     0-1   3.84 GiB  2.86 GiB  10

INTERFACE  NODE  STATE  SPEED  DRIVER       MTU  PCI           ADDRESSES
eth0       -     up         -  virtio_net  1500  0000:00:03.0  10.0.2.15/24
QDISC, IRQ CPUS, MAC left out to save room; -o wide shows every column

DISK  NODE       SIZE  BY      SCHEDULER  MOUNTS
vda   -     10.00 GiB  virtio  none       / (ext4)

listeners: 0 tcp · 0 udp
held: nothing
"""
    )


def test_container_shows_only_what_there_is() -> None:
    assert (
        render_host(host_of(recorded("container")), CONTEXT)
        == """\
host: 646f8bfcf576 · docker · up 5.0 s
kernel: 6.1.0-18-arm64 aarch64 · agent 0.1.0
cpus: - · - sockets · - cores · 1 CPU · SMT - · turbo - · governor -
memory: 3.84 GiB · 1.92 GiB available
settings: IOMMU - · irqbalance - · clock - · huge pages - · ASPM - ·
          RDMA namespaces -

INTERFACE  NODE  STATE  SPEED  DRIVER   MTU  ADDRESSES      MAC
eth0             up         -  veth    1500  172.17.0.2/16  02:42:ac:11:00:02

listeners: 0 tcp · 0 udp
held: nothing
"""
    )


def test_all_shows_every_interface_and_every_column_in_full(dtn: Host) -> None:
    text = render_host(dtn, replace(CONTEXT, show_all=True))
    assert "veth1a2b3c" in text
    assert "of containers (" not in text
    assert "16 GT/s x8 of 16 GT/s x16" in text
    assert "mq (fq maxrate 20000mbit)" in text
    for word in ("FIRMWARE", "ALIAS", "IRQ CPUS", "SPOOFCHK", "HOLDERS"):
        assert word in text
    assert "…" not in text


def test_all_shows_queues_gids_idle_states_and_sysctls(dtn: Host) -> None:
    text = render_host(dtn, replace(CONTEXT, show_all=True))
    assert (
        text[text.index("QUEUES OF") :]
        == """\
QUEUES OF       RX RING       TX RING  CHANNELS  TX QUEUE    GSO    GRO      RPS     XPS     PAYLOAD  MAX READ  ADAPTIVE  PAUSE RX  PAUSE TX
data7                 -             -         -      1000      -      -        -       -           -         -  -         -         -
eno1        200 of 2047    511 of 511         -      1000      -      -        -       -           -         -  -         -         -
ens1f0np0  8192 of 8192  8192 of 8192   2 of 63     10000  65536  65536  1 of 11  2 of 2  256 of 256       512  on        on        on
ens2f0np0  1024 of 8192  1024 of 8192  32 of 63      1000      -      -   0 of 1       -           -         -  off       off       off

GIDS OF  PORT  INDEX  GID                                      TYPE        INTERFACE
mlx5_0      1      0  fe80:0000:0000:0000:ba3f:d2ff:feaa:0010  IB/RoCE v1  ens1f0np0
mlx5_0      1      1  fe80:0000:0000:0000:ba3f:d2ff:feaa:0010  RoCE v2     ens1f0np0
mlx5_0      1      3  0000:0000:0000:0000:0000:ffff:c0a8:0240  RoCE v2     ens1f0np0.222
mlx5_1      1      0  fe80:0000:0000:0000:ba3f:d2ff:feaa:0020  IB/RoCE v1  ens2f0np0
mlx5_3      1      0  fe80:0000:0000:0000:0000:00ff:fe00:0001  -           -

C-STATE  LATENCY  DISABLED
POLL        0 µs  no
C6        170 µs  yes

SYSCTL                                     VALUE
kernel.numa_balancing                      1
net.core.default_qdisc                     fq
net.core.rmem_max                          2147483647
net.core.wmem_max                          2147483647
net.ipv4.ip_local_reserved_ports
net.ipv4.tcp_available_congestion_control  reno cubic bbr
net.ipv4.tcp_congestion_control            cubic
net.ipv4.tcp_rmem                          4096 131072 1073741824
net.ipv4.tcp_wmem                          4096 16384 1073741824
vm.zone_reclaim_mode                       0

listeners: 5 tcp · 2 udp · 1 of them in containers
held: 1 VF
lacks: netem: this kernel has no sch_netem
"""
    )


def test_what_all_shows_besides_is_unknown_where_the_kernel_does_not_tell() -> None:
    facts = recorded("virtual-machine")
    facts["interfaces"][0] |= {"rings": None, "tx_queue_len": None}
    text = render_host(host_of(facts), replace(CONTEXT, show_all=True))
    (row,) = [line for line in text[text.index("QUEUES OF") :].splitlines() if line.startswith("eth0")]
    assert row.split() == ["eth0", *"-" * 13]


def test_channels_of_one_direction_are_told_as_such() -> None:
    facts = recorded("virtual-machine")
    facts["interfaces"][0] |= {"channels": {"combined": 0, "combined_max": 0, "rx": 4, "tx": 2}}
    assert "4 rx, 2 tx" in render_host(host_of(facts), replace(CONTEXT, show_all=True))


def test_sizes_of_ipv4_packets_are_told_where_they_are_others() -> None:
    facts = recorded("virtual-machine")
    facts["interfaces"][0] |= {"offload_sizes": {"gso": 185000, "gro": 65536, "gso_ipv4": 65536, "gro_ipv4": 65536}}
    assert "185000, IPv4 65536  65536" in render_host(host_of(facts), replace(CONTEXT, show_all=True))


def test_interface_without_carrier_is_not_shown_as_up(dtn: Host) -> None:
    (line,) = [line for line in render_host(dtn, CONTEXT).splitlines() if line.startswith("eno1")]
    assert "no carrier" in line
    assert " up " not in line


def test_discipline_without_children_is_shown_with_its_rate() -> None:
    interface = Interface(name="eth0", index=2, qdiscs=(Qdisc(kind="fq", handle="1:", parent="root", options="maxrate 10000mbit"),))
    host = host_of(recorded("container") | {"interfaces": [interface.model_dump()]})
    assert "fq maxrate 10000mbit" in render_host(host, replace(CONTEXT, width=200))


def test_limit_of_a_vf_is_shown_and_no_limit_is_nothing(dtn: Host) -> None:
    lines = render_host(dtn, replace(CONTEXT, width=138)).splitlines()
    limited, free = (next(line for line in lines if mac in line) for mac in ("0a:00:00:00:00:01", "00:00:00:00:00:00"))
    assert "≤ 40 Gb/s" in limited
    assert "Gb/s" not in free


def _changed(value: Any, text: str, key: str = "") -> Any:
    """The same document with this text for each of its texts."""
    match value:
        case dict():
            return {name: _changed(item, text, name) for name, item in value.items()}
        case list():
            return [_changed(item, text, key) for item in value]
        case str() if key not in LITERALS:
            return text
        case _:
            return value


@given(
    TEXT,
    st.sampled_from(["two-sockets", "no-sriov", "virtual-machine", "container"]),
    st.builds(RenderContext, width=st.integers(80, 200), show_all=st.booleans()),
)
@example("²", "two-sockets", RenderContext(width=80))  # a digit that is no number
def test_nothing_that_a_host_tells_obeys(text: str, name: str, context: RenderContext) -> None:
    host = host_of(_changed(recorded(name), text))
    plain = render_host(host, context)
    assert all(line.isprintable() for line in plain.split("\n"))
    assert PAINT.sub("", render_host(host, replace(context, color=True))) == plain
    assert render_host(host, replace(context, ascii=True)).isascii()


@pytest.mark.parametrize("name", ["two-sockets", "no-sriov", "virtual-machine", "container"])
@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
def test_recorded_hosts_fit_the_screen(name: str, width: int) -> None:
    for line in render_host(host_of(recorded(name)), replace(CONTEXT, width=width)).splitlines():
        assert cells(line) <= width, line


def test_volumes_show_what_the_kernel_says_of_them() -> None:
    portal = Portal(transport="tcp", address="10.20.0.12", port=4420)
    export = HeldExport(
        site="lab", volume="raw", nqn="n", uuid="u", serial="s", backing=Backing(device="/dev/nvme1n1"), portal=portal, hosts=()
    )
    held = HeldVolume(site="lab", volume="scratch", nqn="n", uuid="u", portal=portal, state="live", device="/dev/nvme2n1")
    mount = HeldMount(path="/v/scratch", file_system="xfs", mode="ro", is_mounted=True)
    lost = mount.model_copy(update={"is_mounted": False})
    entries = Held(
        exports=(export, export.model_copy(update={"volume": "torn", "fault": "no port", "backing": Backing(file="/x.img")})),
        volumes=(
            held,
            held.model_copy(update={"volume": "away", "state": "gone", "device": "", "mount": lost}),
            held.model_copy(update={"volume": "fine", "mount": mount}),
            held.model_copy(update={"volume": "slow", "mount": lost.model_copy(update={"is_being_unmounted": True})}),
        ),
    )
    shown = render_host(host_of(recorded("container"), held=entries), replace(CONTEXT, width=160)).splitlines()
    start = next(index for index, line in enumerate(shown) if line.startswith("VOLUME"))
    assert [" ".join(line.split()) for line in shown[start : start + 7]] == [
        "VOLUME SITE HERE STATE TARGET BY DEVICE MOUNT",
        "raw lab exported as asked for 10.20.0.12:4420 tcp /dev/nvme1n1",
        "torn lab exported no port 10.20.0.12:4420 tcp /x.img",
        "scratch lab connected live 10.20.0.12:4420 tcp /dev/nvme2n1",
        "away lab connected gone 10.20.0.12:4420 tcp not mounted",
        "fine lab connected live 10.20.0.12:4420 tcp /dev/nvme2n1 /v/scratch (xfs, ro)",
        "slow lab connected live 10.20.0.12:4420 tcp /dev/nvme2n1 unmounting: what it held is still being written",
    ]
    assert "held: 2 exported volumes - 4 connected volumes" in [line.replace("·", "-") for line in shown]
