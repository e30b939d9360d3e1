"""What the probe finds on one host. What the kernel does not report is None, never a guess."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dtn_agent.protocol.base import Reported

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


class PcieLink(Reported):
    """A PCIe link now and at most; speeds in GT/s. `slot_*` are what the port above it can do, the true limit of the card's place.

    `payload` is how many bytes of data a packet may carry, `payload_max` what the function and every port above it can;
    `read_request` is how many bytes the function may ask for at once. Only root can read these three.
    """

    speed: float | None = None
    width: int | None = None
    max_speed: float | None = None
    max_width: int | None = None
    slot_speed: float | None = None
    slot_width: int | None = None
    payload: int | None = None
    payload_max: int | None = None
    read_request: int | None = None


class Vf(Reported):
    """One virtual function. `netdev` is its interface in the host's own network namespace; empty if it is in another one or has no driver.

    `mac`, `vlan` (0: none) … are the settings in the physical function's table, not those of the interface.
    `holder`: who has it by the agent's ledger (`SITE/SESSION`), `another namespace` when its interface is gone from the host
    and it is free by the ledger, the driver's name (`vfio-pci`) when that gives it to a virtual machine or a program, empty
    when it is free. A free one may have no interface: without a driver, or while the driver has not made it yet.
    """

    index: int
    pci: str
    netdev: str = ""
    driver: str = ""
    mac: str = ""
    vlan: int | None = None
    vlan_priority: int | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: int | None = None
    max_rate: int | None = None
    link_state: str = ""
    iommu_group: int | None = None
    rdma: str = ""
    holder: str = ""


class Sriov(Reported):
    """A physical function. Virtual function i has the PCI address of the PF plus `offset + i * stride`, also before it exists."""

    total: int
    current: int
    offset: int | None = None
    stride: int | None = None
    autoprobe: bool | None = None
    vfs: tuple[Vf, ...] = ()


class Rings(Reported):
    rx: int
    tx: int
    rx_max: int
    tx_max: int


class Channels(Reported):
    combined: int
    combined_max: int
    rx: int = 0
    tx: int = 0


class OffloadSizes(Reported):
    """The largest packets in bytes that the kernel makes (`gso`) and merges (`gro`) for one pass through its stack, beyond 65536: BIG TCP.

    Without a name for IPv6, and on kernels that have no sizes of its own for IPv4 (before 6.3) for both. `tso` is what the driver takes.
    """

    gso: int | None = None
    gro: int | None = None
    gso_ipv4: int | None = None
    gro_ipv4: int | None = None
    tso: int | None = None


class Qdisc(Reported):
    """`options` in `tc`'s words, such as `maxrate 20000mbit`: the rate of fq and tbf, the delay, loss, corruption and rate of netem.

    Empty when there is none of these, and for other kinds. `parent` as tc: root, or a handle.
    """

    kind: str
    handle: str
    parent: str
    options: str = ""


class Irq(Reported):
    number: int
    cpus: str  # the effective affinity; the wanted one where the kernel reports no effective one


class Interface(Reported):
    """One network interface of the host's network namespace, without `lo`.

    `kind` is the kernel's (vlan, macvlan, bridge, veth, bond …), empty for a device. `parent` is the interface below a vlan or macvlan,
    `master` the bridge or bond that it is in. `physfn` is the PCI address of its PF if it is a VF. `local_cpus` are those of its
    NUMA node. `permanent_mac` is the hardware's own. `features` are the offloads that are on, by the kernel's names, which are finer
    than ethtool's words: `rx-gro`, `rx-lro`, `tx-tcp-segmentation`, `tx-checksum-ip-generic`. `carrier` is None while it is not up.
    `rps` and `xps` are the CPUs that the kernel steers each receive and send queue to, in the queues' order; an empty text: none.
    `counters` are drops and errors since boot, by sysfs' names.
    """

    name: str
    index: int
    alias: str = ""
    mac: str = ""
    permanent_mac: str | None = None
    addresses: tuple[str, ...] = ()  # with prefix length
    mtu: int = 0
    max_mtu: int | None = None
    is_up: bool = False
    carrier: bool | None = None
    speed: int | None = None
    duplex: str | None = None
    kind: str = ""
    parent: str = ""
    vlan: int | None = None
    master: str = ""
    driver: str = ""
    firmware: str | None = None
    pci: str = ""
    physfn: str = ""
    numa_node: int | None = None
    local_cpus: str = ""
    qdiscs: tuple[Qdisc, ...] = ()
    tx_queue_len: int | None = None
    rings: Rings | None = None
    channels: Channels | None = None
    offload_sizes: OffloadSizes | None = None
    adaptive_rx: bool | None = None
    pause_rx: bool | None = None
    pause_tx: bool | None = None
    features: tuple[str, ...] | None = None
    irqs: tuple[Irq, ...] = ()
    rps: tuple[str, ...] | None = None
    xps: tuple[str, ...] | None = None
    pcie: PcieLink | None = None
    sriov: Sriov | None = None
    counters: dict[str, int] = Field(default_factory=dict)


class Gid(Reported):
    """`type` is the kernel's: `RoCE v2`, `IB/RoCE v1`."""

    index: int
    gid: str
    type: str = ""
    netdev: str = ""


class RdmaPort(Reported):
    """`rate` in Gb/s. `state` without its number: ACTIVE, DOWN, INIT."""

    port: int
    state: str
    link_layer: str = ""
    rate: float | None = None
    gids: tuple[Gid, ...] = ()


class RdmaDevice(Reported):
    """`uverbs` is the device file's name, `uverbs0`. `netdev` is the interface that it belongs to, `pci` the function."""

    name: str
    uverbs: str = ""
    netdev: str = ""
    pci: str = ""
    node_guid: str = ""
    ports: tuple[RdmaPort, ...] = ()


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
