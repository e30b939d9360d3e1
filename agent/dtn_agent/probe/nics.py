"""What ethtool reports of network cards. Every question that a driver refuses is None, never an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from dtn_agent.ethtool import (
    ADAPTIVE_RX,
    CHANNELS,
    COALESCE,
    COMBINED,
    MOST_COMBINED,
    MOST_RX_RING,
    MOST_TX_RING,
    PAUSE,
    PAUSE_RX,
    PAUSE_TX,
    RINGS,
    RX_CHANNELS,
    RX_RING,
    TX_CHANNELS,
    TX_RING,
    KernelNic,
    Row,
)
from dtn_agent.probe.answers import Ethtool
from dtn_agent.protocol import Channels, Rings

T = TypeVar("T")


def ask(names: Iterable[str], nic_of: Callable[[str], KernelNic] = KernelNic) -> dict[str, Ethtool]:
    """The answers of these interfaces; `nic_of` gives the one of a name."""
    features: tuple[str, ...] = ()
    found = {}
    for name in names:
        nic = nic_of(name)
        features = features or _answered(nic.known_features) or ()  # the kernel's own list, the same for all
        found[name] = answers_of(nic, features)
    return found


def answers_of(nic: KernelNic, known_features: Sequence[str]) -> Ethtool:
    """What the NIC reports."""
    coalesce, pause, rings, channels = (_row(nic, row) for row in (COALESCE, PAUSE, RINGS, CHANNELS))
    return Ethtool(
        firmware=_answered(nic.firmware),
        permanent_mac=_answered(nic.permanent_mac),
        rings=None if rings is None else _rings(rings),
        channels=None if channels is None else _channels(channels),
        adaptive_rx=None if coalesce is None else bool(coalesce[ADAPTIVE_RX]),
        pause_rx=None if pause is None else bool(pause[PAUSE_RX]),
        pause_tx=None if pause is None else bool(pause[PAUSE_TX]),
        features=_answered(lambda: nic.features(known_features)),
    )


def _row(nic: KernelNic, row: Row) -> list[int] | None:
    return _answered(lambda: nic.get(row))


def _answered(question: Callable[[], T | None]) -> T | None:
    try:
        return question()
    except OSError:  # EOPNOTSUPP, mostly; ENODEV for one that just went; EPERM in a container
        return None


def _rings(numbers: Sequence[int]) -> Rings:
    return Rings(rx=numbers[RX_RING], tx=numbers[TX_RING], rx_max=numbers[MOST_RX_RING], tx_max=numbers[MOST_TX_RING])


def _channels(numbers: Sequence[int]) -> Channels:
    return Channels(combined=numbers[COMBINED], combined_max=numbers[MOST_COMBINED], rx=numbers[RX_CHANNELS], tx=numbers[TX_CHANNELS])
