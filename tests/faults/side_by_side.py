"""R7: several applies at once, of one commit or of several. One writes at a time, and the newest commit's run makes its state the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.dropped_runs import COMMITS, HEAD, UNKNOWN
from tests.faults.harness import Ended, Stage, as_they_end, warm_up
from tests.faults.measured import Measured, Task
from tests.faults.points import names_of, strangers_of

APPLY = ("apply", "--yes", "--lock-timeout", "120")
LEASE = "demo.control.lease"
CUT_OFF = "removed before its result was recorded"
# 0: done. 3: the last look found another commit's changes. 5: the plan became another one while it waited. 6: the lease was not to be had.
# 9: a transfer of a commit has no service any more, which another commit removed. -9: it was killed on purpose.
ENDS_IN_WORDS = (0, 3, 4, 5, 6, 9, -9)


def measure(task: Task) -> Measured:
    """Groups of 2 to 8 applies, half of them of one commit; in a third one apply is killed."""
    warm_up()
    result = Measured(0)
    with Stage() as stage, tempfile.TemporaryDirectory(prefix="commits-") as folder:
        stage.write(HEAD)
        stage.ask("POST", "restore", {"name": "start"})
        assert stage.run("apply", "--yes").code == 0
        wanted = names_of(stage)
        for number in task.numbers():
            failures = list(_try(stage, Path(folder), task.rng("at once", number), wanted))
            result += Measured(1, ("\n    ".join((f"group {number}, seed {task.seed}:", *failures)),) if failures else ())
    return result


def _try(stage: Stage, folder: Path, rng: Random, wanted: dict[str, set[str]]) -> Iterator[str]:
    stage.ask("POST", "restore", {"name": "start"})
    strangers = strangers_of(stage)
    same = rng.random() < 0.5
    commits = [HEAD if same else rng.choice((*COMMITS, HEAD)) for _ in range(rng.randint(2, 8))]
    if rng.random() < 0.33:
        stage.ask("POST", "faults", {"do": "kill-client", "at": rng.randint(1, 60 * len(commits)), "when": rng.choice(("before", "after"))})
    ended = list(as_they_end([stage.begin(*APPLY, root=_site(stage, folder / str(place), commit)) for place, commit in enumerate(commits)]))
    stage.ask("POST", "faults", {})
    yield from _wrong_ends(ended)
    yield from two_writers(stage.ask("GET", "calls"))
    stage.write(HEAD)
    last = stage.run(*APPLY)
    if not same and last.code == UNKNOWN and CUT_OFF in " ".join(last.text.split()):
        last = _decided(stage)
    left = stage.run("plan", "--detailed-exitcode")
    if last.code or left.code:
        yield f"the newest commit's run ended with {last.code}: {last.text}\nthe plan after it with {left.code}: {left.text}"
    if (names := names_of(stage)) != wanted:
        yield f"there are {names}, wanted are {wanted}"
    if strangers_of(stage) != strangers:
        yield "something of somebody else was touched"
    starts = [item for item in stage.ask("GET", "starts") if item["name"].startswith("demo.run14.g") and item["count"] > 1]
    if starts:
        yield f"started more than once: {starts}"


def _site(stage: Stage, root: Path, commit: Mapping[str, str | None]) -> Path:
    root.mkdir(exist_ok=True)
    stage.write(commit, root)
    return root


def _decided(stage: Stage) -> Ended:
    """The run after the user's decision on a transfer whose job another commit took away before the result was known."""
    decided = stage.run("transfers", "resolve", "run14", "--succeeded", "--reason", "looked at")
    return stage.run(*APPLY) if decided.code == 0 else decided


def _wrong_ends(ended: list[Ended]) -> Iterator[str]:
    for one in ended:
        if one.code not in ENDS_IN_WORDS or "Traceback" in one.text:
            yield f"an apply ended with {one.code}: {one.text}"


def two_writers(calls: list[dict[str, Any]]) -> Iterator[str]:
    """Each write of a process on an endpoint whose lease it did not have: of a killed one as well, for its calls end with it."""
    holders: dict[str, int] = {}
    for call in calls:
        endpoint, pid, path = call["endpoint"], call["pid"], call["path"]
        if call["method"] in ("GET", "HEAD") or path.startswith("/images/") or path.endswith("/wait"):
            continue  # the empty image is imported before there can be a lease; to wait for a job's end changes nothing
        if call["method"] == "DELETE" and call["status"] == 404:
            continue  # two that wait may both remove a dead holder's lease, by its id: the second one finds nothing and changes nothing
        if path == "/containers/create" and call["query"].get("name") == LEASE:
            if call["status"] == 201:
                if endpoint in holders:
                    yield f"call {call['number']}: two processes have the lease of {endpoint}"
                holders[endpoint] = pid
        elif path == f"/containers/{LEASE}" and call["method"] == "DELETE":
            if call["status"] == 204:
                holders.pop(endpoint, None)
        elif holders.get(endpoint) != pid:
            yield f"call {call['number']}: {call['method']} {path} on {endpoint} by {pid}, which does not have its lease"
