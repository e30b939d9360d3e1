"""What the probe finds on one host. What the kernel does not report is None, never a guess."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dtn_agent.protocol.base import Reported
from dtn_agent.protocol.nics import Interface, PcieLink, RdmaDevice
from dtn_agent.protocol.volumes import NvmeFacts

# What `dtnctl endpoints doctor` judges: the host's own, and of those that exist in it each container's network namespace.
TRANSFER_SYSCTLS = (
    "kernel.numa_balancing",
    "net.core.default_qdisc",
    "net.core.netdev_max_backlog",
    "net.core.optmem_max",
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_no_metrics_save",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_wmem",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "vm.dirty_background_bytes",
    "vm.dirty_background_ratio",
    "vm.zone_reclaim_mode",
)


# --- facts: processors and memory -----------------------------------------------------------------------------------


class HugePages(Reported):
    """A pool of huge pages of one size; `size` in bytes."""

    size: int
    total: int
    free: int


class NumaNode(Reported):
    """`distances` to the nodes in their order, itself included; 10 is local (ACPI SLIT)."""

    node: int
    cpus: str
    memory: int | None = None
    memory_free: int | None = None
    distances: tuple[int, ...] = ()
    huge_pages: tuple[HugePages, ...] = ()


class IdleState(Reported):
    """A C-state. `latency` is the time to leave it, in microseconds; `disabled` if it is on any CPU that has it."""

    name: str
    latency: int | None = None
    disabled: bool


class Cpus(Reported):
    """`online` is the list of logical CPUs. `governors`, `smt` and `turbo` are None or empty where the kernel has no such file (VMs)."""

    model: str | None = None
    sockets: int | None = None
    cores: int | None = None
    logical: int = 0
    online: str = ""
    isolated: str = ""
    smt: bool | None = None
    turbo: bool | None = None
    governors: tuple[str, ...] = ()
    idle_states: tuple[IdleState, ...] = ()
    numa: tuple[NumaNode, ...] = ()


class Memory(Reported):
    total: int
    available: int


# --- facts: devices -------------------------------------------------------------------------------------------------


class Mounted(Reported):
    """Where a block device, or one above it, is mounted."""

    target: str
    filesystem: str
    options: tuple[str, ...] = ()


class BlockDevice(Reported):
    """`scheduler` is the active one of `schedulers`. `holders` are devices above it (md, dm). `transport` is nvme, pcie, tcp, rdma, sata …

    `settings` are files of `queue/` by name: nr_requests, read_ahead_kb, rq_affinity, nomerges, wbt_lat_usec, write_cache …, and those
    of an array as `md/level`, `md/sync_action` … A disk that is reached by several functions or over a network has no NUMA node.
    """

    name: str
    size: int
    model: str = ""
    numa_node: int | None = None
    rotational: bool | None = None
    scheduler: str | None = None
    schedulers: tuple[str, ...] = ()
    transport: str = ""
    mounts: tuple[Mounted, ...] = ()
    holders: tuple[str, ...] = ()
    pcie: PcieLink | None = None
    settings: dict[str, str] = Field(default_factory=dict)


# --- facts: containers ----------------------------------------------------------------------------------------------


class ContainerInterface(Reported):
    """An interface in a container's own network namespace, without `lo`. `qdisc` is the kind of its root queueing discipline."""

    name: str
    mtu: int = 0
    qdisc: str = ""
    is_up: bool = False
    addresses: tuple[str, ...] = ()  # with prefix length


class ContainerNet(Reported):
    """What a running container sees in a network namespace of its own; those on the host's network are not listed.

    `name` is empty where only the id is known. `sysctls` are those of TRANSFER_SYSCTLS that exist in its namespace. `limits` are
    the soft limits of its first process by ulimit's names (memlock, nofile); -1 is unlimited. `rdma` are the devices whose device
    file it has, as its namespace sees them: GIDs differ inside and outside.
    """

    id: str
    name: str = ""
    sysctls: dict[str, str] = Field(default_factory=dict)
    interfaces: tuple[ContainerInterface, ...] = ()
    limits: dict[str, int] = Field(default_factory=dict)
    rdma: tuple[RdmaDevice, ...] = ()


# --- facts: the system ----------------------------------------------------------------------------------------------


class Listener(Reported):
    """A port that something listens on in the host's network namespace.

    `container` is the id of the container whose process it is; empty for a plain process, and for the engine's proxy of a published
    port, whose `process` is `docker-proxy`: nothing of it names its container. A socket of the kernel's own has no process.
    """

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    process: str = ""
    container: str = ""


class System(Reported):
    """`iommu` is None where the kernel does not say; `passthrough`, `translated` or `off`. `clock_synchronized` by adjtimex.

    `rdma_netns` is `shared` or `exclusive`, None without RDMA. `huge_pages` is the mode of transparent ones.
    """

    hostname: str
    kernel: str
    boot_id: str = ""
    machine: str = ""
    virtualization: str = ""  # kvm, qemu, docker … by systemd's names; empty on bare metal or where unknown
    command_line: str = ""
    iommu: Literal["off", "translated", "passthrough"] | None = None
    irqbalance: bool | None = None
    clock_synchronized: bool | None = None
    huge_pages: str | None = None
    aspm: str | None = None
    rdma_netns: Literal["shared", "exclusive"] | None = None
    uptime: float = 0.0


class Facts(Reported):
    """Everything that the probe finds on one host. `sysctls` are those that matter to data transfer, by dotted name."""

    system: System
    cpus: Cpus
    memory: Memory
    interfaces: tuple[Interface, ...] = ()
    rdma: tuple[RdmaDevice, ...] = ()
    block_devices: tuple[BlockDevice, ...] = ()
    listeners: tuple[Listener, ...] = ()
    sysctls: dict[str, str] = Field(default_factory=dict)
    containers: tuple[ContainerNet, ...] = ()
    nvme: NvmeFacts | None = None  # None: an older agent
