"""What a service can do on its networks: which it is attached to, what is published where, which addresses are never given."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from dtnctl.model.drivers import BUILT_IN, HOST_NETWORK, NO_NETWORK
from dtnctl.model.profile import Attachment, ProfileFields
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Network

Networks: TypeAlias = Mapping[str, Document[Network]]


def is_host_networked(profile: ProfileFields) -> bool:
    """Whether the container shares the host's network. Only the name `host` means that, not a name with host in it."""
    return profile.mgmt_net is not None and profile.mgmt_net.name == HOST_NETWORK


def attachments(profile: ProfileFields) -> tuple[Attachment, ...]:
    """All networks, the primary one first; none on the host's network."""
    if is_host_networked(profile):
        return ()
    mgmt = profile.mgmt_net
    return (*profile.data_nets, *((mgmt,) if mgmt is not None and mgmt.name != NO_NETWORK else ()))


def is_publishing(networks: Networks, name: str) -> bool:
    """Whether ports can be published on containers of this network: bridges with a default route can, others are internal."""
    if name in BUILT_IN_NETWORKS:
        return BUILT_IN[name].publishes
    network = networks[name].value
    return network.driver_row.publishes and carries_default_route(network)


def uses_host_ports(networks: Networks, profile: ProfileFields) -> bool:
    """Whether its ports are ports of the endpoint: on the host's network, or published."""
    return is_host_networked(profile) or any(is_publishing(networks, net.name) for net in attachments(profile))


def published_ranges(networks: Networks, profile: ProfileFields) -> Iterator[tuple[int, int, str, str]]:
    """(low, high, protocol, field) of ports that are all published 1:1, or all used on the host's network.

    Data ports are published only where there is no data network: with one, data goes over it.
    """
    if not uses_host_ports(networks, profile):
        return
    if profile.data_port_range is not None and not profile.data_nets:
        yield *profile.data_port_range, "tcp", "data_port_range"
    for low, high, protocol in profile.exposed_ports:
        yield low, high, protocol, "exposed_ports"


def carries_default_route(network: Network) -> bool:
    """The declared `default_route`; else bridges do, macvlan and ipvlan with a gateway do, ipvlan l3 (which needs none) does."""
    if network.internal:
        return False
    if network.default_route is not None:
        return network.default_route
    return can_route(network)


def can_route(network: Network) -> bool:
    """Whether a default route is possible: by a gateway, or without one where the driver or its mode needs none."""
    mode = network.driver_row.mode(network.mode)
    routes_alone = network.driver_row.has_default_route or (mode is not None and mode.routes_alone)
    return routes_alone or network.gateway is not None or network.gateway6 is not None


def reserved_addresses(network: Network) -> Mapping[str, str]:
    """Addresses that no container may have, and what each of them is.

    Without a declared gateway the engine's own address book books the first host address as one, so it cannot be given.
    """
    reserved: dict[str, str] = {}
    for text, gateway in ((network.subnet, network.gateway), (network.subnet6, network.gateway6)):
        if text is None:
            continue
        subnet = ipaddress.ip_network(text)
        reserved[str(subnet.network_address)] = "the network address"
        if subnet.version == 4:
            reserved[str(subnet.broadcast_address)] = "the broadcast address"
        if gateway is None and subnet.num_addresses > 1:
            reserved[str(subnet.network_address + 1)] = "taken by the engine where no gateway is declared"
        elif gateway is not None:
            reserved[gateway] = "the gateway"
    return reserved
