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
from dtn_agent.protocol import Ability, Done, Facts, Owner
from dtn_agent.protocol.vfs import ConfigureVf, FoundInterface, HeldVf, ReleaseVf, SetVfCount, VfRequest, VfSettings
from dtn_agent.vf import rules
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.held_vfs import HeldVfs
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
        self.audit = audit
        self.lock = threading.RLock()
        self.pfs = PhysicalFunctions(ledger, self.hardware)
        self.vfs = HeldVfs(ledger, self.hardware, self.pfs, BOOT_ID.read_text().strip() if boot is None else boot)

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
            held = self.vfs.find(request.pf, request.index)
            self._check_owner(held, owner)
            entry = held or self._taken(request, owner)
            self._check_mtu(entry, wanted)
            written = tuple(dict.fromkeys((*entry.written, *rules.names(wanted))))
            entry = entry.model_copy(update={"owner": owner, "wanted": wanted, "written": written})
            self.entries.put(entry)
            changed = self._first_time(entry) if held is None else self.vfs.apply(entry)
            return Done(changed=changed or entry != held, detail=f"{entry.pf}: VF {entry.index} is {entry.pci}")

    def release(self, request: ReleaseVf) -> Done:
        """Release the VF and restore it as it was found. Not this site's is success."""
        with self.lock:
            held = self.vfs.find(request.pf, request.index)
            if held is None or held.owner.site != request.site:
                return Done(changed=False)
            if not self.vfs.exists(held):
                self.vfs.forget(held)
                return Done(changed=True, detail=f"{held.pf}: VF {held.index} ({held.pci}) is not there any more")
            link = self.hardware.returned_interface(held.pci)
            if link is None and (use := self.hardware.use_in_other_namespaces(held.pci)):
                raise RefusedError("conflict", f"{rules.named(held)} {use}; it cannot be released now")
            self.vfs.restore_found(held)
            return Done(changed=True, detail=self.vfs.left_over(held))

    def held(self) -> tuple[HeldVf, ...]:
        """Every VF that is held, with what the kernel reports of it now; `now` is None where it reports nothing."""
        tables: dict[str, dict[int, VfSettings]] = {}  # read once: a card's table is one long answer
        return tuple(vf.model_copy(update={"now": self.vfs.now(vf, tables)}) for vf in self.entries.all())

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
                self._audited(asked, partial(self.vfs.restore, vf), "after a restart")

    def watch(self, stop: threading.Event) -> None:
        """Until `stop`: an interface that the kernel brings back from a namespace that is gone, as eth0 or dev7, gets its own name again.

        The engine brings interfaces back under their own names; this is for containers whose end it did not see.
        """
        tried: frozenset[str] = frozenset()
        while not stop.is_set():
            tried = self._caught(stop, tried)

    def _caught(self, stop: threading.Event, tried: frozenset[str]) -> frozenset[str]:
        """Wait for strays and name them; those that keep their name, because another interface has theirs, are not tried again."""
        self.hardware.links.wait_until(lambda: stop.is_set() or bool(self.vfs.strays() - tried), WATCH_SECONDS)
        strays = self.vfs.strays()
        for pci in sorted(strays - tried):
            self._audited({"do": "take-back", "vf": pci}, partial(self.take_back, pci), "came back from a namespace that is gone")
        return strays & self.vfs.strays()  # one that came meanwhile is new

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
            if not self.vfs.exists(held):
                raise RefusedError("conflict", f"{rules.named(held)} is not there; does {held.pf} have its virtual functions?")
            link = self.hardware.returned_interface(pci)
            if link is None and (use := self.hardware.use_in_other_namespaces(pci)):
                raise RefusedError("conflict", f"{rules.named(held)} {use}")
            self.vfs.apply(held, mtu)
            return self.vfs.emptied(held)

    def take_back(self, pci: str) -> bool:
        """Give an interface that came back from a container its own name, MAC and MTU again; whether it had others.

        A VF that is not held is left alone.
        """
        with self.lock:
            held = self.entries.get(pci)
            return held is not None and self.hardware.returned_interface(pci) is not None and self.vfs.apply(held)

    # --- one VF ----------------------------------------------------------------------------------------------------

    def _check_owner(self, held: HeldVf | None, owner: Owner) -> None:
        if held is not None and not rules.same_owner(held.owner, owner):
            raise RefusedError("conflict", f"{rules.named(held)} is held by {rules.holder(held.owner)}")

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
            interface=FoundInterface(name=link.name, mac=link.mac, is_up=link.is_up, boot=self.vfs.boot),
            raised_pf=not self.pfs.is_up(request.pf),
        )

    def _no_such_vf(self, request: ConfigureVf, pf_pci: str) -> str:
        count = self.hardware.tree.count(request.pf)
        having = rules.holders(self.entries.all(), pf_pci)
        return f"{request.pf} has {count} virtual functions and so no VF {request.index}; {f'held: {having}' if having else 'none is held'}"

    def _check_mtu(self, vf: HeldVf, wanted: VfSettings) -> None:
        pf = self.hardware.links.find(self.vfs.at(vf).pf)
        if wanted.mtu is not None and pf is not None and wanted.mtu > pf.mtu:
            text = f"{rules.named(vf)} cannot have the MTU {wanted.mtu}: its PF has {pf.mtu}; set interface/{vf.pf}/mtu first"
            raise RefusedError("conflict", text)

    def _first_time(self, entry: HeldVf) -> bool:
        """Apply it; a VF that cannot be made what was asked for is not kept."""
        try:
            self.pfs.raise_for(entry)
            self.vfs.apply(entry)
        except (RefusedError, OSError) as error:
            _logged(lambda: self.vfs.restore_found(entry))
            if isinstance(error, OSError):
                raise RefusedError("failed", f"{rules.named(entry)}: {reason(error)}") from error
            raise
        return True


def _logged(act: Callable[[], object]) -> None:
    try:
        act()
    except (RefusedError, OSError) as error:
        log.warning("not restored: %s", error)
