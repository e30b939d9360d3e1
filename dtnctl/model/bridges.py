"""Subnets of networks that engines route themselves, and whether they are within those that a host may give away. Pure."""

from __future__ import annotations

import ipaddress

from dtnctl.model.site import Network

# What no host outside has as its public address: private use (RFC 1918, RFC 4193), benchmarks (RFC 2544) and documentation
# (RFC 5737, RFC 3849).
PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "198.18.0.0/15"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"),
    )
)


def bridge_subnets(network: Network) -> tuple[tuple[str, str], ...]:
    """(field, subnet) of what the host itself routes to the network; none for drivers whose networks are outside of it."""
    if not network.driver_row.is_inside_host:
        return ()
    return tuple((field, text) for field, text in (("subnet", network.subnet), ("subnet6", network.subnet6)) if text is not None)


def is_within(subnet: str, others: tuple[str, ...] | None) -> bool:
    """Whether the subnet is part of one of the others; None: of private ones."""
    wanted = ipaddress.ip_network(subnet)
    allowed = PRIVATE if others is None else tuple(ipaddress.ip_network(text) for text in others)
    return any(wanted.version == item.version and wanted.subnet_of(item) for item in allowed)  # type: ignore[arg-type]  # one version
