"""Which GID a service's RDMA programs have to name, from what the agent saw from inside of the container. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from dtn_agent.protocol import Gid, Host, RdmaDevice

from dtnctl.model.drivers import HOST_NETWORK
from dtnctl.model.report import ServiceRow
from dtnctl.model.resources import ContainerSeen

ROUTABLE = "RoCE v2"
ACTIVE = "ACTIVE"


def with_gid(row: ServiceRow, live: ContainerSeen, host: Host | None) -> ServiceRow:
    """The row with device, port and index of the RoCE v2 GID of the service's data address.

    A service on the host's network has no address of its own: there it is the first GID of an IPv4 address, if only one active port
    has such. Unchanged where that is not known: no verbs device, no such GID, or the agent did not report it.
    """
    own = {ipaddress.ip_address(text) for text in (row.data_ipv4, row.data_ipv6) if text}
    found: dict[tuple[str, int], int] = {}
    for device in _devices(live, host):
        for port in device.ports:
            for gid in port.gids:
                if gid.type == ROUTABLE and (_address(gid) in own if own else port.state == ACTIVE and _address(gid).version == 4):
                    found.setdefault((device.name, port.port), gid.index)
    if len(found) != 1:
        return row
    (((name, number), index),) = found.items()
    return replace(row, rdma_device=name, rdma_port=number, rdma_gid_index=index)


def _devices(live: ContainerSeen, host: Host | None) -> Iterator[RdmaDevice]:
    """The container's own verbs devices, as they are in its network namespace."""
    if host is None:
        return
    files = {device.host for device in live.spec.devices}
    seen = {net.id: net.rdma for net in host.facts.containers}
    for device in host.facts.rdma if live.spec.network == HOST_NETWORK else seen.get(live.id, ()):
        if f"/dev/infiniband/{device.uverbs}" in files:
            yield device


def _address(gid: Gid) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that it is made of; an IPv4 one stands in it in its IPv6 form."""
    address = ipaddress.IPv6Address(gid.gid)
    return address.ipv4_mapped or address
