"""SR-IOV functions as sysfs shows them: how many virtual functions a PF has, where they are, which driver has them; and writes to that."""

from __future__ import annotations

import errno
from pathlib import Path

from dtn_agent.errors import RefusedError
from dtn_agent.kernel_links import reason


class SriovTree:
    """The tree below `sys`. A PF is named by its interface, a VF by the PF and its index, or by its PCI address."""

    def __init__(self, sys: Path = Path("/sys")) -> None:
        self.sys = sys

    def pf_function(self, pf: str) -> Path:
        """The PF's device folder. Refused if there is no such interface, or if it cannot have VFs."""
        interface = self.sys / "class/net" / pf
        if not interface.exists():
            raise RefusedError("not-found", f"{pf}: there is no such interface on this host")
        device = (interface / "device").resolve()
        if not (device / "sriov_totalvfs").exists():
            raise RefusedError("unsupported", f"{pf}: its device has no SR-IOV (no sriov_totalvfs); see the card's firmware and the BIOS")
        return device

    def function(self, pci: str) -> Path:
        """The device folder of a PCI address; it may not exist."""
        return self.sys / "bus/pci/devices" / pci

    def most(self, pf: str) -> int:
        """How many VFs the PF can have."""
        return int((self.pf_function(pf) / "sriov_totalvfs").read_text())

    def count(self, pf: str) -> int:
        """How many VFs the PF has."""
        return int((self.pf_function(pf) / "sriov_numvfs").read_text())

    def write_count(self, pf: str, count: int) -> None:
        """Set the number of VFs on the PF. The kernel takes no change from one number to another, only from and to 0."""
        try:
            self.write(self.pf_function(pf) / "sriov_numvfs", str(count))
        except OSError as error:
            raise RefusedError("failed", f"{pf}: the kernel does not make {count} virtual functions: {_count_refusal(error)}") from error

    def finds_drivers(self, pf: str) -> bool:
        """Whether the kernel looks for a driver when a VF appears."""
        switch = self.pf_function(pf) / "sriov_drivers_autoprobe"
        return not switch.exists() or switch.read_text().strip() != "0"

    def vfs(self, pf: str) -> dict[int, str]:
        """The PCI addresses of the PF's VFs, by index."""
        links = self.pf_function(pf).glob("virtfn*")
        return dict(sorted((int(link.name.removeprefix("virtfn")), link.readlink().name) for link in links))

    def interfaces(self, pci: str) -> tuple[str, ...]:
        """The names of a function's interfaces in our network namespace; sysfs shows no others."""
        folder = self.function(pci) / "net"
        return tuple(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else ()

    def driver(self, pci: str) -> str:
        """The driver that has the function; empty if none."""
        link = self.function(pci) / "driver"
        return link.readlink().name if link.is_symlink() else ""

    def rebind(self, pci: str) -> None:
        """Take the function from its driver and let the kernel find it one again: it restarts with what its PF says now.

        A function without a driver only gets one: an agent that was killed between the two comes here again.
        """
        driver = self.function(pci) / "driver"
        try:
            if driver.is_symlink():
                self.write(driver / "unbind", pci)
            self.write(self.sys / "bus/pci/drivers_probe", pci)
        except OSError as error:
            raise RefusedError("failed", f"{pci}: its driver does not restart: {reason(error)}") from error

    def write(self, path: Path, text: str) -> None:
        """One write to sysfs: the kernel acts on it, or refuses it with an OSError."""
        path.write_text(text)


def _count_refusal(error: OSError) -> str:
    found = {
        errno.EBUSY: "it is busy; a number can only be set from 0, and VFs that virtual machines have cannot go",
        errno.ERANGE: "that is more than the card can have",
        errno.ENOENT: "the PF's driver knows no SR-IOV",
        errno.ENOSPC: "the bridge above it has no bus numbers left; see the kernel's parameter pci=assign-busses, and the BIOS",
        errno.ENOMEM: "no memory is reserved for them on the bus; see SR-IOV in the BIOS, or the kernel's parameter pci=realloc",
    }
    return found.get(error.errno or 0, reason(error))
