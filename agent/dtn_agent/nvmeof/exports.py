"""Volumes that this host exports: made for exactly the hosts that were named, withdrawn if they are ours, restored after a reboot."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import assert_never, get_args

from dtn_agent.audit import SILENT, Audit
from dtn_agent.errors import RefusedError
from dtn_agent.host_resource import HostResource
from dtn_agent.ledger import Ledger
from dtn_agent.nvmeof.backing import Backings
from dtn_agent.nvmeof.keys import NO_KEYS, KeyFile, Keys
from dtn_agent.nvmeof.limits import TooLongError, within
from dtn_agent.nvmeof.modules import KernelModules
from dtn_agent.nvmeof.target import Target, path_of
from dtn_agent.protocol import Ability, Done, Facts
from dtn_agent.protocol.volumes import ExportRequest, ExportVolume, HeldExport, Portal, Transport, WithdrawVolume

WATCH_SECONDS = 5.0
KEY_FILE = "volume-keys.json"
BACKING_SECONDS = 60.0  # what is exported may itself be on a disk or a server that is gone
log = logging.getLogger(__name__)


class VolumeExports(HostResource[ExportRequest]):
    """The exports of one host. One request at a time; `held` waits for none."""

    name = "exported volumes"
    requests = get_args(ExportRequest)
    entry = HeldExport

    def __init__(
        self,
        ledger: Ledger,
        target: Target | None = None,
        backings: Backings | None = None,
        modules: KernelModules | None = None,
        audit: Audit = SILENT,
    ) -> None:
        self.entries = ledger.section(HeldExport)
        self.keys = KeyFile(ledger.path.with_name(KEY_FILE), ledger.lock)
        self.target = target or Target()
        self.backings = backings or Backings()
        self.modules = modules or KernelModules()
        self.audit = audit
        self.lock = threading.Lock()
        self._failed: dict[tuple[str, ...], str] = {}
        self._stuck: dict[str, TooLongError] = {}  # by backing: the look that has not come back

    def turn(self, request: ExportRequest) -> tuple[str, ...]:
        del request
        return (self.name,)

    def perform(self, request: ExportRequest) -> Done:
        match request:
            case ExportVolume():
                return self.export(request)
            case WithdrawVolume():
                return self.withdraw(request)
            case _:
                assert_never(request)

    def export(self, request: ExportVolume) -> Done:
        """Have it exported as it was asked for. Where it cannot be, all volumes are as they were."""
        wanted, keys = _entry(request), Keys(request.host_key, request.controller_key)
        with self.lock:
            before = self.entries.get(*wanted.identity)
            self._check_ours(wanted, before)
            self._check_other_sites(wanted)
            self._load(wanted)
            self._check_backing(wanted, before)
            number = self.target.port_for(wanted.portal, self._ports())
            wanted = wanted.model_copy(update={"kernel_port": number, "former_hosts": _former_hosts(wanted, before)})
            with self._undone_if_refused(wanted, before):
                self._store_keys(wanted, keys)
                self.entries.put(wanted)
                changed = self._make(wanted, keys)
            return Done(changed=changed or wanted != before, detail=f"{path_of(wanted)} is exported as {wanted.nqn}")

    def withdraw(self, request: WithdrawVolume) -> Done:
        """Export it no more."""
        with self.lock:
            held = self.entries.get(request.site, request.volume)
            if held is None:
                return Done(changed=False)
            self._remove(held)
            return Done(changed=True, detail=f"{path_of(held)} is exported no more")

    def held(self) -> tuple[HeldExport, ...]:
        """What is exported, with what is otherwise now."""
        return tuple(entry.model_copy(update={"fault": self._fault(entry)}) for entry in self.entries.all())

    def abilities(self, facts: Facts) -> tuple[Ability, ...]:
        """`export-tcp` and `export-rdma`, if this kernel has targets of that transport."""
        target = () if facts.nvme is None else facts.nvme.target
        return tuple(_ability(kind, kind in target) for kind in get_args(Transport))

    def restore(self) -> None:
        """Export again what a reboot took; what cannot be yet is tried again by `watch`."""
        with self.lock:
            self.keys.forget_others("export", [entry.identity for entry in self.entries.all()])
        for entry in self.entries.all():
            self._repair(entry.identity)

    def watch(self, stop: threading.Event) -> None:
        """Until `stop`: what could not be exported, because its device or address came late, is tried again."""
        while not stop.wait(WATCH_SECONDS):
            self.restore()

    # --- one export ---

    def _check_ours(self, wanted: HeldExport, before: HeldExport | None) -> None:
        if before is not None and before.nqn != wanted.nqn:
            raise RefusedError("conflict", f"{wanted.volume} is exported as {before.nqn}; withdraw it first")
        same = next((other for other in self.entries.all() if other.nqn == wanted.nqn and other.identity != wanted.identity), None)
        if same is not None:
            raise RefusedError("conflict", f"{wanted.nqn} is the volume {same.volume} of site {same.site}")
        if before is None and self.target.exports(wanted.nqn):
            raise RefusedError("conflict", f"{wanted.nqn} is exported here already, and not by this agent; it is left as it is")

    def _check_other_sites(self, wanted: HeldExport) -> None:
        """A site changes the keys of its own volumes only."""
        for other in self._sharing(wanted):
            key_print = self._keys(other).print or other.key_print
            if other.site != wanted.site and key_print != wanted.key_print:
                hosts = ", ".join(sorted(set(other.hosts) & set(wanted.hosts)))
                text = f"{hosts} has other keys here, for the volume {other.volume} of site {other.site}"
                raise RefusedError("conflict", f"{text}; a target has one pair of keys for each host: use the same, or another target")

    def _load(self, wanted: HeldExport) -> None:
        self.modules.need("nvmet", f"nvmet_{wanted.portal.transport}")
        self.modules.need_configfs()

    def _check_backing(self, wanted: HeldExport, before: HeldExport | None) -> None:
        """What is exported as it is already is in use by that."""
        is_live = before is not None and path_of(before) == path_of(wanted) and self.target.is_enabled(wanted.nqn)
        others = [pair for pair in self.target.backings() if pair[0] != wanted.nqn]

        def look() -> None:
            self.backings.have(wanted.backing)
            if not is_live:
                self.backings.check_free(wanted.backing, others)

        place = path_of(wanted)
        stuck = self._stuck.get(place)
        if stuck is not None and stuck.came is not None and not stuck.came.done():
            raise RefusedError(
                "failed", f"{place} does not answer: an earlier look at it has not come back; nothing more is tried until then"
            )
        try:
            within(BACKING_SECONDS, look)
        except TooLongError as error:
            self._stuck[place] = error
            raise RefusedError("failed", f"{place} does not answer: {error}; it is not exported, and its file may still be made") from None

    def _ports(self) -> dict[int, Portal]:
        return {entry.kernel_port: entry.portal for entry in self.entries.all() if entry.kernel_port}

    def _make(self, wanted: HeldExport, keys: Keys) -> bool:
        try:
            return self.target.make(wanted, keys, frozenset(entry.nqn for entry in self.entries.all()))
        except OSError as error:
            raise _refusal(wanted, error) from error

    def _remove(self, held: HeldExport) -> None:
        try:
            self.target.remove(held)
        except OSError as error:
            raise _refusal(held, error) from error
        self.entries.drop(*held.identity)
        self.keys.put("export", *held.identity, keys=NO_KEYS)

    def _fault(self, held: HeldExport) -> str:
        if lost := self.keys.why_lost(held.key_print, "export", *held.identity):
            return lost
        wrong = self.target.fault(held, self._keys(held))
        if wrong:
            reason = self._failed.get(held.identity, "")
            return f"{wrong}: {reason}" if reason else wrong
        place = self.backings.mounted_at(held.backing)
        return f"{path_of(held)} is mounted at {place} here, while others write to it" if place else ""

    def _store_keys(self, wanted: HeldExport, keys: Keys) -> None:
        """For its hosts' other volumes, too: the kernel has one pair for each host."""
        others = self._sharing(wanted) if keys != NO_KEYS else []
        self.keys.put_all({("export", *entry.identity): keys for entry in (wanted, *others)})

    def _sharing(self, wanted: HeldExport) -> list[HeldExport]:
        """Other volumes of its hosts."""
        return [entry for entry in self.entries.all() if entry.identity != wanted.identity and set(entry.hosts) & set(wanted.hosts)]

    @contextmanager
    def _undone_if_refused(self, wanted: HeldExport, before: HeldExport | None) -> Iterator[None]:
        """A refusal leaves its entry, the stored keys and what is exported as they were."""
        stored = [(entry, self._keys(entry)) for entry in (wanted, *self._sharing(wanted))]
        try:
            yield
        except RefusedError:
            self.keys.put_all({("export", *entry.identity): keys for entry, keys in stored})
            if before is None:
                self._remove_new(wanted)
            else:
                before = before.model_copy(update={"former_hosts": _former_hosts(before, wanted)})
                self.entries.put(before)
                self._make_again(before)
                self.target.remove_idle_port(wanted.kernel_port)
            raise

    def _remove_new(self, wanted: HeldExport) -> None:
        try:
            self._remove(wanted)
        except RefusedError as error:
            log.warning("not undone, so it stays in the ledger: %s", error)

    def _keys(self, held: HeldExport) -> Keys:
        return self.keys.get("export", *held.identity)

    def _repair(self, identity: tuple[str, ...]) -> None:
        """Once more as the ledger has it by now."""
        with self.lock:
            entry = self.entries.get(*identity)
            if entry is None:
                self._failed.pop(identity, None)
            else:
                self._make_again(entry)

    def _make_again(self, entry: HeldExport) -> None:
        """Unless it is so. Why it cannot be is logged once."""
        if not self.target.fault(entry, self._keys(entry)):
            self._failed.pop(entry.identity, None)
            return
        try:
            if lost := self.keys.why_lost(entry.key_print, "export", *entry.identity):
                raise RefusedError("failed", f"{entry.volume}: {lost}")
            self._load(entry)
            self._check_backing(entry, entry)
            self._make(self._with_port(entry), self._keys(entry))
        except (RefusedError, OSError) as error:
            self._tell_failed(entry, error)
        else:
            self._failed.pop(entry.identity, None)
            self.audit.done(_asked(entry), f"{path_of(entry)} is exported again")

    def _with_port(self, entry: HeldExport) -> HeldExport:
        """Its port has another number where another program took that meanwhile."""
        number = self.target.port_for(entry.portal, self._ports())
        if number != entry.kernel_port:
            entry = entry.model_copy(update={"kernel_port": number})
            self.entries.put(entry)
        return entry

    def _tell_failed(self, entry: HeldExport, error: Exception) -> None:
        if self._failed.get(entry.identity) != str(error):
            self._failed[entry.identity] = str(error)
            log.warning("not restored: %s", error)
            self.audit.refused(_asked(entry), error)


def _entry(request: ExportVolume) -> HeldExport:
    return HeldExport(
        site=request.site,
        volume=request.volume,
        nqn=request.nqn,
        uuid=request.uuid,
        serial=request.serial,
        backing=request.backing,
        portal=request.portal,
        hosts=tuple(sorted(set(request.hosts))),
        key_print=Keys(request.host_key, request.controller_key).print,
        fingerprint=request.fingerprint,
    )


def _former_hosts(wanted: HeldExport, before: HeldExport | None) -> tuple[str, ...]:
    """A crash may leave the kernel's entry of a host that is allowed no more, so they are remembered for as long as it is exported."""
    known = set() if before is None else {*before.hosts, *before.former_hosts}
    return tuple(sorted(known - set(wanted.hosts)))


def _asked(entry: HeldExport) -> Mapping[str, object]:
    return {
        "do": "export-volume",
        **entry.model_dump(mode="json", exclude={"fault", "key_print", "fingerprint", "former_hosts", "kernel_port"}, exclude_none=True),
    }


def _ability(transport: str, can: bool) -> Ability:
    lacks = "" if can else f"this kernel has no NVMe target over {transport.upper()} (module nvmet-{transport})"
    return Ability(name=f"export-{transport}", lacks=lacks)


def _refusal(held: HeldExport, error: OSError) -> RefusedError:
    portal = held.portal
    if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV):
        text = f"{held.volume}: this host has no {portal.transport} address {portal.address} (of its own, not of a container)"
        return RefusedError("conflict", text)
    if error.errno == errno.EADDRINUSE:
        return RefusedError("conflict", f"{held.volume}: another program listens at {portal.address} port {portal.port}")
    where = f" ({os.path.basename(error.filename)})" if error.filename else ""  # noqa: PTH119  # a path as text
    return RefusedError("failed", f"{held.volume}: the kernel refuses{where}: {error.strerror}")
