"""R4 and R5 on engines in memory: a second apply, and every command that only looks, send nothing that writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import Scenario, set_the_stage
from tests.faults.scenarios import ALL_SCENARIOS

READING = (
    ("plan",),
    ("plan", "-o", "json"),
    ("plan", "-o", "markdown"),
    ("plan", "--detailed-exitcode"),
    ("drift",),
    ("drift", "-o", "json"),
    ("status",),
    ("status", "-o", "json"),
    ("validate",),
    ("sessions", "list"),
    ("transfers", "list"),
    ("endpoints", "list"),
)
Trial: TypeAlias = Callable[[Stage, Scenario], Iterator[str]]
APPLIED = tuple(scenario for scenario in ALL_SCENARIOS if scenario.arguments[0] == "apply")


def writes_in(calls: list[dict[str, Any]]) -> list[str]:
    """The calls that an engine could change something for; looking at an agent's host is no call of this list."""
    return [f"{call['method']} {call['path']} on {call['endpoint']}" for call in calls if call["method"] not in ("GET", "HEAD")]


def measure_second_apply(task: Task) -> Measured:
    """Every scenario: applied, applied again, planned."""
    return _measure(task, _apply_again)


def measure_reads(task: Task) -> Measured:
    """Every command that only looks, before and after the apply of every scenario. `size` counts scenarios and commands together."""
    return _measure(Task(max(1, task.size // len(READING)), task.seed), _look)


def _measure(task: Task, trial: Trial) -> Measured:
    warm_up()
    result = Measured(0)
    with Stage() as stage:
        for scenario in task.chosen(APPLIED):
            set_the_stage(stage, scenario, f"before {scenario.name}")
            for failure in trial(stage, scenario):
                result += Measured(1, (f"{scenario.name}: {failure}",) if failure else ())
    return result


def _apply_again(stage: Stage, scenario: Scenario) -> Iterator[str]:
    first = stage.run(*scenario.arguments)
    if first.code:
        yield f"the apply ended with {first.code}: {first.text}"
        return
    done = stage.calls()
    second, plan = stage.run(*scenario.arguments), stage.run("plan", "--detailed-exitcode")
    written = writes_in(stage.ask("GET", "calls")[done:])
    is_right = not written and second.code == plan.code == 0
    yield "" if is_right else f"the second apply ({second.code}) wrote {written}: {second.text}; the plan ({plan.code}): {plan.text}"


def _look(stage: Stage, scenario: Scenario) -> Iterator[str]:
    for has_applied in (False, True):
        if has_applied and stage.run(*scenario.arguments).code:
            yield "the apply failed"
        for arguments in READING:
            done = stage.calls()
            ran = stage.run(*arguments)
            written = writes_in(stage.ask("GET", "calls")[done:])
            is_right = not written and "Traceback" not in ran.text and ran.code in (0, 2, 4)
            yield "" if is_right else f"{' '.join(arguments)} ({ran.code}) wrote {written}: {ran.text}"
