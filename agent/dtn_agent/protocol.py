"""What dtnctl and the agent say to each other, as values. Pure: no I/O. dtnctl imports nothing else of the agent.

Everything that the kernel does not tell is None, never a guess; an empty text or tuple is "there is none". Sizes in bytes, link
speeds and rates in Mb/s, times in seconds unless a name says otherwise. CPU lists are written as the kernel writes them: `0-3,8`.
Tuples are in the order of names, numbers or addresses, so that equal hosts give equal bytes.

Answers are read leniently (a newer agent may tell more), requests strictly (what the agent does not understand it refuses).
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL_VERSION = 2  # 2: unknown settings of functions are null; SetQos takes the place of what another network had
NETWORK_DRIVER = "dtnctl"  # the name of the agent's network driver at the container engine
ANY_MAC = r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$"
PCI_ADDRESS = r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$"
INTERFACE_NAME = r"^[A-Za-z0-9_.:@-]{1,15}$"  # what the kernel takes; no slash, so no path
ONE_LINE = r"^[\t\x20-\x7e]*$"
STATE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"

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


class Told(BaseModel):
    """Base of everything that the agent tells."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Asked(BaseModel):
    """Base of everything that the agent is asked to do."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


# --- facts: processors and memory -----------------------------------------------------------------------------------


class HugePages(Told):
    """A pool of huge pages of one size; `size` in bytes."""

    size: int
    total: int
    free: int


class NumaNode(Told):
    """`distances` to the nodes in their order, itself included; 10 is local (ACPI SLIT)."""

    node: int
    cpus: str
    memory: int | None = None
    memory_free: int | None = None
    distances: tuple[int, ...] = ()
    huge_pages: tuple[HugePages, ...] = ()


class IdleState(Told):
    """A C-state. `latency` is the time to leave it, in microseconds; `disabled` if it is on any CPU that has it."""

    name: str
    latency: int | None = None
    disabled: bool


class Cpus(Told):
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


class Memory(Told):
    total: int
    available: int


# --- facts: devices -------------------------------------------------------------------------------------------------


class PcieLink(Told):
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


class Vf(Told):
    """One virtual function. `netdev` is its interface in the host's own network namespace; empty if it is elsewhere or has no driver.

    `mac`, `vlan` (0: none) … are the settings in the physical function's table, not those of the interface.
    `holder`: who has it by the agent's ledger (`SITE/SESSION`), `another namespace` when its interface is gone from the host
    and nobody has it by the ledger, the driver's name (`vfio-pci`) when that gives it to a virtual machine or a program, empty
    when it is free. A free one may have no interface: without a driver, or while the driver has not made it yet.
    """

    index: int
    pci: str
    netdev: str = ""
    driver: str = ""
    mac: str = ""
    vlan: int | None = None
    qos: int | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: int | None = None
    max_rate: int | None = None
    link_state: str = ""
    iommu_group: int | None = None
    rdma: str = ""
    holder: str = ""


class Sriov(Told):
    """A physical function. Virtual function i has the PCI address of the PF plus `offset + i * stride`, also before it exists."""

    total: int
    current: int
    offset: int | None = None
    stride: int | None = None
    autoprobe: bool | None = None
    vfs: tuple[Vf, ...] = ()


class Rings(Told):
    rx: int
    tx: int
    rx_max: int
    tx_max: int


class Channels(Told):
    combined: int
    combined_max: int
    rx: int = 0
    tx: int = 0


class OffloadSizes(Told):
    """The largest packets in bytes that the kernel makes (`gso`) and merges (`gro`) for one pass through its stack, beyond 65536: BIG TCP.

    Without a name for IPv6, and on kernels that have no sizes of its own for IPv4 (before 6.3) for both. `tso` is what the driver takes.
    """

    gso: int | None = None
    gro: int | None = None
    gso_ipv4: int | None = None
    gro_ipv4: int | None = None
    tso: int | None = None


class Qdisc(Told):
    """`options` in `tc`'s words, such as `maxrate 20000mbit`: the rate of fq and tbf, the delay, loss, corruption and rate of netem.

    Empty when there is none of these, and for other kinds. `parent` as tc: root, or a handle.
    """

    kind: str
    handle: str
    parent: str
    options: str = ""


class Irq(Told):
    number: int
    cpus: str  # the effective affinity; the wanted one where the kernel tells no effective one


class Interface(Told):
    """One network interface of the host's network namespace, without `lo`.

    `kind` is the kernel's (vlan, macvlan, bridge, veth, bond …), empty for a device. `parent` is what a vlan or macvlan sits on,
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


class Gid(Told):
    """`type` is the kernel's: `RoCE v2`, `IB/RoCE v1`."""

    index: int
    gid: str
    type: str = ""
    netdev: str = ""


class RdmaPort(Told):
    """`rate` in Gb/s. `state` without its number: ACTIVE, DOWN, INIT."""

    port: int
    state: str
    link_layer: str = ""
    rate: float | None = None
    gids: tuple[Gid, ...] = ()


class RdmaDevice(Told):
    """`uverbs` is the device file's name, `uverbs0`. `netdev` is the interface that it belongs to, `pci` the function."""

    name: str
    uverbs: str = ""
    netdev: str = ""
    pci: str = ""
    node_guid: str = ""
    ports: tuple[RdmaPort, ...] = ()


class Mounted(Told):
    """Where a block device, or one above it, is mounted."""

    target: str
    filesystem: str
    options: tuple[str, ...] = ()


class BlockDevice(Told):
    """`scheduler` is the active one of `schedulers`. `holders` are devices above it (md, dm). `transport` is nvme, pcie, tcp, rdma, sata …

    `settings` are files of `queue/` by name: nr_requests, read_ahead_kb, rq_affinity, nomerges, wbt_lat_usec, write_cache …, and those
    of an array as `md/level`, `md/sync_action` … A disk that is reached by several functions or over a network sits nowhere.
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


class ContainerInterface(Told):
    """An interface in a container's own network namespace, without `lo`. `qdisc` is the kind of its root queueing discipline."""

    name: str
    mtu: int = 0
    qdisc: str = ""
    is_up: bool = False
    addresses: tuple[str, ...] = ()  # with prefix length


class ContainerNet(Told):
    """What a running container sees in a network namespace of its own; those on the host's network are not listed.

    `name` is empty where only the id is known. `sysctls` are those of TRANSFER_SYSCTLS that exist in its namespace. `limits` are
    the soft limits of its first process by ulimit's names (memlock, nofile); -1 is unlimited. `rdma` are the devices whose device
    file it has, as its namespace sees them: GIDs are told differently inside and outside.
    """

    id: str
    name: str = ""
    sysctls: dict[str, str] = Field(default_factory=dict)
    interfaces: tuple[ContainerInterface, ...] = ()
    limits: dict[str, int] = Field(default_factory=dict)
    rdma: tuple[RdmaDevice, ...] = ()


# --- facts: the system ----------------------------------------------------------------------------------------------


class Listener(Told):
    """A port that something listens on in the host's network namespace.

    `container` is the id of the container whose process it is; empty for a plain process, and for the engine's proxy of a published
    port, whose `process` is `docker-proxy`: nothing of it tells which container it is for. A socket of the kernel's own has no process.
    """

    protocol: Literal["tcp", "udp"]
    address: str
    port: int
    process: str = ""
    container: str = ""


class System(Told):
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


class Facts(Told):
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


# --- what the agent keeps (its ledger) ------------------------------------------------------------------------------


class Owner(Told):
    """Who asked for something. `network` is empty where the thing is not one of a network."""

    site: str
    session: str = ""
    network: str = ""


class VfSettings(Told):
    """The settings of a virtual function in its PF's table, and its interface's MTU. None: left as it is."""

    mac: str | None = None
    vlan: int | None = None
    qos: int | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: int | None = None
    max_rate: int | None = None
    mtu: int | None = None


class HeldPf(Told):
    """A PF whose number of VFs we changed. `found` is what it was before."""

    interface: str
    pci: str
    found: int
    wanted: int
    site: str


class FoundInterface(Told):
    """A VF's interface on the host as it was found. `mac` is its own, not the one in the PF's table. `boot`: when it had this name."""

    name: str
    mac: str
    is_up: bool
    boot: str = ""


class HeldVf(Told):
    """A VF that somebody has. `found` is how it was, `wanted` how it was asked for; `now` what the kernel says of the same settings.

    `written` are the settings that we ever wrote: what is not among them is not put back either. `raised_pf`: the PF was down, and
    goes down again with the last VF that somebody has.
    """

    pf: str
    pf_pci: str
    index: int
    pci: str
    owner: Owner
    found: VfSettings
    wanted: VfSettings
    now: VfSettings | None = None
    interface: FoundInterface | None = None
    written: tuple[str, ...] = ()
    raised_pf: bool = False


class HeldNetwork(Told):
    """A network of our driver at the container engine, which tells its options once, when the network is made.

    `gateways` are those that containers get (IPv4, IPv6; empty: none).
    """

    id: str
    pf: str
    mtu: int | None = None
    gateways: tuple[str, str] = ("", "")


class HeldEndpoint(Told):
    """A container's place on such a network, by the engine's ids, and the VF that it was made for."""

    id: str
    network: str
    vf: str


class HeldVlan(Told):
    """A VLAN sub-interface that the agent made."""

    name: str
    parent: str
    vlan: int
    mtu: int | None
    site: str


class HeldTuning(Told):
    """A setting of the host that we own. `found` is what it was before (None: it was not set), to be put back."""

    key: str
    found: str | None
    wanted: str
    now: str | None
    site: str


class QosSettings(Told):
    """What happens to packets that a service sends. Rates in kbit/s, times in ms, shares in percent.

    `rate` shapes everything that it sends (tbf, or netem's own); `pacing` paces each of its flows (fq maxrate). `ports` limits delay, loss,
    corruption and reordering to packets to these TCP or UDP ports, `destinations` limits that and the pacing to packets to these addresses
    and networks; empty: all packets.
    """

    rate: int | None = None
    pacing: int | None = None
    delay: float | None = None
    jitter: float | None = None
    loss: float | None = None
    corrupt: float | None = None
    reorder: float | None = None
    ports: tuple[int, ...] = ()
    destinations: tuple[str, ...] = ()


class HeldQos(Told):
    """QoS of one container's interface. `now` is None while the container does not run, or when its queueing is not as asked for.

    `found` is the queueing before ours, in the words of a tuned qdisc; None: the kernel's own, which comes back by itself.
    """

    container: str
    owner: Owner
    address: str
    wanted: QosSettings
    now: QosSettings | None
    found: str | None = None


class Held(Told):
    """Everything in the agent's ledger, of all sites. `pfs` are in the order in which they got their functions."""

    pfs: tuple[HeldPf, ...] = ()
    vfs: tuple[HeldVf, ...] = ()
    vlans: tuple[HeldVlan, ...] = ()
    tuning: tuple[HeldTuning, ...] = ()
    qos: tuple[HeldQos, ...] = ()
    networks: tuple[HeldNetwork, ...] = ()
    endpoints: tuple[HeldEndpoint, ...] = ()


class Ability(Told):
    """Something that the agent can do here, or why it cannot: `vf`, `vlan`, `tune`, `netem`, `tbf`, `fq`, `driver` …"""

    name: str
    lacks: str = ""  # why not; empty if it can


class Host(Told):
    """The answer to GET /v1/host. `readings` are the values of the tuning keys that were asked for; None: there is no such thing here."""

    version: int
    agent: str
    facts: Facts
    held: Held = Held()
    abilities: tuple[Ability, ...] = ()
    readings: dict[str, str | None] = Field(default_factory=dict)

    def lacks(self, ability: str) -> str:
        """Why the agent cannot do this here; empty if it can."""
        found = {item.name: item.lacks for item in self.abilities}
        return found.get(ability, "this agent does not know how")


# --- requests: POST /v1/perform, one of these, idempotent -----------------------------------------------------------

Pf: TypeAlias = Annotated[str, Field(pattern=INTERFACE_NAME)]
Index: TypeAlias = Annotated[int, Field(ge=0, le=4095)]
Site: TypeAlias = Annotated[str, Field(pattern=STATE_NAME)]


class SetVfCount(Asked):
    """Make this PF have so many VFs. Only from 0, or from a number that we set while nobody has one of them; else it is refused.

    `count` 0 gives the PF back as it was found.
    """

    do: Literal["set-vf-count"] = "set-vf-count"
    site: Site
    pf: Pf
    count: Index


class ConfigureVf(Asked):
    """Take the VF for this owner and give it these settings; what it was like is remembered. Refused if somebody else has it."""

    do: Literal["configure-vf"] = "configure-vf"
    site: Site
    session: Site
    network: Site
    pf: Pf
    index: Index
    mac: Annotated[str, Field(pattern=ANY_MAC)] | None = None
    vlan: Annotated[int, Field(ge=0, le=4094)] | None = None
    qos: Annotated[int, Field(ge=0, le=7)] | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: Annotated[int, Field(ge=0)] | None = None
    max_rate: Annotated[int, Field(ge=0)] | None = None
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None


class ReleaseVf(Asked):
    """Give the VF back as it was found. Not ours (any more) is success; refused while its interface is in a container."""

    do: Literal["release-vf"] = "release-vf"
    site: Site
    pf: Pf
    index: Index


class MakeVlan(Asked):
    """Make the sub-interface PARENT.VLAN (802.1Q), up; one that is there and not ours is used as it is and never removed."""

    do: Literal["make-vlan"] = "make-vlan"
    site: Site
    parent: Pf
    vlan: Annotated[int, Field(ge=1, le=4094)]
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None


class RemoveVlan(Asked):
    """Remove it if we made it."""

    do: Literal["remove-vlan"] = "remove-vlan"
    site: Site
    parent: Pf
    vlan: Annotated[int, Field(ge=1, le=4094)]


TUNABLE_SYSCTLS = (
    "fs.aio-max-nr",
    "fs.file-max",
    "fs.nr_open",
    "kernel.nmi_watchdog",
    "kernel.numa_balancing",
    "kernel.sched_*",
    "kernel.timer_migration",
    "net.*",
    "vm.dirty_*",
    "vm.max_map_count",
    "vm.min_free_kbytes",
    "vm.nr_hugepages",
    "vm.swappiness",
    "vm.vfs_cache_pressure",
    "vm.zone_reclaim_mode",
)  # patterns; every other one is refused, for some would run programs as root


class Tune(Asked):
    """Set one setting of the host; what it was is remembered once, and put back by Untune and never otherwise.

    Keys are `sysctl/NAME`, `interface/NAME/mtu|tx_queue_len|rx_ring|tx_ring|channels|qdisc|adaptive_rx|pause_rx|pause_tx`,
    `interface/NAME/irqs` (value `local`, or a CPU list), `governor`, `smt`, `huge_pages` (transparent), `irqbalance` (on, off),
    `block/NAME/scheduler|nr_requests|read_ahead_kb|rq_affinity|nomerges`.

    Values are kept and read in one normal form, so that equal settings are equal texts: words of a sysctl with one space between
    them; `on` and `off`; CPU lists as the kernel writes them; `qdisc` as `[mq ]KIND[ maxrate RATE]`, where `mq KIND` is one below each
    transmit queue and KIND alone one for the whole NIC, and RATE is in the largest of mbit, kbit, bit that leaves no fraction.
    KIND is fq, fq_codel, pfifo, pfifo_fast or noqueue. In a sysctl's name, a dot of an interface's name is written as a slash.
    """

    do: Literal["tune"] = "tune"
    site: Site
    key: Annotated[str, Field(pattern=r"^[a-z_]+(/[A-Za-z0-9_.:@-]+){0,2}$", max_length=120)]
    value: Annotated[str, Field(pattern=ONE_LINE, max_length=200)]


class Untune(Asked):
    """Put back what the setting was, and forget it."""

    do: Literal["untune"] = "untune"
    site: Site
    key: Annotated[str, Field(max_length=120)]


class SetQos(Asked):
    """Shape what a container sends from the interface with this address; kept over restarts of the container and the agent.

    What this site had asked for on another network of the container is undone.
    """

    do: Literal["set-qos"] = "set-qos"
    site: Site
    session: Site
    network: Site
    container: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$")]
    address: Annotated[str, Field(pattern=r"^[0-9a-f.:]{2,39}$")]
    rate: Annotated[int, Field(ge=1)] | None = None
    pacing: Annotated[int, Field(ge=1)] | None = None
    delay: Annotated[float, Field(ge=0, le=60_000)] | None = None
    jitter: Annotated[float, Field(ge=0, le=60_000)] | None = None
    loss: Annotated[float, Field(ge=0, le=100)] | None = None
    corrupt: Annotated[float, Field(ge=0, le=100)] | None = None
    reorder: Annotated[float, Field(ge=0, le=100)] | None = None
    ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], Field(strict=False, max_length=32)] = ()
    destinations: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f.:]{2,39}(/[0-9]{1,3})?$")], ...], Field(strict=False, max_length=16)
    ] = ()


class ClearQos(Asked):
    """Put the interface's queueing back as it was, and forget it. A container that is gone is success."""

    do: Literal["clear-qos"] = "clear-qos"
    site: Site
    container: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$")]


Request: TypeAlias = Annotated[
    SetVfCount | ConfigureVf | ReleaseVf | MakeVlan | RemoveVlan | Tune | Untune | SetQos | ClearQos,
    Field(discriminator="do"),
]


class Done(Told):
    """The answer to a request that succeeded. `changed` is False when everything was so already."""

    changed: bool
    detail: str = ""


class Refused(Told):
    """The body of every answer but 200. `error` is a sentence for a person; `code` is for programs."""

    code: Literal["bad-request", "unauthorized", "not-found", "conflict", "unsupported", "too-large", "busy", "failed"]
    error: str
