"""How much of everything the agent takes from outside, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. The defaults suit a host that a handful of people and CI runs look at.

    `connections`: open at once; who comes later waits in the kernel's queue. `patience`: so long may a connection wait for its
    handshake or its next request while others queue; `waiting` is the same while nobody does. `requests`: worked on at once.
    `receiving`: until a request's body is there. `closing`: until the other side has closed, too. `ending`: for what is being
    worked on when the agent is told to stop.
    """

    body: int = 64 * 1024
    headers: int = 16 * 1024
    requests: int = 16
    connections: int = 128
    queue: int = 1024
    handshake: float = 5.0
    patience: float = 0.5
    waiting: float = 10.0
    receiving: float = 10.0
    closing: float = 2.0
    ending: float = 20.0
