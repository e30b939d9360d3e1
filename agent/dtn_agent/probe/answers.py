"""What a kernel answers besides its files: links, addresses, queueing by netlink, settings of network cards by ethtool.

A `Kernel` is whatever gives these Answers: ours by `dtn_agent.probe.kernel`, another host's from a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dtn_agent.protocol import Channels, OffloadSizes, Qdisc, Rings


@dataclass(frozen=True, slots=True)
class VfEntry:
    """One line of a physical function's table. None: this driver does not report it."""

    index: int
    mac: str = ""
    vlan: int | None = None
    vlan_priority: int | None = None
    spoofchk: bool | None = None
    trust: bool | None = None
    min_rate: int | None = None
    max_rate: int | None = None
    link_state: str = ""


@dataclass(frozen=True, slots=True)
class LinkAnswer:
    """An interface. `parent` and `master` are indexes; a parent in another network namespace is None."""

    index: int
    name: str
    alias: str = ""
    mac: str = ""
    mtu: int = 0
    max_mtu: int | None = None
    is_up: bool = False
    carrier: bool | None = None
    tx_queue_len: int | None = None
    offload_sizes: OffloadSizes | None = None
    kind: str = ""
    parent: int | None = None
    master: int | None = None
    vlan: int | None = None
    is_loopback: bool = False
    vfs: tuple[VfEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Ethtool:
    """What ethtool reports of an interface; None for each question that the driver refuses."""

    firmware: str | None = None
    permanent_mac: str | None = None
    rings: Rings | None = None
    channels: Channels | None = None
    adaptive_rx: bool | None = None
    pause_rx: bool | None = None
    pause_tx: bool | None = None
    features: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Addresses and qdiscs by the index of their link, ethtool by name."""

    links: tuple[LinkAnswer, ...] = ()
    addresses: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    qdiscs: Mapping[int, tuple[Qdisc, ...]] = field(default_factory=dict)
    ethtool: Mapping[str, Ethtool] = field(default_factory=dict)
    clock_synchronized: bool | None = None
    machine: str = ""


Kernel = Callable[[], Answers]


def silent_kernel() -> Answers:
    """For a host that we do not run on and of which nothing is recorded."""
    return Answers()
