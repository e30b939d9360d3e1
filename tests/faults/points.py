"""Kill -9 before and after every call of an apply, or of an agent at any of its writes; the next apply must converge and leave nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.harness import Stage
from tests.faults.scene import HARDWARE_SITE, STAR, WITH_AGENT

JOB = "demo.run14.g"
KILLED = -9
DESTROY = ("destroy", "--yes", "--confirm=demo")
OTHER_TUNING = "tuning: {sysctls: {net.core.rmem_max: 134217728, net.core.wmem_max: 134217728, net.ipv4.tcp_mtu_probing: 1}}\n"


@dataclass(frozen=True)
class Scenario:
    """What is there before (an apply of the demo with `before`, if any), and what is then declared: `changes` to that.

    `ends_as_found`: the hosts and what the agents keep are then as they were before the first apply.
    """

    name: str
    changes: Mapping[str, str | None]
    starts_from_applied: bool
    arguments: tuple[str, ...] = ("apply", "--yes")
    job_starts: int = 0
    before: Mapping[str, str | None] | None = None
    ends_as_found: bool = False

    @property
    def declared(self) -> Mapping[str, str | None]:
        return {**(self.before or {}), **self.changes}

    @property
    def has_agents(self) -> bool:
        return self.before is not None


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
    Scenario("everything goes", {}, starts_from_applied=True, arguments=DESTROY, ends_as_found=True),
    Scenario(
        "a session with virtual functions, pinned CPUs and QoS on both endpoints, VFs and VLAN made, hosts tuned",
        {},
        starts_from_applied=False,
        before=HARDWARE_SITE,
    ),
    Scenario(
        "a replacement of what has virtual functions",
        {"sessions/star222": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\nsettings: {env: {NEW: '1'}}\n"},
        starts_from_applied=True,
        before=HARDWARE_SITE,
    ),
    Scenario(
        "VLAN tag, MAC, QoS and tuning change",
        {
            "endpoints/dtn1": f"{WITH_AGENT}vfs: {{ens1f0: 4}}\n{OTHER_TUNING}",
            "endpoints/dtn2": f"{WITH_AGENT}{OTHER_TUNING}",
            "networks/star": STAR.replace("222", "223") + "mac: keep\n",
            "sessions/star222": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\nsettings: {qos: {rate: 800mbit}}\n",
        },
        starts_from_applied=True,
        before=HARDWARE_SITE,
    ),
    Scenario(
        "everything with virtual functions goes",
        {},
        starts_from_applied=True,
        arguments=DESTROY,
        before=HARDWARE_SITE,
        ends_as_found=True,
    ),
)


@dataclass(frozen=True)
class Point:
    """One trial: the call or the write and the moment, what was wrong afterwards, and whether somebody died."""

    scenario: str
    call: int
    when: str
    was_killed: bool
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """How a scenario ends when nobody dies. `effects` are the moments at which each endpoint's agent could."""

    snapshot: str
    calls: int
    wanted: dict[str, set[str]]
    strangers: Any
    hosts: Any
    effects: dict[str, int]


def run_undisturbed(stage: Stage, scenario: Scenario) -> Reference:
    """Set the stage, and see how it should end."""
    start = f"before {scenario.name}"
    set_the_stage(stage, scenario, start)
    reference = stage.run(*scenario.arguments)
    assert reference.code == 0, reference.text
    effects = {name: seen["effects"] for name, seen in stage.ask("GET", "beside").items()}
    if scenario.ends_as_found:
        found = hosts_of(stage)
        stage.ask("POST", "restore", {"name": "start"})
        assert found == hosts_of(stage), "what was set on the hosts was not put back"
        stage.ask("POST", "restore", {"name": start})
        assert stage.run(*scenario.arguments).code == 0
    return Reference(start, stage.calls(), names_of(stage), strangers_of(stage), hosts_of(stage), effects)


def try_deaths(stage: Stage, scenario: Scenario, every: int = 1) -> Iterator[Point]:
    """An agent dies at each of its writes and before each answer; then it starts again, and so does dtnctl. `every` as below."""
    reference = run_undisturbed(stage, scenario)
    for endpoint, count in sorted(reference.effects.items()):
        for effect in range(1, count + 1, every):
            yield try_death(stage, scenario, reference, endpoint, effect)


def try_death(stage: Stage, scenario: Scenario, reference: Reference, endpoint: str, effect: int) -> Point:
    """The agent of this endpoint dies at this moment."""
    stage.ask("POST", "restore", {"name": reference.snapshot})
    stage.ask("POST", "beside", {"name": endpoint, "dies_at": effect})
    first = stage.run(*scenario.arguments)
    died = stage.ask("GET", "beside")[endpoint]["is_dead"]
    stage.ask("POST", "beside", {"name": endpoint})
    failures: tuple[str, ...] = () if first.code > 0 or not died else (f"the first run ended with {first.code}: {first.text}",)
    failures += tuple(check(stage, scenario, reference))
    return Point(scenario.name, effect, f"the agent of {endpoint} dies", died, failures)


def try_all(stage: Stage, scenario: Scenario, every: int = 1) -> Iterator[Point]:
    """All points of a scenario; `every` takes only each n-th call."""
    reference = run_undisturbed(stage, scenario)
    for call in range(1, reference.calls + 1, every):
        for when in ("before", "after"):
            stage.ask("POST", "restore", {"name": reference.snapshot})
            yield try_kill(stage, scenario, reference, call, when)


def try_kill(stage: Stage, scenario: Scenario, reference: Reference, call: int, when: str) -> Point:
    """A run from what is there now is killed at this call; the next one is not."""
    stage.ask("POST", "faults", {"do": "kill-client", "at": call, "when": when})
    first = stage.run(*scenario.arguments)
    stage.ask("POST", "faults", {})
    failures: tuple[str, ...] = () if first.code in (KILLED, 0) else (f"the first run ended with {first.code}: {first.text}",)
    failures += tuple(check(stage, scenario, reference))
    return Point(scenario.name, call, when, first.code == KILLED, failures)


def set_the_stage(stage: Stage, scenario: Scenario, snapshot: str) -> None:
    stage.ask("POST", "restore", {"name": "start"})
    stage.write(scenario.before)
    if scenario.starts_from_applied:
        ended = stage.run("apply", "--yes")
        assert ended.code == 0, ended.text
    stage.write(scenario.declared)
    stage.ask("POST", "snapshot", {"name": snapshot})
    stage.ask("POST", "restore", {"name": snapshot})


def check(stage: Stage, scenario: Scenario, reference: Reference) -> Iterator[str]:
    """What is wrong after the next apply, in sentences."""
    second = stage.run(*scenario.arguments)
    if second.code != 0:
        yield f"the next run ended with {second.code}: {second.text}"
    if scenario.arguments[0] == "apply":
        third = stage.run("plan", "--detailed-exitcode")
        if third.code != 0:
            yield f"the plan is not empty: {third.text}"
    names = names_of(stage)
    if names != reference.wanted:
        yield f"there are {names}, wanted are {reference.wanted}"
    if strangers_of(stage) != reference.strangers:
        yield "something of somebody else was touched"
    if (hosts := hosts_of(stage)) != reference.hosts:
        yield f"the hosts are {hosts}, wanted are {reference.hosts}"
    starts = sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith(JOB))
    if starts != scenario.job_starts:
        yield f"the transfer was started {starts} times, not {scenario.job_starts}"


def names_of(stage: Stage) -> dict[str, set[str]]:
    """Container and network names by endpoint: an orphan, a duplicate or a lease would show."""
    view = stage.ask("GET", "view")
    return {
        endpoint: {f"container {item['Name']}" for item in _items(seen["containers"])}
        | {f"network {item['Name']}" for item in _items(seen["networks"])}
        for endpoint, seen in view.items()
    }


def hosts_of(stage: Stage) -> Any:
    """Everything on the hosts and in the agents' ledgers; what others have is in it, so it is seen if it was touched."""
    return {
        name: {key: value for key, value in seen.items() if key not in ("effects", "is_dead")}
        for name, seen in stage.ask("GET", "beside").items()
    }


def strangers_of(stage: Stage) -> Any:
    view = stage.ask("GET", "view")
    return {
        endpoint: [item for kind in ("containers", "networks") for item in _items(seen[kind]) if "strange" in str(item["Name"])]
        for endpoint, seen in view.items()
    }


def _items(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [{"Name": name, **(item if isinstance(item, dict) else {"value": item})} for name, item in value.items()]
    return list(value)
