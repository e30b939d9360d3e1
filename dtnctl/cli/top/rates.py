"""Rates of interfaces, from two looks at the kernel's counters. Pure: times are those of the host's own clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtn_agent.protocol import Facts, Interface

LEAST = 0.2  # seconds between two looks below which a difference says nothing
LOSSES = ("rx_dropped", "rx_errors", "rx_missed_errors", "tx_dropped", "tx_errors")
Place = tuple[str, str]  # an endpoint and one of its interfaces


@dataclass(frozen=True, slots=True)
class InterfaceRate:
    """Bytes per second in and out, and how many packets per second were lost or damaged. None: not known."""

    received: float | None = None
    sent: float | None = None
    losses: float | None = None


UNKNOWN = InterfaceRate()


@dataclass(frozen=True, slots=True)
class _Counted:
    boot: str
    at: float
    received: int | None
    sent: int | None
    losses: int


@dataclass(slots=True)
class Rates:
    """Of all interfaces that were looked at. A rate is there from the second look on, and begins again after a restart of the host."""

    _last: dict[Place, _Counted] = field(default_factory=dict)
    _known: dict[Place, InterfaceRate] = field(default_factory=dict)

    def feed(self, endpoint: str, facts: Facts) -> None:
        """Take what an agent reports of the host."""
        for interface in facts.interfaces:
            place = (endpoint, interface.name)
            now, before = _counted(facts, interface), self._last.get(place)
            if before is not None and before.boot == now.boot and 0 <= now.at - before.at < LEAST:
                continue
            self._last[place] = now
            self._known[place] = _between(before, now) if before is not None else UNKNOWN

    def of(self, endpoint: str, interface: str) -> InterfaceRate:
        """The rate between its last two looks."""
        return self._known.get((endpoint, interface), UNKNOWN)

    def forget(self, endpoint: str) -> None:
        """It does not answer: what moved meanwhile is not known."""
        for place in [item for item in self._known if item[0] == endpoint]:
            del self._known[place]
            self._last.pop(place, None)


def _counted(facts: Facts, interface: Interface) -> _Counted:
    counters = interface.counters
    losses = sum(counters.get(name, 0) for name in LOSSES)
    return _Counted(facts.system.boot_id, facts.system.uptime, counters.get("rx_bytes"), counters.get("tx_bytes"), losses)


def _between(before: _Counted, now: _Counted) -> InterfaceRate:
    """Counters that went back were set to zero: the driver was loaded again."""
    seconds = now.at - before.at
    if before.boot != now.boot or seconds <= 0:
        return UNKNOWN
    return InterfaceRate(
        _rate(before.received, now.received, seconds), _rate(before.sent, now.sent, seconds), _rate(before.losses, now.losses, seconds)
    )


def _rate(before: int | None, now: int | None, seconds: float) -> float | None:
    return (now - before) / seconds if before is not None and now is not None and now >= before else None
