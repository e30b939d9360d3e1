"""An endpoint that declares a number of virtual functions on ens1f0, and how many there are."""

from __future__ import annotations

from dtn_agent.protocol import Held
from dtn_agent.protocol.vfs import HeldPf

from tests.planning.dtns import agent, endpoint
from tests.planning.machines import pf
from tests.properties.world import World

NONE_YET = pf("ens1f0", 1, vfs=0)


def on(count: int | None, *, more: str = "") -> str:
    """The endpoint's file; None: it says nothing of functions."""
    return endpoint(more=("" if count is None else f"vfs: {{ens1f0: {count}}}\n") + more)


def count(made: World) -> int:
    """How many functions ens1f0 has."""
    sriov = agent(made).interface("ens1f0").sriov
    assert sriov is not None
    return sriov.current


def ours(wanted: int, site: str = "lab") -> Held:
    """What the ledger has where dtnctl made them on an interface without any."""
    return Held(pfs=(HeldPf(pf="ens1f0", pci="0000:b1:00.0", found=0, wanted=wanted, site=site),))
