"""Open branches of the state repository, what each of them declares, and where two want the same thing. Values only."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from dataclasses import field as kept
from typing import Literal, TypeAlias, assert_never

from dtnctl.model.site import Declarations

Kind = Literal["port", "address", "vf", "cpu", "interface", "volume"]
Spans: TypeAlias = tuple[tuple[int, int], ...]
BASE = ""  # the branch of what the base has already


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch or pull request, as people call it. The base has no name here.

    `since` is when its oldest commit that the base does not have was written, in seconds of Unix time. `is_queued`: it is an entry of a
    merge queue, which goes before everything that is not in the queue. `notes` say what of it could not be read or compared.
    """

    name: str
    commit: str = ""
    since: int = 0
    is_queued: bool = False
    notes: tuple[str, ...] = ()

    @property
    def turn(self) -> tuple[bool, int, str]:
        """Of two that want the same thing, the one with the smaller turn claimed it first."""
        return (not self.is_queued, self.since, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared(Declarations):
    """What a commit declares, as far as claims need it. Transfers, tools and files of volumes claim nothing, so they are not read."""

    broken: Mapping[str, AbstractSet[str]] = kept(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenBranch:
    """A branch, with what the base would declare once it is merged."""

    branch: Branch
    declared: Declared


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """What can be held once. `scope` is an endpoint, of addresses a network, of volumes their name.

    `detail` is a protocol, a family or an interface; of a volume `device` where services get the block device.
    """

    kind: Kind
    scope: str
    detail: str = ""

    def place(self, scopes: Sequence[str]) -> str:
        """`of network data`, `on dtn1, dtn2`, `virtual functions of ens1f0 on dtn1`: this one in all of these scopes."""
        names = ", ".join(scopes)
        match self.kind:
            case "address":
                return f"of network {names}"
            case "port":
                return f"on {names}"
            case "vf":
                return f"virtual functions of {self.detail} on {names}"
            case "cpu":
                return f"CPUs on {names}"
            case "interface":
                return f"interface {self.detail} on {names}"
            case "volume":
                return f"volume {names}"
            case other:
                assert_never(other)

    def range_text(self, low: int, high: int) -> str:
        """`10.0.0.64`, `50100-50199`."""
        ends = [str(low), str(high)]
        if self.kind == "address":
            make = ipaddress.IPv6Address if self.detail == "ipv6" else ipaddress.IPv4Address
            ends = [str(make(number)) for number in (low, high)]
        return ends[0] if low == high else "-".join(ends)

    def span_text(self, low: int, high: int) -> str:
        """The same as it stands in front of its place: `port 30000/tcp`, `10.0.0.64`; empty for what has no numbers for people."""
        match self.kind:
            case "port":
                return f"port{'s' * (high > low)} {self.range_text(low, high)}/{self.detail}"
            case "address" | "cpu":
                return self.range_text(low, high)
            case "vf" | "interface" | "volume":
                return ""
            case other:
                assert_never(other)


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """What a service asks for. With `amount` 0 it takes all of its span, else as many of its spans as `amount` says, any that are free.

    Spans are first and last numbers: ports, addresses as integers, CPUs, indices of virtual functions. A choice without spans is one of
    which it is not declared how many there are.
    """

    resource: Resource
    spans: Spans
    amount: int
    session: str
    endpoint: str
    field: str
    file: str = kept(compare=False, default="")
    line: int = kept(compare=False, default=1)
    column: int = kept(compare=False, default=1)

    @property
    def owner(self) -> tuple[str, str]:
        """A volume with a file system is the host's, which shares it out to its services."""
        return "" if self.resource.kind == "volume" and not self.resource.detail else self.session, self.endpoint

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def text(self) -> str:
        """`ports 50100-50199/tcp`, `1 of 10.0.0.64-10.0.0.95`, `2`, `interface ens1f0`, `volume scratch`."""
        resource = self.resource
        if resource.kind == "volume":
            return resource.place((resource.scope,))
        parts = [resource.range_text(low, high) for low, high in self.spans] if resource.kind in ("port", "address") else []
        if self.amount:
            return f"{self.amount} of {', '.join(parts)}" if parts else str(self.amount)
        return resource.span_text(*self.spans[0]) or f"interface {resource.detail}"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the claim that another one collides with; `branches` is empty if the base has it."""

    branches: tuple[str, ...]
    session: str
    endpoint: str
    where: str
    since: int = 0


@dataclass(frozen=True, slots=True)
class Collision:
    """One claim of a branch that cannot be had together with those of others.

    `what` names the thing ("10.0.0.64 of network data"), `why` the reason in one sentence. `free` are values that no branch claims; `fix`
    is the way out in words. `is_blocking`: the branch came later, or the base has the thing already; else the others have to give way.
    """

    branch: str
    code: str
    claim: Claim
    what: str
    why: str
    holders: tuple[Holder, ...]
    free: tuple[str, ...]
    fix: str
    is_blocking: bool


@dataclass(frozen=True, slots=True)
class Undecided:
    """Claims of a branch of which the state does not declare how many there are."""

    branch: str
    what: str
    amount: int


@dataclass(frozen=True, slots=True)
class ClaimsReport:
    """What `check` found. `subject` is the branch that was asked about; empty: all of them were."""

    base: Branch
    subject: str
    branches: tuple[Branch, ...]
    claims: tuple[Claim, ...] = ()
    collisions: tuple[Collision, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    others: int = 0

    @property
    def blocking(self) -> tuple[Collision, ...]:
        return tuple(item for item in self.collisions if item.is_blocking)
