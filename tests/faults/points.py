"""Kill -9 before and after every call of an apply; the next apply must converge and leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults.harness import Stage

JOB = "demo.run14.g"
KILLED = -9


@dataclass(frozen=True)
class Scenario:
    """What is there before (an apply of `before`, if any), and what is then declared."""

    name: str
    changes: dict[str, str | None]
    starts_from_applied: bool
    arguments: tuple[str, ...] = ("apply", "--yes")
    job_starts: int = 0


SCENARIOS = (
    Scenario("the demo's apply", {}, starts_from_applied=False, job_starts=1),
    Scenario(
        "a replacement on both endpoints, and a second session",
        {
            "sessions/climate": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\nsettings: {env: {NEW: '1'}}\n",
            "sessions/more": "endpoints: [dtn1]\nimage: dtn:1\nprofile: dtn\n",
        },
        starts_from_applied=True,
    ),
    Scenario(
        "a session leaves one endpoint",
        {"sessions/climate": "endpoints: [dtn1]\nimage: dtn:1\nprofile: dtn\n", "transfers/run14": None},
        starts_from_applied=True,
    ),
    Scenario(
        "a network is made anew",
        {"networks/data": "driver: macvlan\nsubnet: 10.20.0.0/24\naddresses: 10.20.0.100-10.20.0.199\nmtu: 8000\n"},
        starts_from_applied=True,
    ),
    Scenario("everything goes", {}, starts_from_applied=True, arguments=("destroy", "--yes", "--confirm=demo")),
)


@dataclass(frozen=True)
class Point:
    """One trial: the call and the moment, and what was wrong afterwards."""

    scenario: str
    call: int
    when: str
    was_killed: bool
    failures: tuple[str, ...]


def try_all(stage: Stage, scenario: Scenario, every: int = 1) -> Iterator[Point]:
    """All points of a scenario; `every` takes only each n-th call."""
    start = f"before {scenario.name}"
    _set_the_stage(stage, scenario, start)
    reference = stage.run(*scenario.arguments)
    assert reference.code == 0, reference.text
    count = stage.calls()
    wanted = _names(stage)
    strangers = _strangers(stage)
    for call in range(1, count + 1, every):
        for when in ("before", "after"):
            stage.ask("POST", "restore", {"name": start})
            stage.ask("POST", "faults", {"do": "kill-client", "at": call, "when": when})
            first = stage.run(*scenario.arguments)
            stage.ask("POST", "faults", {})
            failures: tuple[str, ...] = () if first.code in (KILLED, 0) else (f"the first run ended with {first.code}: {first.text}",)
            failures += tuple(_check(stage, scenario, wanted, strangers))
            yield Point(scenario.name, call, when, first.code == KILLED, failures)


def _set_the_stage(stage: Stage, scenario: Scenario, snapshot: str) -> None:
    stage.ask("POST", "restore", {"name": "start"})
    stage.write()
    if scenario.starts_from_applied:
        ended = stage.run("apply", "--yes")
        assert ended.code == 0, ended.text
    stage.write(scenario.changes)
    stage.ask("POST", "snapshot", {"name": snapshot})
    stage.ask("POST", "restore", {"name": snapshot})


def _check(stage: Stage, scenario: Scenario, wanted: dict[str, set[str]], strangers: Any) -> Iterator[str]:
    """What is wrong after the next apply, in sentences."""
    second = stage.run(*scenario.arguments)
    if second.code != 0:
        yield f"the next run ended with {second.code}: {second.text}"
    if scenario.arguments[0] == "apply":
        third = stage.run("plan", "--detailed-exitcode")
        if third.code != 0:
            yield f"the plan is not empty: {third.text}"
    names = _names(stage)
    if names != wanted:
        yield f"there are {names}, wanted are {wanted}"
    if _strangers(stage) != strangers:
        yield "something of somebody else was touched"
    starts = sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith(JOB))
    if starts != scenario.job_starts:
        yield f"the transfer was started {starts} times, not {scenario.job_starts}"


def _names(stage: Stage) -> dict[str, set[str]]:
    """Container and network names by endpoint: an orphan, a duplicate or a lease would show."""
    view = stage.ask("GET", "view")
    return {
        endpoint: {f"container {item['Name']}" for item in _items(seen["containers"])}
        | {f"network {item['Name']}" for item in _items(seen["networks"])}
        for endpoint, seen in view.items()
    }


def _strangers(stage: Stage) -> Any:
    view = stage.ask("GET", "view")
    return {
        endpoint: [item for kind in ("containers", "networks") for item in _items(seen[kind]) if "strange" in str(item["Name"])]
        for endpoint, seen in view.items()
    }


def _items(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [{"Name": name, **(item if isinstance(item, dict) else {"value": item})} for name, item in value.items()]
    return list(value)
