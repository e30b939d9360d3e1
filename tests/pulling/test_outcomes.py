"""What the loop takes from the events of an apply."""

from __future__ import annotations

import json
from typing import Any

from dtnctl.pulling.outcomes import ApplyResult, EndpointEnd, StepDone, read_result


def lines(*events: dict[str, Any]) -> list[str]:
    return [json.dumps(event) for event in events]


PLAN = {
    "plan_hash": "247f4bdf9be26063",
    "summary": {"changes": 2, "drift": 1},
    "endpoints": [{"name": "dtn1", "silence": ""}, {"name": "dtn2", "silence": "no answer"}],
    "transfers": [{"name": "x", "state": "running"}, {"name": "y", "state": "succeeded"}, {"name": "z", "state": "running"}],
}


def test_result_has_the_plan_the_steps_and_what_became_of_transfers() -> None:
    result = read_result(
        lines(
            {"event": "plan", "plan": PLAN},
            {"event": "step_started", "step": "s", "action": "create"},
            {"event": "step_ended", "action": "create", "result": "done", "seconds": 0.25},
            {"event": "step_ended", "action": "start", "result": "failed", "seconds": 2.0},
            {
                "event": "outcomes",
                "outcomes": {"summary": {"applied": 1}, "remaining": [{}], "unsettled": [{"name": "z", "state": "failed"}]},
            },
            {"event": "error", "error": {"message": "1 of 2 steps failed"}},
            {"event": "end", "exit_code": 3},
        ),
        3,
    )
    assert result == ApplyResult(
        exit_code=3,
        exit_name="partial",
        plan_hash="247f4bdf9be26063",
        summary={"changes": 2, "drift": 1},
        silent=("dtn2",),
        steps=(StepDone("create", "done", 0.25), StepDone("start", "failed", 2.0)),
        transfers={"failed": 1, "running": 1, "succeeded": 1},
        applied=1,
        remaining=1,
        text="1 of 2 steps failed",
        endpoints=(EndpointEnd("dtn1"), EndpointEnd("dtn2", "no answer")),
    )


def test_program_that_was_killed_leaves_what_it_had_written() -> None:
    result = read_result([*lines({"event": "plan", "plan": PLAN}), '{"event": "step_en', "7", ""], -9)
    assert (result.exit_name, result.plan_hash, result.steps) == ("killed", "247f4bdf9be26063", ())


def test_program_that_wrote_nothing_has_a_result_too() -> None:
    assert read_result([], 1) == ApplyResult(1, "error")


def test_mistakes_are_given_with_their_places_the_first_five() -> None:
    problems = [{"file": f"state/{number}.yaml", "line": 0, "code": "E0104", "message": "unknown key"} for number in range(7)]
    text = read_result(lines({"event": "error", "problems": {"problems": problems}}), 65).text
    assert text.startswith("state/0.yaml:1: E0104: unknown key; state/1.yaml:1: ")
    assert text.endswith("; and 2 more")
