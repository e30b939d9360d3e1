"""R13: what was made of virtual functions, VLANs and settings is gone after removal, wherever creation and removal were killed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import DESTROY, hosts_of
from tests.faults.scene import HARDWARE_SITE

MADE, REMOVED = 150, 90  # about as many calls as an apply and a destroy make


def measure(task: Task) -> Measured:
    """An apply and a destroy, both killed at some call; then a destroy that is not."""
    warm_up()
    result = Measured(0)
    with Stage() as stage:
        stage.write(HARDWARE_SITE)
        for number in task.numbers():
            failures = list(_try(stage, task.rng("functions", number)))
            result += Measured(1, ("\n    ".join((f"{number}, seed {task.seed}:", *failures)),) if failures else ())
    return result


def _try(stage: Stage, rng: Random) -> Iterator[str]:
    stage.ask("POST", "restore", {"name": "start"})
    before = hosts_of(stage)
    for arguments, calls in ((("apply", "--yes"), MADE), (DESTROY, REMOVED)):
        fault = {"do": "kill-client", "at": stage.calls() + rng.randint(1, calls), "when": rng.choice(("before", "after"))}
        stage.ask("POST", "faults", fault)
        killed = stage.run(*arguments)
        if "Traceback" in killed.text:
            yield f"{arguments[0]} ended with {killed.code}: {killed.text}"
    stage.ask("POST", "faults", {})
    last = stage.run(*DESTROY)
    if last.code:
        yield f"destroy ended with {last.code}: {last.text}"
    if (after := hosts_of(stage)) != before:
        yield f"the hosts are {after}, and were {before}"
