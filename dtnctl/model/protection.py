"""What an endpoint keeps of `protect:`: a label of a service's container, and a marker where that has changed since. No I/O.

Engines do not change labels, so what is declared later than its container was made is a container that never runs: the marker.
Why not a file: docs/decisions/NNNN-protection-is-recorded.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dtnctl.model.ownership import labels
from dtnctl.model.resources import ContainerSeen, Kind, Pairs

LABEL_PROTECTED = "dtnctl.protected"  # where `protect: true` was written, `FILE:LINE`; on a marker also LIFTED
LIFTED = "no"
MARKER_KIND: Kind = "protection"


@dataclass(frozen=True, slots=True)
class RecordProtection:
    """Write down for a session on one endpoint whether it is protected: `record` is where that is declared, or LIFTED."""

    session: str
    record: str


@dataclass(frozen=True, slots=True)
class Record:
    """What an endpoint says of one session: `label` of its service's container, `marker` if there is one. Empty texts: nothing."""

    label: str = ""
    marker: ContainerSeen | None = None
    is_there: bool = False

    @property
    def place(self) -> str:
        """Where the protection that counts was declared when it was applied; empty if there is none."""
        said = self.marker_text or self.label
        return "" if said == LIFTED else said

    @property
    def marker_text(self) -> str:
        return self.marker.labels.get(LABEL_PROTECTED, LIFTED) if self.marker is not None else ""


NOTHING = Record()


def marker_name(site: str, session: str) -> str:
    """The engine's name of a session's marker; transfers' names end in other ways."""
    return f"{site}.{session}.protection"


def marker_labels(site: str, endpoint: str, action: RecordProtection) -> Pairs:
    """The labels of a marker."""
    pairs = labels(site, endpoint, MARKER_KIND, action.session, marker_name(site, action.session))
    return tuple(sorted((*pairs, (LABEL_PROTECTED, action.record))))


def protected_label(place: str) -> Pairs:
    """What a service's container gets beside its other labels."""
    return ((LABEL_PROTECTED, place),) if place else ()


def read_records(containers: Iterable[ContainerSeen]) -> Mapping[str, Record]:
    """By session, of all that have a container or a marker here. A service's own container counts before one that was set aside."""
    seen = sorted(containers, key=lambda item: (item.owner, item.is_aside, item.name))
    markers = {item.owner: item for item in seen if item.kind == MARKER_KIND}
    services: dict[str, ContainerSeen] = {}
    for item in (item for item in seen if item.kind == "service"):
        services.setdefault(item.owner, item)
    return {
        owner: Record(_label(services.get(owner)), markers.get(owner), is_there=owner in services)
        for owner in sorted(services.keys() | markers.keys())
    }


def _label(service: ContainerSeen | None) -> str:
    return service.labels.get(LABEL_PROTECTED, "") if service is not None else ""
