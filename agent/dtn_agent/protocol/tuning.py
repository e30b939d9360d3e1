"""Settings of the host: which are set and restored, and what the ledger has of that."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from dtn_agent.protocol.base import ONE_LINE, HeldEntry, Name, Requested

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
    site: Name
    key: Annotated[str, Field(pattern=r"^[a-z_]+(/[A-Za-z0-9_.:@-]+){0,2}$", max_length=120)]
    value: Annotated[str, Field(pattern=ONE_LINE, max_length=200)]


class Untune(Requested):
    """Restore what the setting was, and forget it."""

    do: Literal["untune"] = "untune"
    site: Name
    key: Annotated[str, Field(max_length=120)]


class HeldTuning(HeldEntry):
    """A setting of the host that we own. `found` is what it was before (None: it was not set), to be restored."""

    key: str
    found: str | None
    wanted: str
    now: str | None
    site: str

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.key,)

    @property
    def rank(self) -> tuple[str | int, ...]:
        return (self.key,)


TuneRequest: TypeAlias = Tune | Untune
