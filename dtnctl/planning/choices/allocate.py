"""Chooses ports and addresses: what a live owned container holds and is still valid stays, else the lowest free one.

Pure. Ports are exclusive on an endpoint; addresses are exclusive on a network name over all endpoints, because the same
name is the same layer 2. What others hold counts as taken, and so does what this plan leaves as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from dtnctl.model.networking import reserved_addresses
from dtnctl.model.permission import is_allowed_port
from dtnctl.model.resources import PREPARED_SUFFIX, Attachment, ContainerSeen, EndpointSeen, Snapshot, live_names
from dtnctl.model.site import BUILT_IN_NETWORKS, Site
from dtnctl.planning.choices.capacity import free_address, free_range, other_range, wider_range
from dtnctl.planning.choices.disposition import Disposition
from dtnctl.planning.choices.hardware import NO_HARDWARE, Hardware, HardwarePlan, allocate_hardware
from dtnctl.planning.choices.holdings import ACTIVE_STATES, addresses, holdings, live_holdings, port_number
from dtnctl.planning.choices.pools import Addresses, Candidates, HostPort, Item, Pool, Ports
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, Service

SHORT_ID = 12  # as engines show ids to people
MOST_HOLDERS = 4  # are named of those that hold a range
CHOSEN_PORTS = (("ctrl_port_range", "CTRL_PORT"), ("serv_port_range", "SERV_PORT"))
FAMILIES = {"ipv4": ("subnet", "addresses"), "ipv6": ("subnet6", "addresses6")}


@dataclass(frozen=True, slots=True)
class Allocation:
    """Every choice for one service. 0 is no port; `attachments` has an entry for each of its networks.

    `guess` is what the choice takes for granted about endpoints that do not answer; empty if nothing.
    """

    ctrl_port: int = 0
    serv_port: int = 0
    attachments: tuple[Attachment, ...] = ()
    guess: str = ""
    hardware: Hardware = NO_HARDWARE


@dataclass(slots=True)
class Allocations:
    """What came out: a choice or all refusals for each service key, and what else there is to say of the hosts' hardware."""

    chosen: dict[Key, Allocation] = field(default_factory=dict)
    refused: dict[Key, tuple[Refusal, ...]] = field(default_factory=dict)
    hardware: HardwarePlan = field(default_factory=HardwarePlan)


Slot = tuple[str, str]  # ("ctrl_port_range", "") or ("ipv4", network)


@dataclass(frozen=True, slots=True)
class Want:
    """A choice that is still to be made, and of what."""

    service: Service
    slot: Slot
    pool: Pool
    range_key: object
    candidates: Candidates


def may_have_port(service: Service, port: int) -> bool:
    """Whether the owner of the endpoint lets the service have the port."""
    return is_allowed_port(service.endpoint.value.allow, port)


def allocate(site: Site, services: tuple[Service, ...], snapshot: Snapshot, disposition: Disposition) -> Allocations:
    """Choices for all services at once. The order of services and of observation changes nothing."""
    hardware = allocate_hardware(site, services, snapshot, disposition)
    found = _Allocator(site, services, snapshot, disposition, hardware.chosen).run()
    refused = {key: hardware.refused.get(key, ()) + found.refused.get(key, ()) for key in hardware.refused | found.refused}
    return Allocations(found.chosen, refused, hardware)


class _Allocator:
    def __init__(
        self, site: Site, services: tuple[Service, ...], snapshot: Snapshot, disposition: Disposition, hardware: Mapping[Key, Hardware]
    ) -> None:
        self.site = site
        self.hardware = hardware
        self.services = services
        self.disposition = disposition
        self.containers = {
            (name, container.name): container
            for name, seen in sorted(snapshot.endpoints.items())
            for container in sorted(seen.containers, key=lambda item: item.name)
        }
        self.foreign = [
            (name, item) for name, seen in sorted(snapshot.endpoints.items()) for item in sorted(seen.foreign, key=lambda item: item.id)
        ]
        self.processes = list(_processes(snapshot))
        self.silent = frozenset(snapshot.silent)
        self.ports: dict[str, Pool] = {name: Pool() for name in site.endpoints}
        self.own_ports: dict[Key, Pool] = {}
        self.addresses: dict[str, Pool] = {}
        self.slots: dict[Key, dict[Slot, Item]] = {service.key: {} for service in services}
        self.fresh: dict[Key, set[str]] = {}
        self.refused: dict[Key, list[tuple[Refusal, Callable[[], str]]]] = {}
        self.ranges: dict[tuple[str, str], Addresses | None] = {}
        self.port_ranges: dict[tuple[str, tuple[int, int]], Ports] = {}

    def run(self) -> Allocations:
        staying = [service for service in self.services if (service.endpoint.name, service.container) in self.disposition.stays]
        moving = [service for service in self.services if (service.endpoint.name, service.container) not in self.disposition.stays]
        self._hold_foreign()
        for service in staying:
            self._keep(service)
        self._hold_others()
        for service in moving:
            self._keep(service)
        for service in sorted(self.services, key=lambda service: (self._live(service) is None, service.key)):
            self._hold_published(service)
        for want in sorted(self._wants(), key=self._urgency):
            self._choose(want)
        guessed = self._guessed()
        chosen = {service.key: self._allocation(service, guessed) for service in self.services if service.key not in self.refused}
        refused = {key: tuple(replace(refusal, fix=way_out()) for refusal, way_out in found) for key, found in self.refused.items()}
        return Allocations(chosen, refused)

    def _live(self, service: Service) -> ContainerSeen | None:
        """Its live container; while a replacement is half-done, the retired or the prepared one shows what is held."""
        found = (self.containers.get((service.endpoint.name, name)) for name in live_names(service.container))
        return next((item for item in found if item is not None), None)

    def _pool(self, network: str) -> Pool:
        return self.addresses.setdefault(network, Pool())

    # --- what is taken already ---

    def _hold_foreign(self) -> None:
        for endpoint, container in self.foreign:
            holder = f"container {container.name} on {endpoint}, which is not ours"
            for port in container.host_ports:
                self.ports[endpoint].hold(port, holder)
            for network, address in addresses(container.addresses):
                self._pool(network).hold(address, holder)

        for endpoint, port, holder in self.processes:
            self.ports[endpoint].hold(port, holder)

    def _hold_others(self) -> None:
        """What stays keeps all that it has. What others have now may get another holder in this plan, but is better avoided."""
        for key, container in self.containers.items():
            endpoint, name = key
            if name.endswith(PREPARED_SUFFIX) and key not in self.disposition.stays:
                continue  # it goes in this plan, and holds nothing before it is started
            held, holder = live_holdings(container), f"session {container.owner} on {endpoint}"
            is_held = key in self.disposition.stays
            for port in held.ports:
                self._book(self.ports[endpoint], port, holder, is_held)
            # An address of the engine's own choice stays with its container as long as that lives.
            asked_for = holdings(container.spec).addresses
            for network, address in held.addresses:
                is_own_choice = key not in self.disposition.goes and (network, address) not in asked_for
                self._book(self._pool(network), address, holder, is_held or is_own_choice)

    @staticmethod
    def _book(pool: Pool, item: Item, holder: str, is_held: bool) -> None:
        if is_held:
            pool.hold(item, holder)
        else:
            pool.avoid(item)

    def _hold_published(self, service: Service) -> None:
        """Ranges that are published whole leave no choice: they are free or the service is refused."""
        pool = self.ports[service.endpoint.name]
        for low, high, protocol, field_name in service.published:
            for port in range(low, high + 1):
                other = pool.hold((port, protocol), str(service))
                if other is not None:
                    what = f"port {port}/{protocol} is held by {other}"
                    self._refuse(
                        service, "E0412", what, field_name, partial(_other_range, service, pool, (low, high, protocol, field_name))
                    )
                    break

    # --- what stays ---

    def _keep(self, service: Service) -> None:
        """Live choices that are still valid; they are taken before anything new is chosen."""
        seen = self._live(service)
        if seen is None:
            return
        env, ports = dict(seen.spec.env), holdings(seen.spec).ports
        for field_name, variable in CHOSEN_PORTS:
            port = port_number(env.get(variable, ""))
            # behind an address of its own it had the number only, and another session may have the endpoint's port
            if not service.uses_host_ports or (port, "tcp") in ports:
                self._keep_port(service, field_name, port)
        live = {attachment.network: attachment for attachment in seen.spec.attachments}
        for net in service.nets:
            if net.name not in BUILT_IN_NETWORKS and net.name in live:
                for family in FAMILIES:
                    address, candidates = getattr(live[net.name], family), self._addresses_of(net.name, family)
                    fixed = getattr(net, family)
                    if address and candidates is not None and (address in fixed if fixed else address in candidates):
                        self._take(service, (family, net.name), self._pool(net.name), address)

    def _keep_port(self, service: Service, field_name: str, port: int) -> None:
        bounds = getattr(service.profile, field_name)
        if bounds is None or not bounds[0] <= port <= bounds[1] or not self._may_use(service, port):
            return
        if any(low <= port <= high and protocol == "tcp" for low, high, protocol, _ in service.published):
            return  # it is to be published for another purpose now
        self._take(service, (field_name, ""), self._ports_of(service), (port, "tcp"))

    def _take(self, service: Service, slot: Slot, pool: Pool, item: Item) -> None:
        if pool.holder(item) is None:
            pool.hold(item, str(service))
            self.slots[service.key][slot] = item

    # --- what is new ---

    def _wants(self) -> Iterator[Want]:
        for service in self.services:
            if service.key in self.refused:
                continue
            slots = self.slots[service.key]
            for field_name, _ in CHOSEN_PORTS:
                bounds = getattr(service.profile, field_name)
                if bounds is not None and (field_name, "") not in slots:
                    yield Want(service, (field_name, ""), self._ports_of(service), bounds, self._port_range(service, bounds))
            for net in service.nets:
                for family in FAMILIES if net.name not in BUILT_IN_NETWORKS else ():
                    fixed = getattr(net, family)
                    candidates = fixed or self._choosable(net.name, family)
                    if candidates is not None and (family, net.name) not in slots:
                        yield Want(service, (family, net.name), self._pool(net.name), fixed or family, candidates)

    def _port_range(self, service: Service, bounds: tuple[int, int]) -> Ports:
        """The ports of the range that the service may have: one object for all services of an endpoint that ask for it."""
        place = service.endpoint.name if service.uses_host_ports else ""
        if (place, bounds) not in self.port_ranges:
            self.port_ranges[place, bounds] = Ports(*bounds, "tcp", partial(self._may_use, service))
        return self.port_ranges[place, bounds]

    def _choosable(self, name: str, family: str) -> Addresses | None:
        """None if there is nothing to choose: on a bridge without a pool of our own the engine knows better than we do."""
        network = self.site.networks[name].value
        is_engines = network.driver_row.addresses == "engine" and getattr(network, FAMILIES[family][1]) is None
        return None if is_engines else self._addresses_of(name, family)

    def _addresses_of(self, name: str, family: str) -> Addresses | None:
        """All addresses of the network that may be given; None if it has none of the family."""
        if (name, family) not in self.ranges:
            network = self.site.networks[name].value
            subnet, pool = (getattr(network, field_name) for field_name in FAMILIES[family])
            self.ranges[name, family] = None if subnet is None else Addresses(subnet, pool, reserved_addresses(network))
        return self.ranges[name, family]

    def _urgency(self, want: Want) -> tuple[int, bool, Key, Slot]:
        """Who has the least choice comes first; then what silent endpoints hold presumably, so that no other service gets it."""
        return len(want.candidates), want.service.endpoint.name not in self.silent, want.service.key, want.slot

    def _choose(self, want: Want) -> None:
        service, (kind, network) = want.service, want.slot
        item = want.pool.lowest_free(want.range_key, want.candidates)
        if item is not None:
            want.pool.hold(item, str(service))
            self.slots[service.key][want.slot] = item
            if network and self.silent and service.endpoint.name not in self.silent:
                self.fresh.setdefault(service.key, set()).add(network)
        elif network:
            self._refuse_address(service, kind, network, want)
        else:
            self._refuse_port(service, kind, want)

    def _refuse_port(self, service: Service, field_name: str, want: Want) -> None:
        low, high = getattr(service.profile, field_name)
        what = f"no free port in {low}-{high} on {service.endpoint.name}" + self._holders(want)
        if service.uses_host_ports and service.endpoint.value.allow.ports is not None:
            what += f"; its owner allows only those of {service.endpoint.where('allow', 'ports')}"
        self._refuse(service, "E0413", what, field_name, partial(_wider_range, service, want.pool, (low, high), field_name))

    def _refuse_address(self, service: Service, family: str, name: str, want: Want) -> None:
        network = self.site.networks[name].value
        fixed = next(getattr(net, family) for net in service.nets if net.name == name)
        what = f"none of {', '.join(fixed)} is free" if fixed else f"no free address in network {name}"
        subnet = str(getattr(network, FAMILIES[family][0]))
        way_out = partial(free_address, want.pool, subnet, Addresses(subnet, None, reserved_addresses(network)))
        self._refuse(service, "E0414", what + self._holders(want), service.field_of(name), way_out)

    @staticmethod
    def _holders(want: Want) -> str:
        """Who has what was asked for: the first few holders, and how many more there are."""
        held: dict[str, list[str]] = {}
        for position in range(len(want.candidates)):
            item = want.candidates[position]
            holder = want.pool.holder(item) if item is not None else None
            if holder is not None:
                held.setdefault(holder, []).append(str(item[0] if isinstance(item, tuple) else item))
        names = [f"{items[0]}{f' and {len(items) - 1} more' * (len(items) > 1)} by {holder}" for holder, items in held.items()]
        more = [f"and others by {len(names) - MOST_HOLDERS} more"] * (len(names) > MOST_HOLDERS)
        return f": held are {', '.join([*names[:MOST_HOLDERS], *more])}" if names else ""

    # --- small things ---

    def _ports_of(self, service: Service) -> Pool:
        """Behind addresses of its own a container has all ports to itself."""
        return self.ports[service.endpoint.name] if service.uses_host_ports else self.own_ports.setdefault(service.key, Pool())

    @staticmethod
    def _may_use(service: Service, port: int) -> bool:
        return not service.uses_host_ports or may_have_port(service, port)

    def _refuse(self, service: Service, code: str, text: str, field_name: str, way_out: Callable[[], str]) -> None:
        """`way_out` is asked at the end: what is free then is free."""
        self.refused.setdefault(service.key, []).append((Refusal(code, service.cause(text, field_name)), way_out))

    def _allocation(self, service: Service, guessed: Mapping[str, str]) -> Allocation:
        slots = self.slots[service.key]
        ctrl_port, serv_port = (slots.get((field_name, "")) for field_name, _ in CHOSEN_PORTS)
        hardware = self.hardware.get(service.key, NO_HARDWARE)
        vfs = {vf.network: vf.pci for vf in hardware.vfs}
        attachments = [
            Attachment(net.name, str(slots.get(("ipv4", net.name), "")), str(slots.get(("ipv6", net.name), "")), vfs.get(net.name, ""))
            for net in service.nets
        ]
        guesses = [guessed[network] for network in sorted(self.fresh.get(service.key, ())) if network in guessed]
        return Allocation(_number(ctrl_port), _number(serv_port), tuple(sorted(attachments)), "; ".join(guesses), hardware)

    def _guessed(self) -> Mapping[str, str]:
        """By network, what services on endpoints that do not answer are taken to hold."""
        found: dict[str, list[str]] = {}
        for service in self.services:
            if service.endpoint.name in self.silent:
                for (_, network), item in sorted(self.slots[service.key].items()):
                    if network:
                        found.setdefault(network, []).append(f"{item} ({service})")
        return {network: f"on {network}: {', '.join(items)}" for network, items in found.items()}


def _processes(snapshot: Snapshot) -> Iterator[tuple[str, HostPort, str]]:
    """(endpoint, port, who) of ports that processes outside of our own containers listen on, as the agents tell.

    The engine publishes nothing for a container on the host's network, and does not know those of another engine: of both only
    the listener shows. For published ports the engine's proxy listens, and nothing shows for which container: those of containers that run
    are no news.
    """
    for name, seen in sorted(snapshot.endpoints.items()):
        active = [item for item in seen.containers if item.state in ACTIVE_STATES]
        published = {(binding.host, binding.protocol) for item in active for binding in item.spec.ports}
        published |= {port for item in seen.foreign for port in item.host_ports}
        ours = {item.id for item in seen.containers}
        listeners = seen.host.facts.listeners if seen.host is not None else ()
        for listener in sorted(listeners, key=lambda item: (item.port, item.protocol, item.process, item.container)):
            port = (listener.port, listener.protocol)
            if listener.container not in ours and port not in published:
                yield name, port, f"process {listener.process or 'of unknown name'} {_where_it_runs(seen, listener.container)}"


def _where_it_runs(seen: EndpointSeen, container: str) -> str:
    """A container by its name, or by the short id of one that the engine does not list."""
    if not container:
        return f"on {seen.name}, outside of containers"
    name = next((item.name for item in seen.foreign if item.id == container), "") or container[:SHORT_ID]
    return f"in container {name} on {seen.name}, which is not ours"


def _number(item: Item | None) -> int:
    return item[0] if isinstance(item, tuple) else 0


def _other_range(service: Service, pool: Pool, wanted: tuple[int, int, str, str]) -> str:
    low, high, protocol, field_name = wanted
    found = free_range(pool, low, high, protocol, partial(may_have_port, service))
    return other_range(field_name, found, service.endpoint.name)


def _wider_range(service: Service, pool: Pool, wanted: tuple[int, int], field_name: str) -> str:
    found = free_range(pool, wanted[1], wanted[1], "tcp", partial(may_have_port, service))
    return wider_range(field_name, wanted, found, service.endpoint.name)
