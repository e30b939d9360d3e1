"""Steps that follow each other on one container. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from dtnctl.model.actions import Action, RemoveContainer, StopContainer, Undo
from dtnctl.model.plan import Step
from dtnctl.model.resources import ContainerSeen
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.containers.host_part import HostStep
from dtnctl.planning.step_ids import step_id, stop_id


@dataclass(slots=True)
class Chain:
    """Steps that follow each other on one container."""

    endpoint: str
    needs: tuple[str, ...]
    group: str = ""
    undo: Undo | None = None
    steps: list[Step] = field(default_factory=list)

    def add(self, verb: str, subject: str, action: Action, extra_needs: tuple[str, ...] = ()) -> None:
        """Append a step that needs the one before."""
        before = (self.steps[-1].id,) if self.steps else self.needs
        name = step_id(self.endpoint, verb, subject)
        self.steps.append(Step(name, self.endpoint, action, (*before, *extra_needs), self.group, self.undo))

    def add_host_step(self, step: HostStep, extra_needs: tuple[str, ...] = ()) -> None:
        """The same for one that the agent carries out."""
        self.add(step.key, step.subject, step.action, (*step.waits, *extra_needs))

    def clear(self, seen: ContainerSeen) -> None:
        """Stop it if it is active, and remove it."""
        self.stop(seen)
        self.add("remove", seen.name, RemoveContainer(seen.name, seen.id))

    def stop(self, seen: ContainerSeen) -> None:
        if seen.state in ACTIVE_STATES and not any(step.id == stop_id(self.endpoint, seen.name) for step in self.steps):
            self.add("stop", seen.name, StopContainer(seen.name, seen.id, seen.spec.stop_timeout))
