"""R18: CI drops queued runs, and cancels some that run. Whatever was dropped, after the run of HEAD everything is as HEAD declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.faults.harness import Stage, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import KILLED, names_of, strangers_of
from tests.faults.scenarios import CLIMATE, LAN, OF_CLIMATE, PROFILE, RUN14

APPLY = ("apply", "--yes")
# The exit code when a transfer's result is unknown: its run was killed, and a later commit, which no longer declared it, removed its
# container. It never runs again by itself then; all else is as HEAD declares.
UNKNOWN = 9
SAID_UNKNOWN = re.compile(r"run14 \(generation 2(, try 1\) unknown:|\) is unknown)")  # by the run that records it; by a later one
NEW_ENV = f"{CLIMATE}settings: {{env: {{NEW: '1'}}}}\n"
MTU = "driver: macvlan\nsubnet: 10.20.0.0/24\naddresses: 10.20.0.100-10.20.0.199\nmtu: 8000\n"
COMMITS: tuple[Mapping[str, str | None], ...] = (
    {},
    {"sessions/more": "endpoints: [dtn1]\nimage: dtn:1\nprofile: dtn\n"},
    {"sessions/climate": NEW_ENV, "transfers/run14": None},
    {"networks/data": MTU},
    {"sessions/weather": CLIMATE, "profiles/dtn": PROFILE.replace("1GiB", "2GiB"), "transfers/run14": OF_CLIMATE},
    {"transfers/run14": f"{RUN14}generation: 2\n"},
    {"networks/lan": LAN, "profiles/dtn": PROFILE.replace("[data]", "[data, lan]")},
    {"sessions/climate": f"{CLIMATE}state: stopped\n", "transfers/run14": None},
    {"profiles/dtn": PROFILE.replace("[30000, 30100]", "[30200, 30300]")},
    {"sessions/climate": None, "transfers/run14": None},
)
HEAD: Mapping[str, str | None] = {
    "sessions/climate": CLIMATE.replace("dtn:1", "dtn:2"),
    "sessions/more": "endpoints: [dtn2]\nimage: dtn:1\nprofile: dtn\n",
    "transfers/run14": f"{RUN14}generation: 2\n",
}


def measure(task: Task) -> Measured:
    """Subsets of the runs before HEAD's, all of them or a choice; three in ten of those that run are killed at some call."""
    warm_up()
    result = Measured(0)
    with Stage() as stage:
        wanted = _end_of_head_alone(stage)
        for mask in task.chosen(range(2 ** len(COMMITS))):
            failures = list(_try(stage, task, mask, wanted))
            result += Measured(1, ("\n    ".join((f"runs {mask:0{len(COMMITS)}b}, seed {task.seed}:", *failures)),) if failures else ())
    return result


def _end_of_head_alone(stage: Stage) -> dict[str, set[str]]:
    stage.ask("POST", "restore", {"name": "start"})
    stage.write(HEAD)
    ended = stage.run(*APPLY)
    assert ended.code == 0, ended.text
    return names_of(stage)


def _try(stage: Stage, task: Task, mask: int, wanted: dict[str, set[str]]) -> Iterator[str]:
    rng, was_killed = task.rng("dropped", mask), False
    stage.ask("POST", "restore", {"name": "start"})
    strangers = strangers_of(stage)
    for number, commit in enumerate(COMMITS):
        if not mask >> number & 1:
            continue
        stage.write(commit)
        if rng.random() < 0.3:
            stage.ask("POST", "faults", {"do": "kill-client", "at": stage.calls() + rng.randint(1, 120), "when": "after"})
        ran = stage.run(*APPLY)
        was_killed |= ran.code == KILLED
        stage.ask("POST", "faults", {})
        if "Traceback" in ran.text:
            yield f"the run of commit {number} ended with {ran.code}: {ran.text}"
    stage.write(HEAD)
    last = stage.run(*APPLY)
    left = stage.run("plan", "--detailed-exitcode")
    is_unknown = was_killed and last.code == UNKNOWN and left.code in (0, UNKNOWN) and SAID_UNKNOWN.search(last.text) is not None
    if not is_unknown and (last.code or left.code):
        yield f"HEAD's run ended with {last.code}: {last.text}\nthe plan after it with {left.code}: {left.text}"
    if (names := names_of(stage)) != wanted:
        yield f"there are {names}, wanted are {wanted}"
    if strangers_of(stage) != strangers:
        yield "something of somebody else was touched"
    for generation, least in ((1, 0), (2, 1)):
        starts = sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith(f"demo.run14.g{generation}a"))
        if not (0 if is_unknown else least) <= starts <= 1:
            yield f"generation {generation} was started {starts} times"
