"""Puts what is declared and seen of a site into a map of its networks: who is in which, by which interface, and what runs across. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dtnctl.model.drivers import NO_NETWORK
from dtnctl.model.hardware import interface_named
from dtnctl.model.network_map import Crossing, EndpointPlace, NetworkMap, NetworkPlace, PathPlace, SessionPlace
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Network, Site
from dtnctl.planning.paths.report import path_rows
from dtnctl.planning.paths.vlans import with_chosen_vlans
from dtnctl.planning.report import session_rows
from dtnctl.planning.resolve import Service, resolve_services


def network_map(site: Site, snapshot: Snapshot, now: datetime) -> NetworkMap:
    """The map of all networks. What does not answer is shown as it is declared, and as unknown."""
    known = with_chosen_vlans(site, snapshot)
    services = resolve_services(known, now)
    sessions = tuple(_sessions(known, snapshot, services, now))
    crossings = tuple(sorted(_crossings(known, snapshot, services), key=lambda item: (item.endpoint, item.network)))
    used = {name for session in sessions for name in session.networks} | {item.network for item in crossings}
    return NetworkMap(
        site=site.name,
        endpoints=tuple(EndpointPlace(name, seen.silence, seen.agent_silence) for name, seen in sorted(snapshot.endpoints.items())),
        networks=(
            *(_declared(document) for _, document in sorted(known.networks.items())),
            *(NetworkPlace(name, name) for name in BUILT_IN_NETWORKS if name in used),
        ),
        crossings=crossings,
        paths=tuple(_paths(known, snapshot)),
        sessions=sessions,
    )


def _declared(document: Document[Network]) -> NetworkPlace:
    value = document.value
    subnets = tuple(subnet for subnet in (value.subnet, value.subnet6) if subnet is not None)
    return NetworkPlace(document.name, value.driver, value.vlan, value.mtu or 0, subnets, value.path or "")


# --- where endpoints are in them ------------------------------------------------------------------------------------


def _crossings(site: Site, snapshot: Snapshot, services: tuple[Service, ...]) -> Iterator[Crossing]:
    """By an interface that the endpoint names, and where a session is on a network that needs none."""
    used: dict[str, set[str]] = {}
    for service in services:
        used.setdefault(service.endpoint.name, set()).update(data_networks(service))
    for endpoint, seen in snapshot.endpoints.items():
        named = site.endpoints[endpoint].value.interfaces
        for network, interface in named.items():
            found = interface_named(seen.host, interface) if seen.host is not None else None
            if found is None:
                yield Crossing(endpoint, network, interface, is_missing=seen.host is not None)
            else:
                yield Crossing(endpoint, network, interface, found.speed, found.is_up and found.carrier is not False)
        for network in sorted(used.get(endpoint, set()) - named.keys()):
            yield Crossing(endpoint, network)


def data_networks(service: Service) -> tuple[str, ...]:
    """The networks that its data goes over: its data networks, else what it is managed by, the host's own included."""
    management = service.profile.mgmt_net
    if service.profile.data_nets or management is None or management.name == NO_NETWORK:
        return tuple(net.name for net in service.profile.data_nets)
    return (management.name,)


# --- what runs across -----------------------------------------------------------------------------------------------


def _paths(site: Site, snapshot: Snapshot) -> Iterator[PathPlace]:
    for row in path_rows(site, snapshot):
        places = [end.partition(" ")[0] for end in row.ends]
        ours = tuple(name for name in places if name in site.endpoints)
        others = tuple(name for name in places if name not in site.endpoints)
        yield PathPlace(row.name, row.state, row.provider, ours, others, row.vlan, row.mtu, row.bandwidth)


def _sessions(site: Site, snapshot: Snapshot, services: tuple[Service, ...], now: datetime) -> Iterator[SessionPlace]:
    networks: dict[str, set[str]] = {}
    for service in services:
        networks.setdefault(service.session.name, set()).update(data_networks(service))
    for row in session_rows(site, snapshot, now):
        yield SessionPlace(row.name, row.state, row.endpoints, tuple(sorted(networks.get(row.name, ()))))
