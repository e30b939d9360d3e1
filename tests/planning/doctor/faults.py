"""One planted fault for every check: what is spoiled, and the one finding that must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dtnctl.model.resources import Ulimit
from tests.planning.doctor.hosts import Data, connected, item
from tests.planning.doctor.scene import Scene

Spoil = Callable[[Scene], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """`sentence` says what is wrong, `finding` is `severity check subject`."""

    sentence: str
    finding: str
    spoil: Spoil


def facts(scene: Scene) -> Data:
    assert scene.a is not None
    found: Data = scene.a["facts"]
    return found


def sysctl(name: str, value: str) -> Spoil:
    return lambda scene: facts(scene)["sysctls"].update({name: value})


def own_sysctl(name: str, value: str) -> Spoil:
    def spoil(scene: Scene) -> None:
        scene.net = lambda net: net["sysctls"].update({f"net.ipv4.{name}": value})

    return spoil


def system(**values: Any) -> Spoil:
    return lambda scene: facts(scene)["system"].update(values)


def cpus(**values: Any) -> Spoil:
    return lambda scene: facts(scene)["cpus"].update(values)


def nic(name: str, **values: Any) -> Spoil:
    return lambda scene: item(scene.a or {}, "interfaces", name).update(values)


def deep(kind: str, name: str, key: str, **values: Any) -> Spoil:
    return lambda scene: item(scene.a or {}, kind, name)[key].update(values)


def table(**values: Any) -> Spoil:
    return lambda scene: item(scene.a or {}, "interfaces", "ens1f0")["sriov"]["vfs"][0].update(values)


def disk(name: str, **values: Any) -> Spoil:
    return lambda scene: item(scene.a or {}, "block_devices", name).update(values)


def queue(name: str, **values: str) -> Spoil:
    return deep("block_devices", name, "settings", **values)


def array(name: str, value: str) -> Spoil:
    return queue("md0", **{f"md/{name}": value})


def mounted(**values: Any) -> Spoil:
    def spoil(scene: Scene) -> None:
        for name in ("md0", "nvme0n1", "nvme1n1"):
            item(scene.a or {}, "block_devices", name)["mounts"][0].update(values)

    return spoil


def port(**values: Any) -> Spoil:
    return lambda scene: facts(scene)["rdma"][0]["ports"][0].update(values)


def spec(**values: Any) -> Spoil:
    return lambda scene: scene.spec.update(values)


def inside(**values: Any) -> Spoil:
    def spoil(scene: Scene) -> None:
        scene.net = lambda net: net["interfaces"][0].update(values)

    return spoil


def declared(file: str, old: str, new: str) -> Spoil:
    def spoil(scene: Scene) -> None:
        assert old in scene.files[file]
        scene.files[file] = scene.files[file].replace(old, new)

    return spoil


def peer(name: str, **values: Any) -> Spoil:
    return lambda scene: item(scene.b or {}, "interfaces", name).update(values)


def both(*spoils: Spoil) -> Spoil:
    return lambda scene: [spoil(scene) for spoil in spoils]


def remove(name: str) -> Spoil:
    def spoil(scene: Scene) -> None:
        interfaces = facts(scene)["interfaces"]
        interfaces[:] = [entry for entry in interfaces if entry["name"] != name]

    return spoil


def irqs(*cpu_lists: str) -> list[Data]:
    return [{"number": 100 + number, "cpus": cpus} for number, cpus in enumerate(cpu_lists)]


HOST_SETTINGS = (
    Fault("receive buffers are the kernel's default", "error net.rmem_max", sysctl("net.core.rmem_max", "212992")),
    Fault("send buffers are those of a 40G host", "error net.wmem_max", sysctl("net.core.wmem_max", "134217728")),
    Fault("TCP's receive buffer ends at 6 MiB", "error net.tcp_rmem", sysctl("net.ipv4.tcp_rmem", "4096\t131072\t6291456")),
    Fault("TCP's send buffer ends at 4 MiB", "error net.tcp_wmem", sysctl("net.ipv4.tcp_wmem", "4096\t16384\t4194304")),
    Fault("zero-copy has 128 KiB for its notes", "info net.optmem_max", sysctl("net.core.optmem_max", "131072")),
    Fault("the backlog holds 1000 packets", "warning net.netdev_max_backlog", sysctl("net.core.netdev_max_backlog", "1000")),
    Fault("new queues do not pace", "warning net.default_qdisc", sysctl("net.core.default_qdisc", "fq_codel")),
    Fault("TCP does not look for the path's MTU", "warning net.tcp_mtu_probing", sysctl("net.ipv4.tcp_mtu_probing", "0")),
    Fault("TCP remembers bad transfers", "info net.tcp_no_metrics_save", sysctl("net.ipv4.tcp_no_metrics_save", "0")),
    Fault("waiting streams start slowly", "info net.tcp_slow_start_after_idle", sysctl("net.ipv4.tcp_slow_start_after_idle", "1")),
    Fault("timestamps are off", "warning net.tcp_timestamps", sysctl("net.ipv4.tcp_timestamps", "0")),
    Fault("selective acknowledgements are off", "warning net.tcp_sack", sysctl("net.ipv4.tcp_sack", "0")),
    Fault("windows are not scaled", "error net.tcp_window_scaling", sysctl("net.ipv4.tcp_window_scaling", "0")),
    Fault("congestion control is reno", "info net.congestion_control", sysctl("net.ipv4.tcp_congestion_control", "reno")),
    Fault(
        "outgoing connections can take the control ports",
        "warning host.reserved_ports",
        sysctl("net.ipv4.ip_local_port_range", "1024 65535"),
    ),
    Fault("the table of connections is nearly full", "warning net.conntrack", sysctl("net.netfilter.nf_conntrack_count", "262000")),
    Fault("nodes reclaim their page cache", "warning host.zone_reclaim", sysctl("vm.zone_reclaim_mode", "1")),
    Fault("pages wander between nodes", "warning host.numa_balancing", sysctl("kernel.numa_balancing", "1")),
    Fault("a tenth of memory may be dirty", "info host.dirty_background", sysctl("vm.dirty_background_ratio", "10")),
)
NICS = (
    Fault("an interface has another name now", "error nic.present ens1f0v0", both(remove("ens1f0v0"), table(netdev="enp65s0v0"))),
    Fault("the cable is out", "error nic.link ens2f1", nic("ens2f1", carrier=False)),
    Fault("the VLAN's interface is down", "error nic.link bond0.222", nic("bond0.222", is_up=False)),
    Fault("negotiation ended in half duplex", "error nic.duplex ens1f0", nic("ens1f0", duplex="half")),
    Fault("the network is larger than the NIC", "error nic.mtu ens1f0v0", nic("ens1f0v0", mtu=1500)),
    Fault(
        "a VF is larger than its PF",
        "error nic.mtu_below ens1f0v0",
        both(nic("ens1f0v0", mtu=9600), nic("ens1f0", mtu=9500)),
    ),
    Fault("the other end has smaller frames", "error nic.mtu_peers wan", both(peer("bond0", mtu=1500), peer("bond0.222", mtu=1500))),
    Fault("a data network has small frames", "warning nic.jumbo child", declared("networks/child", "9000", "1500")),
    Fault(
        "every queue of the NIC has fq_codel",
        "warning nic.qdisc ens1f0",
        nic(
            "ens1f0",
            qdiscs=[{"parent": "root", "kind": "mq", "handle": "1:"}, {"parent": "1:1", "kind": "fq_codel", "handle": "0:"}],
        ),
    ),
    Fault(
        "one queue only, and it does not pace",
        "warning nic.qdisc ens2f0",
        nic("ens2f0", qdiscs=[{"parent": "root", "kind": "pfifo_fast", "handle": "0:"}]),
    ),
    Fault(
        "the other end is slower and nothing paces",
        "info nic.slower_peer ens2f0",
        both(peer("ens2f0", speed=10_000), peer("ens2f1", speed=10_000)),
    ),
    Fault("the send queue is short", "info nic.tx_queue_len ens1f0", nic("ens1f0", tx_queue_len=1000)),
    Fault("the receive ring is small", "warning nic.rings ens1f0", deep("interfaces", "ens1f0", "rings", rx=1024)),
    Fault("the send ring is small", "warning nic.rings ens1f0", deep("interfaces", "ens1f0", "rings", tx=1024)),
    Fault(
        "rings are small on a kernel that does not mind",
        "info nic.rings ens1f0",
        both(system(kernel="6.11.2"), deep("interfaces", "ens1f0", "rings", rx=1024)),
    ),
    Fault("one channel for 32 cores", "warning nic.channels ens1f0", deep("interfaces", "ens1f0", "channels", combined=1)),
    Fault("interrupts wait a fixed time", "info nic.adaptive_rx ens1f0", nic("ens1f0", adaptive_rx=False)),
    Fault(
        "checksums are made by the CPU",
        "warning nic.offloads ens1f0",
        nic("ens1f0", features=["rx-gro", "tx-tcp-segmentation", "tx-generic-segmentation"]),
    ),
    Fault("packets of IPv4 end at 64 KiB", "info nic.big_tcp ens1f0", deep("interfaces", "ens1f0", "offload_sizes", gro_ipv4=65536)),
    Fault(
        "received packets are merged for good",
        "warning nic.lro ens1f0",
        lambda scene: item(scene.a or {}, "interfaces", "ens1f0")["features"].append("rx-lro"),
    ),
    Fault("frames arrive damaged", "warning nic.errors ens1f0", deep("interfaces", "ens1f0", "counters", rx_crc_errors=5000)),
    Fault("the NIC drops", "warning nic.drops ens1f0", deep("interfaces", "ens1f0", "counters", rx_missed_errors=5000)),
    Fault("packets are dropped for any reason", "info nic.dropped ens1f0", deep("interfaces", "ens1f0", "counters", rx_dropped=900_000)),
    Fault("interrupts are on the other socket", "warning nic.irq_affinity ens1f0", nic("ens1f0", irqs=irqs("0", "1", "2"))),
    Fault("packets are steered to the other socket", "warning nic.rps ens1f0", nic("ens1f0", rps=["0-7", "32-39"])),
    Fault("one CPU serves all interrupts", "warning nic.irq_spread ens1f0", nic("ens1f0", irqs=irqs("40", "40", "40"))),
)
HARDWARE = (
    Fault("the slot gave the card half its lanes", "warning nic.pcie_link ens1f0", deep("interfaces", "ens1f0", "pcie", width=8)),
    Fault(
        "the slot is too narrow for the NIC",
        "error nic.pcie_goodput ens1f0",
        deep("interfaces", "ens1f0", "pcie", speed=8.0, width=8, slot_speed=8.0, slot_width=8),
    ),
    Fault("the card sends short packets over its link", "info nic.pcie_payload ens1f0", deep("interfaces", "ens1f0", "pcie", payload=128)),
    Fault(
        "two ports share a slot that fits one",
        "warning nic.pcie_shared ens2f0 and ens2f1",
        both(*(deep("interfaces", name, "pcie", speed=8.0, width=4, slot_speed=8.0, slot_width=4) for name in ("ens2f0", "ens2f1"))),
    ),
    Fault("a sriov network is on a bond", "error sriov.able bond0", declared("endpoints/a", "virtual: ens1f0", "virtual: bond0")),
    Fault("macvlan is on a VF that is not trusted", "warning vf.trust ens1f0v0", table(trust=False)),
    Fault("macvlan is on a VF whose sender is checked", "error vf.spoofchk ens1f0v0", table(spoofchk=True)),
    Fault("the VF is disabled in the PF's table", "error vf.link_state ens1f0v0", table(link_state="disable")),
)
CONTAINERS = (
    Fault("the container's receive buffer is the default", "error container.tcp_rmem lab.s", own_sysctl("tcp_rmem", "4096 131072 6291456")),
    Fault("the container's send buffer is the default", "error container.tcp_wmem lab.s", own_sysctl("tcp_wmem", "4096 16384 4194304")),
    Fault("the container does not look for the path's MTU", "warning container.tcp_mtu_probing lab.s", own_sysctl("tcp_mtu_probing", "0")),
    Fault("the container remembers bad transfers", "info container.tcp_no_metrics_save lab.s", own_sysctl("tcp_no_metrics_save", "0")),
    Fault(
        "the container's streams start slowly",
        "info container.tcp_slow_start_after_idle lab.s",
        own_sysctl("tcp_slow_start_after_idle", "1"),
    ),
    Fault("the container has no timestamps", "warning container.tcp_timestamps lab.s", own_sysctl("tcp_timestamps", "0")),
    Fault("the container has no selective acknowledgements", "warning container.tcp_sack lab.s", own_sysctl("tcp_sack", "0")),
    Fault("the container does not scale windows", "error container.tcp_window_scaling lab.s", own_sysctl("tcp_window_scaling", "0")),
    Fault("the container uses reno", "info container.congestion_control lab.s", own_sysctl("tcp_congestion_control", "reno")),
    Fault("the container has small frames", "error container.mtu lab.s on data", inside(mtu=1500)),
    Fault("the container's interface is down", "error container.link lab.s on data", inside(is_up=False)),
    Fault(
        "data goes over a bridge",
        "warning container.bridge lab.s",
        both(declared("networks/data", "macvlan", "bridge"), declared("endpoints/a", "data: ens1f0, ", "host: ens1f0, ")),
    ),
    Fault("the container runs on the other socket", "warning container.cpus lab.s", spec(cpu_set="0-7")),
    Fault("the container runs anywhere", "info container.pinned lab.s", spec(cpu_set="")),
    Fault("the container's memory is on the other socket", "warning container.memory_nodes lab.s", spec(memory_nodes="0")),
    Fault("the container and interrupts share CPUs", "info container.irq_cpus lab.s", spec(cpu_set="36-47")),
    Fault("RDMA may pin 64 KiB only", "error container.memlock lab.s", spec(ulimits=(Ulimit("nofile", 131072, 131072),))),
    Fault(
        "1024 files may be open",
        "warning container.nofile lab.s",
        spec(ulimits=(Ulimit("memlock", -1, -1), Ulimit("nofile", 1024, 524288))),
    ),
    Fault("windows do not fit into the container's memory", "warning container.memory lab.s", spec(memory=2**30)),
    Fault("a transfer reads a tmpfs", "warning volume.path /tmp/x", declared("transfers/t", "a:/data/x", "a:/tmp/x")),
)
RDMA = (
    Fault("the NIC has no RDMA device", "error rdma.device lab.s", lambda scene: facts(scene)["rdma"].clear()),
    Fault("the RDMA port is down", "error rdma.port mlx5_0/1", port(state="DOWN")),
    Fault("the RDMA port speaks RoCE v1 only", "error rdma.gid mlx5_0/1", port(gids=[{"index": 0, "gid": "::1", "type": "IB/RoCE v1"}])),
    Fault("RDMA devices belong to one namespace", "error rdma.netns", system(rdma_netns="exclusive")),
)
SYSTEM = (
    Fault("a CPU saves power", "warning cpu.governor", cpus(governors=["performance", "powersave"])),
    Fault("turbo is off", "warning cpu.turbo", cpus(turbo=False)),
    Fault("CPUs sleep deeply", "info cpu.idle_states", cpus(idle_states=[{"name": "C6", "latency": 133, "disabled": False}])),
    Fault("threads share cores", "info cpu.smt", cpus(smt=True)),
    Fault("every DMA address is translated", "warning host.iommu", system(iommu="translated")),
    Fault("irqbalance runs", "warning host.irqbalance", system(irqbalance=True)),
    Fault("links sleep", "info host.aspm", system(aspm="powersave")),
    Fault("there are no huge pages", "info host.huge_pages", system(huge_pages="never")),
    Fault("the clock is its own", "warning host.clock", system(clock_synchronized=False)),
    Fault("the engine is of 2019", "warning host.engine", lambda scene: setattr(scene, "engine_version", "19.03.15")),
)
STORAGE = (
    Fault("a drive's requests are sorted", "warning disk.scheduler nvme1n1", disk("nvme1n1", scheduler="mq-deadline")),
    Fault("a drive has few requests", "info disk.nr_requests nvme1n1", queue("nvme1n1", nr_requests="127")),
    Fault("completions run elsewhere", "info disk.rq_affinity nvme1n1", queue("nvme1n1", rq_affinity="1")),
    Fault("reading ahead is short", "info disk.read_ahead md0", queue("md0", read_ahead_kb="128")),
    Fault("writes are held back", "info disk.wbt nvme1n1", queue("nvme1n1", wbt_lat_usec="2000")),
    Fault("a drive lost lanes", "warning disk.pcie_link nvme1n1", deep("block_devices", "nvme1n1", "pcie", width=2)),
    Fault("a drive is on the other socket", "info disk.node nvme1n1", disk("nvme1n1", numa_node=0)),
    Fault(
        "the drives are slower than the network",
        "info disk.rate /nvme",
        both(*(deep("block_devices", name, "pcie", speed=8.0, max_speed=8.0) for name in ("nvme0n1", "nvme1n1"))),
    ),
    Fault("the file system is not XFS", "info disk.filesystem /nvme", mounted(filesystem="ext4")),
    Fault("reading writes", "info disk.atime /nvme", mounted(options=["rw", "relatime"])),
    Fault("the array has parity", "info raid.level md0", array("level", "raid5")),
    Fault("a member is missing", "error raid.degraded md0", array("degraded", "1")),
    Fault("the array is being checked", "warning raid.action md0", array("sync_action", "check")),
)


def export(**values: Any) -> Spoil:
    """Fields of the volume that the host exports."""
    return lambda scene: (scene.a or {})["held"]["exports"][0].update(values)


def connection(**values: Any) -> Spoil:
    """Fields of the volume that it has connected."""
    return lambda scene: (scene.a or {})["held"]["volumes"][0].update(values)


def connected_twice(scene: Scene) -> None:
    """Another connection to the same subsystem."""
    controllers = facts(scene)["nvme"]["controllers"]
    controllers.append({**controllers[0], "name": "nvme10", "owner": ""})


def small_packets(scene: Scene) -> None:
    """The volume is carried by an interface of its own, which is slow for it and for nothing else."""
    facts(scene)["interfaces"].append({"name": "ens9", "index": 90, "mtu": 1500, "is_up": True, "addresses": ["10.8.0.1/24"]})
    connection(host_address="10.8.0.1")(scene)


VOLUMES = (
    Fault("the target is not as it was made", "error nvme.export near", export(fault="its port does not listen")),
    Fault("the kernel gave up a target", "error nvme.connection far", connection(state="gone")),
    Fault("a volume is not mounted", "error nvme.connection far", connection(mount={**connected()["mount"], "is_mounted": False})),
    Fault("a subsystem is connected twice", "warning nvme.paths far", connected_twice),
    Fault("all CPUs share a queue", "info nvme.queues far", connection(queues={"io_queues": 1})),
    Fault("small packets carry a volume", "info nvme.mtu far", small_packets),
    Fault("requests to a target are sorted", "warning nvme.scheduler far", disk("nvme9n1", scheduler="mq-deadline")),
)


def _no_rdma(scene: Scene) -> None:
    """Pause frames are judged where no service uses RDMA."""
    scene.spec["devices"] = ()


PAUSE = (Fault("the NIC does not ask the switch to wait", "info nic.pause ens1f0", both(_no_rdma, nic("ens1f0", pause_rx=False))),)
FAULTS = (*HOST_SETTINGS, *NICS, *PAUSE, *HARDWARE, *CONTAINERS, *RDMA, *SYSTEM, *STORAGE, *VOLUMES)
