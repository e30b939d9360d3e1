"""IP addresses and subnets in the state files, kept in their canonical text. Parsing only, no I/O."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator

from dtnctl.model.fields import described, shown
from dtnctl.model.near_misses import address_meant, subnet_meant


def _check_ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is not an IPv4 address{_meant(value)}") from None


def _check_ipv6(value: str) -> str:
    try:
        if "%" not in value:  # a zone means something on one host only
            return str(ipaddress.IPv6Address(value))
    except ValueError:
        pass
    raise ValueError(f"{shown(value)} is not an IPv6 address{_meant(value)}")


def _meant(value: str) -> str:
    address = address_meant(value) if "/" in value else ""
    return f"; write {address}" if address else ""


def _check_ip(value: str) -> str:
    if ":" in value:
        return _check_ipv6(value)
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError(f"{shown(value)} is not an IP address") from None


def _check_subnet4(value: str) -> str:
    return _check_subnet(value, ipaddress.IPv4Network, "an IPv4 subnet", "192.168.2.0/24")


def _check_subnet6(value: str) -> str:
    return _check_subnet(value, ipaddress.IPv6Network, "an IPv6 subnet", "fd00:2::/64")


def _check_any_subnet(value: str) -> str:
    return _check_subnet6(value) if ":" in value else _check_subnet4(value)


def _check_subnet(value: str, kind: type[ipaddress.IPv4Network | ipaddress.IPv6Network], what: str, example: str) -> str:
    try:
        subnet = kind(value, strict=False)
    except ValueError:
        raise ValueError(f"{shown(value)} is not {what}; write {subnet_meant(value) or f'for example {example}'}") from None
    if "/" not in value:
        raise ValueError(f"{shown(value)} has no prefix length; write for example {example}")
    if subnet.network_address != ipaddress.ip_address(value.partition("/")[0]):
        raise ValueError(f"{shown(value)} is an address in a subnet; the subnet is {subnet}")
    return str(subnet)


def _check_destination(value: str) -> str:
    """An address or a network, in the kernel's own form, so that equal ones are equal texts."""
    if "/" not in value:
        return _check_ip(value)
    network = ipaddress.ip_network(_check_subnet6(value) if ":" in value else _check_subnet4(value))
    if network.prefixlen == 0:  # a kernel does not report a filter's mask that is zero
        raise ValueError(f"{shown(value)} matches every address; omit it, or name networks")
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


IPv4 = Annotated[str, AfterValidator(_check_ipv4), described("IPv4 address", {"type": "string"})]
IPv6 = Annotated[str, AfterValidator(_check_ipv6), described("IPv6 address", {"type": "string"})]
IP = Annotated[str, AfterValidator(_check_ip), described("IP address", {"type": "string"})]
Destination = Annotated[str, AfterValidator(_check_destination), described("IP address or network", {"type": "string"})]
Subnet4 = Annotated[str, AfterValidator(_check_subnet4), described("IPv4 subnet", {"type": "string"})]
Subnet6 = Annotated[str, AfterValidator(_check_subnet6), described("IPv6 subnet", {"type": "string"})]
Subnet = Annotated[str, AfterValidator(_check_any_subnet), described("subnet", {"type": "string"})]
