"""What the rules of the doctor look at: of one endpoint's facts, those that its declared networks, profiles and transfers concern.

Pure. A host has NICs and disks that are not examined here; only what carries a declared network or lies behind a declared volume
is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dtnctl.model.drivers import HOST_NETWORK, OTHER_DRIVER, Driver
from dtnctl.model.effective import origin
from dtnctl.model.resources import ContainerSeen, EndpointSeen
from dtnctl.model.site import Document, Endpoint, Network, Site
from dtnctl.planning.doctor.numbers import cpu_set
from dtnctl.planning.resolve import ResolvedTransfer, Service

if TYPE_CHECKING:
    from dtn_agent.protocol import BlockDevice, ContainerNet, Facts, Host, Interface, Mounted

RDMA_FOLDER = "/dev/infiniband/"


@dataclass(frozen=True, slots=True)
class Carrier:
    """An interface that `interfaces:` names for a network. `interface` is None where the host has none of that name.

    `stack` is everything that a frame of the network passes on its way out, from the top: the VLAN's interface if it exists, the
    interface itself, what it stands on, members of a bond, and the PF of a VF.
    """

    network: str
    declared: Network | None
    name: str
    interface: Interface | None
    stack: tuple[Interface, ...]
    place: str

    @property
    def mtu(self) -> int | None:
        """The network's declared MTU, which is said at every endpoint."""
        return self.declared.mtu if self.declared is not None else None

    @property
    def driver_row(self) -> Driver:
        return self.declared.driver_row if self.declared is not None else OTHER_DRIVER


@dataclass(frozen=True, slots=True)
class Device:
    """A NIC (or VF) that carries data. `has_queues`: frames of the host's own side go through its queues.

    Otherwise only VFs use it, each with queues of its own.
    """

    interface: Interface
    has_queues: bool
    has_containers: bool
    place: str

    @property
    def is_function(self) -> bool:
        """Whether it is a function of its own in a slot: VFs share the PF's link."""
        return not self.interface.physfn


@dataclass(frozen=True, slots=True)
class LiveService:
    """A running container of a declared session, and what the agent reports of its network namespace."""

    service: Service
    seen: ContainerSeen
    net: ContainerNet | None

    @property
    def name(self) -> str:
        return self.seen.name

    @property
    def is_host_networked(self) -> bool:
        return self.seen.spec.network == HOST_NETWORK

    @property
    def wants_rdma(self) -> bool:
        return any(device.host.startswith(RDMA_FOLDER) for device in self.seen.spec.devices)


@dataclass(frozen=True, slots=True)
class DeclaredVolume:
    """A mount that host folders of services lie in, the block devices behind it, and the NICs that these services send by."""

    mounted: Mounted
    disks: tuple[BlockDevice, ...]
    devices: tuple[Device, ...]
    place: str


@dataclass(frozen=True)
class Examined:
    """One endpoint as the rules see it. `services` are those that should exist on it, `peers` the hosts of the other endpoints."""

    site: Site
    endpoint: Document[Endpoint]
    seen: EndpointSeen
    host: Host
    services: tuple[Service, ...]
    resolved_transfers: tuple[ResolvedTransfer, ...]
    peers: Mapping[str, Host]

    @property
    def facts(self) -> Facts:
        return self.host.facts

    @cached_property
    def interfaces(self) -> Mapping[str, Interface]:
        return {item.name: item for item in self.facts.interfaces}

    @cached_property
    def carriers(self) -> tuple[Carrier, ...]:
        """Every network that has an interface here, in name order."""
        return tuple(carriers(self.site, self.endpoint, self.facts))

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """Every NIC that carries data, once, in name order."""
        found: dict[str, Device] = {}
        for carrier in self.carriers:
            for item in _devices(carrier):
                known = found.get(item.interface.name, item)
                found[item.interface.name] = Device(
                    item.interface,
                    item.has_queues or known.has_queues,
                    item.has_containers or known.has_containers,
                    known.place,
                )
        return tuple(found[name] for name in sorted(found))

    @cached_property
    def fastest(self) -> Device | None:
        """The fastest data NIC whose speed is known."""
        return max((item for item in self.devices if item.interface.speed), key=lambda item: item.interface.speed or 0, default=None)

    @property
    def speed(self) -> int | None:
        """Its speed in Mb/s."""
        return self.fastest.interface.speed if self.fastest is not None else None

    @property
    def place(self) -> str:
        """What makes settings of the whole host matter: the fastest NIC's declaration, else the endpoint's own."""
        first = self.fastest or next(iter(self.devices), None)
        return first.place if first is not None else self.endpoint.where()

    @cached_property
    def has_several_nodes(self) -> bool:
        return len(self.facts.cpus.numa) > 1

    @cached_property
    def live(self) -> tuple[LiveService, ...]:
        """Running containers of declared sessions, in name order."""
        nets = {item.id: item for item in self.facts.containers}
        seen = {item.name: item for item in self.seen.containers if item.state == "running"}
        return tuple(
            LiveService(service, seen[service.container], nets.get(seen[service.container].id))
            for service in self.services
            if service.container in seen
        )

    def devices_of(self, service: Service) -> tuple[Device, ...]:
        """The NICs that carry a service's data: those of its networks, or all of them on the host's network."""
        names = {net.name for net in service.nets}
        wanted = [item for item in self.carriers if service.is_host_networked or item.network in names]
        reached = {interface.name for item in wanted for interface in item.stack}
        return tuple(item for item in self.devices if item.interface.name in reached)

    def local_cpus(self, devices: tuple[Device, ...]) -> frozenset[int]:
        """CPUs of the NICs' NUMA nodes."""
        return frozenset().union(*(cpu_set(item.interface.local_cpus) for item in devices))

    @cached_property
    def volumes(self) -> tuple[DeclaredVolume, ...]:
        """Mounts that declared volumes lie in, as far as they are on block devices, by target; the first volume gives the place."""
        found: dict[str, DeclaredVolume] = {}
        for service in self.services:
            document, location = origin(self.site, service.session, self.endpoint.name, "volumes")
            for index, volume in enumerate(service.profile.volumes):
                mounted = self._mount_of(volume.source or "") if volume.kind == "bind" else None
                if mounted is not None:
                    place = document.where(*location, index)
                    new = DeclaredVolume(mounted, self._behind(mounted), self.devices_of(service), place)
                    known = found.setdefault(mounted.target, new)
                    found[mounted.target] = replace(known, devices=_once(known.devices + new.devices))
        return tuple(found[target] for target in sorted(found))

    def _mount_of(self, path: str) -> Mounted | None:
        """The innermost mount of a block device that holds the path."""
        mounts = {mounted.target: mounted for disk in self.facts.block_devices for mounted in disk.mounts}
        folders = (str(folder) for folder in (PurePosixPath(path), *PurePosixPath(path).parents))
        return next((mounts[folder] for folder in folders if folder in mounts), None)

    def _behind(self, mounted: Mounted) -> tuple[BlockDevice, ...]:
        return tuple(disk for disk in self.facts.block_devices if mounted.target in [item.target for item in disk.mounts])

    @cached_property
    def disks(self) -> tuple[tuple[BlockDevice, DeclaredVolume], ...]:
        """Block devices behind declared volumes, each with the first of them, in name order."""
        found: dict[str, tuple[BlockDevice, DeclaredVolume]] = {}
        for volume in self.volumes:
            for disk in volume.disks:
                found.setdefault(disk.name, (disk, volume))
        return tuple(found[name] for name in sorted(found))


def _once(devices: tuple[Device, ...]) -> tuple[Device, ...]:
    return tuple({item.interface.name: item for item in devices}.values())


def carriers(site: Site, endpoint: Document[Endpoint], facts: Facts) -> Iterator[Carrier]:
    """The endpoint's `interfaces:` on a host with these facts."""
    known = {item.name: item for item in facts.interfaces}
    for network, name in sorted(endpoint.value.interfaces.items()):
        document = site.networks.get(network)
        declared = document.value if document is not None else None
        vlan = declared.vlan if declared is not None and declared.driver_row.tags_vlan == "parent" else None
        top = (known.get(f"{name}.{vlan}") if vlan is not None else None) or known.get(name)
        stack = tuple(_stack(top, facts)) if top is not None else ()
        yield Carrier(network, declared, name, known.get(name), stack, endpoint.where("interfaces", network))


def _stack(top: Interface, facts: Facts) -> Iterator[Interface]:
    waiting, passed = [top], set[str]()
    while waiting:
        interface = waiting.pop(0)
        if interface.name not in passed:
            passed.add(interface.name)
            yield interface
            waiting += below(interface, facts)


def below(interface: Interface, facts: Facts) -> list[Interface]:
    """What an interface stands on: its parent, the members of a bond, the PF of a VF."""
    return [
        item
        for item in facts.interfaces
        if item.name == interface.parent
        or (interface.kind in ("bond", "team") and item.master == interface.name)
        or (interface.physfn and item.pci == interface.physfn)
    ]


def _devices(carrier: Carrier) -> Iterator[Device]:
    physical = {item.physfn for item in carrier.stack if item.physfn}
    for interface in carrier.stack:
        if not interface.kind:
            is_used = interface.pci not in physical and not carrier.driver_row.gives_functions
            yield Device(interface, is_used, is_used and carrier.declared is not None, carrier.place)
