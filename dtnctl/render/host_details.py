"""The tables of a host that only `--all` shows: settings of its NICs, idle states, GIDs, sysctls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dtnctl.render.columns import Column
from dtnctl.render.host_rows import UNKNOWN, number_text, on_off, unknown_or

if TYPE_CHECKING:
    from dtn_agent.protocol import Channels, Facts, IdleState, Interface, PcieLink, RdmaDevice

QUEUE_COLUMNS = (
    Column("QUEUES OF"),
    Column("RX RING", right=True),
    Column("TX RING", right=True),
    Column("CHANNELS", right=True),
    Column("TX QUEUE", right=True),
    Column("GSO", right=True),
    Column("GRO", right=True),
    Column("RPS", right=True),
    Column("XPS", right=True),
    Column("PAYLOAD", right=True),
    Column("MAX READ", right=True),
    Column("ADAPTIVE"),
    Column("PAUSE RX"),
    Column("PAUSE TX"),
)
IDLE_COLUMNS = (Column("C-STATE"), Column("LATENCY", right=True), Column("DISABLED"))
GID_COLUMNS = (
    Column("GIDS OF"),
    Column("PORT", right=True),
    Column("INDEX", right=True),
    Column("GID"),
    Column("TYPE"),
    Column("INTERFACE"),
)
SYSCTL_COLUMNS = (Column("SYSCTL"), Column("VALUE"))


def queue_rows(facts: Facts) -> list[list[str]]:
    """Of every device; others have queues only in name."""
    return [_queues(item) for item in facts.interfaces if item.pci]


def _queues(interface: Interface) -> list[str]:
    rings, sizes = interface.rings, interface.offload_sizes
    return [
        interface.name,
        f"{rings.rx} of {rings.rx_max}" if rings else UNKNOWN,
        f"{rings.tx} of {rings.tx_max}" if rings else UNKNOWN,
        _channels(interface.channels),
        number_text(interface.tx_queue_len),
        _size(sizes.gso, sizes.gso_ipv4) if sizes else UNKNOWN,
        _size(sizes.gro, sizes.gro_ipv4) if sizes else UNKNOWN,
        _steered(interface.rps),
        _steered(interface.xps),
        *_packets(interface.pcie),
        on_off(interface.adaptive_rx),
        on_off(interface.pause_rx),
        on_off(interface.pause_tx),
    ]


def _channels(channels: Channels | None) -> str:
    """Some drivers have channels of either direction only."""
    if channels is None:
        return UNKNOWN
    return f"{channels.combined} of {channels.combined_max}" if channels.combined_max else f"{channels.rx} rx, {channels.tx} tx"


def _size(size: int | None, ipv4: int | None) -> str:
    """That of IPv4 only where it is another one."""
    return number_text(size) if ipv4 in (None, size) else f"{number_text(size)}, IPv4 {ipv4}"


def _steered(queues: tuple[str, ...] | None) -> str:
    """How many queues have CPUs of their own."""
    return UNKNOWN if queues is None else f"{sum(map(bool, queues))} of {len(queues)}"


def _packets(link: PcieLink | None) -> list[str]:
    """The data of one PCIe packet and of one request."""
    if link is None or link.payload is None:
        return [UNKNOWN, UNKNOWN]
    return [f"{link.payload} of {number_text(link.payload_max)}", number_text(link.read_request)]


def idle_rows(facts: Facts) -> list[list[str]]:
    return [_idle(state) for state in facts.cpus.idle_states]


def _idle(state: IdleState) -> list[str]:
    latency = number_text(state.latency)
    return [state.name, latency if latency == UNKNOWN else f"{latency} µs", "yes" if state.disabled else "no"]


def gid_rows(facts: Facts) -> list[list[str]]:
    return [row for device in facts.rdma for row in _gids(device)]


def _gids(device: RdmaDevice) -> Iterator[list[str]]:
    for port in device.ports:
        for gid in port.gids:
            yield [device.name, str(port.port), str(gid.index), gid.gid, unknown_or(gid.type), unknown_or(gid.netdev)]


def sysctl_rows(facts: Facts) -> list[list[str]]:
    return [[name, " ".join(value.split())] for name, value in sorted(facts.sysctls.items())]
