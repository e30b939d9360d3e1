"""Physical functions: the number of their VFs, and that they are up while one is in use."""

from __future__ import annotations

import logging

from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import Done
from dtn_agent.protocol.vfs import HeldPf, HeldVf, SetVfCount
from dtn_agent.vf import rules
from dtn_agent.vf.hardware import VfHardware

log = logging.getLogger(__name__)


class PhysicalFunctions:
    """The physical functions of one host. The caller makes sure that only one request is at work."""

    def __init__(self, ledger: Ledger, hardware: VfHardware) -> None:
        self.entries = ledger.section(HeldPf)
        self.vfs = ledger.section(HeldVf)
        self.hardware = hardware

    def set_count(self, request: SetVfCount) -> Done:
        """Set the number of VFs on the PF, if none is in use; 0 restores the number that was found."""
        pci = self.hardware.tree.pf_function(request.pf).name
        held = self.entries.get(pci)
        now, most = self.hardware.tree.count(request.pf), self.hardware.tree.most(request.pf)
        if request.count > most:
            raise RefusedError("unsupported", f"{request.pf} can have {most} virtual functions, not {request.count}")
        if request.count == 0:
            return self._restore_count(request, held)
        wanted = HeldPf(pf=request.pf, pci=pci, found=held.found if held else now, wanted=request.count, site=request.site)
        if now == request.count:
            return self._keep(wanted, held)
        if now != 0:
            self._check_ours(request, held, now)
        return self._make(request.pf, wanted, held)

    def restore(self, held: HeldPf) -> bool:
        """After a reboot the PF has none: make them again, and say whether. A number that was set meanwhile by another program stays."""
        self.hardware.links.wait_until(lambda: bool(self.hardware.tree.interfaces(held.pci)), self.hardware.start_seconds)
        pf = self.hardware.pf_name(held.pci, held.pf)
        vfs = [vf for vf in self.vfs.all() if vf.pf_pci == held.pci]
        # it was up already when it got its VFs; else they started while it was down
        raised = self.raise_for(vfs[0]) if vfs and not any(vf.raised_pf for vf in vfs) else False
        if self.hardware.tree.count(pf) != 0:
            return raised
        self.hardware.tree.write_count(pf, held.wanted)
        self.hardware.await_interfaces(pf)
        return True

    def is_up(self, pf: str) -> bool:
        link = self.hardware.links.find(pf)
        return link is not None and link.is_up

    def raise_for(self, vf: HeldVf) -> bool:
        """Bring the PF up, if it is down: the link of a VF follows that of its PF. One brought up manually is down after a boot."""
        link = self.hardware.links.find(self.hardware.pf_name(vf.pf_pci, vf.pf))
        if link is None or link.is_up:
            return False
        self.hardware.links.set_up(link, up=True)
        return True

    def lower_after(self, vf: HeldVf) -> None:
        """Take the PF down again if this VF was why it is up, and the last; else another VF is why from now on."""
        others = [other for other in self.vfs.all() if other.pf_pci == vf.pf_pci and other.pci != vf.pci]
        if not vf.raised_pf:
            return
        if others:
            self.vfs.change(others[0].pci, raised_pf=True)
        elif link := self.hardware.links.find(self.hardware.pf_name(vf.pf_pci, vf.pf)):
            self.hardware.links.set_up(link, up=False)

    def _keep(self, wanted: HeldPf, held: HeldPf | None) -> Done:
        """It has as many; the next boot makes as many, too, if they are ours."""
        if held is not None and held.site == wanted.site and held != wanted:
            self.entries.put(wanted)
        return Done(changed=False, detail=f"{wanted.pf} has {wanted.wanted} virtual functions")

    def _make(self, pf: str, wanted: HeldPf, held: HeldPf | None) -> Done:
        self.entries.put_last(wanted)  # in the order in which PFs got their VFs
        try:
            if self.hardware.tree.count(pf):
                self.hardware.tree.write_count(pf, 0)
            self.hardware.tree.write_count(pf, wanted.wanted)
        except RefusedError:
            if held is None:
                self.entries.drop(wanted.pci)
            raise
        return Done(changed=True, detail=self._made(pf, wanted.wanted))

    def _made(self, pf: str, count: int) -> str:
        without = self.hardware.await_interfaces(pf)
        missing = f"; no driver made an interface for {', '.join(str(index) for index in without)}" if without else ""
        return f"{pf} has {count} virtual functions{missing}"

    def _restore_count(self, request: SetVfCount, held: HeldPf | None) -> Done:
        if held is None or held.site != request.site:
            return Done(changed=False, detail=f"{request.pf}: its virtual functions are not ours")
        if (now := self.hardware.tree.count(request.pf)) != held.found:
            self._check_ours(request, held, now)
            self.hardware.tree.write_count(request.pf, held.found)
        self.entries.drop(held.pci)
        return Done(changed=True, detail=f"{request.pf} has {held.found} virtual functions, as it was found")

    def _check_ours(self, request: SetVfCount, held: HeldPf | None, now: int) -> None:
        """Refused unless we made these VFs for this site and none of them is in use."""
        have = f"{request.pf} has {now} virtual functions"
        if held is None:
            raise RefusedError("conflict", f"{have}, not made by dtnctl; their number stays; a network may use as many as there are")
        if held.site != request.site:
            raise RefusedError("conflict", f"{have}, made for the site {held.site}")
        if having := rules.holders(self.vfs.all(), held.pci):
            raise RefusedError("conflict", f"{have}, and their number cannot change while one is in use: {having}")
        for index, pci in self.hardware.tree.vfs(request.pf).items():
            if self.hardware.tree.driver(pci) and (use := self.hardware.foreign_use(pci)):
                raise RefusedError("conflict", f"{have}, and their number cannot change: VF {index} ({pci}) {use}")
