"""R9: one call is refused, cut off or late; the run ends in words, and the next one converges."""

from __future__ import annotations

from typing import Any

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import Scenario, check, run_undisturbed
from tests.faults.scenarios import ALL_SCENARIOS

FAULTS: dict[str, dict[str, Any]] = {
    "409": {"do": "status", "status": 409, "message": "Conflict."},
    "404": {"do": "status", "status": 404, "message": "No such container."},
    "500": {"do": "status", "status": 500, "message": "injected fault"},
    "reset": {"do": "reset"},
    "reset after": {"do": "reset", "when": "after"},
    "500 after": {"do": "status", "status": 500, "message": "injected fault", "when": "after"},
    "stall": {"do": "stall", "seconds": 1.2},
}
PATIENCE = ("--timeout", "1")  # of the first question to an endpoint: a stall is longer than that
TRIED = ("the demo's apply", "a replacement on both endpoints, and a second session", "everything goes", "a transfer's next generation")


def measure(task: Task) -> Measured:
    """Every fault at every call of four scenarios, or a choice of those."""
    warm_up()
    result = Measured(0, note="a stall is 1.2 s against a patience of 1 s for the first question to an endpoint")
    scenarios = [scenario for scenario in ALL_SCENARIOS if scenario.name in TRIED][: task.size]
    with Stage() as stage:
        for scenario in scenarios:
            reference = run_undisturbed(stage, scenario)
            share = Task(max(1, task.size // len(scenarios)), task.seed, task.part, task.parts)
            for name, call in share.chosen([(name, call) for name in FAULTS for call in range(1, reference.calls + 1)]):
                stage.ask("POST", "restore", {"name": reference.snapshot})
                stage.ask("POST", "faults", FAULTS[name] | {"at": call})
                first = stage.run(*scenario.arguments, *(PATIENCE if name == "stall" else ()))
                stage.ask("POST", "faults", {})
                failures = [f"the first run ended with {first.code}: {first.text}"] * _is_wrong(first.code, first.text)
                failures += [*check(stage, scenario, reference)]
                result += Measured(1, (_text(scenario, name, call, failures),) if failures else ())
    return result


def _is_wrong(code: int, text: str) -> bool:
    """Whether the run ended by a mistake of its own: with a traceback, by a signal, or with an exit code that nothing documents."""
    return "Traceback" in text or "internal error" in text or code < 0 or code not in range(12)


def _text(scenario: Scenario, name: str, call: int, failures: list[str]) -> str:
    return "\n    ".join((f"{scenario.name}: {name} at call {call}:", *failures))
