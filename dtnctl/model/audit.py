"""What `dtnctl doctor ssh://HOST` found on a host that no file declares: frozen values that planning makes and renderers show. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dtnctl.model.findings import Examination

if TYPE_CHECKING:
    from dtn_agent.protocol import Facts

FAULTS = ("error", "warning")  # what the exit code counts; a note is advice


@dataclass(frozen=True, slots=True)
class HostRead:
    """A host as it was read. `name`: what its file would be called. `user`: the number of the login's user, 0 is root.

    `denied`: files that this login may not read.
    """

    name: str
    address: str
    facts: Facts
    user: int = 0
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """A network that an interface carries. `subnet` and `address` (with its prefix) are empty where the interface has none.

    `parent` is the interface whose VLAN it is, or itself; `vlan` is None without a tag of the host's.
    """

    network: str
    interface: str
    parent: str
    vlan: int | None = None
    subnet: str = ""
    address: str = ""
    mtu: int = 0
    speed: int | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """Whether a packet of this size, its IP header included, was answered. It may not be cut on the way there."""

    bytes: int
    came_back: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """An interface of each host, and what passes between them. `subnet` is empty where they are in different ones, or have no address.

    `sizes` are in the order in which they were tried, the largest first; `trouble` is why none was.
    """

    subnet: str
    near: Carried
    far: Carried
    sizes: tuple[Size, ...] = ()
    trouble: str = ""

    @property
    def way(self) -> str:
        """What they share: a subnet, a VLAN, or nothing but routers."""
        return self.subnet or ("routed" if self.near.address and self.far.address else f"VLAN {self.near.vlan}")

    @property
    def passes(self) -> int | None:
        """The largest packet that came back; None where none did, or none was sent."""
        return max((size.bytes for size in self.sizes if size.came_back), default=None)

    @property
    def speed(self) -> int | None:
        """Mb/s of the slower one; None where one of them is not known."""
        return min(self.near.speed, self.far.speed) if self.near.speed and self.far.speed else None


@dataclass(frozen=True, slots=True)
class PairFault:
    """What is wrong with a pair, and what to do."""

    pair: Pair
    severity: Literal["error", "warning"]
    found: str
    fix: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that would declare something: `kind` is its folder. `notes` are its first lines."""

    kind: Literal["endpoints", "networks"]
    name: str
    fields: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostAudit:
    """One host. `unseen`: a sentence for each thing that was not looked at, with its reason."""

    address: str
    examination: Examination
    carried: tuple[Carried, ...]
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """One host, or two and what is between them; `drafts` would declare all of it."""

    hosts: tuple[HostAudit, ...]
    pairs: tuple[Pair, ...] = ()
    pair_faults: tuple[PairFault, ...] = ()
    drafts: tuple[Draft, ...] = field(default=())

    @property
    def has_faults(self) -> bool:
        """Errors or warnings; notes are none."""
        of_hosts = any(finding.severity in FAULTS for host in self.hosts for finding in host.examination.findings)
        return of_hosts or bool(self.pair_faults)
