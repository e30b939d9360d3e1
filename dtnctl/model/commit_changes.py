"""What the state files of two commits declare differently: objects, and their fields before and after. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

DeclaredMark = Literal["destroy", "update", "create"]
DeclaredKind = Literal["site", "endpoint", "network", "path", "tool", "volume", "profile", "session", "service", "transfer"]
KIND_ORDER: tuple[DeclaredKind, ...] = get_args(DeclaredKind)


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A field that differs; empty text where it is not written. `place` is `file:line` of what is written last."""

    field: str
    before: str
    after: str
    place: str


@dataclass(frozen=True, slots=True)
class DeclaredChange:
    """One object that differs. `endpoint` is that of a service; a profile is listed only where no session uses it."""

    mark: DeclaredMark
    kind: DeclaredKind
    name: str
    endpoint: str
    place: str
    fields: tuple[DeclaredField, ...] = ()

    @property
    def sort_key(self) -> tuple[int, str, str]:
        return (KIND_ORDER.index(self.kind), self.name, self.endpoint)
