"""Paths between sites as a provider keeps them: what is asked for, what was seen, and how ours are known. Frozen values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid5

_NAMESPACE = UUID("5a1b9cf4-6df7-5d0e-9b57-3f6a1f8f1d10")  # of the ids that dtnctl gives to paths
_MARK = re.compile(r"dtnctl:([^\s/:]*):([^\s/]+)/([^\s/]+)((?: [^\s]+)*)")

# asked: not decided yet. deactivating: on its way back to reserved. releasing: on its way out. expired, released: of no use any more.
PathState = Literal["asked", "reserved", "activating", "active", "deactivating", "releasing", "failed", "expired", "released"]
GONE: frozenset[PathState] = frozenset({"expired", "released"})
LOST: frozenset[PathState] = frozenset({"failed", "releasing"})  # still there, and never of use again


@dataclass(frozen=True, slots=True)
class PathSpec:
    """A path with every choice made. `ends` are the provider's names of its ports, in the file's order; `endpoints` those of ours.

    `bandwidth` in kbit/s and `mtu` in bytes: 0 is not asked for. `starts` and `until` are moments in UTC; empty: none.
    """

    name: str
    provider: str
    endpoints: tuple[str, ...]
    ends: tuple[str, ...] = ()
    vlan: int = 0
    bandwidth: int = 0
    mtu: int = 0
    starts: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class PathSeen:
    """A path of ours at its provider. `id` is the provider's own, `words` what it says of its state; `spec` as far as it shows it."""

    id: str
    state: PathState
    spec: PathSpec
    words: str = ""


@dataclass(frozen=True, slots=True)
class PathProviderSeen:
    """All paths of ours at one provider. `silence` is why it did not answer; then everything else is unknown, not empty.

    `free_vlans`: by the provider's name of a port, those that can be had there, of ports that it reports them for.
    """

    name: str
    silence: str = ""
    paths: tuple[PathSeen, ...] = ()
    free_vlans: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def named(self, name: str) -> PathSeen | None:
        """The path of this name that is of use, else one that is not gone yet, else the last one of that name; None if there is none."""
        found = [item for item in self.paths if item.spec.name == name]
        there = [item for item in found if item.state not in GONE]
        best = [item for item in there if item.state not in LOST] or there or found[-1:]
        return best[0] if best else None


# --- whose a path is ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PathOwner:
    """Whose paths are meant: a site, and its repository's id (empty without one).

    `adopts`: paths of the site that were made before the repository had an id are this owner's, too.
    """

    site: str
    repository: str = ""
    adopts: bool = False

    def id_of(self, path: str) -> str:
        """The id that a path of this owner has at a provider that takes ids from outside: always the same for the same name."""
        return str(uuid5(_NAMESPACE, f"{self.repository}/{self.site}/{path}"))

    def ids_of(self, path: str) -> tuple[str, ...]:
        """The ids under which such a path may be there: what is asked for gets the first one."""
        former = (PathOwner(self.site).id_of(path),) if self.adopts else ()
        return (self.id_of(path), *former)

    def mark(self, spec: PathSpec) -> str:
        """The text that says at the provider whose path it is, which one, and which endpoints it is for."""
        return " ".join((f"dtnctl:{self.repository}:{self.site}/{spec.name}", *spec.endpoints))

    def read_mark(self, text: str) -> tuple[str, tuple[str, ...]] | None:
        """Name and endpoints of a path of this owner; None for anything else."""
        match = _MARK.fullmatch(text)
        repositories = {self.repository, ""} if self.adopts else {self.repository}
        if match is None or match[1] not in repositories or match[2] != self.site:
            return None
        return match[3], tuple(match[4].split())
