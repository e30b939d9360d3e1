"""Virtual functions that the ledger holds: what the kernel has of each, made what the ledger says, restored as they were found."""

from __future__ import annotations

from dtn_agent.errors import RefusedError
from dtn_agent.kernel_links import Link
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.vfs import FoundInterface, HeldVf, VfSettings
from dtn_agent.vf import rules
from dtn_agent.vf.hardware import Vf, VfHardware
from dtn_agent.vf.physical_functions import PhysicalFunctions


class HeldVfs:
    """The caller makes sure that only one request is at work. `boot` names this boot of the host."""

    def __init__(self, ledger: Ledger, hardware: VfHardware, pfs: PhysicalFunctions, boot: str) -> None:
        self.ledger = ledger
        self.entries = ledger.section(HeldVf)
        self.hardware = hardware
        self.pfs = pfs
        self.boot = boot

    def find(self, pf: str, index: int) -> HeldVf | None:
        """The entry of this VF, by the PF's address where the PF is there: names can change."""
        names = {vf.pf_pci: self.hardware.pf_name(vf.pf_pci, vf.pf) for vf in self.entries.all()}
        return next((vf for vf in self.entries.all() if vf.index == index and names[vf.pf_pci] == pf), None)

    def exists(self, vf: HeldVf) -> bool:
        """Whether the kernel has the VF: not while its PF has none."""
        return self.hardware.tree.function(vf.pci).exists()

    def now(self, vf: HeldVf, tables: dict[str, dict[int, VfSettings]]) -> VfSettings | None:
        """What the kernel reports; None where it reports nothing. `tables`: those that were read already, by PF."""
        pf = self.at(vf).pf
        try:
            if not self.exists(vf):
                return None
            if pf not in tables:
                tables[pf] = self.hardware.links.vf_table(pf)
            return self.hardware.completed(tables[pf].get(vf.index, VfSettings()), vf.pci)
        except OSError:
            return None

    def strays(self) -> frozenset[str]:
        """VFs that are held and whose interface is here under another name than its own."""
        try:
            held = self.entries.all()
            return frozenset(vf.pci for vf in held if (link := self.hardware.interface(vf.pci)) and link.name != self.at(vf).name)
        except (OSError, ValueError):
            return frozenset()

    def apply(self, vf: HeldVf, mtu: int | None = None) -> bool:
        """Make the VF what the ledger says; `mtu` is the network's, for VFs that ask for none of their own."""
        vf = self._of_this_boot(vf)
        goal = rules.target(vf.found, vf.wanted, vf.written)
        goal = goal.model_copy(update={"mtu": goal.mtu or mtu or vf.found.mtu})
        own = vf.interface.mac if vf.interface else ""
        return self.hardware.apply(self.at(vf), goal, vf.wanted.mac or own)

    def restore(self, vf: HeldVf) -> bool:
        """After a reboot or a crash: as the ledger says; whether it was not. Refused if it is not there."""
        if not self.exists(vf):
            raise RefusedError("not-found", f"{rules.named(vf)} is not there")
        raised = self.pfs.raise_for(vf)
        self.hardware.returned_interface(vf.pci)
        return self.apply(vf) or raised

    def emptied(self, vf: HeldVf) -> Link:
        """Its interface, down and without addresses."""
        links = self.hardware.links
        link = self.hardware.interface(vf.pci)
        if link is None:
            raise RefusedError("failed", f"{rules.named(vf)} lost its interface just now; start the container again")
        links.set_up(link, up=False)
        links.flush_addresses(link)
        return link

    def restore_found(self, vf: HeldVf) -> None:
        """Restore the VF as it was found, and forget it."""
        vf = self._of_this_boot(vf)
        as_found = vf.model_copy(update={"wanted": VfSettings()})
        self.apply(as_found)
        link = self.hardware.interface(vf.pci)
        if link and vf.interface and link.is_up != vf.interface.is_up:
            self.hardware.links.set_up(link, up=vf.interface.is_up)
        self.pfs.lower_after(vf)
        self.apply(as_found)  # igb takes the MAC that an interface is given into its table while the PF is up
        self.forget(vf)

    def left_over(self, vf: HeldVf) -> str:
        """What was not restored, though nothing was refused."""
        wrong = rules.change(self.hardware.now(vf.pf, vf.index, vf.pci), rules.target(vf.found, VfSettings(), vf.written))
        return f"{rules.named(vf)}: the driver keeps {', '.join(rules.names(wrong))}" if wrong != VfSettings() else ""

    def forget(self, vf: HeldVf) -> None:
        """Together with the endpoints of the network driver that were made for it."""
        with self.ledger.lock:
            self.ledger.drop(vf, *(endpoint for endpoint in self.ledger.read().endpoints if endpoint.vf == vf.pci))

    def at(self, vf: HeldVf) -> Vf:
        """By all that the hardware knows it by, with its PF's name of now."""
        name = vf.interface.name if vf.interface else ""
        return Vf(self.hardware.pf_name(vf.pf_pci, vf.pf), vf.index, vf.pci, name)

    def _of_this_boot(self, vf: HeldVf) -> HeldVf:
        """The entry, with the interface as it was found in this boot: interfaces get new names, and own MACs may be random."""
        link = self.hardware.interface(vf.pci)
        if link is None or (vf.interface and vf.interface.boot == self.boot):
            return vf
        found = FoundInterface(name=link.name, mac=link.mac, is_up=link.is_up, boot=self.boot)
        self.entries.change(vf.pci, interface=found)
        return vf.model_copy(update={"interface": found})
