"""One host's virtual functions, sysfs and netlink together: what they are, and how they are made what they have to be. No ledger."""

from __future__ import annotations

import logging
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from dtn_agent.errors import RefusedError
from dtn_agent.kernel_links import KernelLinks, Link, reason
from dtn_agent.probe.sriov import USER_SPACE_DRIVERS
from dtn_agent.protocol.vfs import VfSettings
from dtn_agent.vf import rules
from dtn_agent.vf.other_namespaces import NamespaceFolders, holder_in_other_namespaces
from dtn_agent.vf.sriov_tree import SriovTree

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VfHardware:
    """The functions below `tree` and the interfaces in `links`. `udev` exists where udev runs: it renames what appears, a little later.

    `start_seconds`: how long a driver may take to start and make its interface; `return_seconds`: the kernel, to take a network
    namespace apart and bring an interface back.
    """

    tree: SriovTree = field(default_factory=SriovTree)
    links: KernelLinks = field(default_factory=KernelLinks)
    folders: NamespaceFolders = field(default_factory=NamespaceFolders)
    udev: Path = Path("/run/udev/control")
    start_seconds: float = 10.0
    return_seconds: float = 10.0

    def interface(self, pci: str) -> Link | None:
        """The function's interface, if it is in our network namespace."""
        return next((link for name in self.tree.interfaces(pci) if (link := self.links.find(name))), None)

    def returned_interface(self, pci: str) -> Link | None:
        """The same, waited for while it may be on its way back. Not waited for if it is in use, or if there can be none."""
        if self.interface(pci) is None and self.tree.driver(pci) not in ("", *USER_SPACE_DRIVERS) and not self._holder(pci):
            self.links.wait_until(lambda: self.interface(pci) is not None, self.return_seconds)
        return self.interface(pci)

    def pf_name(self, pf_pci: str, name: str) -> str:
        """What the PF is called now; `name` if it has no interface."""
        names = self.tree.interfaces(pf_pci)
        return name if name in names or not names else names[0]

    def await_interfaces(self, pf: str) -> tuple[int, ...]:
        """Wait until every VF of the PF has an interface under its final name; the indices of those that got none."""
        if self.tree.finds_drivers(pf):
            self.links.wait_until(lambda: not self._without(pf), self.start_seconds)
        self.settle()
        return self._without(pf)

    def settle(self) -> None:
        """Return when udev has named what is there."""
        if self.udev.exists() and (udevadm := shutil.which("udevadm")):
            subprocess.run([udevadm, "settle", f"--timeout={self.start_seconds:.0f}"], check=False, capture_output=True)

    def now(self, pf: str, index: int, pci: str) -> VfSettings:
        """The VF's settings; `mtu` is None while its interface is in another namespace."""
        return self.completed(self.links.vf_table(pf).get(index, VfSettings()), pci)

    def completed(self, row: VfSettings, pci: str) -> VfSettings:
        """A row of the PF's table with what the VF's interface reports."""
        link = self.interface(pci)
        return row.model_copy(update={"mtu": link.mtu if link else None})

    def foreign_use(self, pci: str) -> str:
        """Why the VF is not free, though it is by the ledger, as the end of a sentence; empty if it is."""
        if not self.tree.driver(pci):
            return f"has no driver; bind it to its network driver: echo {pci} > {self.tree.sys}/bus/pci/drivers_probe"
        link = self.returned_interface(pci)
        return self._use_here(link) if link else self.use_in_other_namespaces(pci)

    def use_in_other_namespaces(self, pci: str) -> str:
        """Who has the VF, whose interface is not here; empty if it has none, for want of a driver."""
        driver = self.tree.driver(pci)
        if driver in USER_SPACE_DRIVERS:
            return f"is bound to {driver}: a virtual machine or another program has it"
        if not driver:
            return ""
        who = self._holder(pci)
        return (
            f"has its interface in another network namespace ({who})"
            if who
            else "has no interface on the host, and its holder cannot be determined"
        )

    def apply(self, vf: Vf, goal: VfSettings, mac: str) -> bool:
        """Make the VF's settings the goal's, and its interface's own MAC this one; whether anything had to change.

        The interface's own name, MAC and MTU are left for later while it is in another namespace.
        """
        try:
            change = rules.change(self.now(vf.pf, vf.index, vf.pci), goal)
            self._write_table(vf, change)
            return self._apply_to_interface(vf, goal, mac) or change != VfSettings()
        except OSError as error:
            raise RefusedError("failed", f"{vf.pf}: VF {vf.index} ({vf.pci}): the kernel refuses: {reason(error)}") from error

    def _write_table(self, vf: Vf, change: VfSettings) -> None:
        if change.mac != rules.NO_MAC:
            self.links.set_vf(vf.pf, vf.index, change)
            return
        self.links.set_vf(vf.pf, vf.index, change.model_copy(update={"mac": None}))
        try:
            self.links.set_vf(vf.pf, vf.index, VfSettings(mac=rules.NO_MAC))
        except OSError as error:  # some drivers set a MAC and never remove it; the rest must be restored all the same
            log.warning("%s: VF %d keeps the MAC of its table: %s", vf.pf, vf.index, reason(error))

    def _apply_to_interface(self, vf: Vf, goal: VfSettings, mac: str) -> bool:
        link = self.interface(vf.pci)
        if link is None and self.tree.driver(vf.pci):
            return False
        before = link
        if link is None or (goal.mac is not None and link.mac != mac):
            # igbvf and mlx5 read the MAC of the PF's table when they start, and mlx5 makes the RDMA device's identity of it
            link = self._restarted(vf)
        link = self._named(link, vf.name)
        if link.mac != mac:
            self.links.set_up(link, up=False)
            self.links.set_mac(link, mac)
        if goal.mtu is not None and link.mtu != goal.mtu:
            self.links.set_mtu(link, goal.mtu)
        return self.interface(vf.pci) != before

    def _restarted(self, vf: Vf) -> Link:
        self.tree.rebind(vf.pci)
        self.links.wait_until(lambda: self.interface(vf.pci) is not None, self.start_seconds)
        self.settle()
        link = self.interface(vf.pci)
        if link is None:
            text = f"{vf.pf}: VF {vf.index} ({vf.pci}) has no interface {self.start_seconds:.0f} s after its driver was started"
            raise RefusedError("failed", text)
        return link

    def _named(self, link: Link, name: str) -> Link:
        """The interface under this name; under its old one, which is logged, if another interface has the name."""
        if link.name == name:
            return link
        self.settle()  # udev gives what came back its name as an alternative one, under which it is found, too
        holder = self.links.find(name)
        if holder is not None and holder.index != link.index:
            log.warning("%s cannot have its own name %s: another interface has that name", link.name, name)
            return link
        self.links.set_up(link, up=False)
        if holder is not None:
            self.links.remove_alternative_name(link, name)
        self.links.rename(link, name)
        return self.links.find(name) or link

    def _holder(self, pci: str) -> str:
        return holder_in_other_namespaces(self.links, pci, self.folders)

    def _without(self, pf: str) -> tuple[int, ...]:
        return tuple(index for index, pci in self.tree.vfs(pf).items() if self.interface(pci) is None)

    def _use_here(self, link: Link) -> str:
        if addresses := self.links.addresses(link):
            return f"is used on the host: {link.name} has the address {', '.join(addresses)}; remove it and keep network services off"
        others = self.links.all()
        if link.master is not None:
            return f"is used on the host: {link.name} is part of {_name(others, link.master)}"
        children = [other.name for other in others if other.parent == link.index]
        return f"is used on the host: {', '.join(children)} uses {link.name}" if children else ""


@dataclass(frozen=True, slots=True)
class Vf:
    """One VF, by all that it is known by. `name` is its interface's own on the host."""

    pf: str
    index: int
    pci: str
    name: str


def _name(links: tuple[Link, ...], index: int) -> str:
    return next((link.name for link in links if link.index == index), f"interface {index}")
