"""How much of everything the agent takes from outside, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Times in seconds, sizes in bytes. The defaults suit a host that a handful of people and CI runs look at.

    `connections`: open at once; further ones wait in the kernel's queue. `patience`: how long a connection may be silent while
    others queue; `begun`: the same for one that has begun its handshake, or whose known client has not asked yet (a lost packet is
    sent again after 1 s); `waiting`: the same while no other queues. `requests`: worked on at once; `turn`: how long further ones wait.
    `receiving`: until a request's body is there. `closing`: until the other side has closed, too. `ending`: for what is being
    worked on when the agent is stopped.
    """

    body: int = 64 * 1024
    headers: int = 16 * 1024
    requests: int = 16
    turn: float = 8.0  # dtnctl waits 10 s for an answer
    connections: int = 128
    queue: int = 1024
    handshake: float = 5.0
    patience: float = 0.5
    begun: float = 2.0
    waiting: float = 10.0
    receiving: float = 10.0
    closing: float = 2.0
    ending: float = 20.0
