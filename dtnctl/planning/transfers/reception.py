"""Decides whether the source of a transfer can reach the data ports of its destination at all. Pure.

With GridFTP the destination listens and the source connects to it, so only the destination must be reached for data. A bridge is inside
of one host: what other hosts reach of it are the ports that the host publishes.
"""

from __future__ import annotations

import ipaddress

from dtnctl.model.networking import is_publishing
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service

UNREACHED, NO_COMMON_VERSION = "E0495", "E0496"


def refuse_unreached(service: Service) -> Refusal | None:
    """Why no other host could connect to the data ports of a destination; None if one can as far as the files show."""
    if service.is_host_networked:
        return None
    here = service.endpoint.name
    if not service.nets:
        return Refusal(UNREACHED, service.cause(f"{service} has no network", "mgmt_net"), "`mgmt_net: bridge`, or `data_nets: […]`")
    name = service.nets[0].name
    if not _is_bridge(service, name):
        return None
    if service.profile.data_nets:
        cause = service.cause(f"{service} receives over network {name}, a bridge that is inside of {here} alone", "data_nets")
        return Refusal(
            UNREACHED, cause, f"`mgmt_net: {name}` and no `data_nets`, which publishes the data ports, or a macvlan network first"
        )
    if not is_publishing(service.site.networks, name):
        cause = service.cause(f"{service} is on network {name} alone, a bridge that no other host reaches", "mgmt_net")
        return Refusal(UNREACHED, cause, "`mgmt_net: bridge`, or `data_nets: […]`")
    if any(protocol == "tcp" for _, _, protocol, _ in service.published):
        return None
    cause = service.cause(f"{service} is on a bridge, and {here} publishes no data ports for it", "data_port_range")
    return Refusal(UNREACHED, cause, "`data_port_range: [50100, 50199]`, or a data network that other hosts reach")


def refuse_versions(source: Service, destination: Service) -> Refusal | None:
    """Why a source cannot connect to the address at which a destination receives; None if it can as far as the files show."""
    wanted, own = _data_versions(destination), _own_versions(source)
    if not wanted or not own or wanted & own:
        return None
    (version,), other = wanted, min(own)
    here, there = source.endpoint.name, destination.endpoint.name
    cause = source.cause(f"{destination} receives over IPv{version}, and {source} has IPv{other} alone", "data_nets")
    return Refusal(NO_COMMON_VERSION, cause, f"a network with IPv{version} on {here}, or one with IPv{other} on {there}")


def _data_versions(service: Service) -> frozenset[int]:
    """The IP version of the address at which data is received; empty if a name decides it. IPv4 is used where there is both."""
    if service.is_host_networked or (service.publishes and not service.profile.data_nets):
        return _version_of(service.ctrl_host)
    return frozenset({min(_versions(service, service.nets[0].name))})


def _own_versions(service: Service) -> frozenset[int]:
    """The IP versions that the service can connect to; empty if they are its host's."""
    return frozenset(version for net in service.nets for version in _versions(service, net.name))


def _versions(service: Service, network: str) -> set[int]:
    if _is_built_in(service, network):
        return {4}  # the engine's own bridge, unless its daemon.json says more
    declared = service.site.networks[network].value
    six = {6} if declared.subnet6 is not None else set()
    return six if six and declared.subnet is None else {4, *six}


def _version_of(host: str) -> frozenset[int]:
    try:
        return frozenset({ipaddress.ip_address(host).version})
    except ValueError:
        return frozenset()


def _is_bridge(service: Service, network: str) -> bool:
    return _is_built_in(service, network) or service.site.networks[network].value.driver_row.is_inside_host


def _is_built_in(service: Service, network: str) -> bool:
    return network not in service.site.networks
