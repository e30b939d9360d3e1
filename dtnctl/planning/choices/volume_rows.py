"""What lists say of volumes over NVMe-oF: both ends of each, as agents report them beside what files declare. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Document, Site
from dtnctl.model.volume_rows import VolumeRow
from dtnctl.planning.choices.volume_ends import backing_text
from dtnctl.planning.choices.volumes import VolumeUse, volume_uses
from dtnctl.planning.resolve import resolve_services

if TYPE_CHECKING:
    from dtn_agent.protocol import Host
    from dtn_agent.protocol.volumes import HeldExport, HeldVolume, Portal

UNDECLARED = "no session mounts it any more; apply removes it"
WORDS = {
    "connecting": "the kernel tries to reach its target again",
    "gone": "the kernel gave up its target; apply connects it again",
    "unmounting": "the kernel still writes what it held",
}


def volume_rows(site: Site, snapshot: Snapshot, now: datetime) -> tuple[VolumeRow, ...]:
    """By name, the target first: what is declared, and what agents still have of the site's volumes."""
    answering = {name: seen for name, seen in snapshot.endpoints.items() if not seen.is_silent}
    hosts = {name: seen.host for name, seen in answering.items() if seen.host is not None}
    uses = volume_uses(resolve_services(site, now, answering))
    rows = _Rows(site, hosts, uses)
    return tuple(sorted(rows.all(), key=lambda row: (row.name, row.role != "target", row.endpoint)))


@dataclass(frozen=True, slots=True)
class _Rows:
    site: Site
    hosts: Mapping[str, Host]
    uses: Mapping[str, Mapping[str, tuple[VolumeUse, ...]]]

    def all(self) -> Iterator[VolumeRow]:
        exports = {
            (item.volume, name): item for name, host in self.hosts.items() for item in host.held.exports if item.site == self.site.name
        }
        held = {(item.volume, name): item for name, host in self.hosts.items() for item in host.held.volumes if item.site == self.site.name}
        targets = {(name, document.value.target.endpoint or "") for name, document in self.site.volumes.items()}
        for name, endpoint in sorted({*targets, *exports}):
            yield self._target(name, endpoint, exports.get((name, endpoint)))
        users = {(name, endpoint) for name, by_endpoint in self.uses.items() for endpoint in by_endpoint}
        for name, endpoint in sorted({*users, *held}):
            yield self._host(name, endpoint, held.get((name, endpoint)))

    def _target(self, name: str, endpoint: str, held: HeldExport | None) -> VolumeRow:
        if held is not None:
            state, words = ("faulty", held.fault) if held.fault else ("exported", "" if self._is_used(name) else UNDECLARED)
            transport = held.portal.transport
            return VolumeRow(name, endpoint, "target", state, transport, _portal(held.portal), backing_text(held.backing), words=words)
        document = self.site.volumes[name]
        target, transport = document.value.target, document.value.transport
        if target.external is not None:
            portal = f"{target.external.address}:{target.external.port}"
            return VolumeRow(name, endpoint, "target", "external", transport, portal, target.external.nqn)
        state, words = self._absent(endpoint, "not exported")
        if not words and not self._is_used(name):
            words = "no session mounts it"
        return VolumeRow(name, endpoint, "target", state, transport, place=target.device or target.file or "", words=words)

    def _host(self, name: str, endpoint: str, held: HeldVolume | None) -> VolumeRow:
        uses = self.uses.get(name, {}).get(endpoint, ())
        sessions = tuple(sorted({use.service.session.name for use in uses}))
        mode = "rw" if any(use.mount.mode == "rw" for use in uses) else "ro" if uses else ""
        if held is None:
            state, words = self._absent(endpoint, "missing")
            return VolumeRow(name, endpoint, "host", state, self._transport(name), mode=mode, sessions=sessions, words=words)
        state = _held_state(held)
        words = WORDS.get(state, "" if uses else UNDECLARED)
        place = held.mount.path if held.mount is not None else held.device
        has = held.mount.mode if held.mount is not None else mode
        return VolumeRow(name, endpoint, "host", state, held.portal.transport, _portal(held.portal), place, has, sessions, words)

    def _absent(self, endpoint: str, state: str) -> tuple[str, str]:
        """Of what its agent does not have; where none answers that is not known."""
        return (state, "") if endpoint in self.hosts else ("unknown", f"the agent of {endpoint} does not answer")

    def _is_used(self, name: str) -> bool:
        return bool(self.uses.get(name))

    def _transport(self, name: str) -> str:
        document: Document[NvmeVolume] = self.site.volumes[name]
        return document.value.transport


def _held_state(held: HeldVolume) -> str:
    if held.state != "live":
        return held.state
    if held.mount is None:
        return "connected"
    if held.mount.is_being_unmounted:
        return "unmounting"
    return "mounted" if held.mount.is_mounted else "not mounted"


def _portal(portal: Portal) -> str:
    return f"{portal.address}:{portal.port}"
