"""Checks that the ends of a transfer reach each other: the control port of both, and the data ports of the destination.

With GridFTP the destination listens and the source connects to it, so only the destination must be reached for data. A bridge is inside
of one host: what other hosts reach of it are the ports that the host publishes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from dtnctl.model.hosts import engine_host
from dtnctl.model.known import Known, Place, Service
from dtnctl.model.networking import attachments, is_host_networked, is_publishing, published_ranges
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Transfer
from dtnctl.model.suitable import ends

Fault = tuple[Place, str, str, str]  # place, code, what, what to try
DATA_PORTS = "`data_port_range: [50100, 50199]`, or a data network that other hosts reach"


def check_reception(known: Known) -> None:
    """Reports each service that a transfer needs and cannot use, with the first such transfer."""
    services = {(service.session.name, service.endpoint): service for service in known.services}
    seen: set[Fault] = set()
    for transfer in known.site.transfers.values():
        for fault in _faults(known, transfer, services):
            if fault not in seen:
                seen.add(fault)
                place, code, what, hint = fault
                known.report(place, code, f"transfer {transfer.name} ({transfer.where('to')}) cannot work: {what}", hint)


def _faults(known: Known, transfer: Document[Transfer], services: dict[tuple[str, str], Service]) -> Iterator[Fault]:
    named = transfer.value.session
    sessions = (named,) if named is not None else known.suitable(transfer.value)
    if len(sessions) != 1:
        return
    found = [services.get((sessions[0], endpoint)) for endpoint in ends(transfer.value)]
    source, destination = (service if service and known.readable_networks(service.profile) else None for service in found)
    for service in (source, destination):
        if service is not None:
            yield from _no_login(known, service)
    if destination is not None:
        yield from _no_data_ports(known, destination)
    if source is not None and destination is not None:
        yield from _no_common_protocol(known, source, destination)


def _no_login(known: Known, service: Service) -> Iterator[Fault]:
    profile = service.profile
    is_behind_ports = is_host_networked(profile) or _publishes(known, service)
    if profile.ctrl_port_range is None and (is_behind_ports or profile.internal_port is None):
        what = f"{_name(service)} has no control port, so no login is possible there"
        yield service.origin("ctrl_port_range"), "E0341", what, "`ctrl_port_range: [30000, 30100]`"


def _no_data_ports(known: Known, service: Service) -> Iterator[Fault]:
    """Where data connections could be made to from another host; nothing if they can."""
    profile, nets = service.profile, attachments(service.profile)
    if is_host_networked(profile):
        return
    if not nets:
        yield service.origin("mgmt_net"), "E0340", f"{_name(service)} has no network", "`mgmt_net: bridge`, or `data_nets: […]`"
        return
    name = nets[0].name
    if _driver(known, name) != "bridge":
        return
    if profile.data_nets:
        what = f"data goes to {_name(service)} over network {name}, a bridge that is inside of {service.endpoint} alone"
        hint = "`mgmt_net` for the bridge and no `data_nets`: its data ports are published then; or a macvlan, ipvlan or sriov network first"
        yield service.origin("data_nets"), "E0340", what, hint
    elif not is_publishing(known.site.networks, name):
        what = f"{_name(service)} is on network {name} alone, a bridge without a way to other hosts"
        yield service.origin("mgmt_net"), "E0340", what, "`mgmt_net: bridge`, or `data_nets: […]`"
    elif not any(protocol == "tcp" for _, _, protocol, _ in published_ranges(known.site.networks, profile)):
        what = f"{_name(service)} is on a bridge, and {service.endpoint} publishes no data ports for it"
        yield service.origin("data_port_range"), "E0340", what, DATA_PORTS


def _no_common_protocol(known: Known, source: Service, destination: Service) -> Iterator[Fault]:
    wanted, able = _data_versions(known, destination), _versions(known, source)
    if wanted and able and not wanted & able:
        version, other = next(iter(wanted)), next(iter(able))
        what = f"data goes to {_name(destination)} over IPv{version}, and on {source.endpoint} the session has IPv{other} alone"
        hint = f"a network with IPv{version} on {source.endpoint}, or one with IPv{other} on {destination.endpoint}"
        yield source.origin("data_nets"), "E0342", what, hint


def _data_versions(known: Known, service: Service) -> frozenset[int]:
    """The IP version of the address at which data is received; empty if a name decides it."""
    if is_host_networked(service.profile) or (_publishes(known, service) and not service.profile.data_nets):
        endpoint = known.site.endpoints.get(service.endpoint)
        return frozenset() if endpoint is None else _version_of(endpoint.value.host or engine_host(endpoint.value.docker))
    nets = attachments(service.profile)
    return frozenset({min(_network_versions(known, nets[0].name))}) if nets else frozenset()  # IPv4 is used where there is both


def _versions(known: Known, service: Service) -> frozenset[int]:
    """The IP versions that the service has; empty if it has its host's."""
    return frozenset(version for net in attachments(service.profile) for version in _network_versions(known, net.name))


def _network_versions(known: Known, name: str) -> set[int]:
    network = known.network(name)
    if network is None:
        return {4}  # the engine's own bridge
    return {6} if network.subnet is None and network.subnet6 is not None else {4, *((6,) if network.subnet6 is not None else ())}


def _version_of(host: str) -> frozenset[int]:
    try:
        return frozenset({ipaddress.ip_address(host).version})
    except ValueError:
        return frozenset()


def _publishes(known: Known, service: Service) -> bool:
    return any(is_publishing(known.site.networks, net.name) for net in attachments(service.profile))


def _driver(known: Known, name: str) -> str:
    network = known.network(name)
    return name if network is None and name in BUILT_IN_NETWORKS else "bridge" if network is None else network.driver


def _name(service: Service) -> str:
    return f"session {service.session.name} on {service.endpoint}"
