"""Virtual functions: how many a PF has, who has which, and each one restored as it was found.

What is about to change is in the ledger before it changes, so that after a crash the change can be completed or undone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import assert_never, get_args

from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.kernel_links import Link, reason
from dtn_agent.ledger import Ledger
from dtn_agent.protocol import (
    Ability,
    ConfigureVf,
    Done,
    Facts,
    FoundInterface,
    HeldVf,
    Owner,
    ReleaseVf,
    SetVfCount,
    VfRequest,
    VfSettings,
)
from dtn_agent.vf import rules
from dtn_agent.vf.hardware import Vf, VfHardware
from dtn_agent.vf.physical_functions import PhysicalFunctions

WATCH_SECONDS = 2.0  # upper bound on the time that a shutdown of the agent takes
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
log = logging.getLogger(__name__)


class VirtualFunctions(HostResource[VfRequest]):
    """The virtual functions of one host. One request at a time; `held` waits for none."""

    name = "virtual functions"
    requests = get_args(VfRequest)
    entry = HeldVf

    def __init__(self, ledger: Ledger, hardware: VfHardware | None = None, boot: str | None = None, audit: Audit = SILENT) -> None:
        self.ledger = ledger
        self.entries = ledger.section(HeldVf)
        self.hardware = hardware or VfHardware()
        self.boot = BOOT_ID.read_text().strip() if boot is None else boot
        self.audit = audit
        self.lock = threading.RLock()
        self.pfs = PhysicalFunctions(ledger, self.hardware)

    def perform(self, request: VfRequest) -> Done:
        match request:
            case SetVfCount():
                return self.set_count(request)
            case ConfigureVf():
                return self.configure(request)
            case ReleaseVf():
                return self.release(request)
            case _:
                assert_never(request)

    def set_count(self, request: SetVfCount) -> Done:
        """Set the number of VFs on the PF, if none is in use; 0 restores the number that was found."""
        with self.lock:
            return self.pfs.set_count(request)

    def configure(self, request: ConfigureVf) -> Done:
        """Take the VF for its owner and make its settings what was asked for."""
        owner = Owner(site=request.site, session=request.session, network=request.network)
        wanted = rules.asked(request)
        with self.lock:
            held = self._held(request.pf, request.index)
            self._check_owner(held, owner)
            entry = held or self._taken(request, owner)
            self._check_mtu(entry, wanted)
            written = tuple(dict.fromkeys((*entry.written, *rules.names(wanted))))
            entry = entry.model_copy(update={"owner": owner, "wanted": wanted, "written": written})
            self.entries.put(entry)
            changed = self._first_time(entry) if held is None else self._apply(entry)
            return Done(changed=changed or entry != held, detail=f"{entry.pf}: VF {entry.index} is {entry.pci}")

    def release(self, request: ReleaseVf) -> Done:
        """Release the VF and restore it as it was found. Not this site's is success."""
        with self.lock:
            held = self._held(request.pf, request.index)
            if held is None or held.owner.site != request.site:
                return Done(changed=False)
            if not self._exists(held):
                self._forget(held)
                return Done(changed=True, detail=f"{held.pf}: VF {held.index} ({held.pci}) is not there any more")
            link = self.hardware.returned_interface(held.pci)
            if link is None and (use := self.hardware.use_in_other_namespaces(held.pci)):
                raise RefusedError("conflict", f"{self._named(held)} {use}; it cannot be released now")
            self._restore_found(held)
            return Done(changed=True, detail=self._left_over(held))

    def held(self) -> tuple[HeldVf, ...]:
        """Every VF that is held, with what the kernel reports of it now; `now` is None where it reports nothing."""
        tables: dict[str, dict[int, VfSettings]] = {}  # read once: a card's table is one long answer
        return tuple(vf.model_copy(update={"now": self._now(vf, tables)}) for vf in self.entries.all())

    def abilities(self, facts: Facts) -> tuple[Ability, ...]:
        """`vf`, if a card has virtual functions."""
        can = any(interface.sriov is not None and interface.sriov.total > 0 for interface in facts.interfaces)
        lacks = "" if can else "no network interface of this host has virtual functions (SR-IOV), or it is switched off"
        return (Ability(name="vf", lacks=lacks),)

    def restore(self) -> None:
        """Make everything again what the ledger says, after a reboot or a crash; what cannot be is logged and left.

        PFs get their VFs in the order in which they first did. The kernel numbers verbs devices (uverbsN) as they appear, and a
        container that starts before dtnctl looks again has those numbers.
        """
        with self.lock:
            held = self.ledger.read()
            for pf in held.pfs:
                asked = {"do": "set-vf-count", "site": pf.site, "pf": pf.pf, "count": pf.wanted}
                self._audited(asked, partial(self.pfs.restore, pf), "after a restart")
            for vf in held.vfs:
                owner, wanted = vf.owner.model_dump(), vf.wanted.model_dump(exclude_none=True)
                asked = {"do": "configure-vf", **owner, "pf": vf.pf, "index": vf.index, **wanted}
                self._audited(asked, partial(self._restore, vf), "after a restart")

    def watch(self, stop: threading.Event) -> None:
        """Until `stop`: an interface that the kernel brings back from a namespace that is gone, as eth0 or dev7, gets its own name again.

        The engine brings interfaces back under their own names; this is for containers whose end it did not see.
        """
        tried: frozenset[str] = frozenset()
        while not stop.is_set():
            tried = self._caught(stop, tried)

    def _caught(self, stop: threading.Event, tried: frozenset[str]) -> frozenset[str]:
        """Wait for strays and name them; those that keep their name, because another interface has theirs, are not tried again."""
        self.hardware.links.wait_until(lambda: stop.is_set() or bool(self._strays() - tried), WATCH_SECONDS)
        strays = self._strays()
        for pci in sorted(strays - tried):
            self._audited({"do": "take-back", "vf": pci}, partial(self.take_back, pci), "came back from a namespace that is gone")
        return strays & self._strays()  # one that came meanwhile is new

    def _audited(self, asked: Mapping[str, object], act: Callable[[], bool], why: str) -> None:
        """Do it without a request; an audit line says that it changed something, or why it could not."""
        try:
            if act():
                self.audit.done(asked, why)
        except (RefusedError, OSError) as error:
            log.warning("not restored: %s", error)
            self.audit.refused(asked, error)

    # --- for the network driver ------------------------------------------------------------------------------------

    def held_at(self, pci: str) -> HeldVf:
        """The entry of the VF at this address. Refused if it is not held."""
        found = self.entries.get(pci)
        if found is None:
            raise RefusedError("not-found", f"the virtual function {pci} is not reserved on this host; run dtnctl apply")
        return found

    def lend(self, pci: str, mtu: int | None) -> Link:
        """The VF's interface, ready to be moved into a container: as the ledger says, down, without addresses."""
        with self.lock:
            held = self.held_at(pci)
            if not self._exists(held):
                raise RefusedError("conflict", f"{self._named(held)} is not there; does {held.pf} have its virtual functions?")
            link = self.hardware.returned_interface(pci)
            if link is None and (use := self.hardware.use_in_other_namespaces(pci)):
                raise RefusedError("conflict", f"{self._named(held)} {use}")
            self._apply(held, mtu)
            return self._emptied(held)

    def take_back(self, pci: str) -> bool:
        """Give an interface that came back from a container its own name, MAC and MTU again; whether it had others.

        A VF that is not held is left alone.
        """
        with self.lock:
            held = self.entries.get(pci)
            return held is not None and self.hardware.returned_interface(pci) is not None and self._apply(held)

    # --- one VF ----------------------------------------------------------------------------------------------------

    def _held(self, pf: str, index: int) -> HeldVf | None:
        """The entry of this VF, by the PF's address where the PF is there: names can change."""
        names = {vf.pf_pci: self.hardware.pf_name(vf.pf_pci, vf.pf) for vf in self.entries.all()}
        return next((vf for vf in self.entries.all() if vf.index == index and names[vf.pf_pci] == pf), None)

    def _check_owner(self, held: HeldVf | None, owner: Owner) -> None:
        if held is not None and not rules.same_owner(held.owner, owner):
            raise RefusedError("conflict", f"{self._named(held)} is held by {rules.holder(held.owner)}")

    def _taken(self, request: ConfigureVf, owner: Owner) -> HeldVf:
        """The entry for a VF that is free. Refused if there is no such VF, or if it is used by others."""
        tree = self.hardware.tree
        pf_pci = tree.pf_function(request.pf).name
        pci = tree.vfs(request.pf).get(request.index)
        if pci is None:
            raise RefusedError("not-found", self._no_such_vf(request, pf_pci))
        if use := self.hardware.foreign_use(pci):
            raise RefusedError("conflict", f"{request.pf}: VF {request.index} ({pci}) {use}; the ledger does not hold it")
        self.hardware.settle()
        link = self.hardware.interface(pci)
        if link is None:
            raise RefusedError("failed", f"{request.pf}: VF {request.index} ({pci}): its interface disappeared just now; try again")
        return HeldVf(
            pf=request.pf,
            pf_pci=pf_pci,
            index=request.index,
            pci=pci,
            owner=owner,
            found=self.hardware.now(request.pf, request.index, pci),
            wanted=VfSettings(),
            interface=FoundInterface(name=link.name, mac=link.mac, is_up=link.is_up, boot=self.boot),
            raised_pf=not self.pfs.is_up(request.pf),
        )

    def _no_such_vf(self, request: ConfigureVf, pf_pci: str) -> str:
        count = self.hardware.tree.count(request.pf)
        having = rules.holders(self.entries.all(), pf_pci)
        return f"{request.pf} has {count} virtual functions and so no VF {request.index}; {f'held: {having}' if having else 'none is held'}"

    def _check_mtu(self, vf: HeldVf, wanted: VfSettings) -> None:
        pf = self.hardware.links.find(self._at(vf).pf)
        if wanted.mtu is not None and pf is not None and wanted.mtu > pf.mtu:
            text = f"{self._named(vf)} cannot have the MTU {wanted.mtu}: its PF has {pf.mtu}; set interface/{vf.pf}/mtu first"
            raise RefusedError("conflict", text)

    def _first_time(self, entry: HeldVf) -> bool:
        """Apply it; a VF that cannot be made what was asked for is not kept."""
        try:
            self.pfs.raise_for(entry)
            self._apply(entry)
        except (RefusedError, OSError) as error:
            _logged(lambda: self._restore_found(entry))
            if isinstance(error, OSError):
                raise RefusedError("failed", f"{self._named(entry)}: {reason(error)}") from error
            raise
        return True

    def _apply(self, vf: HeldVf, mtu: int | None = None) -> bool:
        """Make the VF what the ledger says; `mtu` is the network's, for VFs that ask for none of their own."""
        vf = self._of_this_boot(vf)
        goal = rules.target(vf.found, vf.wanted, vf.written)
        goal = goal.model_copy(update={"mtu": goal.mtu or mtu or vf.found.mtu})
        own = vf.interface.mac if vf.interface else ""
        return self.hardware.apply(self._at(vf), goal, vf.wanted.mac or own)

    def _restore_found(self, vf: HeldVf) -> None:
        """Restore the VF as it was found, and forget it."""
        vf = self._of_this_boot(vf)
        as_found = vf.model_copy(update={"wanted": VfSettings()})
        self._apply(as_found)
        link = self.hardware.interface(vf.pci)
        if link and vf.interface and link.is_up != vf.interface.is_up:
            self.hardware.links.set_up(link, up=vf.interface.is_up)
        self.pfs.lower_after(vf)
        self._apply(as_found)  # igb takes the MAC that an interface is given into its table while the PF is up
        self._forget(vf)

    def _left_over(self, vf: HeldVf) -> str:
        """What was not restored, though nothing was refused."""
        wrong = rules.change(self.hardware.now(vf.pf, vf.index, vf.pci), rules.target(vf.found, VfSettings(), vf.written))
        return f"{self._named(vf)}: the driver keeps {', '.join(rules.names(wrong))}" if wrong != VfSettings() else ""

    def _emptied(self, vf: HeldVf) -> Link:
        links = self.hardware.links
        link = self.hardware.interface(vf.pci)
        if link is None:
            raise RefusedError("failed", f"{self._named(vf)} lost its interface just now; start the container again")
        links.set_up(link, up=False)
        links.flush_addresses(link)
        return link

    def _restore(self, vf: HeldVf) -> bool:
        if not self._exists(vf):
            raise RefusedError("not-found", f"{self._named(vf)} is not there")
        raised = self.pfs.raise_for(vf)
        self.hardware.returned_interface(vf.pci)
        return self._apply(vf) or raised

    def _of_this_boot(self, vf: HeldVf) -> HeldVf:
        """The entry, with the interface as it was found in this boot: interfaces get new names, and own MACs may be random."""
        link = self.hardware.interface(vf.pci)
        if link is None or (vf.interface and vf.interface.boot == self.boot):
            return vf
        found = FoundInterface(name=link.name, mac=link.mac, is_up=link.is_up, boot=self.boot)
        self.entries.change(vf.pci, interface=found)
        return vf.model_copy(update={"interface": found})

    # --- what is where ---------------------------------------------------------------------------------------------

    def _at(self, vf: HeldVf) -> Vf:
        name = vf.interface.name if vf.interface else ""
        return Vf(self.hardware.pf_name(vf.pf_pci, vf.pf), vf.index, vf.pci, name)

    def _strays(self) -> frozenset[str]:
        """VFs that are held and whose interface is here under another name than its own."""
        try:
            held = self.entries.all()
            return frozenset(vf.pci for vf in held if (link := self.hardware.interface(vf.pci)) and link.name != self._at(vf).name)
        except (OSError, ValueError):
            return frozenset()

    def _named(self, vf: HeldVf) -> str:
        return f"{vf.pf}: VF {vf.index} ({vf.pci})"

    def _exists(self, vf: HeldVf) -> bool:
        return self.hardware.tree.function(vf.pci).exists()

    def _now(self, vf: HeldVf, tables: dict[str, dict[int, VfSettings]]) -> VfSettings | None:
        pf = self._at(vf).pf
        try:
            if not self._exists(vf):
                return None
            if pf not in tables:
                tables[pf] = self.hardware.links.vf_table(pf)
            return self.hardware.completed(tables[pf].get(vf.index, VfSettings()), vf.pci)
        except OSError:
            return None

    def _forget(self, vf: HeldVf) -> None:
        """With the driver's endpoints that were made for it."""
        with self.ledger.lock:
            self.ledger.drop(vf, *(endpoint for endpoint in self.ledger.read().endpoints if endpoint.vf == vf.pci))


def _logged(act: Callable[[], object]) -> None:
    try:
        act()
    except (RefusedError, OSError) as error:
        log.warning("not restored: %s", error)
