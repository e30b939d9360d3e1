"""Checks addresses against the subnets that they are said to be in."""

from __future__ import annotations

import ipaddress

from dtnctl.model.networking import reserved_addresses
from dtnctl.model.profile import Attachment
from dtnctl.model.site import BUILT_IN_NETWORKS, Document, Network
from dtnctl.model.validation.known import Known, Place

_FAMILIES = (("subnet", "gateway", "addresses"), ("subnet6", "gateway6", "addresses6"))


def check_network_addresses(known: Known, document: Document[Network]) -> None:
    """Gateways and pools are inside their subnet."""
    for subnet_field, gateway_field, pool_field in _FAMILIES:
        subnet = getattr(document.value, subnet_field)
        gateway, pool = getattr(document.value, gateway_field), getattr(document.value, pool_field)
        for field, value in ((gateway_field, gateway), (pool_field, pool)):
            if value is not None and subnet is None:
                known.report((document, (field,)), "E0403", f"`{field}` without `{subnet_field}`", f"`{subnet_field}: …`")
        if subnet is None:
            continue
        if gateway is not None:
            _check_gateway(known, document, gateway_field, gateway, subnet)
        for index, span in enumerate(pool or ()):
            outside = [address for address in dict.fromkeys(span) if not _is_inside(address, subnet)]
            if outside:
                place = (document, (pool_field, index))
                known.report(place, "E0401", f"{_list(outside)} outside the subnet {subnet}", _inside_hint(subnet))


def _check_gateway(known: Known, document: Document[Network], field: str, gateway: str, subnet: str) -> None:
    if not _is_inside(gateway, subnet):
        known.report((document, (field,)), "E0401", f"{gateway} is outside the subnet {subnet}", _inside_hint(subnet))
        return
    network = ipaddress.ip_network(subnet)
    what = {str(network.network_address): "network", str(network.broadcast_address): "broadcast"}.get(gateway)
    if what is not None and network.version == 4 and network.num_addresses > 2:
        known.report((document, (field,)), "E0402", f"{gateway} is the {what} address of {subnet}", _inside_hint(subnet))


def check_fixed_addresses(known: Known, net: Attachment, place: Place) -> None:
    """Fixed addresses of an attachment can be given: the network has a subnet, they are inside it, and of no other service."""
    document, base = place
    network = known.network(net.name)
    for field, subnet_field, addresses in (("ipv4", "subnet", net.ipv4), ("ipv6", "subnet6", net.ipv6)):
        location = (*base, field)
        if addresses and net.name in BUILT_IN_NETWORKS:
            what = f"the engine's own network `{net.name}` takes no fixed addresses"
            known.report((document, location), "E0403", what, "a network of your own with a subnet")
        if not addresses or network is None:
            continue
        subnet = getattr(network, subnet_field)
        if subnet is None:
            what = f"network `{net.name}` has no `{subnet_field}` for a fixed address"
            known.report((document, location), "E0403", what, f"`{subnet_field}: …` in networks/{net.name}.yaml")
            continue
        for index, address in enumerate(addresses):
            _check_fixed(known, (document, (*location, index)), address, subnet, network)


def _check_fixed(known: Known, place: Place, address: str, subnet: str, network: Network) -> None:
    if not _is_inside(address, subnet):
        known.report(place, "E0401", f"{address} is outside the subnet {subnet}", _inside_hint(subnet))
    elif address in (reserved := reserved_addresses(network)):
        known.report(place, "E0402", f"{address} cannot be given: it is {reserved[address]}", "another address")


def _is_inside(address: str, subnet: str) -> bool:
    network = ipaddress.ip_network(subnet)
    found = ipaddress.ip_address(address)
    return found.version == network.version and found in network


def _inside_hint(subnet: str) -> str:
    network = ipaddress.ip_network(subnet)
    first, last = network.network_address, network.broadcast_address
    return f"{first + 1} to {last - 1}" if network.num_addresses > 2 else f"{first} to {last}"


def _list(addresses: list[str]) -> str:
    return f"{' and '.join(addresses)} {'is' if len(addresses) == 1 else 'are'}"
