"""Decides what bounds the rate of a transfer at most: a link, its PCIe slot, or disks, as far as agents report them. Pure.

Formulas: Ethernet by its nominal rate, PCIe and NVMe by what their links carry after encoding and packet headers (numbers.py). What
is not known bounds nothing: paths between hosts, disks without a PCIe link of their own, hosts without an agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.doctor.examined import DeclaredVolume, Device, Examined
from dtnctl.planning.doctor.numbers import pcie_goodput
from dtnctl.planning.resolve import ResolvedTransfer, Service, resolve_services

GIGA, BITS = 10**9, 8


@dataclass(frozen=True, slots=True)
class Bound:
    """`what` is named as people call it: `link ens1f0 of dtn1`. `rate` in bytes per second."""

    what: str
    rate: float


def lowest_bounds(site: Site, snapshot: Snapshot, transfers: Iterable[ResolvedTransfer], now: datetime) -> Mapping[str, Bound]:
    """The lowest bound of each transfer by name, of those of which one is known."""
    transfers = tuple(transfers)
    services = {service.key: service for service in resolve_services(site, now)} if _has_facts(snapshot) else {}
    found = {item.transfer.name: [bound for end in _ends(site, snapshot, services, item) for bound in end] for item in transfers}
    return {name: min(bounds, key=lambda bound: bound.rate) for name, bounds in found.items() if bounds}


def _has_facts(snapshot: Snapshot) -> bool:
    return any(seen.host is not None for seen in snapshot.endpoints.values())


def _ends(
    site: Site, snapshot: Snapshot, services: Mapping[tuple[str, str], Service], resolved: ResolvedTransfer
) -> Iterator[Iterator[Bound]]:
    """The bounds at each end that has facts."""
    for key, path in zip(resolved.keys, (resolved.source_path, resolved.destination_path), strict=True):
        endpoint, service = key[0], services.get(key)
        seen = snapshot.endpoints[endpoint]
        if service is not None and seen.host is not None:
            examined = Examined(site, site.endpoints[endpoint], seen, seen.host, (service,), (), {})
            yield _bounds(examined, service, path)


def _bounds(examined: Examined, service: Service, path: str) -> Iterator[Bound]:
    endpoint = service.endpoint.name
    devices = [device for device in examined.devices_of(service) if device.is_function and device.interface.speed]
    if len(devices) == 1:  # of several nothing says which one carries it
        yield from _of_nic(devices[0], endpoint)
    for volume in examined.volumes:
        if _host_path(service, path).startswith(f"{volume.mounted.target.rstrip('/')}/"):
            yield from _of_disks(volume, endpoint)


def _of_nic(device: Device, endpoint: str) -> Iterator[Bound]:
    interface = device.interface
    yield Bound(f"link {interface.name} of {endpoint}", (interface.speed or 0) * 1_000_000 / BITS)
    goodput = pcie_goodput(interface.pcie) if interface.pcie is not None else None
    if goodput is not None:
        yield Bound(f"PCIe of {interface.name} of {endpoint}", goodput * GIGA / BITS)


def _of_disks(volume: DeclaredVolume, endpoint: str) -> Iterator[Bound]:
    """Drives with a PCIe link of their own; those without one have no figure that says as much."""
    drives = [disk for disk in volume.disks if disk.name.startswith("nvme")]
    rates = [pcie_goodput(disk.pcie) if disk.pcie is not None else None for disk in drives]
    if drives and None not in rates:
        yield Bound(f"disks of {volume.mounted.target} of {endpoint}", sum(filter(None, rates)) * GIGA / BITS)


def _host_path(service: Service, path: str) -> str:
    """Where a path in the service lies on its host; empty if no folder of the host is mounted there."""
    mounts = {volume.target: volume.source or "" for volume in service.profile.volumes if volume.kind == "bind"}
    inside = [target for target in mounts if f"{path}/".startswith(f"{target.rstrip('/')}/")]
    target = max(inside, key=len, default="")
    return f"{mounts[target].rstrip('/')}/{path[len(target) :].strip('/')}" if target else ""
