"""Which GID a service's RDMA programs have to name, from what the agent saw from inside of the container. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from dtn_agent.protocol import Gid, Host, RdmaDevice

from dtnctl.model.report import ServiceRow
from dtnctl.model.resources import ContainerSeen

ROUTABLE = "RoCE v2"


def with_gid(row: ServiceRow, live: ContainerSeen, host: Host | None) -> ServiceRow:
    """The row with device, port and GID index of the RoCE v2 GID of the service's data address.

    Where no GID is of that address, the first of any IPv4 address counts, then the first of all. Unchanged where the container has
    no verbs device, or the agent did not tell.
    """
    usable = [(device, port.port, gid) for device in _devices(live, host) for port in device.ports for gid in port.gids]
    routable = [item for item in usable if item[2].type == ROUTABLE]
    if not routable:
        return row
    device, port, gid = min(routable, key=lambda item: (_rank(item[2], row), item[2].index))
    return replace(row, rdma_device=device.name, rdma_port=port, rdma_gid_index=gid.index)


def _devices(live: ContainerSeen, host: Host | None) -> Iterator[RdmaDevice]:
    """The container's own verbs devices, as they are told in its network namespace."""
    if host is None:
        return
    files = {device.host for device in live.spec.devices}
    told = {net.id: net.rdma for net in host.facts.containers}
    for device in host.facts.rdma if live.spec.network == "host" else told.get(live.id, ()):
        if f"/dev/infiniband/{device.uverbs}" in files:
            yield device


def _rank(gid: Gid, row: ServiceRow) -> int:
    address = ipaddress.IPv6Address(gid.gid)
    own = {ipaddress.ip_address(text) for text in (row.data_ipv4, row.data_ipv6) if text}
    if address in own or address.ipv4_mapped in own:
        return 0
    return 2 if address.ipv4_mapped is None else 1
