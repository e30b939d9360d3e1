"""Chooses ports and addresses: what a live owned container holds and is still valid stays, else the lowest free one.

Pure. Ports are exclusive on an endpoint; addresses are exclusive on a network name over all endpoints, because the same
name is the same layer 2. What others hold counts as taken.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dtnctl.model.effective import origin
from dtnctl.model.fields import AddressPool, PortRange
from dtnctl.model.plan import Cause
from dtnctl.model.resources import RETIRED_SUFFIX, Attachment, ContainerSeen, Snapshot
from dtnctl.model.site import BUILT_IN_NETWORKS, Network, Site
from dtnctl.planning.resolve import Service

HostPort = tuple[int, str]
LOWEST_UNPRIVILEGED_PORT = 1024


@dataclass(frozen=True, slots=True)
class Allocation:
    """Every choice for one service. 0 is no port; `attachments` has an entry for each network that we gave an address."""

    ctrl_port: int = 0
    serv_port: int = 0
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a service cannot be, and what to do. `cause` points at the line that asked, or the owner's line that says no."""

    code: str
    cause: Cause
    fix: str = ""


@dataclass(slots=True)
class Allocations:
    """What came out: a choice or a refusal for each service key."""

    chosen: dict[tuple[str, str], Allocation] = field(default_factory=dict)
    refused: dict[tuple[str, str], Refusal] = field(default_factory=dict)


class Pool:
    """Things that can be held once: who holds what, and the lowest free one of a range in constant time on average."""

    def __init__(self) -> None:
        self._holders: dict[object, str] = {}
        self._cursors: dict[object, int] = {}

    def hold(self, item: object, holder: str) -> str | None:
        """Take it; the name of the holder if it is somebody else's already."""
        current = self._holders.setdefault(item, holder)
        return None if current == holder else current

    def holder(self, item: object) -> str | None:
        return self._holders.get(item)

    def lowest_free(self, range_key: object, size: int, item_at: Callable[[int], object | None]) -> object | None:
        """The first item that nobody holds; `item_at` gives the item at a position, None where it may not be used.

        Nothing is given back during one planning, so each search goes on where the last one of the range ended.
        """
        for position in range(self._cursors.get(range_key, 0), size):
            item = item_at(position)
            if item is not None and item not in self._holders:
                self._cursors[range_key] = position
                return item
        return None


def allocate(site: Site, services: tuple[Service, ...], snapshot: Snapshot) -> Allocations:
    """Choices for all services at once. Order of services and of observation changes nothing."""
    return _Allocator(site, services, snapshot).run()


class _Allocator:
    def __init__(self, site: Site, services: tuple[Service, ...], snapshot: Snapshot) -> None:
        self.site = site
        self.services = services
        self.snapshot = snapshot
        self.live = dict(_live_containers(services, snapshot))
        self.ports: dict[str, Pool] = {name: Pool() for name in site.endpoints}
        self.addresses: dict[str, Pool] = {}
        self.out = Allocations()

    def run(self) -> Allocations:
        self._hold_foreign()
        self._hold_unwanted()
        for service in self.services:
            self._hold_published(service)
        kept = {service.key: self._kept(service) for service in self.services}
        for service in self.services:
            if service.key not in self.out.refused:
                self._choose(service, kept[service.key])
        return self.out

    # --- what is taken already ---

    def _hold_foreign(self) -> None:
        for name, seen in self.snapshot.endpoints.items():
            for container in seen.foreign:
                holder = f"container {container.name} on {name}, which is not ours"
                for port in container.host_ports:
                    self.ports[name].hold(port, holder)
                self._hold_addresses(container.addresses, holder)

    def _hold_unwanted(self) -> None:
        """Owned containers that no service stands for keep what they have until they are gone."""
        wanted = {(service.endpoint.name, service.container) for service in self.services}
        for name, seen in self.snapshot.endpoints.items():
            for container in seen.containers:
                if (name, container.name.removesuffix(RETIRED_SUFFIX)) not in wanted:
                    self._hold_addresses(container.addresses + container.spec.attachments, f"container {container.name} on {name}")

    def _hold_addresses(self, attachments: Iterable[Attachment], holder: str) -> None:
        for attachment in attachments:
            for address in (attachment.ipv4, attachment.ipv6):
                if address and attachment.network not in BUILT_IN_NETWORKS:
                    self._pool(attachment.network).hold(address, holder)

    def _pool(self, network: str) -> Pool:
        return self.addresses.setdefault(network, Pool())

    def _hold_published(self, service: Service) -> None:
        """Ranges that are published whole leave no choice: they are free or the service is refused."""
        for low, high, protocol, field_name in published_ranges(service):
            for port in range(low, high + 1):
                other = self.ports[service.endpoint.name].hold((port, protocol), _holder(service))
                if other is not None:
                    self._refuse(service, "E0412", f"port {port}/{protocol} is held by {other}", field_name, "another range")
                    break

    # --- what stays ---

    def _kept(self, service: Service) -> Allocation:
        """Live choices that are still valid; they are taken before anything new is chosen."""
        seen = self.live.get(service.key)
        if seen is None:
            return Allocation()
        env = dict(seen.spec.env)
        return Allocation(
            ctrl_port=self._keep_port(service, env.get("CTRL_PORT", ""), service.profile.ctrl_port_range),
            serv_port=self._keep_port(service, env.get("SERV_PORT", ""), service.profile.serv_port_range),
            attachments=tuple(self._keep_addresses(service, seen)),
        )

    def _keep_port(self, service: Service, text: str, port_range: PortRange | None) -> int:
        if port_range is None or not text.isdigit() or not port_range[0] <= int(text) <= port_range[1]:
            return 0
        port = int(text)
        free = self._is_allowed(service, port) and self.ports[service.endpoint.name].hold((port, "tcp"), _holder(service)) is None
        return port if free else 0

    def _keep_addresses(self, service: Service, seen: ContainerSeen) -> Iterator[Attachment]:
        live = {attachment.network: attachment for attachment in seen.spec.attachments}
        for net in service.nets:
            if net.name in BUILT_IN_NETWORKS or net.name not in live:
                continue
            network = self.site.networks[net.name].value
            ipv4 = self._keep_address(service, net.name, live[net.name].ipv4, net.ipv4, network.subnet, network.addresses)
            ipv6 = self._keep_address(service, net.name, live[net.name].ipv6, net.ipv6, network.subnet6, network.addresses6)
            yield Attachment(net.name, ipv4, ipv6)

    def _keep_address(
        self, service: Service, network: str, address: str, fixed: tuple[str, ...], subnet: str | None, pool: AddressPool | None
    ) -> str:
        if not address or subnet is None:
            return ""
        value = ipaddress.ip_address(address)
        is_valid = address in fixed if fixed else any(low <= int(value) <= high for low, high in _spans(subnet, pool))
        if not is_valid or address in _reserved(self.site.networks[network].value):
            return ""
        return address if self._pool(network).hold(address, _holder(service)) is None else ""

    # --- what is new ---

    def _choose(self, service: Service, kept: Allocation) -> None:
        ctrl = kept.ctrl_port or self._new_port(service, service.profile.ctrl_port_range, "ctrl_port_range")
        serv = kept.serv_port or self._new_port(service, service.profile.serv_port_range, "serv_port_range")
        addresses = {attachment.network: attachment for attachment in kept.attachments}
        attachments = tuple(self._attach(service, index, addresses) for index in range(len(service.nets)))
        if service.key not in self.out.refused:
            self.out.chosen[service.key] = Allocation(ctrl, serv, tuple(sorted(attachments)))

    def _new_port(self, service: Service, port_range: PortRange | None, field_name: str) -> int:
        if port_range is None:
            return 0
        pool = self.ports[service.endpoint.name]
        low, high = port_range
        found = pool.lowest_free(
            (low, high), high - low + 1, lambda position: (low + position, "tcp") if self._is_allowed(service, low + position) else None
        )
        if found is None:
            self._refuse(
                service,
                "E0413",
                f"no free port in {low}-{high} on {service.endpoint.name}{self._port_reason(service)}",
                field_name,
                "a wider range",
            )
            return 0
        assert isinstance(found, tuple)
        pool.hold(found, _holder(service))
        return int(found[0])

    def _is_allowed(self, service: Service, port: int) -> bool:
        ranges = service.endpoint.value.allow.ports
        if ranges is None:
            return port >= LOWEST_UNPRIVILEGED_PORT
        return any(low <= port <= high for low, high in ranges)

    def _port_reason(self, service: Service) -> str:
        if service.endpoint.value.allow.ports is None:
            return ""
        return f" that its owner allows ({service.endpoint.where('allow', 'ports')})"

    def _attach(self, service: Service, index: int, kept: Mapping[str, Attachment]) -> Attachment:
        net = service.nets[index]
        if net.name in BUILT_IN_NETWORKS:
            return Attachment(net.name)
        network = self.site.networks[net.name].value
        before = kept.get(net.name, Attachment(net.name))
        ipv4 = before.ipv4 or self._new_address(service, net.name, net.ipv4, network.subnet, network.addresses)
        ipv6 = before.ipv6 or self._new_address(service, net.name, net.ipv6, network.subnet6, network.addresses6)
        return Attachment(net.name, ipv4, ipv6)

    def _new_address(self, service: Service, network: str, fixed: tuple[str, ...], subnet: str | None, pool: AddressPool | None) -> str:
        """A bridge without an own pool lets the engine choose; it knows its bridge better than we do."""
        value = self.site.networks[network].value
        if subnet is None or (value.driver == "bridge" and not fixed and pool is None):
            return ""
        reserved = _reserved(value)
        candidates = fixed or _Candidates(subnet, pool, reserved)
        found = self._pool(network).lowest_free((network, fixed or subnet), len(candidates), candidates.__getitem__)
        if found is None:
            what = f"none of {', '.join(fixed)} is free" if fixed else f"no free address in {network}"
            holders = "; ".join(sorted({str(self._pool(network).holder(address)) for address in fixed}))
            self._refuse(service, "E0414", what + (f": held by {holders}" if holders else ""), "data_nets", "more addresses")
            return ""
        self._pool(network).hold(found, _holder(service))
        return str(found)

    def _refuse(self, service: Service, code: str, text: str, field_name: str, fix: str) -> None:
        document, location = origin(self.site, service.session, service.endpoint.name, field_name)
        cause = Cause(text, document.file, document.mark(location).line, field_name)
        self.out.refused.setdefault(service.key, Refusal(code, cause, fix))


def _holder(service: Service) -> str:
    return f"session {service.session.name} on {service.endpoint.name}"


def _live_containers(services: tuple[Service, ...], snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], ContainerSeen]]:
    """The live container of each service; while a replacement is half-done, the retired one tells what is held."""
    by_place = {(name, container.name): container for name, seen in snapshot.endpoints.items() for container in seen.containers}
    for service in services:
        place = (service.endpoint.name, service.container)
        seen = by_place.get(place) or by_place.get((place[0], place[1] + RETIRED_SUFFIX))
        if seen is not None:
            yield service.key, seen


def published_ranges(service: Service) -> Iterator[tuple[int, int, str, str]]:
    """(low, high, protocol, field) of ports that are all published 1:1, or all used on the host's network.

    Data ports are published only where there is no data network: with one, data goes over it.
    """
    if not service.publishes and not service.is_host_networked:
        return
    data = service.profile.data_port_range
    if data is not None and not service.profile.data_nets:
        yield data[0], data[1], "tcp", "data_port_range"
    for low, high, protocol in service.profile.exposed_ports:
        yield low, high, protocol, "exposed_ports"


def _reserved(network: Network) -> frozenset[str]:
    """Addresses that no container may have: gateways, network and broadcast addresses.

    Without a declared gateway the engine's own address book books the first host address as one, so it cannot be given.
    """
    reserved = {address for address in (network.gateway, network.gateway6) if address is not None}
    for text, gateway in ((network.subnet, network.gateway), (network.subnet6, network.gateway6)):
        if text is not None:
            subnet = ipaddress.ip_network(text)
            first = subnet.network_address
            reserved |= {str(first), str(subnet.broadcast_address)} | ({str(first + 1)} if gateway is None else set())
    return frozenset(reserved)


def _spans(subnet: str, pool: AddressPool | None) -> tuple[tuple[int, int], ...]:
    if pool is not None:
        return tuple((int(ipaddress.ip_address(low)), int(ipaddress.ip_address(high))) for low, high in pool)
    network = ipaddress.ip_network(subnet)
    return ((int(network.network_address), int(network.broadcast_address)),)


class _Candidates:
    """The addresses of a pool by position, without making them all; None where an address is reserved."""

    def __init__(self, subnet: str, pool: AddressPool | None, reserved: frozenset[str]) -> None:
        self._make = ipaddress.IPv6Address if ":" in subnet else ipaddress.IPv4Address
        self._spans = _spans(subnet, pool)
        self._reserved = reserved

    def __len__(self) -> int:
        return min(sum(high - low + 1 for low, high in self._spans), sys.maxsize)

    def __getitem__(self, position: int) -> str | None:
        for low, high in self._spans:
            if position <= high - low:
                address = str(self._make(low + position))
                return None if address in self._reserved else address
            position -= high - low + 1
        raise IndexError(position)
