"""The real kernel, in a network namespace that is made for one test and gone with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import pytest
from dtn_agent.namespaces import in_a_new_one
from pyroute2 import IPRoute

T = TypeVar("T")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


@contextmanager
def _veth(queues: int) -> Iterator[None]:
    with IPRoute() as netlink:
        netlink.link("add", ifname="near", kind="veth", peer="far", num_tx_queues=queues, num_rx_queues=queues)
        for name in ("near", "far"):
            (index,) = netlink.link_lookup(ifname=name)
            netlink.link("set", index=index, state="up")
    yield


def with_veth(action: Callable[[], T], queues: int = 1) -> T:
    """What `action` returns in a namespace with the two ends of a veth, `near` and `far`, both up."""

    def work() -> T:
        with _veth(queues):
            return action()

    return in_a_new_one(work)
