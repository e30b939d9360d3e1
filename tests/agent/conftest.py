"""A network namespace of their own for tests that change interfaces, and a card in it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from dtn_agent.ledger import Ledger
from dtn_agent.vf.hardware import VfHardware
from dtn_agent.vf.virtual_functions import VirtualFunctions
from pyroute2.netns import setns

from tests.agent.veth_card import insert_card

CLONE_NEWNET = 0x40000000


@pytest.fixture
def own_network() -> Iterator[None]:
    """The test runs in a new network namespace, which goes with everything in it when the test ends."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            pytest.skip(f"no network namespace here: {os.strerror(ctypes.get_errno())}")
        yield
        setns(before.fileno())


@pytest.fixture
def card(own_network: None, tmp_path: Path) -> VfHardware:
    """A card whose PF `pf0` can have four VFs and has none."""
    return insert_card(tmp_path / "sys")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json")


@pytest.fixture
def vfs(ledger: Ledger, card: VfHardware) -> VirtualFunctions:
    return VirtualFunctions(ledger, card, boot="first")
