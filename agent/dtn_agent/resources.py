"""All kinds of things that the agent makes on its host, in the order in which a start restores them."""

from __future__ import annotations

from pathlib import Path

from dtn_agent.audit import Audit
from dtn_agent.host_resource import AnyResource
from dtn_agent.ledger import Ledger
from dtn_agent.nvmeof.exports import VolumeExports
from dtn_agent.nvmeof.volumes import ConnectedVolumes
from dtn_agent.queueing.qos import ContainerQos
from dtn_agent.tuning.tune import HostTuning
from dtn_agent.vf.virtual_functions import VirtualFunctions
from dtn_agent.vlan import VlanInterfaces


def resources_of_this_host(ledger: Ledger, engine_socket: Path, audit: Audit) -> tuple[AnyResource, ...]:
    """`audit` gets the lines on what is done without a request.

    Settings come first: a virtual function or a VLAN has at most the MTU of its interface. Settings of these two are restored after them.
    Volumes come last, because they are reached at addresses of these.
    """
    return (
        HostTuning(ledger, audit=audit),
        VirtualFunctions(ledger, audit=audit),
        VlanInterfaces(ledger, audit=audit),
        ContainerQos(ledger, engine_socket, audit=audit),
        VolumeExports(ledger, audit=audit),
        ConnectedVolumes(ledger, audit=audit),
    )
