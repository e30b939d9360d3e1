"""An apply that is interrupted while it only waits for a transfer: the copy goes on, and nothing failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.model.actions import FinishTransfer
from dtnctl.model.plan import Step
from dtnctl.planning.scope import Scope
from dtnctl.repository.load import load_site
from dtnctl.runtime.lease import this_process
from dtnctl.runtime.reconcile import Applied, Reports, Terms, apply_plan
from tests.runtime.test_order import Scene
from tests.runtime.transfers.transfer_world import HERE, transfer_world


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Transfer `first` is declared, and its copy runs until it is allowed to end."""
    with transfer_world() as world:
        scene = Scene(world, tmp_path)
        scene.apply()
        world.files(HERE, "lab.demo").write("/data/first", b"content")
        scene.transfer("first")
        world.copy.hold = threading.Event()
        yield scene


def apply_until(scene: Scene, stop_at: str) -> tuple[Applied, list[str]]:
    """An apply that is asked to stop when a step of that kind begins; also the steps that it began."""
    begun: list[str] = []

    def started(step: Step) -> None:
        begun.append(step.id)
        if step.id == stop_at:
            scene.world.stop.set()

    terms = Terms(this_process(), scene.world.clock, parallel=4, lock_timeout=5.0, stop=scene.world.stop)
    reports = Reports(lambda text: None, lambda outcome, step: None, lambda progress: None, started)
    site = load_site(scene.root, "state")
    return apply_plan(site, scene.world.engines, scene.plan(), scope=Scope(), terms=terms, reports=reports), begun


def test_every_step_that_begins_is_reported_in_order(scene: Scene) -> None:
    applied, begun = apply_until(scene, "dtn1/finish/first")
    assert begun[-2:] == ["dtn1/transfer/first", "dtn1/finish/first"]
    assert sorted(begun) == sorted(step.id for step in applied.plan.steps)


def test_the_copy_goes_on_and_its_step_is_no_failure(scene: Scene) -> None:
    applied, _ = apply_until(scene, "dtn1/finish/first")
    finish = next(step.id for step in applied.plan.steps if isinstance(step.action, FinishTransfer))
    (outcome,) = [item for item in applied.outcomes if item.step == finish]
    assert (outcome.result, outcome.error) == ("done", "")
    assert outcome.detail == (
        "first (generation 1, try 1) goes on; follow it with `dtnctl transfers logs -f first`, the next apply records its result"
    )
    assert scene.ended() == {"first": "None"}
    assert scene.world.copy.hold is not None
    scene.world.copy.hold.set()
    scene.world.stop.clear()
    scene.world.engines[HERE].wait("lab.first.g1a1", 10.0)
    scene.apply()
    assert scene.ended() == {"first": "succeeded"}
