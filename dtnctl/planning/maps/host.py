"""Puts what is seen of one endpoint into a map of its host: each device on its NUMA node, and which session holds it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dtnctl.model.hardware import cpu_numbers, disks_below, interrupt_cpus
from dtnctl.model.host_map import CpuPlace, DiskPlace, HeldHere, HostMap, NodePlace
from dtnctl.model.resources import ContainerSeen, EndpointSeen, Snapshot
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.planning.maps.cards import card_places
from dtnctl.planning.maps.sockets import socket_by_node
from dtnctl.planning.report import service_rows

if TYPE_CHECKING:
    from dtn_agent.protocol import BlockDevice, Facts, Host

WITHOUT_AGENT = "the endpoint has no agent that reports its hardware"
ON_OTHERS = ("loop", "ram", "zram", "dm-", "md")  # devices that are made of other ones, of files or of memory


def host_map(site: Site, snapshot: Snapshot, endpoint: str, now: datetime) -> HostMap:
    """The map of the endpoint's host. What does not answer is unknown, and the map says so."""
    seen = snapshot.endpoints[endpoint]
    sessions = tuple(_sessions(site, snapshot, seen, now))
    if seen.host is None:
        return HostMap(endpoint, unknown=seen.silence or seen.agent_silence or WITHOUT_AGENT, sessions=sessions)
    facts = seen.host.facts
    return HostMap(
        endpoint,
        hardware=tuple(_hardware(facts)),
        sockets=facts.cpus.sockets,
        nodes=tuple(_nodes(_Here(site, site.endpoints[endpoint], seen, seen.host))),
        sessions=sessions,
    )


@dataclass(frozen=True, slots=True)
class _Here:
    site: Site
    document: Document[Endpoint]
    seen: EndpointSeen
    host: Host

    @property
    def services(self) -> tuple[ContainerSeen, ...]:
        return tuple(item for item in self.seen.containers if item.kind == "service")


def _hardware(facts: Facts) -> Iterator[str]:
    system = facts.system
    yield system.hostname
    if facts.cpus.model:
        yield facts.cpus.model
    yield f"Linux {system.kernel}"
    if system.virtualization:
        yield system.virtualization


# --- who is here ----------------------------------------------------------------------------------------------------


def _sessions(site: Site, snapshot: Snapshot, seen: EndpointSeen, now: datetime) -> Iterator[HeldHere]:
    live = {item.name: item for item in seen.containers}
    for row in service_rows(site, snapshot, now):
        if row.endpoint == seen.name:
            found = live.get(row.container_name)
            yield HeldHere(row.session, row.state) if found is None else _held(site, seen, row.state, found)


def _held(site: Site, seen: EndpointSeen, state: str, live: ContainerSeen) -> HeldHere:
    held = seen.host.held.vfs if seen.host is not None else ()
    functions = [f"{item.pf} {item.index}" for item in held if (item.owner.site, item.owner.session) == (site.name, live.owner)]
    folders = sorted({mount.source for mount in live.spec.mounts if mount.kind == "bind"})
    networks = sorted(live.networks & site.networks.keys())
    return HeldHere(live.owner, state, live.spec.cpu_set, tuple(functions), tuple(networks), tuple(folders))


# --- where things are -----------------------------------------------------------------------------------------------


def _nodes(here: _Here) -> Iterator[NodePlace]:
    """Each NUMA node; then what has no node, if there is anything."""
    facts = here.host.facts
    sockets = socket_by_node(facts.cpus)
    cpus = _cpu_places(here)
    cards = card_places(here.site, here.document, here.seen, here.host)
    disks = _disks_by_node(here)
    known = {node.node for node in facts.cpus.numa}
    for node in facts.cpus.numa:
        yield NodePlace(
            node.node,
            socket=sockets.get(node.node),
            memory=node.memory,
            memory_free=node.memory_free,
            cpus=tuple(cpus.pop(number) for number in cpu_numbers(node.cpus) if number in cpus),
            cards=cards.get(node.node, ()),
            disks=disks.get(node.node, ()),
        )
    rest_of_cards = [item for node, items in cards.items() if node not in known for item in items]
    rest_of_disks = [item for node, items in disks.items() if node not in known for item in items]
    rest = NodePlace(None, cpus=tuple(cpus.values()), cards=tuple(rest_of_cards), disks=tuple(rest_of_disks))
    if rest != NodePlace(None):
        yield rest


def _cpu_places(here: _Here) -> dict[int, CpuPlace]:
    """Every CPU that is online, by its number."""
    endpoint = here.document.value
    interrupts = interrupt_cpus(here.host, endpoint.interfaces.values())
    reserved = interrupts if endpoint.reserved_cpus == "irq" else cpu_numbers(endpoint.reserved_cpus or "")
    pinned: dict[int, set[str]] = {}
    for live in here.services:
        for number in cpu_numbers(live.spec.cpu_set):
            pinned.setdefault(number, set()).add(live.owner)
    return {
        number: CpuPlace(number, tuple(sorted(pinned.get(number, ()))), number in reserved, number in interrupts)
        for number in cpu_numbers(here.host.facts.cpus.online)
    }


def _disks_by_node(here: _Here) -> Mapping[int | None, tuple[DiskPlace, ...]]:
    sessions = _sessions_by_disk(here)
    places: dict[int | None, list[DiskPlace]] = {}
    for disk in here.host.facts.block_devices:
        if not disk.name.startswith(ON_OTHERS):
            places.setdefault(disk.numa_node, []).append(_disk(here, disk, sessions.get(disk.name, ())))
    return {node: tuple(items) for node, items in places.items()}


def _sessions_by_disk(here: _Here) -> Mapping[str, Sequence[str]]:
    """Whose folders each disk carries."""
    found: dict[str, set[str]] = {}
    for live in here.services:
        for mount in live.spec.mounts:
            for disk in disks_below(here.host, mount.source) if mount.kind == "bind" else ():
                found.setdefault(disk.name, set()).add(live.owner)
    return {name: sorted(sessions) for name, sessions in found.items()}


def _disk(here: _Here, disk: BlockDevice, sessions: Sequence[str]) -> DiskPlace:
    device, held = f"/dev/{disk.name}", here.host.held
    return DiskPlace(
        disk.name,
        disk.size,
        model=disk.model,
        transport=disk.transport,
        mounts=tuple(mount.target for mount in disk.mounts),
        sessions=tuple(sessions),
        exported=next((item.volume for item in held.exports if item.backing.device == device), ""),
        volume=next((item.volume for item in held.volumes if item.device == device), ""),
    )
