"""A host made of files, with the settings that a DTN has: two sockets, a NIC near the second, an NVMe drive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PosixPath

from dtn_agent.ledger import Ledger
from dtn_agent.tuning.tune import HostTuning

FILES: Mapping[str, str] = {
    "proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t6291456",
    "proc/sys/net/ipv4/tcp_mtu_probing": "0",
    "proc/sys/net/ipv4/conf/ens1f0.222/rp_filter": "2",
    "proc/sys/kernel/core_pattern": "core",
    "proc/irq/40/smp_affinity_list": "0-7",
    "proc/irq/41/smp_affinity_list": "0-7",
    "proc/irq/42/smp_affinity_list": "0",
    "sys/class/net/ens1f0/device/msi_irqs/40": "msix",
    "sys/class/net/ens1f0/device/msi_irqs/41": "msix",
    "sys/class/net/ens1f0/device/msi_irqs/42": "msix",
    "sys/class/net/ens1f0/device/local_cpulist": "4-7",
    "sys/devices/system/cpu/online": "0-5",
    "sys/devices/system/cpu/smt/control": "on",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "powersave",
    "sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors": "performance powersave",
    "sys/devices/system/cpu/cpufreq/policy10/scaling_governor": "powersave",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "sys/block/nvme0n1/queue/scheduler": "[none] mq-deadline kyber",
    "sys/block/nvme0n1/queue/nr_requests": "1023",
    "sys/block/nvme0n1/queue/rq_affinity": "1",
}


class KernelFile(PosixPath):
    """A file that does what the kernel does when a scheduler is written: marks it, and gives the queue as many requests as that has."""

    def write_text(self, data: str, encoding: str | None = None, errors: str | None = None, newline: str | None = None) -> int:
        if self.name != "scheduler" or "[" in data or f"[{data}]" in (before := self.read_text()):
            return super().write_text(data, encoding, errors, newline)
        (self.parent / "nr_requests").write_text("1023\n" if data == "none" else "256\n")
        return super().write_text(before.translate({ord("["): None, ord("]"): None}).replace(data, f"[{data}]"))


@dataclass
class FakeServices:
    """Services as systemd runs them: what is forbidden does not run. `refuses` is what it says instead.

    `is_absent`: it is not there to be asked.
    """

    active: set[str] = field(default_factory=set)
    refuses: str = ""
    is_absent: bool = False
    asked: int = 0

    def is_active(self, name: str) -> bool | None:
        return None if self.is_absent else name in self.active

    def allow(self, name: str) -> None:
        self._answer()
        self.active.add(name)

    def forbid(self, name: str) -> None:
        self._answer()
        self.active.discard(name)

    def _answer(self) -> None:
        self.asked += 1
        if self.refuses:
            raise OSError(self.refuses)


@dataclass(frozen=True)
class HostFiles:
    """The kernel's files below one folder."""

    sys: Path
    proc: Path


@dataclass(frozen=True)
class TunedHost:
    """The files, the ledger, and what sets both."""

    folder: Path
    services: FakeServices = field(default_factory=FakeServices)

    @property
    def root(self) -> HostFiles:
        return HostFiles(KernelFile(self.folder / "sys"), self.folder / "proc")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "ledger.json")

    @property
    def tuning(self) -> HostTuning:
        return HostTuning(self.ledger, self.root, self.services, device_seconds=0)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text + "\n")


def tuned_host(folder: Path, files: Mapping[str, str] = FILES) -> TunedHost:
    """The host with these files. Files do not do what the kernel does: a choice written to one has no brackets afterwards."""
    host = TunedHost(folder)
    for name, text in files.items():
        host.write(name, text)
    return host
