"""R1 on engines in memory: kill points of every scenario, of the second run as well, and agents that die."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import KILLED, Point, Reference, Scenario, run_undisturbed, try_death, try_kill
from tests.faults.scenarios import ALL_SCENARIOS

MOMENTS = ("before", "after")
Trials: TypeAlias = Callable[[Stage, Scenario, Reference, Task], Iterator[Point]]


def measure_first(task: Task) -> Measured:
    """A kill before or after a call, of every scenario as many."""
    return _measure(task, ALL_SCENARIOS, _first)


def measure_second(task: Task) -> Measured:
    """Kills of the first and of the second run; the third one is not killed."""
    return _measure(task, ALL_SCENARIOS, _second)


def measure_deaths(task: Task) -> Measured:
    """An agent dies at a write, or before it answers."""
    return _measure(task, tuple(scenario for scenario in ALL_SCENARIOS if scenario.has_agents), _deaths)


def _measure(task: Task, scenarios: tuple[Scenario, ...], trial: Trials) -> Measured:
    warm_up()
    result = Measured(0)
    mine = scenarios[task.part :: task.parts]
    with Stage() as stage:
        for scenario in mine:
            share = Task(max(1, task.size // len(scenarios)), task.seed)
            reference = run_undisturbed(stage, scenario)
            for point in trial(stage, scenario, reference, share):
                result += Measured(1, (describe(point),) if point.failures else ())
    return result


def describe(point: Point) -> str:
    """What was tried, and what was wrong afterwards."""
    lines = "\n    ".join(point.failures)
    return f"{point.scenario}: call {point.call}, {point.when}:\n    {lines}"


def _first(stage: Stage, scenario: Scenario, reference: Reference, share: Task) -> Iterator[Point]:
    for call, when in share.chosen([(call, when) for call in range(1, reference.calls + 1) for when in MOMENTS]):
        stage.ask("POST", "restore", {"name": reference.snapshot})
        yield try_kill(stage, scenario, reference, call, when)


def _second(stage: Stage, scenario: Scenario, reference: Reference, share: Task) -> Iterator[Point]:
    rng = share.rng(scenario.name)
    for _ in range(share.size):
        first, second = (rng.randint(1, reference.calls) for _ in range(2))
        moments = rng.choice(MOMENTS), rng.choice(MOMENTS)
        stage.ask("POST", "restore", {"name": reference.snapshot})
        stage.ask("POST", "faults", {"do": "kill-client", "at": first, "when": moments[0]})
        killed = stage.run(*scenario.arguments).code
        done = stage.calls()
        point = try_kill(stage, scenario, reference, done + second, moments[1])
        died = point.was_killed and killed == KILLED
        yield Point(scenario.name, first, f"{moments[0]}, then {second} {moments[1]}", died, point.failures)


def _deaths(stage: Stage, scenario: Scenario, reference: Reference, share: Task) -> Iterator[Point]:
    moments = [(endpoint, effect) for endpoint, count in sorted(reference.effects.items()) for effect in range(1, count + 1)]
    for endpoint, effect in share.chosen(moments):
        yield try_death(stage, scenario, reference, endpoint, effect)
