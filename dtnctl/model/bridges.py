"""Checks of networks that engines route themselves: the host sends what is for a bridge's subnet into the bridge, from then on.

So a subnet that holds the address of an endpoint cuts that one off. What else a host reaches is its owner's to say (`allow.subnets`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from dtnctl.model.hosts import engine_host, is_address, is_loopback
from dtnctl.model.known import Known
from dtnctl.model.networking import attachments
from dtnctl.model.site import Document, Endpoint, Network

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
    if network.driver != "bridge":
        return ()
    return tuple((field, text) for field, text in (("subnet", network.subnet), ("subnet6", network.subnet6)) if text is not None)


def is_within(subnet: str, others: tuple[str, ...] | None) -> bool:
    """Whether the subnet is part of one of the others; None: of private ones."""
    wanted = ipaddress.ip_network(subnet)
    allowed = PRIVATE if others is None else tuple(ipaddress.ip_network(text) for text in others)
    return any(wanted.version == item.version and wanted.subnet_of(item) for item in allowed)  # type: ignore[arg-type]  # one version


def check_bridges(known: Known) -> None:
    """No bridge that a service uses has a subnet with an endpoint's own address in it, as far as addresses are written."""
    used = sorted({net.name for service in known.services for net in attachments(service.profile)})
    hosts = sorted({(address, name) for name, document in known.site.endpoints.items() for address in _addresses(document)})
    for name in used:
        document = known.site.networks.get(name)
        if document is None or known.network(name) is None:
            continue
        for field, subnet in bridge_subnets(document.value):
            inside = [
                f"{endpoint} ({address})" for address, endpoint in hosts if ipaddress.ip_address(address) in ipaddress.ip_network(subnet)
            ]
            if inside:
                what = f"bridge {name} would take {subnet} from its hosts' own network: {', '.join(inside)} is in it"
                known.report((document, (field,)), "E0351", what, "a subnet that no host is in")


def _addresses(document: Document[Endpoint]) -> Iterator[str]:
    """The addresses of an endpoint that are written in its file."""
    endpoint = document.value
    written = (endpoint.host or "", engine_host(endpoint.docker), engine_host(endpoint.agent or ""))
    yield from (host for host in written if is_address(host) and not is_loopback(host))
