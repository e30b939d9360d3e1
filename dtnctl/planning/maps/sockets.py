"""Which socket a NUMA node is in, as far as the kernel's figures show it: it names none. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtn_agent.protocol import Cpus, NumaNode


def socket_by_node(cpus: Cpus) -> Mapping[int, int]:
    """By node. Firmware numbers the nodes of one socket one after the other; nothing is returned where the distances say otherwise."""
    count, nodes = cpus.sockets or 0, cpus.numa
    if count == 0 or not nodes or len(nodes) % count:
        return {}
    each = len(nodes) // count
    sockets = {node.node: index // each for index, node in enumerate(nodes)}
    return sockets if _is_plausible(nodes, sockets) else {}


def _is_plausible(nodes: tuple[NumaNode, ...], sockets: Mapping[int, int]) -> bool:
    """Whether no node of another socket is nearer than one of its own."""
    for node in nodes:
        if len(node.distances) != len(nodes):
            continue
        pairs = list(zip(nodes, node.distances, strict=True))
        inside = [distance for other, distance in pairs if sockets[other.node] == sockets[node.node]]
        outside = [distance for other, distance in pairs if sockets[other.node] != sockets[node.node]]
        if outside and max(inside) > min(outside):
            return False
    return True
