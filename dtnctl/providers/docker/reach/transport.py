"""A transport: how connections to an engine are opened, and what each request gets on its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.reach.pool import DirectReads
from dtnctl.providers.ssh import Tunnel


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A request that belongs to another one: its method, its path from the host's root, and its JSON."""

    method: str
    path: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Transport:
    """Connections of `pool`; `prefix` stands before each path of the engine's API, `headers` are sent with each request.

    `tunnel` is a program that the connections go through: it may end, and it is closed with them. `streams`: whether an answer arrives
    while it is written. What is between us and the engine, if anything is: `silent` is why it does not reach the engine, by an answer's
    status and body; empty if it does. `made` is the request that belongs after a creation, by its answer. `keeps_records`: of each
    creation, also of what is there already. `node` is the one of a Swarm that requests go to. `sifted` are those items of a list that are
    of this engine, by the list's path.
    """

    pool: DirectReads
    prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tunnel: Tunnel | None = None
    streams: bool = True
    keeps_records: bool = False
    node: str = ""
    silent: Callable[[int, bytes], str] = lambda _status, _content: ""
    sifted: Callable[[str, list[Any]], list[Any]] = lambda _path, items: items
    made: Callable[[Mapping[str, Any]], FollowUp | None] = lambda _answer: None

    @property
    def is_alive(self) -> bool:
        """False once a program below has ended: then a new transport is needed."""
        return self.tunnel is None or self.tunnel.is_alive

    def complaint(self) -> str:
        """What the program below reports that explains a failed call; empty if there is nothing of use."""
        return "" if self.tunnel is None else self.tunnel.complaint()

    def close(self) -> None:
        self.pool.close()
        if self.tunnel is not None:
            self.tunnel.close()


class Reach(Protocol):
    """The way to an endpoint's engine, for a client that may write or not. UnreachableError says what to check."""

    def __call__(self, access: EndpointAccess, *, read_only: bool) -> Transport: ...
