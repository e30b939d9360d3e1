"""Things that can be held once, and where to look for a free one: ports of an endpoint, addresses of a network. Pure."""

from __future__ import annotations

import ipaddress
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, TypeAlias

from dtnctl.model.fields import AddressPool

Item: TypeAlias = tuple[int, str] | str  # a port with its protocol, or an address
HostPort: TypeAlias = tuple[int, str]
NOTHING: frozenset[Item] = frozenset()


class Candidates(Protocol):
    """Items by position, best first; None where one may not be used."""

    def __len__(self) -> int: ...
    def __getitem__(self, position: int, /) -> Item | None: ...


class Pool:
    """Who holds what, and the lowest free one of a range in constant time on average."""

    def __init__(self) -> None:
        self._holders: dict[Item, str] = {}
        self._leaving: set[Item] = set()
        self._cursors: dict[object, int] = {}

    def hold(self, item: Item, holder: str) -> str | None:
        """Take it; the name of the holder if it is somebody else's already."""
        current = self._holders.setdefault(item, holder)
        return None if current == holder else current

    def holder(self, item: Item) -> str | None:
        return self._holders.get(item)

    def avoid(self, item: Item) -> None:
        """It becomes free in this very plan: given only to who asks for nothing else, so that few must wait for others."""
        self._leaving.add(item)

    def lowest_free(self, range_key: object, candidates: Candidates) -> Item | None:
        """The first item that is not held. Equal range keys stand for equal candidates."""
        found = self._search((range_key, True), candidates, self._leaving)
        return found if found is not None else self._search((range_key, False), candidates, NOTHING)

    def _search(self, cursor: object, candidates: Candidates, avoided: set[Item] | frozenset[Item]) -> Item | None:
        """Nothing is released during one planning, so each search goes on where the last one of the range ended."""
        for position in range(self._cursors.get(cursor, 0), len(candidates)):
            item = candidates[position]
            if item is not None and item not in self._holders and item not in avoided:
                self._cursors[cursor] = position
                return item
        self._cursors[cursor] = len(candidates)
        return None


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a range that may be used."""

    low: int
    high: int
    protocol: str
    is_allowed: Callable[[int], bool]

    def __len__(self) -> int:
        return self.high - self.low + 1

    def __getitem__(self, position: int) -> HostPort | None:
        port = self.low + position
        return (port, self.protocol) if self.is_allowed(port) else None


class Addresses:
    """The addresses of a subnet, or of a pool in it, without making them all; None where one is reserved."""

    def __init__(self, subnet: str, pool: AddressPool | None, reserved: Mapping[str, str]) -> None:
        self._make = ipaddress.IPv6Address if ":" in subnet else ipaddress.IPv4Address
        self._spans = address_spans(subnet, pool)
        self._starts = [0, *accumulate(high - low + 1 for low, high in self._spans)]
        self._reserved = reserved

    def __len__(self) -> int:
        return min(self._starts[-1], sys.maxsize)

    def __contains__(self, address: str) -> bool:
        """Whether the address may be given."""
        number = int(ipaddress.ip_address(address))
        return address not in self._reserved and any(low <= number <= high for low, high in self._spans)

    def __getitem__(self, position: int) -> str | None:
        index = bisect_right(self._starts, position) - 1
        address = str(self._make(self._spans[index][0] + position - self._starts[index]))
        return None if address in self._reserved else address


def address_spans(subnet: str, pool: AddressPool | None) -> tuple[tuple[int, int], ...]:
    """(first, last) of every stretch of addresses, as numbers."""
    if pool is not None:
        return tuple((int(ipaddress.ip_address(low)), int(ipaddress.ip_address(high))) for low, high in pool)
    network = ipaddress.ip_network(subnet)
    return ((int(network.network_address), int(network.broadcast_address)),)
