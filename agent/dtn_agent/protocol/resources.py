"""What agents make, of all kinds: what an agent can be asked to do, and what its ledger keeps. This is the only file that names every kind.

A new kind has a file of its own beside this one, from which its names are taken, and here a place in the union and a list.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from dtn_agent.protocol.base import Reported
from dtn_agent.protocol.driver import HeldEndpoint, HeldNetwork
from dtn_agent.protocol.qos import HeldQos, QosRequest
from dtn_agent.protocol.tuning import HeldTuning, TuneRequest
from dtn_agent.protocol.vfs import HeldPf, HeldVf, VfRequest
from dtn_agent.protocol.vlans import HeldVlan, VlanRequest
from dtn_agent.protocol.volumes import ExportRequest, HeldExport, HeldVolume, VolumeRequest

# POST /v1/perform takes one of these. Each is idempotent.
Request: TypeAlias = Annotated[
    VfRequest | VlanRequest | TuneRequest | QosRequest | ExportRequest | VolumeRequest, Field(discriminator="do")
]


class Held(Reported):
    """Everything in the agent's ledger, of all sites. `pfs` are in the order in which they got their functions."""

    pfs: tuple[HeldPf, ...] = ()
    vfs: tuple[HeldVf, ...] = ()
    vlans: tuple[HeldVlan, ...] = ()
    tuning: tuple[HeldTuning, ...] = ()
    qos: tuple[HeldQos, ...] = ()
    networks: tuple[HeldNetwork, ...] = ()
    endpoints: tuple[HeldEndpoint, ...] = ()
    exports: tuple[HeldExport, ...] = ()
    volumes: tuple[HeldVolume, ...] = ()
