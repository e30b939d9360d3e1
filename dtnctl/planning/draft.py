"""A plan in the making: changes, steps, notes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dtnctl.model.plan import Change, Step, TransferNote


@dataclass(slots=True)
class Draft:
    """What is planned so far. A step that is there already is not added a second time."""

    changes: list[Change] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    added: list[Step] = field(default_factory=list)
    by_endpoint: dict[str, list[Step]] = field(default_factory=dict)
    transfers: list[TransferNote] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    failing: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def add(self, change: Change, steps: Iterable[Step]) -> None:
        self.changes.append(change)
        for step in steps:
            self.add_step(step)

    def add_step(self, step: Step) -> None:
        if step.id not in self.steps:
            self.steps[step.id] = step
            self.added.append(step)
            self.by_endpoint.setdefault(step.endpoint, []).append(step)

    def on(self, endpoint: str) -> list[Step]:
        return self.by_endpoint.get(endpoint, [])
