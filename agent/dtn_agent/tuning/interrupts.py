"""Which CPUs take a NIC's interrupts: each interrupt on one CPU, in turn over the CPUs that are asked for."""

from __future__ import annotations

from pathlib import Path

from dtn_agent.cpu_lists import cpu_list, cpus_of
from dtn_agent.tuning.setting import Root, Setting, paired, pairs, text_of

LOCAL = "local"


class Interrupts(Setting):
    """`local`, the CPUs of the NIC's own NUMA node, or a CPU list.

    It reads as `local` when they stand as `local` would put them, else as the list of all CPUs that take one. A driver whose
    interrupts the kernel manages refuses: EIO.
    """

    def __init__(self, root: Root, interface: str) -> None:
        self.root = root
        self.device = root.sys / "class/net" / interface / "device"

    def read(self) -> str | None:
        now = self._affinity()
        if not now:
            return None
        if self.is_as(LOCAL):
            return LOCAL
        return cpu_list(tuple(sorted({cpu for cpus in now.values() for cpu in cpus_of(cpus)})))

    def normal(self, value: str) -> str:
        if value != LOCAL:
            value = cpu_list(cpus_of(value))
        if not self._online(value):
            raise ValueError(f"`{value}`: none of these CPUs is online")
        return value

    def write(self, value: str) -> None:
        for interrupt, cpus in self._spread(value).items():
            self._file(interrupt).write_text(cpus)

    def is_as(self, wanted: str) -> bool:
        now = self._affinity()
        return bool(now) and now == self._spread(wanted)

    def found(self) -> str | None:
        return paired(self._affinity())

    def restore(self, found: str | None) -> None:
        """Interrupts have other numbers after a reboot; those that are not known stay as the kernel has them."""
        now = self._affinity()
        for interrupt, cpus in pairs(found or "").items():
            if interrupt in now:
                self._file(interrupt).write_text(cpus)

    def _spread(self, wanted: str) -> dict[str, str]:
        cpus = self._online(wanted)
        return {interrupt: str(cpus[place % len(cpus)]) for place, interrupt in enumerate(self._numbers())} if cpus else {}

    def _online(self, wanted: str) -> tuple[int, ...]:
        text = (text_of(self.device / "local_cpulist") or "") if wanted == LOCAL else wanted
        online = set(cpus_of(text_of(self.root.sys / "devices/system/cpu/online") or "0"))
        return tuple(cpu for cpu in cpus_of(text) if cpu in online) if text else ()

    def _affinity(self) -> dict[str, str]:
        return {number: text for number in self._numbers() if (text := text_of(self._file(number)))}

    def _numbers(self) -> list[str]:
        folders = (self.device / "msi_irqs", self.device.resolve().parent / "msi_irqs")  # virtio's are its PCI function's
        names = next(([path.name for path in folder.iterdir()] for folder in folders if folder.is_dir()), [])
        return sorted(names, key=int)

    def _file(self, interrupt: str) -> Path:
        return self.root.proc / "irq" / interrupt / "smp_affinity_list"
