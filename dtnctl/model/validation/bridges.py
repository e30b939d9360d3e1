"""Checks of networks that engines route themselves: the host sends what is for a bridge's subnet into the bridge, from then on.

So a subnet that holds the address of an endpoint cuts that one off. What else a host reaches is its owner's to say (`allow.subnets`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from dtnctl.model.bridges import bridge_subnets
from dtnctl.model.hosts import is_address, is_loopback
from dtnctl.model.networking import attachments
from dtnctl.model.site import Document, Endpoint
from dtnctl.model.validation.known import Known


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
    engine = "" if endpoint.portainer is not None else endpoint.address.host  # a Portainer is another host
    written = (endpoint.host or "", engine, endpoint.agent.host if endpoint.agent is not None else "")
    yield from (host for host in written if is_address(host) and not is_loopback(host))
