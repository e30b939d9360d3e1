"""What each volume over NVMe-oF is called by hosts, where it is mounted, who uses it, and which addresses its ends have. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from dtnctl.model.hardware import interface_named
from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.plan import Cause
from dtnctl.model.profile import Volume
from dtnctl.model.resources import ContainerSeen, Device, Mount
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service

if TYPE_CHECKING:
    from dtn_agent.protocol import Host, Interface

NAMES = UUID("6f0c2c52-3f0b-5d0e-9f43-8f7b1d2f9a10")  # of everything that is derived from the name of a volume; never changes
LONGEST_SERIAL = 20
SLAVE = "rslave"  # what is mounted on the host after the container has started reaches it


@dataclass(frozen=True, slots=True)
class VolumeIds:
    """How hosts know a volume: the subsystem's NQN, the namespace's UUID, the serial number. The same as long as its name is."""

    nqn: str
    uuid: str
    serial: str


@dataclass(frozen=True, slots=True)
class VolumeUse:
    """A service that mounts a volume, by the mount of this index."""

    service: Service
    index: int
    mount: Volume

    @property
    def where(self) -> str:
        """`file:line` of the mount."""
        return self.service.place_of(("volumes", self.index))

    def cause(self, text: str) -> Cause:
        file, _, line = self.where.rpartition(":")
        return Cause(text, file, int(line), "volumes")


@dataclass(frozen=True, slots=True)
class HostAddress:
    """An address of a host itself, and the interface that has it."""

    address: str
    interface: Interface


def volume_ids(site: Site, document: Document[NvmeVolume]) -> VolumeIds:
    """Those of a target that somebody else made are written in the file."""
    external = document.value.target.external
    if external is not None:
        return VolumeIds(external.nqn, external.uuid, "")
    name = f"{site.name}/{site.repository}/{document.name}"
    subsystem, namespace = uuid5(NAMES, f"subsystem/{name}"), uuid5(NAMES, f"namespace/{name}")
    serial = hashlib.sha256(name.encode()).hexdigest()[:LONGEST_SERIAL]
    return VolumeIds(f"nqn.2014-08.org.nvmexpress:uuid:{subsystem}", str(namespace), serial)


def mount_folder(site: Site, name: str) -> str:
    """Where the agent mounts the volume on each host."""
    from dtn_agent.protocol.volumes import mount_point

    return mount_point(site.name if site.counts_unlabelled else f"{site.name}-{site.repository}", name)


def container_mount(site: Site, mount: Volume) -> Mount:
    """A volume with a file system, in a container."""
    return Mount(mount.target, "bind", mount_folder(site, mount.nvme), read_only=mount.mode == "ro", propagation=SLAVE)


def container_device(site: Site, mount: Volume) -> Device:
    """A volume without one: the block device, by the name that it has on whatever host."""
    ids = volume_ids(site, site.volumes[mount.nvme])
    return Device(device_file(ids.uuid), mount.target, "r" if mount.mode == "ro" else "rw")


def device_file(uuid: str) -> str:
    """The link that udev makes to a namespace's block device."""
    return f"/dev/disk/by-id/nvme-uuid.{uuid}"


def is_device(site: Site, mount: Volume) -> bool:
    """Whether the service gets a block device."""
    return bool(mount.nvme) and site.volumes[mount.nvme].value.filesystem is None


def volume_uses(services: tuple[Service, ...]) -> Mapping[str, Mapping[str, tuple[VolumeUse, ...]]]:
    """Who uses each volume: by its name, then by endpoint."""
    found: dict[str, dict[str, tuple[VolumeUse, ...]]] = {}
    for service in services:
        for index, mount in enumerate(service.profile.volumes):
            if mount.nvme:
                by_endpoint = found.setdefault(mount.nvme, {})
                use = VolumeUse(service, index, mount)
                by_endpoint[service.endpoint.name] = (*by_endpoint.get(service.endpoint.name, ()), use)
    return found


def containers_with(containers: tuple[ContainerSeen, ...], folder: str, uuid: str) -> Iterator[ContainerSeen]:
    """Active containers that have the volume mounted, or its device."""
    device = device_file(uuid)
    for item in containers:
        has_folder = any(mount.kind == "bind" and mount.source == folder for mount in item.spec.mounts)
        if item.state in ACTIVE_STATES and (has_folder or any(found.host == device for found in item.spec.devices)):
            yield item


def host_nqn(host: Host) -> str:
    """What targets know the host by; empty where its agent is older than that."""
    return host.facts.nvme.host_nqn if host.facts.nvme is not None else ""


# --- addresses ----------------------------------------------------------------------------------------------


def address_of(site: Site, endpoint: Document[Endpoint], host: Host, volume: Document[NvmeVolume]) -> HostAddress | Refusal:
    """The host's own address for the volume: on the interface that carries its network, or the one that is written."""
    target = volume.value.target
    if target.network is None:
        return _written_address(endpoint, host, volume)
    network = site.networks[target.network].value
    interface = endpoint.value.interfaces[target.network]
    names = [f"{interface}.{network.vlan}", interface] if network.vlan is not None else [interface]
    subnets = [ipaddress.ip_network(text) for text in (network.subnet, network.subnet6) if text is not None]
    there = [found for name in names if (found := interface_named(host, name)) is not None]
    for found in there:
        if address := _own_address(found, subnets):
            return HostAddress(address, found)
    has = ", ".join(address for found in there for address in found.addresses) or "none"
    inside = f" in {' or '.join(map(str, subnets))}" if subnets else ""
    text = (
        f"{endpoint.name} has no address of its own{inside} on {' or '.join(names)}, which carries network {target.network} (it has {has})"
    )
    return _refused(volume, "network", text, f"an address of the host on {names[0]}, or `address:` in {volume.file}")


def _written_address(endpoint: Document[Endpoint], host: Host, volume: Document[NvmeVolume]) -> HostAddress | Refusal:
    address = volume.value.target.address or ""
    for interface in host.facts.interfaces:
        if any(item.partition("/")[0] == address for item in interface.addresses):
            return HostAddress(address, interface)
    return _refused(volume, "address", f"{endpoint.name} has no address {address}", "an address that the host has now")


def _refused(volume: Document[NvmeVolume], field: str, text: str, fix: str) -> Refusal:
    return Refusal("E0454", Cause(text, volume.file, volume.mark(("target", field)).line, f"target.{field}"), fix)


def _own_address(interface: Interface, subnets: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> str:
    """The first in one of the subnets; without subnets the first that is not local to the link. IPv4 first."""
    found = sorted((ipaddress.ip_interface(text).ip for text in interface.addresses), key=lambda item: (item.version, int(item)))
    fitting = (item for item in found if (any(item in subnet for subnet in subnets) if subnets else not item.is_link_local))
    return str(next(fitting, ""))
