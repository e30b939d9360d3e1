"""How a container of another program differs from what a session would have in its place. A value only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """`fields` are those that differ: (name, as it runs, as declared). `obstacles` are what else would keep the session from its place."""

    session: str
    endpoint: str
    container: str
    fields: tuple[tuple[str, str, str], ...] = ()
    obstacles: tuple[str, ...] = ()
