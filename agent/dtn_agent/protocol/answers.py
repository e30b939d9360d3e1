"""The answers of the agent: what a host is and keeps, what a request came to, why one was refused."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dtn_agent.protocol.base import Reported
from dtn_agent.protocol.facts import Facts
from dtn_agent.protocol.resources import Held


class Ability(Reported):
    """Something that the agent can do here, or why it cannot: `vf`, `vlan`, `tune`, `netem`, `tbf`, `fq`, `driver` …"""

    name: str
    lacks: str = ""  # why not; empty if it can


class Host(Reported):
    """The answer to GET /v1/host. `readings` are the values of the tuning keys that were asked for; None: there is no such thing here."""

    version: int
    agent: str
    facts: Facts
    held: Held = Held()
    abilities: tuple[Ability, ...] = ()
    readings: dict[str, str | None] = Field(default_factory=dict)

    def lacks(self, ability: str) -> str:
        """Why the agent cannot do this here; empty if it can."""
        found = {item.name: item.lacks for item in self.abilities}
        return found.get(ability, "this agent does not know how")


class Done(Reported):
    """The answer to a request that succeeded. `changed` is False when everything was so already."""

    changed: bool
    detail: str = ""


class Refused(Reported):
    """The body of every answer but 200. `error` is a sentence for a person; `code` is for programs."""

    code: Literal["bad-request", "unauthorized", "not-found", "conflict", "unsupported", "too-large", "busy", "failed"]
    error: str
