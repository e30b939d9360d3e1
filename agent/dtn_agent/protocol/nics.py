"""What the probe finds of network interfaces, their virtual functions and their RDMA devices. What is not reported is None."""

from __future__ import annotations

from pydantic import Field

from dtn_agent.protocol.base import Reported


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
    `counters` are bytes, drops and errors since boot, by sysfs' names.
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
