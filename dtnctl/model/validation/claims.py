"""Checks what services take from each other: host ports, volumes, fixed addresses, parent interfaces, passthru networks.

Only what leaves no choice can be refused here; what is chosen from a range is decided when planning.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dtnctl.model.networking import attachments, is_host_networked, published_ranges, uses_host_ports
from dtnctl.model.site import Network
from dtnctl.model.storage import as_made
from dtnctl.model.validation.known import DeclaredService, Known


@dataclass(frozen=True, slots=True, order=True)
class PortClaim:
    """A range of host ports that the service needs as it is."""

    low: int
    high: int
    session: str
    field: str


def check_claims(known: Known) -> None:
    """Reports everything that two services want and only one can have."""
    _check_ports(known)
    _check_fixed_addresses(known)
    by_endpoint: dict[str, dict[str, list[DeclaredService]]] = defaultdict(lambda: defaultdict(list))
    for service in known.services:
        for net in attachments(service.profile):
            if known.network(net.name) is not None:
                by_endpoint[service.endpoint][net.name].append(service)
    for endpoint, users in sorted(by_endpoint.items()):
        _check_passthru(known, endpoint, users)
        _check_parents(known, endpoint, users)
    _check_subnets(known, {endpoint: by_endpoint[endpoint] for endpoint in sorted(by_endpoint)})
    _check_volumes(known)


# --- host ports ---------------------------------------------------------------------------------------------


def _check_ports(known: Known) -> None:
    claims: dict[tuple[str, str], list[tuple[PortClaim, DeclaredService]]] = defaultdict(list)
    for service in known.services:
        if known.readable_networks(service.profile):
            for protocol, claim in port_claims(known, service):
                claims[service.endpoint, protocol].append((claim, service))
    overlaps: dict[tuple[PortClaim, PortClaim, str], list[tuple[DeclaredService, DeclaredService]]] = defaultdict(list)
    for (_, protocol), found in sorted(claims.items(), key=lambda item: item[0]):
        ordered = sorted(found, key=lambda item: item[0])
        widest = ordered[0]
        for item in ordered[1:]:
            if item[0].low <= widest[0].high:
                one, other = sorted((widest, item), key=lambda each: (each[0].session, each[0]))
                overlaps[one[0], other[0], protocol].append((one[1], other[1]))
            widest = max(widest, item, key=lambda each: each[0].high)
    for (first, second, protocol), services in overlaps.items():
        _report_ports(known, first, second, protocol, services)


def port_claims(known: Known, service: DeclaredService) -> Iterator[tuple[str, PortClaim]]:
    """(protocol, range) of host ports that leave no choice."""
    profile, session = service.profile, service.session.name
    networks = known.site.networks
    if not uses_host_ports(networks, profile):
        return
    for low, high, protocol, field in published_ranges(networks, profile):
        yield protocol, PortClaim(low, high, session, field)
    for field in ("ctrl_port_range", "serv_port_range"):
        bounds = getattr(profile, field)
        if bounds is not None and bounds[0] == bounds[1]:
            yield "tcp", PortClaim(bounds[0], bounds[1], session, field)
    if is_host_networked(profile) and profile.internal_port is not None:
        yield "tcp", PortClaim(profile.internal_port, profile.internal_port, session, "internal_port")


def _report_ports(
    known: Known, first: PortClaim, second: PortClaim, protocol: str, services: list[tuple[DeclaredService, DeclaredService]]
) -> None:
    """At the place that set the claim of the second session; all endpoints where the two meet are one problem."""
    low, high = max(first.low, second.low), min(first.high, second.high)
    ports = f"port {low}" if low == high else f"ports {low}-{high}"
    where = f"{ports}/{protocol} on {', '.join(service.endpoint for _, service in services)}"
    holder, asker = services[0]
    place = asker.origin(second.field)
    if first.session == second.session:
        known.report(place, "E0406", f"session {second.session} claims {where} by `{first.field}` and `{second.field}`", "other ports")
        return
    other = f"session {first.session} (`{first.field}`, {holder.where(first.field)})"
    hint = f"another `{second.field}` in the `settings` of one of them"
    known.report(place, "E0406", f"session {second.session} claims {where} and so does {other}", hint)


# --- volumes ------------------------------------------------------------------------------------------------


def _check_volumes(known: Known) -> None:
    """One name is one volume on an endpoint: whoever comes second would get that of the first, whatever it asks for."""
    first: dict[tuple[str, str], tuple[DeclaredService, tuple[str, Mapping[str, str]]]] = {}
    others: dict[tuple[str, str, str], list[tuple[DeclaredService, DeclaredService]]] = defaultdict(list)
    for service in known.services:
        for volume in (item for item in service.profile.volumes if item.kind == "volume"):
            name, asked = volume.source or "", (volume.driver or "local", as_made(volume.driver or "", volume.driver_opts))
            holder, made = first.setdefault((service.endpoint, name), (service, asked))
            if asked != made:
                others[holder.session.name, service.session.name, name].append((holder, service))
    for (holder_name, _, name), services in sorted(others.items(), key=lambda item: item[0]):
        holder, asker = services[0]
        where = ", ".join(sorted({service.endpoint for _, service in services}))
        what = f"volume {name} on {where} has another driver or other options in session {holder_name} ({holder.where('volumes')})"
        known.report(asker.origin("volumes"), "E0350", what, "another name for one of the two, or the same options")


# --- fixed addresses ----------------------------------------------------------------------------------------


def _check_fixed_addresses(known: Known) -> None:
    """The same network name is the same layer 2, on whatever endpoint."""
    claims: dict[tuple[str, str], list[tuple[DeclaredService, str]]] = defaultdict(list)
    for service in known.services:
        for net in attachments(service.profile):
            field = service.attached_by(net.name)
            for addresses in (net.ipv4, net.ipv6):
                if len(addresses) == 1 and known.network(net.name) is not None:
                    claims[net.name, addresses[0]].append((service, field))
    for (network, address), found in sorted(claims.items(), key=lambda item: item[0]):
        (first, first_field), *others = found
        for service, field in others:
            what = f"{address} of network `{network}` is claimed by {_name(service)} and by {_name(first)}"
            hint = "one address for each endpoint, by `overrides`, or a list to choose from"
            where = f" ({first.where(first_field)})" if first.session is not service.session else ""
            known.report(service.origin(field), "E0407", what + where, hint)


def _name(service: DeclaredService) -> str:
    return f"session {service.session.name} on {service.endpoint}"


# --- parents ------------------------------------------------------------------------------------------------


def _check_passthru(known: Known, endpoint: str, users: dict[str, list[DeclaredService]]) -> None:
    for name, services in sorted(users.items()):
        network = _network(known, name)
        if network.driver_row.gives_all(network.mode):
            for service in services[1:]:
                pair = f"sessions {services[0].session.name} and {service.session.name} both attach it on {endpoint}"
                how = network.mode or network.driver
                what = f"network `{name}` ({how}) takes one service of an endpoint, and {pair}"
                hint = "`driver: macvlan`" if network.driver_row.moves_interface else "`mode: bridge`"
                known.report(service.origin(service.attached_by(name)), "E0409", what, f"{hint} in the network")


def _check_parents(known: Known, endpoint: str, users: dict[str, list[DeclaredService]]) -> None:
    """The engine refuses a second macvlan or ipvlan network on one parent interface."""
    document = known.site.endpoints.get(endpoint)
    if document is None:
        return
    taken: dict[tuple[str, int | str | None], str] = {}
    for name in sorted(users):
        network = _network(known, name)
        parent = document.value.interfaces.get(name)
        if not network.driver_row.is_parent_exclusive or parent is None:
            continue
        chosen_later = network.path if network.vlan is None else None  # of a path with a range of VLANs
        other = taken.setdefault((parent, network.vlan or chosen_later), name)
        if other != name:
            where = parent if network.vlan is None else f"{parent}.{network.vlan}"
            what = f"{where} carries network `{other}` already; an interface can carry one"
            known.report((document, ("interfaces", name)), "E0408", what, "another interface or another `vlan`")


def _check_subnets(known: Known, used: Mapping[str, Iterable[str]]) -> None:
    """The engine keeps one address book for all its networks and refuses subnets that overlap."""
    overlaps: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for endpoint, names in used.items():
        for field in ("subnet", "subnet6"):
            widest = (-1, -1, "")
            for span in sorted(_spans(known, names, field)):
                if span[0] <= widest[1]:
                    first, second = sorted((widest[2], span[2]))
                    overlaps[first, second, field].append(endpoint)
                widest = max(widest, span, key=lambda each: each[1])
    for (first, second, field), endpoints in overlaps.items():
        document, other = known.site.networks[second], known.site.networks[first].where(field)
        what = f"overlaps with network `{first}` ({other}), and both are used on {', '.join(endpoints)}"
        known.report((document, (field,)), "E0415", what, "another subnet")


def _spans(known: Known, names: Iterable[str], field: str) -> Iterator[tuple[int, int, str]]:
    for name in names:
        text = getattr(_network(known, name), field)
        if text is not None:
            subnet = ipaddress.ip_network(text)
            yield int(subnet.network_address), int(subnet.broadcast_address), name


def _network(known: Known, name: str) -> Network:
    return known.site.networks[name].value
