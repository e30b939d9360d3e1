"""The catalogue of `dtnctl endpoints doctor`: what is looked at, how bad a deviation is, why, and who says so. Data only.

What counts as a deviation is decided in planning/doctor; docs/doctor.md is made from this table. Ids are stable: sites name them
in `doctor:` of site.yaml, and scripts read them. The order is that of reports: what decides most comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dtnctl.model.nearest import suggestion

Severity = Literal["error", "warning", "info"]
About = Literal["host", "NIC", "network", "VF", "container", "RDMA", "disk", "volume"]

_ESNET = "https://fasterdata.es.net"
_LINUX = f"{_ESNET}/host-tuning/linux/"
_100G = f"{_ESNET}/host-tuning/linux/100g-tuning/"
_PACING = f"{_ESNET}/host-tuning/packet-pacing/"
_IRQS = f"{_ESNET}/host-tuning/interrupt-binding/"
_CONTAINERS = f"{_ESNET}/host-tuning/linux/containers/"
_DTN = f"{_ESNET}/DTN/tuning/"
_DTN_100G = f"{_ESNET}/DTN/100g-dtn/"
_TIERNEY = "https://github.com/bltierney/fasterdata-tuning"
_OSG = "https://osg-htc.org/networking/host-network-tuning"
_MELLANOX = "https://docslib.org/doc/12675100/performance-tuning-guidelines-for-mellanox-network-adapters"
_JANUS = "https://github.com/esnet/janus"
_KERNEL = "https://docs.kernel.org"
_IP_SYSCTL = f"{_KERNEL}/networking/ip-sysctl.html"
_SRIOV_CNI = "https://github.com/k8snetworkplumbingwg/sriov-cni"
_DOCKER_DRIVERS = "https://docs.docker.com/engine/network/drivers/"
_RDMA_SYSTEM = "https://man7.org/linux/man-pages/man8/rdma-system.8.html"


@dataclass(frozen=True, slots=True)
class Check:
    """One item that is looked at. `expects` and `why` are words for people; `why` is one sentence, `source` says the same."""

    id: str
    about: About
    severity: Severity
    expects: str
    why: str
    source: str


_NETWORK_STACK = (
    Check(
        "net.rmem_max",
        "host",
        "error",
        "`net.core.rmem_max` for the NIC's speed: 64 MiB up to 10G, 96 MiB for 25G, 128 MiB for 40G, 2147483647 from 100G",
        "Movers that ask for a receive buffer get no more than this, and a window smaller than rate × RTT leaves the path idle.",
        _TIERNEY,
    ),
    Check(
        "net.wmem_max",
        "host",
        "error",
        "`net.core.wmem_max`, same as `net.rmem_max`",
        "Movers that ask for a send buffer get no more than this, and what is not sent yet cannot fill the path.",
        _TIERNEY,
    ),
    Check(
        "net.tcp_rmem",
        "host",
        "error",
        "largest value of `net.ipv4.tcp_rmem`: 32 MiB up to 10G, 48 MiB for 25G, 64 MiB for 40G, 1 GiB from 100G",
        "TCP's own tuning stops at this receive buffer; a stream moves at most about half of it in one round trip.",
        _LINUX,
    ),
    Check(
        "net.tcp_wmem",
        "host",
        "error",
        "largest value of `net.ipv4.tcp_wmem`, same as `net.tcp_rmem`",
        "TCP's own tuning stops at this send buffer; a stream moves at most that much in one round trip.",
        _LINUX,
    ),
    Check(
        "net.optmem_max",
        "host",
        "info",
        "`net.core.optmem_max` of 1 MiB, from 100G",
        "Zero-copy sends keep their notes in this memory and fall back to copying when it is full.",
        _100G,
    ),
    Check(
        "net.netdev_max_backlog",
        "host",
        "warning",
        "`net.core.netdev_max_backlog`: 250000 up to 10G, 300000 for 25G, 400000 for 40G, 500000 for 100G, 750000 for 200G, 10^6 for 400G",
        "Packets that arrive faster than a CPU takes them wait here, and those that find it full are dropped.",
        _OSG,
    ),
    Check(
        "net.default_qdisc",
        "host",
        "warning",
        "`net.core.default_qdisc` is fq",
        "Queues that are made from now on pace each flow, so that bursts do not overflow switches and slower receivers.",
        _PACING,
    ),
    Check(
        "net.tcp_mtu_probing",
        "host",
        "warning",
        "`net.ipv4.tcp_mtu_probing` is 1 or 2",
        "With jumbo frames, a path that swallows ICMP makes connections hang unless TCP finds the size itself.",
        _LINUX,
    ),
    Check(
        "net.tcp_no_metrics_save",
        "host",
        "info",
        "`net.ipv4.tcp_no_metrics_save` is 1",
        "Otherwise one bad transfer makes the next ones to the same host start slowly.",
        _LINUX,
    ),
    Check(
        "net.tcp_slow_start_after_idle",
        "host",
        "info",
        "`net.ipv4.tcp_slow_start_after_idle` is 0",
        "Otherwise a stream that waited for a disk starts again with a small window.",
        _JANUS,
    ),
    Check(
        "net.tcp_timestamps",
        "host",
        "warning",
        "`net.ipv4.tcp_timestamps` is 1 or 2",
        "At high rates sequence numbers wrap within seconds, and only timestamps tell old segments from new ones.",
        _IP_SYSCTL,
    ),
    Check(
        "net.tcp_sack",
        "host",
        "warning",
        "`net.ipv4.tcp_sack` is 1",
        "Without selective acknowledgements one loss makes TCP send a whole window again.",
        _IP_SYSCTL,
    ),
    Check(
        "net.tcp_window_scaling",
        "host",
        "error",
        "`net.ipv4.tcp_window_scaling` is 1",
        "Without it a window has at most 64 KiB, whatever the buffers are.",
        _IP_SYSCTL,
    ),
    Check(
        "net.congestion_control",
        "host",
        "info",
        "`net.ipv4.tcp_congestion_control` is cubic, bbr or htcp",
        "Others recover too slowly on long fast paths.",
        _LINUX,
    ),
    Check(
        "net.conntrack",
        "host",
        "warning",
        "fewer than 80 % of `net.netfilter.nf_conntrack_max` connections are tracked",
        "When the table is full the kernel drops new connections, and data ports are many.",
        f"{_KERNEL}/networking/nf_conntrack-sysctl.html",
    ),
)

_NICS = (
    Check(
        "nic.present",
        "NIC",
        "error",
        "every interface that `interfaces:` names is on the host",
        "Networks on it cannot be made, and nothing else of it can be judged.",
        _DOCKER_DRIVERS,
    ),
    Check(
        "nic.link",
        "NIC",
        "error",
        "the interface is up and has a carrier",
        "The engine does not bring a parent up, so containers on it have no link either.",
        _DOCKER_DRIVERS,
    ),
    Check("nic.duplex", "NIC", "error", "full duplex", "Half duplex means a failed negotiation, with collisions and loss.", _LINUX),
    Check(
        "nic.mtu",
        "NIC",
        "error",
        "at least the network's declared `mtu`, on the interface and on all that it stands on",
        "Frames that are larger than what they leave by are lost, so connections open and then hang.",
        f"{_ESNET}/network-tuning/mtu-issues/",
    ),
    Check(
        "nic.mtu_below",
        "NIC",
        "error",
        "no larger than the MTU of what the interface stands on: a VF on its PF, a VLAN on its parent",
        "What is below drops the larger frames, and nobody is told.",
        _SRIOV_CNI,
    ),
    Check(
        "nic.mtu_peers",
        "network",
        "error",
        "the same on all endpoints of a network that declares no `mtu`",
        "Containers take the parent's MTU, and an L2 network has no router that would fit frames to the smaller one.",
        f"{_ESNET}/network-tuning/mtu-issues/",
    ),
    Check(
        "nic.jumbo",
        "network",
        "warning",
        "an MTU of 8000 or more, best 9000",
        "Small frames cost six times the packets, and 5 % of the line instead of 1 %.",
        f"{_ESNET}/network-tuning/mtu-issues/",
    ),
    Check(
        "nic.qdisc",
        "NIC",
        "warning",
        "fq, or mq with fq on every queue",
        "Without pacing, bursts at line rate overflow the buffers of switches and receivers.",
        _PACING,
    ),
    Check(
        "nic.slower_peer",
        "network",
        "info",
        "where an endpoint of the network has a slower NIC: fq with a `maxrate` of no more than its speed",
        "A fast host that feeds a slower one loses packets; pacing made such paths two to four times faster.",
        _PACING,
    ),
    Check(
        "nic.tx_queue_len",
        "NIC",
        "info",
        "a queue of 10000 packets up to 10G, 12000 for 25G, 18000 for 40G, 25000 from 100G",
        "A short queue drops what one large send hands over at once.",
        _OSG,
    ),
    Check(
        "nic.rings",
        "NIC",
        "warning",
        "rings at their maximum, but at most 8192; only `info` from kernel 6.11, where the advice no longer holds",
        "A small ring overflows while its CPU is busy, and the NIC drops.",
        _LINUX,
    ),
    Check(
        "nic.channels",
        "NIC",
        "warning",
        "as many channels as the NIC's node has cores, or as the NIC can",
        "Each channel is served by one CPU, so few channels leave cores idle.",
        _MELLANOX,
    ),
    Check(
        "nic.adaptive_rx",
        "NIC",
        "info",
        "adaptive interrupt coalescing for receiving",
        "The NIC then waits longer when much arrives, and less when little does.",
        _MELLANOX,
    ),
    Check(
        "nic.pause",
        "NIC",
        "info",
        "pause frames on, where no service uses RDMA",
        "A host that is late for a moment can ask the switch to wait instead of dropping; some drivers have it off.",
        _100G,
    ),
    Check(
        "nic.offloads",
        "NIC",
        "warning",
        "GRO, GSO, TSO and checksums in hardware",
        "Without them the CPU handles each packet by itself, and one core ends at a few Gb/s.",
        _LINUX,
    ),
    Check(
        "nic.lro",
        "NIC",
        "warning",
        "LRO off where containers are attached to the NIC",
        "It merges packets in a way that cannot be taken apart again, which breaks bridges and forwarding.",
        f"{_KERNEL}/networking/segmentation-offloads.html",
    ),
    Check(
        "nic.errors",
        "NIC",
        "warning",
        "no more than a few damaged frames: fewer than one a minute since boot",
        "Damaged frames come from fibres, optics or cables, and each one is a loss to TCP.",
        f"{_KERNEL}/networking/statistics.html",
    ),
    Check(
        "nic.drops",
        "NIC",
        "warning",
        "no more than a few packets that the NIC had no room for: fewer than one a minute since boot",
        "The host took packets too late; rings, interrupts or CPUs are the cause.",
        f"{_KERNEL}/networking/statistics.html",
    ),
    Check(
        "nic.irq_affinity",
        "NIC",
        "warning",
        "all interrupts on CPUs of the NIC's NUMA node",
        "Across sockets every packet goes through the link between them.",
        _IRQS,
    ),
    Check(
        "nic.irq_spread",
        "NIC",
        "warning",
        "interrupts spread over CPUs: no CPU has two while a local one has none",
        "A CPU with several queues becomes the limit while others idle.",
        _IRQS,
    ),
    Check(
        "nic.pcie_link",
        "NIC",
        "warning",
        "the PCIe link at the speed and width that card and slot both can",
        "A link that trained down has a fraction of its rate, often because the card sits badly.",
        _100G,
    ),
    Check(
        "nic.pcie_goodput",
        "NIC",
        "error",
        "what the PCIe link can carry (after encoding and packet headers at 256 bytes of payload) is at least the NIC's speed",
        "The slot is narrower than the network: no tuning gets more through it.",
        _100G,
    ),
    Check(
        "nic.pcie_shared",
        "NIC",
        "warning",
        "all data ports of one card together fit through its PCIe link",
        "Ports of a card share its slot, so they are not fast at the same time.",
        _100G,
    ),
)

_VFS = (
    Check(
        "sriov.able",
        "NIC",
        "error",
        "the interface of an `sriov` network is a physical function",
        "Without virtual functions its containers have nothing to be given.",
        _SRIOV_CNI,
    ),
    Check(
        "vf.trust",
        "VF",
        "warning",
        "trust on, where macvlan runs on a VF",
        "A VF that is not trusted takes few or no further MAC addresses, and macvlan children have their own.",
        _SRIOV_CNI,
    ),
    Check(
        "vf.spoofchk",
        "VF",
        "error",
        "spoof check off, where macvlan runs on a VF",
        "The NIC drops frames whose MAC is not the VF's, and those of macvlan children are not.",
        _SRIOV_CNI,
    ),
    Check(
        "vf.link_state",
        "VF",
        "error",
        "a VF that carries a network has the link state auto or enable",
        "A VF that is disabled in the PF's table has no carrier, whatever is done to its interface.",
        _SRIOV_CNI,
    ),
)

_CONTAINER_SYSCTL = "A new network namespace starts from the kernel's defaults and not from the host's tuning: "
_CONTAINER_SIDE = (
    Check(
        "container.tcp_rmem",
        "container",
        "error",
        "largest value of `net.ipv4.tcp_rmem` in the container's namespace, as for the host",
        "It was copied from the host when the container started; what is tuned later reaches only new ones.",
        _LINUX,
    ),
    Check(
        "container.tcp_wmem",
        "container",
        "error",
        "largest value of `net.ipv4.tcp_wmem` in the container's namespace, as for the host",
        "It was copied from the host when the container started; what is tuned later reaches only new ones.",
        _LINUX,
    ),
    Check(
        "container.tcp_mtu_probing",
        "container",
        "warning",
        "`net.ipv4.tcp_mtu_probing` is 1 or 2 in the container's namespace",
        f"{_CONTAINER_SYSCTL}a path that swallows ICMP makes its connections hang.",
        _IP_SYSCTL,
    ),
    Check(
        "container.tcp_no_metrics_save",
        "container",
        "info",
        "`net.ipv4.tcp_no_metrics_save` is 1 in the container's namespace",
        f"{_CONTAINER_SYSCTL}one bad transfer slows the next ones.",
        _IP_SYSCTL,
    ),
    Check(
        "container.tcp_slow_start_after_idle",
        "container",
        "info",
        "`net.ipv4.tcp_slow_start_after_idle` is 0 in the container's namespace",
        f"{_CONTAINER_SYSCTL}streams that waited start with a small window.",
        _IP_SYSCTL,
    ),
    Check(
        "container.tcp_timestamps",
        "container",
        "warning",
        "`net.ipv4.tcp_timestamps` is 1 or 2 in the container's namespace",
        "Somebody switched it off for this container, and sequence numbers wrap within seconds at high rates.",
        _IP_SYSCTL,
    ),
    Check(
        "container.tcp_sack",
        "container",
        "warning",
        "`net.ipv4.tcp_sack` is 1 in the container's namespace",
        "Somebody switched it off for this container, and one loss makes TCP send a whole window again.",
        _IP_SYSCTL,
    ),
    Check(
        "container.tcp_window_scaling",
        "container",
        "error",
        "`net.ipv4.tcp_window_scaling` is 1 in the container's namespace",
        "Somebody switched it off for this container, and a window has at most 64 KiB.",
        _IP_SYSCTL,
    ),
    Check(
        "container.congestion_control",
        "container",
        "info",
        "`net.ipv4.tcp_congestion_control` is cubic, bbr or htcp in the container's namespace",
        "It was copied from the host when the container started, and others recover too slowly on long fast paths.",
        _LINUX,
    ),
    Check(
        "container.mtu",
        "container",
        "error",
        "the interface on a network has the network's declared `mtu`",
        "A container with larger frames than its peers loses them; with smaller ones it is slow.",
        f"{_ESNET}/network-tuning/mtu-issues/",
    ),
    Check(
        "container.link",
        "container",
        "error",
        "the interface on a network is up",
        "It was switched off by hand or lost its parent, so nothing reaches the service.",
        _DOCKER_DRIVERS,
    ),
    Check(
        "container.bridge",
        "container",
        "warning",
        "data does not go over a bridge; only `info` up to 10G",
        "A bridge adds a veth pair and address translation to each packet's way, which shows above 10 Gb/s.",
        _CONTAINERS,
    ),
    Check(
        "container.cpus",
        "container",
        "warning",
        "pinned CPUs belong to the NUMA node of the service's NIC",
        "On the wrong socket a transfer can take twice as long at 40G and 100G.",
        _DTN,
    ),
    Check(
        "container.pinned",
        "container",
        "info",
        "on a host with several NUMA nodes a service with a data network is pinned to CPUs",
        "Otherwise the scheduler moves it between sockets, and rates differ from run to run.",
        _DTN,
    ),
    Check(
        "container.memory_nodes",
        "container",
        "warning",
        "memory comes from the NUMA node of the service's NIC",
        "Buffers on the other socket make each byte cross the link between them twice.",
        _DTN,
    ),
    Check(
        "container.irq_cpus",
        "container",
        "info",
        "pinned CPUs are not those that serve the NIC's interrupts",
        "Mover and interrupts then take turns on a CPU instead of working side by side.",
        _IRQS,
    ),
    Check(
        "container.memlock",
        "container",
        "error",
        "services with RDMA devices: memlock unlimited, or IPC_LOCK",
        "Memory for RDMA is pinned, and registering more than the limit fails.",
        "https://github.com/esnet/janus",
    ),
    Check(
        "container.nofile",
        "container",
        "warning",
        "at least 65536 open files",
        "Movers with many streams and files run out of descriptors in the middle of a transfer.",
        _DTN,
    ),
    Check(
        "container.memory",
        "container",
        "warning",
        "a memory limit of at least twice streams × largest TCP buffer, by the transfers that it carries",
        "Socket buffers count towards the limit, so a full window gets the container killed or its buffers shrunk.",
        f"{_KERNEL}/admin-guide/cgroup-v2.html",
    ),
    Check(
        "volume.path",
        "volume",
        "warning",
        "transfers read and write below a declared volume",
        "Anywhere else is the container's own layer: slow, and gone when the container is made anew.",
        "https://docs.docker.com/engine/storage/",
    ),
)

_RDMA_SIDE = (
    Check(
        "rdma.device",
        "container",
        "error",
        "a NIC of a service with RDMA devices has an RDMA device",
        "There is nothing that the service could open.",
        _MELLANOX,
    ),
    Check("rdma.port", "RDMA", "error", "its ports are ACTIVE", "Connections over a port that is not active fail.", _MELLANOX),
    Check(
        "rdma.gid",
        "RDMA",
        "error",
        "an Ethernet port has a `RoCE v2` GID",
        "Without one, RoCE cannot be routed, and peers that expect version 2 do not connect.",
        _MELLANOX,
    ),
    Check(
        "rdma.netns",
        "host",
        "error",
        "RDMA devices are shared between network namespaces, where a service that uses them has its own",
        "In exclusive mode a device stays in the host's namespace and the container cannot use it.",
        _RDMA_SYSTEM,
    ),
)

_CPUS = (
    Check(
        "cpu.governor",
        "host",
        "warning",
        "the governor `performance` on all CPUs",
        "Others let the clock fall between bursts, and a stream is limited by one core's clock.",
        _LINUX,
    ),
    Check(
        "cpu.turbo",
        "host",
        "warning",
        "turbo on",
        "A stream is limited by one core, which may run faster while others idle.",
        _100G,
    ),
    Check(
        "cpu.idle_states",
        "host",
        "info",
        "no idle state that takes more than 10 µs to leave",
        "Interrupts wait until the core is awake.",
        _100G,
    ),
    Check("cpu.smt", "host", "info", "SMT off", "Two threads of a core share what a stream needs for itself.", _100G),
    Check(
        "host.iommu",
        "host",
        "warning",
        "passthrough (`iommu=pt`) or off",
        "Translating each DMA address cost up to 40 % of the rate in tests.",
        _100G,
    ),
    Check(
        "host.irqbalance",
        "host",
        "warning",
        "irqbalance does not run",
        "It moves interrupts away from the CPUs that they were put on.",
        _IRQS,
    ),
    Check(
        "host.aspm",
        "host",
        "info",
        "PCIe power saving policy `performance`",
        "Links that sleep take time to wake up.",
        f"{_KERNEL}/admin-guide/kernel-parameters.html",
    ),
    Check(
        "host.huge_pages",
        "host",
        "info",
        "transparent huge pages `madvise` or `always`",
        "Movers that ask for large buffers get them in pages of 4 KiB otherwise.",
        f"{_KERNEL}/admin-guide/mm/transhuge.html",
    ),
    Check(
        "host.zone_reclaim",
        "host",
        "warning",
        "`vm.zone_reclaim_mode` is 0",
        "Otherwise a node throws its page cache away while the other one has free memory.",
        f"{_KERNEL}/admin-guide/sysctl/vm.html",
    ),
    Check(
        "host.numa_balancing",
        "host",
        "warning",
        "`kernel.numa_balancing` is 0",
        "It unmaps pages of pinned movers again and again to see who uses them.",
        f"{_KERNEL}/admin-guide/sysctl/kernel.html",
    ),
    Check(
        "host.dirty_background",
        "host",
        "info",
        "writing back starts early: `vm.dirty_background_bytes` is set, or `vm.dirty_background_ratio` is at most 5",
        "Otherwise gigabytes pile up in memory and then stop all writers at once.",
        f"{_KERNEL}/admin-guide/sysctl/vm.html",
    ),
    Check(
        "host.clock",
        "host",
        "warning",
        "the clock is synchronised",
        "Logs of two endpoints cannot be compared, and certificates seem not yet or no longer valid.",
        "https://man7.org/linux/man-pages/man2/adjtimex.2.html",
    ),
    Check(
        "host.engine",
        "host",
        "warning",
        "engine 20.10 or newer",
        "Older ones lack cgroup v2 and have not been mended for years.",
        "https://docs.docker.com/engine/release-notes/20.10/",
    ),
)

_DISKS = (
    Check(
        "disk.scheduler",
        "disk",
        "warning",
        "NVMe: scheduler `none`",
        "The drive orders its many queues itself; sorting before them costs CPU.",
        _DTN,
    ),
    Check(
        "disk.nr_requests",
        "disk",
        "info",
        "NVMe: `nr_requests` of at least 1023",
        "Fewer requests in flight do not keep a fast drive busy.",
        _DTN,
    ),
    Check(
        "disk.rq_affinity",
        "disk",
        "info",
        "NVMe: `rq_affinity` is 2",
        "Completions then run on the very core that asked.",
        f"{_KERNEL}/block/queue-sysfs.html",
    ),
    Check(
        "disk.read_ahead",
        "disk",
        "info",
        "`read_ahead_kb` of at least 4096",
        "Large files are read from end to end, and a short read-ahead waits for the drive at each step.",
        _DTN,
    ),
    Check(
        "disk.wbt",
        "disk",
        "info",
        "NVMe: `wbt_lat_usec` is 0",
        "It holds writes back to keep reads quick, which a receiver does not want.",
        f"{_KERNEL}/block/queue-sysfs.html",
    ),
    Check(
        "disk.pcie_link",
        "disk",
        "warning",
        "the PCIe link at the speed and width that drive and slot both can",
        "A link that trained down has a fraction of its rate.",
        _DTN_100G,
    ),
    Check(
        "disk.node",
        "disk",
        "info",
        "on the NUMA node of a NIC of the services that mount it",
        "Data from a drive on the other socket crosses the link between them on its way to the NIC.",
        _DTN_100G,
    ),
    Check(
        "disk.rate",
        "volume",
        "info",
        "the drives behind a volume can be read, by their PCIe links, as fast as the NIC of the services that mount it sends",
        "A transfer is no faster than its slowest part.",
        _DTN_100G,
    ),
    Check(
        "disk.filesystem",
        "volume",
        "info",
        "XFS, as far as the volume is on a local disk",
        "It writes large files with many streams better than others.",
        _DTN,
    ),
    Check(
        "disk.atime",
        "volume",
        "info",
        "mounted with `noatime`",
        "Otherwise reading a file also writes its inode.",
        _DTN,
    ),
    Check(
        "raid.level",
        "disk",
        "info",
        "raid0 or raid10",
        "Parity makes each small write a read and two writes, which limits a receiver.",
        _DTN_100G,
    ),
    Check(
        "raid.degraded",
        "disk",
        "error",
        "no member is missing",
        "The array is slow, and the next failure loses its data.",
        f"{_KERNEL}/admin-guide/md.html",
    ),
    Check(
        "raid.action",
        "disk",
        "warning",
        "neither resync nor recovery nor check is running",
        "They take their share of each member's rate until they end.",
        f"{_KERNEL}/admin-guide/md.html",
    ),
)

CATALOGUE = (*_NETWORK_STACK, *_NICS, *_VFS, *_CONTAINER_SIDE, *_RDMA_SIDE, *_CPUS, *_DISKS)
CHECKS: Mapping[str, Check] = MappingProxyType({check.id: check for check in CATALOGUE})


def check_id(value: str) -> str:
    """The value, if there is a check of that id."""
    if value not in CHECKS:
        raise ValueError(f"there is no check `{value}`; try {suggestion(value, CHECKS, '`dtnctl endpoints doctor --all-items`')}")
    return value
