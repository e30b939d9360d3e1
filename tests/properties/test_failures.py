"""Whichever steps fail: what can go back goes back, no bystander suffers, and the next apply gets there."""

from __future__ import annotations

import threading
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.errors import EngineError
from dtnctl.model.actions import Undo
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan, Step
from dtnctl.model.site import Site
from dtnctl.runtime.execute import Executor
from tests.planning.building import NOW, plan
from tests.properties.sites import few_in_each_run, sites
from tests.properties.test_bystanders import lived_in
from tests.properties.test_convergence import converge, start_count
from tests.properties.world import RefusedError, World


class NoTime:
    """A clock that stands still."""

    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return NOW

    def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nothing here waits {seconds} s")


BAD_MOMENT = EngineError("the engine had a bad moment")


def carry_out(made: Plan, world: World, failing: set[int], *, after: bool, error: EngineError = BAD_MOMENT) -> tuple[Outcome, ...]:
    """Apply the plan as dtnctl does; the steps with these numbers of the plan fail, before their effect with `error`, or after it."""
    numbers = {step.id: number for number, step in enumerate(made.steps)}  # not as they are called: that is for threads to decide

    def perform(step: Step) -> str:
        fails = numbers[step.id] in failing
        if fails and not after:
            raise error
        world.perform(step)
        if fails:
            raise EngineError("the answer was lost")
        return ""

    def undo(step: Step, action: Undo) -> None:
        try:
            world.perform(Step(step.id, step.endpoint, action))
        except RefusedError as error:  # somebody else has its ports by now
            raise EngineError(str(error)) from error

    nothing = lambda outcome, step: None  # noqa: E731
    return Executor(perform, undo, 1, NoTime(), threading.Event(), nothing).execute(made.steps)


@few_in_each_run
@given(sites, sites, st.sets(st.integers(0, 30), min_size=1, max_size=3), st.booleans(), st.data())
def test_failing_steps_hold_back_only_what_needs_them(
    before: Site, after: Site, failing: set[int], late: bool, choices: st.DataObject
) -> None:
    world = lived_in(before, [])
    made = plan(after, world)
    outcomes = carry_out(made, world, failing, after=late)
    world.check()
    touched = {change.name for change in made.changes if change.kind == "session"}
    for host in world.hosts.values():
        for item in host.containers.values():
            assert item.kind != "service" or item.owner in touched or item.state == _state_before(before, item.owner)
    assert len(outcomes) == len(made.steps)
    converge(after, world, choices)
    assert start_count(world) <= 1


def _state_before(declared: Site, session: str) -> str:
    """In which state the first apply left the containers of a session."""
    return "running" if declared.sessions[session].value.state == "started" else "created"
