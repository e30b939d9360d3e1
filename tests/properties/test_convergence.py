"""Whatever was declared, whatever happened, wherever a run was killed: the next apply gets there, and starts no attempt twice."""

from __future__ import annotations

from dtn_agent.protocol import Interface
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.actions import StartTransfer
from dtnctl.model.plan import Plan
from dtnctl.model.site import Site
from tests.planning.building import plan
from tests.planning.listing import steps
from tests.planning.machines import machine, pf
from tests.properties.agent import Agent
from tests.properties.host import image
from tests.properties.sites import IMAGES, Event, events, few_in_each_run, happen, sites
from tests.properties.world import KilledError, World


def new_world() -> World:
    """Three endpoints with agents: on the first two hosts virtual functions can be made, on the last one others made some."""
    world = World(("a", "b", "c"))
    plain = [Interface(name=name, index=number, mtu=9000) for number, name in enumerate(("eth1", "eth2"), start=20)]
    for name, host in world.hosts.items():
        host.images = {reference: image(reference) for reference in IMAGES}
        host.agent = Agent(machine(pf("ens1f0", 1, vfs=2 if name == "c" else 0, total=4), *plain))
    return world


def carry_out(declared: Site, world: World, choices: st.DataObject) -> Plan:
    """One apply, its steps in any order that respects their needs."""
    made = plan(declared, world)
    assert_well_formed(made)
    world.apply(made, lambda ready: choices.draw(st.integers(0, len(ready) - 1)) if len(ready) > 1 else 0)
    world.check()
    return made


def assert_well_formed(made: Plan) -> None:
    ids = [step.id for step in made.steps]
    assert len(set(ids)) == len(ids)
    before: set[str] = set()
    for step in made.steps:
        assert before.issuperset(step.needs), f"{step.id} stands before what it needs: {step.needs}"
        before.add(step.id)
    named = [step_id for change in made.changes for step_id in change.steps]
    assert len(named) == len(set(named))
    pulls = {step.id for step in made.steps if "/pull/" in step.id}
    assert set(named) == set(ids) - pulls
    touched = {(change.name) for change in made.blocked if change.kind == "session"}
    for change in made.changes:
        assert not (change.steps and change.kind == "session" and change.name in touched), f"blocked {change.name} has steps"


def converge(declared: Site, world: World, choices: st.DataObject) -> None:
    """Apply once; what is left then can only be a transfer's next try or the clearing away of its container."""
    carry_out(declared, world, choices)
    for _ in range(4):
        left = plan(declared, world)
        for change in left.changes:
            assert change.mark == "blocked" or change.kind == "transfer" or not change.steps, steps(left)
        if not left.steps:
            return
        carry_out(declared, world, choices)
    raise AssertionError(steps(plan(declared, world)))


def start_count(world: World) -> int:
    return max(world.starts.values(), default=0)


@few_in_each_run
@given(st.lists(st.tuples(sites, events), min_size=1, max_size=3), st.data())
def test_after_one_apply_nothing_is_left_to_do(history: list[tuple[Site, list[Event]]], choices: st.DataObject) -> None:
    world = new_world()
    for declared, happenings in history:
        converge(declared, world, choices)
        for event in happenings:
            happen(event, world)
        converge(declared, world, choices)
    assert start_count(world) <= 1


@few_in_each_run
@given(st.lists(st.tuples(sites, events, st.integers(0, 40)), min_size=1, max_size=3), st.data())
def test_an_apply_that_was_killed_anywhere_is_continued_by_the_next(
    history: list[tuple[Site, list[Event], int]], choices: st.DataObject
) -> None:
    world = new_world()
    for declared, happenings, effects in history:
        world.budget = effects
        try:
            carry_out(declared, world, choices)
        except KilledError:
            world.check()
        world.budget = None
        for event in happenings:
            happen(event, world)
        converge(declared, world, choices)
    assert start_count(world) <= 1
    assert not [step for step in plan(history[-1][0], world).steps if isinstance(step.action, StartTransfer)]
