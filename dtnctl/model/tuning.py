"""What an endpoint's `tuning:` can say, and what of it is set where: on the host by its agent, in containers by the engine. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dtnctl.model.fields import CpuListOrLocal, DeviceName, InterfaceName, Pace, SysctlName, SysctlValue, show_rate
from dtnctl.model.written import Written

# Those that exist and can be written in a new network namespace on kernels 6.1 and 6.18 (tried), as far as data transfer
# cares; the engine does not start a container that asks for another one.
PER_NAMESPACE = (
    "net.core.somaxconn",
    "net.ipv4.conf.all.*",
    "net.ipv4.conf.default.*",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_no_pmtu_disc",
    "net.ipv4.tcp_*",
    "net.ipv4.udp_rmem_min",
    "net.ipv4.udp_wmem_min",
)
HOST_ONLY = (
    "net.ipv4.tcp_allowed_congestion_control",
    "net.ipv4.tcp_low_latency",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_mem",
)

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class InterfaceTuning(Written):
    """One network interface of the host."""

    mtu: int | None = Field(None, ge=576, le=65535, description="Bytes; 9000 on data networks as a rule.")
    tx_queue_len: Count | None = Field(None, description="Packets that may wait to be sent.")
    rx_ring: Count | None = Field(None, description="Size of the ring that packets are received into.")
    tx_ring: Count | None = Field(None, description="Size of the ring that packets are sent from.")
    channels: Annotated[int, Field(ge=1, le=4096)] | None = Field(None, description="Queues of the NIC; at most one for each CPU near it.")
    qdisc: Literal["fq", "mq fq", "fq_codel", "mq fq_codel", "pfifo_fast", "mq pfifo_fast", "pfifo", "mq pfifo", "noqueue"] | None = Field(
        None, description="Queueing on the way out; `mq …` is one below each of the NIC's queues, else one for the whole NIC."
    )
    pacing: Pace | None = Field(None, description="Most that one flow may send, `20gbit`; needs fq.")
    adaptive_rx: bool | None = Field(None, description="Whether the driver chooses how long to wait for more packets.")
    pause: bool | None = Field(None, description="Ethernet flow control, both ways.")
    irqs: CpuListOrLocal | None = Field(
        None, description="Who takes the NIC's interrupts: `local`, the CPUs of its NUMA node, or a list of CPUs. One after another each."
    )

    @model_validator(mode="after")
    def _pacing_has_fq(self) -> InterfaceTuning:
        if self.pacing is not None and self.qdisc not in ("fq", "mq fq"):
            raise ValueError("pacing needs `qdisc: fq` or `qdisc: mq fq`")
        return self


class BlockTuning(Written):
    """The queue of a block device."""

    scheduler: Literal["none", "mq-deadline", "bfq", "kyber"] | None = Field(None, description="`none` for NVMe.")
    nr_requests: Count | None = Field(None, description="Requests that may wait.")
    read_ahead_kb: Count | None = Field(None, description="How far to read ahead, in KiB.")
    rq_affinity: Annotated[int, Field(ge=0, le=2)] | None = Field(None, description="2: a request completes on the CPU that sent it.")
    nomerges: Annotated[int, Field(ge=0, le=2)] | None = Field(None, description="2: requests are never merged.")


class Tuning(Written):
    """What dtnctl owns of the host's settings. What is not written here is left as it is; what is removed is restored as it was."""

    sysctls: dict[SysctlName, SysctlValue] = Field(default_factory=dict, description="Kernel parameters: `net.ipv4.tcp_mtu_probing: 1`.")
    interfaces: dict[InterfaceName, InterfaceTuning] = Field(default_factory=dict, description="Settings by network interface.")
    governor: Literal["performance", "powersave", "ondemand", "conservative", "schedutil", "userspace"] | None = Field(
        None, description="Frequency governor of all CPUs."
    )
    smt: bool | None = Field(None, description="Simultaneous multithreading.")
    huge_pages: Literal["always", "madvise", "never"] | None = Field(None, description="Transparent huge pages.")
    irqbalance: bool | None = Field(None, description="Whether the service irqbalance runs; it undoes `irqs`.")
    block: dict[DeviceName, BlockTuning] = Field(
        default_factory=dict, description="Settings by block device, or pattern: `nvme*n1`. Numbers of NVMe drives change between boots."
    )

    @model_validator(mode="after")
    def _interrupts_stay(self) -> Tuning:
        if self.irqbalance and any(interface.irqs for interface in self.interfaces.values()):
            raise ValueError("`irqbalance: true` moves the interrupts that `irqs` places")
        return self


def tuning_items(tuning: Tuning, block_devices: Iterable[str] = ()) -> Mapping[str, str]:
    """Every declared setting as the agent's keys and values, in an order in which none undoes an earlier one.

    Patterns of block devices stand for those of `block_devices` that fit; the first pattern that sets something wins.
    """
    return dict(_items(tuning, tuple(sorted(block_devices))))


def tuning_keys(tuning: Tuning) -> frozenset[str]:
    """The keys that the agent is asked for; a pattern of block devices stands for itself, the agent knows which fit."""
    return frozenset(tuning_items(tuning, tuning.block))


def container_sysctls(tuning: Tuning) -> Mapping[str, str]:
    """The declared sysctls that a network namespace has of its own: a container's are not the host's, and start untuned."""
    return {name: str(value) for name, value in sorted(tuning.sysctls.items()) if is_per_namespace(name)}


def is_per_namespace(sysctl: str) -> bool:
    """Whether each network namespace has its own, so that the engine can set it for a container."""
    if sysctl in HOST_ONLY or fnmatchcase(sysctl, "net.ipv4.tcp_available_*"):
        return False
    return any(fnmatchcase(sysctl, pattern) for pattern in PER_NAMESPACE)


def _items(tuning: Tuning, block_devices: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(tuning.sysctls.items()):
        yield f"sysctl/{name}", str(value)
    for name, setting in (("smt", _switch(tuning.smt)), ("governor", tuning.governor), ("huge_pages", tuning.huge_pages)):
        if setting is not None:
            yield name, setting
    if tuning.irqbalance is not None:
        yield "irqbalance", "on" if tuning.irqbalance else "off"
    yield from _block_items(tuning, block_devices)
    for name, interface in sorted(tuning.interfaces.items()):
        yield from ((f"interface/{name}/{what}", value) for what, value in _interface_items(interface) if value is not None)


def _block_items(tuning: Tuning, devices: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """A device's scheduler first: with another one the kernel resets nr_requests."""
    found: dict[str, str] = {}
    for pattern, block in tuning.block.items():
        names = tuple(name for name in devices if fnmatchcase(name, pattern)) if _is_pattern(pattern) else (pattern,)
        for device in names:
            for what in BlockTuning.model_fields:
                value = getattr(block, what)
                if value is not None:
                    found.setdefault(f"block/{device}/{what}", str(value))
    yield from sorted(found.items(), key=lambda item: (item[0].rpartition("/")[0], not item[0].endswith("/scheduler"), item[0]))


def _is_pattern(name: str) -> bool:
    return any(char in name for char in "*?")


def _interface_items(interface: InterfaceTuning) -> Iterator[tuple[str, str | None]]:
    """The number of queues first: the driver lays out rings, queueing and interrupts again for it."""
    for what in ("channels", "rx_ring", "tx_ring", "mtu", "tx_queue_len"):
        value = getattr(interface, what)
        yield what, None if value is None else str(value)
    yield "adaptive_rx", _switch(interface.adaptive_rx)
    yield "pause_rx", _switch(interface.pause)
    yield "pause_tx", _switch(interface.pause)
    pace = "" if interface.pacing is None else f" maxrate {show_rate(interface.pacing)}"
    yield "qdisc", None if interface.qdisc is None else interface.qdisc + pace
    yield "irqs", interface.irqs


def _switch(value: bool | None) -> str | None:
    return None if value is None else "on" if value else "off"
