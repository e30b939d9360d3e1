"""The bandwidth that paths are promised on each interface, before and after a plan, and what that interface has. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dtnctl.model.endpoint_summary import Usage
from dtnctl.model.hardware import interface_named
from dtnctl.model.path_rows import PromisedBandwidth
from dtnctl.model.paths import GONE, PathProviderSeen
from dtnctl.model.resources import Snapshot
from dtnctl.planning.paths.wanted import DeclaredPath

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

KBIT = 1000  # in a Mb/s, which the kernel counts speeds in


def promised_bandwidth(paths: Mapping[str, DeclaredPath], snapshot: Snapshot) -> tuple[PromisedBandwidth, ...]:
    """A row for each interface that a path with a bandwidth goes over, by endpoint and interface."""
    before: dict[tuple[str, str], int] = {}
    after: dict[tuple[str, str], int] = {}
    for path in paths.values():
        for place in path.interfaces.items():
            before[place] = before.get(place, 0) + _reserved(path, snapshot)
            after[place] = after.get(place, 0) + (path.document.value.bandwidth or 0)
    rows = ((place, Usage(before[place], after[place], _speed(snapshot, *place))) for place in sorted(after))
    return tuple(PromisedBandwidth(*place, usage) for place, usage in rows if usage.before or usage.after)


def _reserved(path: DeclaredPath, snapshot: Snapshot) -> int:
    """What its provider has reserved for it; what others made has what its file says."""
    if not path.row.is_asked:
        return path.document.value.bandwidth or 0
    seen = snapshot.paths.get(path.provider, PathProviderSeen(path.provider)).named(path.name)
    return seen.spec.bandwidth if seen is not None and seen.state not in (*GONE, "failed") else 0


def _speed(snapshot: Snapshot, endpoint: str, interface: str) -> int:
    """kbit/s of the interface as its agent reports it; 0 if none does. A sub-interface is as fast as what it is on top of."""
    seen = snapshot.endpoints.get(endpoint)
    host = seen.host if seen is not None else None
    return _of(host, interface) if host is not None else 0


def _of(host: Host, interface: str) -> int:
    found = interface_named(host, interface)
    if found is None:
        return 0
    if found.speed:
        return found.speed * KBIT
    return _of(host, found.parent) if found.parent else 0
