"""What the agent can be asked to do: POST /v1/perform takes one of these. Each is idempotent."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from dtn_agent.protocol.base import ANY_MAC, INTERFACE_NAME, ONE_LINE, STATE_NAME, Requested
from dtn_agent.protocol.volumes import ExportRequest, VolumeRequest

Pf: TypeAlias = Annotated[str, Field(pattern=INTERFACE_NAME)]
Index: TypeAlias = Annotated[int, Field(ge=0, le=4095)]
Site: TypeAlias = Annotated[str, Field(pattern=STATE_NAME)]


class SetVfCount(Requested):
    """Set the number of VFs on this PF. Only from 0, or from a number that we set while none of them is in use; else it is refused.

    `count` 0 restores the PF as it was found.
    """

    do: Literal["set-vf-count"] = "set-vf-count"
    site: Site
    pf: Pf
    count: Index


class ConfigureVf(Requested):
    """Take the VF for this owner and give it these settings; what it was like is remembered. Refused if another owner has it."""

    do: Literal["configure-vf"] = "configure-vf"
    site: Site
    session: Site
    network: Site
    pf: Pf
    index: Index
    mac: Annotated[str, Field(pattern=ANY_MAC)] | None = None
    vlan: Annotated[int, Field(ge=0, le=4094)] | None = None
    vlan_priority: Annotated[int, Field(ge=0, le=7)] | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: Annotated[int, Field(ge=0)] | None = None
    max_rate: Annotated[int, Field(ge=0)] | None = None
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None


class ReleaseVf(Requested):
    """Release the VF and restore it as it was found. Not ours (any more) is success; refused while its interface is in a container."""

    do: Literal["release-vf"] = "release-vf"
    site: Site
    pf: Pf
    index: Index


class MakeVlan(Requested):
    """Make the sub-interface PARENT.VLAN (802.1Q), up; one that is there and not ours is used as it is and never removed."""

    do: Literal["make-vlan"] = "make-vlan"
    site: Site
    parent: Pf
    vlan: Annotated[int, Field(ge=1, le=4094)]
    mtu: Annotated[int, Field(ge=68, le=65535)] | None = None


class RemoveVlan(Requested):
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


class Tune(Requested):
    """Set one setting of the host; what it was is remembered once, and restored by Untune and never otherwise.

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


class Untune(Requested):
    """Restore what the setting was, and forget it."""

    do: Literal["untune"] = "untune"
    site: Site
    key: Annotated[str, Field(max_length=120)]


class SetQos(Requested):
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


class ClearQos(Requested):
    """Restore the interface's queueing, and forget ours. A container that is gone is success."""

    do: Literal["clear-qos"] = "clear-qos"
    site: Site
    container: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$")]


VfRequest: TypeAlias = SetVfCount | ConfigureVf | ReleaseVf
VlanRequest: TypeAlias = MakeVlan | RemoveVlan
TuneRequest: TypeAlias = Tune | Untune
QosRequest: TypeAlias = SetQos | ClearQos
Request: TypeAlias = Annotated[
    VfRequest | VlanRequest | TuneRequest | QosRequest | ExportRequest | VolumeRequest, Field(discriminator="do")
]
