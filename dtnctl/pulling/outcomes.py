"""What one `dtnctl apply -o jsonl` reported, read from its events (docs/json.md). Pure: lines in, a value out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KILLED = "killed"
EXIT_NAMES = {
    0: "success",
    3: "partial",
    4: "blocked",
    5: "stale-plan",
    6: "lock",
    7: "unreachable",
    8: "health-timeout",
    9: "transfer-failed",
    64: "usage",
    65: "invalid-config",
    129: "hangup",
    130: "interrupted",
    143: "terminated",
}
LONGEST = 500  # characters of a message that are kept
MOST_LINES = 5


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step of a run: the type of its action, what became of it, and how long it took in seconds."""

    action: str
    result: str
    seconds: float


@dataclass(frozen=True, slots=True)
class EndpointEnd:
    """What became of one endpoint: why it did not answer, its changes by result, those that were held back, and the first reason."""

    name: str
    silence: str = ""
    applied: int = 0
    failed: int = 0
    blocked: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """`summary` has the counts of the plan. `transfers`: how many are in each state. `endpoints` are those of the plan.

    `applied`: changes that were made, `remaining`: those that a last look still found. `text` says in one line why the exit code is not 0.
    """

    exit_code: int
    exit_name: str
    plan_hash: str = ""
    summary: Mapping[str, int] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    steps: tuple[StepDone, ...] = ()
    transfers: Mapping[str, int] = field(default_factory=dict)
    applied: int = 0
    remaining: int = 0
    text: str = ""
    site: str = ""
    endpoints: tuple[EndpointEnd, ...] = ()


def read_result(lines: Iterable[str], exit_code: int) -> ApplyResult:
    """What the events say. A line that is none, such as the last one of a program that was killed, is passed over."""
    plan: Mapping[str, Any] = {}
    outcomes: Mapping[str, Any] = {}
    problem, steps = "", list[StepDone]()
    for event in _events(lines):
        match event.get("event"):
            case "plan":
                plan = event["plan"]
            case "outcomes":
                outcomes = event["outcomes"]
            case "step_ended":
                steps.append(StepDone(event["action"], event["result"], event["seconds"]))
            case "error":
                problem = _text_of(event)
            case _:
                pass
    return ApplyResult(
        exit_code=exit_code,
        exit_name=EXIT_NAMES.get(exit_code, KILLED if exit_code < 0 else "error"),
        plan_hash=plan.get("plan_hash", ""),
        summary=plan.get("summary", {}),
        silent=tuple(item["name"] for item in plan.get("endpoints", ()) if item["silence"]),
        steps=tuple(steps),
        transfers=_states(plan, outcomes),
        applied=outcomes.get("summary", {}).get("applied", 0),
        remaining=len(outcomes.get("remaining") or ()),
        text=problem,
        site=plan.get("site", ""),
        endpoints=_ends(plan, outcomes),
    )


def _ends(plan: Mapping[str, Any], outcomes: Mapping[str, Any]) -> tuple[EndpointEnd, ...]:
    """One for each endpoint; none where changes were planned and it was not reported what became of them."""
    if not outcomes and plan.get("summary", {}).get("changes", 0):
        return ()
    return tuple(_end_of(item, outcomes.get("changes", ())) for item in plan.get("endpoints", ()))


def _end_of(endpoint: Mapping[str, Any], changes: Iterable[Mapping[str, Any]]) -> EndpointEnd:
    here = [item for item in changes if item["endpoint"] == endpoint["name"]]
    failed = [item for item in here if item["result"] != "applied"]
    return EndpointEnd(
        endpoint["name"],
        endpoint["silence"][:LONGEST],
        applied=len(here) - len(failed),
        failed=len(failed),
        blocked=endpoint.get("changes", {}).get("blocked", 0),
        reason=next((str(reason)[:LONGEST] for item in failed for reason in item["reasons"]), ""),
    )


def _events(lines: Iterable[str]) -> Iterable[Mapping[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _text_of(event: Mapping[str, Any]) -> str:
    """The message of an error; of mistakes in the files the first ones, with their places."""
    if "error" in event:
        return str(event["error"]["message"])[:LONGEST]
    problems = event.get("problems", {}).get("problems", ())
    return problem_text(problems)


def problem_text(problems: Iterable[Mapping[str, Any]]) -> str:
    """The first mistakes of a document of problems, with their places, and how many more there are."""
    lines = [f"{item['file']}:{item['line'] or 1}: {item['code']}: {item['message']}" for item in problems]
    more = f"; and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else ""
    return ("; ".join(lines[:MOST_LINES]) + more)[:LONGEST]


def _states(plan: Mapping[str, Any], outcomes: Mapping[str, Any]) -> Mapping[str, int]:
    """Transfers of the plan by state, with those that the run itself ended badly."""
    found = {item["name"]: item["state"] for item in plan.get("transfers", ())}
    found |= {item["name"]: item["state"] for item in outcomes.get("unsettled", ())}
    states = sorted(found.values())
    return {state: states.count(state) for state in dict.fromkeys(states)}
