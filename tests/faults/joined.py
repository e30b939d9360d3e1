"""R6: transfers of one apply that ask their services and write their records together; the run is killed before or after one of its calls.

What is one call for several of them (decision 44) may be cut off for all at once: each must still start once, and come to its end.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.harness import Stage, warm_up
from tests.faults.kills import MOMENTS, describe
from tests.faults.measured import Measured, Task
from tests.faults.points import Point, Reference, Scenario, run_undisturbed, try_kill
from tests.faults.scenarios import RUN14

NAMES = tuple(f"part-{end}" for end in "abcdef")
TOGETHER = Scenario(
    "six transfers of one apply",
    {"transfers/run14": None} | {f"transfers/{name}": RUN14.replace("to: dtn2:/data/run14", f"to: dtn2:/data/{name}") for name in NAMES},
    starts_from_applied=True,
    before={"transfers/run14": None},
)


def measure(task: Task) -> Measured:
    """A kill before or after any call of an apply that starts six transfers, waits for them and records them."""
    warm_up()
    result = Measured(0)
    with Stage() as stage:
        reference = run_undisturbed(stage, TOGETHER)
        commands = sum(call["path"].endswith("/start") and "/exec/" in call["path"] for call in stage.ask("GET", "calls"))
        for call, when in task.chosen([(call, when) for call in range(1, reference.calls + 1) for when in MOMENTS]):
            stage.ask("POST", "restore", {"name": reference.snapshot})
            point = _try(stage, reference, call, when)
            result += Measured(1, (describe(point),) if point.failures else ())
    return result + Measured(0, note=f"{len(NAMES)} transfers ask their services by {commands} commands, of {reference.calls} calls")


def _try(stage: Stage, reference: Reference, call: int, when: str) -> Point:
    point = try_kill(stage, TOGETHER, reference, call, when)
    failures = (*point.failures, *_starts(stage))
    return Point(point.scenario, point.call, point.when, point.was_killed, failures)


def _starts(stage: Stage) -> Iterator[str]:
    """Each transfer whose job was not started exactly once."""
    for name in NAMES:
        starts = sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith(f"demo.{name}.g"))
        if starts != 1:
            yield f"{name} was started {starts} times"
