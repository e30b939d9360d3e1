"""Random accidents around one transfer: kills, two applies at once, prunes, engines that restart, hosts that are installed again.

Counted is how often the transfer's job was started in each of its generations. More than once is a failure, whatever happened.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tests.faults.harness import Ended, Stage, as_they_end, warm_up
from tests.faults.measured import Measured, Task

NAME = "once"
JOB = f"demo.{NAME}.g"
APPLY = ("apply", "--yes")
CALLS = 140  # about as many as an apply makes that starts the transfer and waits for its end
SECONDS = 1.5  # about as long as such an apply runs
READY = "ready for one transfer"


@dataclass(frozen=True)
class Trial:
    """What one trial came to: starts of the job by generation, and what else was wrong."""

    kind: str
    number: int
    starts: Mapping[int, int]
    failures: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return not self.failures and max(self.starts.values()) <= 1


@dataclass(frozen=True)
class Before:
    """How what ran before the last apply ended, and starts that the engines have forgotten since."""

    ended: tuple[Ended, ...]
    starts: int = 0


def prepare(stage: Stage) -> None:
    """The session runs on both endpoints; nothing was transferred."""
    stage.ask("POST", "restore", {"name": "start"})
    stage.write({"transfers/run14": None})
    ended = stage.run(*APPLY)
    assert ended.code == 0, ended.text
    stage.ask("POST", "snapshot", {"name": READY})


def try_once(stage: Stage, kind: str, number: int) -> Trial:
    """One trial, the same for the same number as far as the machine's timing lets it be."""
    rng = Random(f"{kind} {number}")
    stage.ask("POST", "restore", {"name": READY})
    shutil.rmtree(stage.root / ".git", ignore_errors=True)
    starts: dict[int, int] = {}
    texts: list[str] = []
    for generation in range(1, rng.choice((2, 2, 2, 3))):
        _declare(stage, generation, calls=rng.randrange(60))
        before = KINDS[kind](stage, rng, generation)
        stage.ask("POST", "faults", {})
        texts += [one.text for one in (*before.ended, stage.run(*APPLY))]
        starts[generation] = before.starts + _starts(stage, generation)
    return Trial(kind, number, starts, tuple(text for text in texts if "Traceback" in text))


def _declare(stage: Stage, generation: int, *, calls: int) -> None:
    text = f"from: dtn1:/data/run14.nc\nto: dtn2:/data/after-{calls}.nc\ntool: gridftp\ngeneration: {generation}\n"
    stage.write({"transfers/run14": None, f"transfers/{NAME}": text})


def _starts(stage: Stage, generation: int) -> int:
    return sum(item["count"] for item in stage.ask("GET", "starts") if item["name"].startswith(f"{JOB}{generation}a"))


# --- what happens to the first apply ------------------------------------------------------------------------


def _apply(rng: Random) -> tuple[str, ...]:
    return (*APPLY, "--no-wait") if rng.random() < 0.3 else APPLY


def _fault(rng: Random, do: str) -> dict[str, object]:
    return {"do": do, "at": rng.randrange(1, CALLS), "when": rng.choice(("before", "after"))}


def _with_faults(stage: Stage, rng: Random, *faults: dict[str, object], applies: int = 1) -> Before:
    stage.ask("POST", "faults", {"faults": list(faults)})
    running = [stage.begin(*_apply(rng)) for _ in range(applies)]
    return Before(tuple(as_they_end(running)))


def _perhaps_a_kill(rng: Random) -> list[dict[str, object]]:
    return [_fault(rng, "kill-client")] if rng.random() < 0.5 else []


def kill_at_a_call(stage: Stage, rng: Random, generation: int) -> Before:
    return _with_faults(stage, rng, _fault(rng, "kill-client"))


def kill_at_any_moment(stage: Stage, rng: Random, generation: int) -> Before:
    return Before((stage.begin(*_apply(rng)).end(rng.uniform(0.0, SECONDS)),))


def two_at_once(stage: Stage, rng: Random, generation: int) -> Before:
    return _with_faults(stage, rng, *_perhaps_a_kill(rng), applies=2)


def prune(stage: Stage, rng: Random, generation: int) -> Before:
    return _with_faults(stage, rng, *_perhaps_a_kill(rng), *(_fault(rng, "prune") for _ in range(rng.randint(1, 3))))


def restart(stage: Stage, rng: Random, generation: int) -> Before:
    return _with_faults(stage, rng, *_perhaps_a_kill(rng), *(_fault(rng, "restart") for _ in range(rng.randint(1, 2))))


def all_of_it(stage: Stage, rng: Random, generation: int) -> Before:
    return _with_faults(stage, rng, *(_fault(rng, do) for do in ("kill-client", "prune", "restart")), applies=2)


def wipe_both_hosts(stage: Stage, rng: Random, generation: int) -> Before:
    """The transfer's record is in Git alone then."""
    subprocess.run(["git", "-C", str(stage.root), "init", "--quiet"], check=True)
    ended = stage.run(*_apply(rng))
    starts = _starts(stage, generation)
    stage.ask("POST", "restore", {"name": READY})
    return Before((ended,), starts)


KINDS: Mapping[str, Callable[[Stage, Random, int], Before]] = {
    "a kill at a call": kill_at_a_call,
    "a kill at any moment": kill_at_any_moment,
    "two applies at once": two_at_once,
    "prunes": prune,
    "engines that restart": restart,
    "all of these": all_of_it,
    "both hosts installed again": wipe_both_hosts,
}


def summary(trials: list[Trial]) -> str:
    """How many trials there were, and in how many generations the job was started not at all, once, or more often."""
    counts = Counter(min(number, 2) for trial in trials for number in trial.starts.values())
    return f"{len(trials)} trials, starts per generation: 0: {counts[0]}, 1: {counts[1]}, 2+: {counts[2]}"


def measure(task: Task) -> Measured:
    """R6: trials of each kind in turn."""
    warm_up()
    with Stage() as stage:
        prepare(stage)
        names = tuple(KINDS)
        trials = [try_once(stage, names[number % len(names)], number + 100_000 * (task.seed - 1)) for number in task.numbers()]
    return counted(trials)


def counted(trials: list[Trial]) -> Measured:
    """Their number, those that failed, and how often generations were started."""
    failures = tuple(
        "\n    ".join((f"{trial.kind} {trial.number}: starts by generation {dict(trial.starts)}", *trial.failures))
        for trial in trials
        if not trial.is_right
    )
    return Measured(len(trials), failures, summary(trials))
