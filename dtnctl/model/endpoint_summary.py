"""One row of a plan's table: what an endpoint has before and after. Frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """How many are used now and after the plan, of how many."""

    before: int
    after: int
    total: int


@dataclass(frozen=True, slots=True)
class EndpointSummary:
    """One row of the plan's table. `silence` not empty: unknown. `ports` are counts of host ports that our services hold.

    `vfs`: virtual functions that our services have before and after, of how many there are then. `cpus`: the same of pinned CPUs
    for each NUMA node. None and empty where no agent reports it; `agent_silence` not empty: there is one, and it does not answer.
    `identity` distinguishes the engine that was looked at from any other; empty if nothing that it shows does.
    """

    name: str
    silence: str
    lock: str
    sessions_before: int
    sessions_after: int
    ports_before: int
    ports_after: int
    vfs: Usage | None = None
    cpus: tuple[tuple[int, Usage], ...] = ()
    agent_silence: str = ""
    identity: str = ""
