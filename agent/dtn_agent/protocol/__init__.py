"""The messages between dtnctl and the agent, as values. Pure: no I/O. dtnctl imports nothing else of the agent.

Everything that the kernel does not report is None, never a guess; an empty text or tuple is "there is none". Sizes in bytes, link
speeds and rates in Mb/s, times in seconds unless a name says otherwise. CPU lists are written as the kernel writes them: `0-3,8`.
Tuples are in the order of names, numbers or addresses, so that equal hosts give equal bytes.

What only one kind of thing has that agents make is taken from its own file: `vfs`, `vlans`, `tuning`, `qos`, `volumes`, `driver`.

Answers are read leniently (a newer agent may report more), requests strictly (what the agent does not understand it refuses).
"""

from __future__ import annotations

from dtn_agent.protocol.answers import Ability, Done, Host, Refused
from dtn_agent.protocol.base import ANY_MAC, INTERFACE_NAME, ONE_LINE, PROTOCOL_VERSION, STATE_NAME, HeldEntry, Owner, Reported, Requested
from dtn_agent.protocol.facts import (
    TRANSFER_SYSCTLS,
    BlockDevice,
    ContainerInterface,
    ContainerNet,
    Cpus,
    Facts,
    HugePages,
    IdleState,
    Listener,
    Memory,
    Mounted,
    NumaNode,
    System,
)
from dtn_agent.protocol.nics import Channels, Gid, Interface, Irq, OffloadSizes, PcieLink, Qdisc, RdmaDevice, RdmaPort, Rings, Sriov, Vf
from dtn_agent.protocol.resources import Held, Request

__all__ = [
    "ANY_MAC",
    "INTERFACE_NAME",
    "ONE_LINE",
    "PROTOCOL_VERSION",
    "STATE_NAME",
    "TRANSFER_SYSCTLS",
    "Ability",
    "BlockDevice",
    "Channels",
    "ContainerInterface",
    "ContainerNet",
    "Cpus",
    "Done",
    "Facts",
    "Gid",
    "Held",
    "HeldEntry",
    "Host",
    "HugePages",
    "IdleState",
    "Interface",
    "Irq",
    "Listener",
    "Memory",
    "Mounted",
    "NumaNode",
    "OffloadSizes",
    "Owner",
    "PcieLink",
    "Qdisc",
    "RdmaDevice",
    "RdmaPort",
    "Refused",
    "Reported",
    "Request",
    "Requested",
    "Rings",
    "Sriov",
    "System",
    "Vf",
]
