"""Which socket a NUMA node is in is shown where the kernel's figures allow it, and never guessed against them."""

from __future__ import annotations

import pytest
from dtn_agent.protocol import Cpus, NumaNode

from dtnctl.planning.maps.sockets import socket_by_node


def _cpus(sockets: int | None, *distances: tuple[int, ...]) -> Cpus:
    return Cpus(sockets=sockets, numa=tuple(NumaNode(node=node, cpus="", distances=found) for node, found in enumerate(distances)))


@pytest.mark.parametrize(
    ("cpus", "expected"),
    [
        (_cpus(2, (10, 21), (21, 10)), {0: 0, 1: 1}),
        (_cpus(1, (10,)), {0: 0}),
        (_cpus(2, (10, 12, 32, 32), (12, 10, 32, 32), (32, 32, 10, 12), (32, 32, 12, 10)), {0: 0, 1: 0, 2: 1, 3: 1}),
        (_cpus(2, (), ()), {0: 0, 1: 1}),
    ],
)
def test_nodes_are_dealt_out_to_sockets_in_order(cpus: Cpus, expected: dict[int, int]) -> None:
    assert socket_by_node(cpus) == expected


@pytest.mark.parametrize(
    "cpus",
    [
        _cpus(None, (10,)),
        _cpus(2),
        _cpus(2, (10, 12, 12), (12, 10, 12), (12, 12, 10)),
        _cpus(2, (10, 32, 12, 32), (32, 10, 32, 12), (12, 32, 10, 32), (32, 12, 32, 10)),
    ],
    ids=["unknown", "no-nodes", "uneven", "a-node-of-another-socket-is-nearer"],
)
def test_no_socket_is_named_where_it_would_be_a_guess(cpus: Cpus) -> None:
    assert socket_by_node(cpus) == {}
