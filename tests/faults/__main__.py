"""`python -m tests.faults [points] [once [NUMBER]] [real [NUMBER]]` (`make faults`, with `ARGS`); without words all of it.

`points`: every kill point of every scenario; prints how many and what failed. `once`: random accidents around one transfer, a thousand
trials or more; prints in how many of its generations the job was started not at all, once, or more often. `real`: the same on the
engines of the lab, fewer (root).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from tests.faults.harness import Stage, warm_up
from tests.faults.once import Trial, summary, try_all_kinds
from tests.faults.points import SCENARIOS, Point, Scenario, try_all, try_deaths

Tried = Callable[[Stage, Scenario], Iterator[Point]]


TRIALS = 1050  # of one transfer, on engines in memory
REAL_TRIALS = 40


def main(words: list[str]) -> int:
    wanted = dict(_wanted(words or ["points", "once", "real"]))
    wrong = 0
    if "real" in wanted:
        wrong += try_real_transfers(wanted["real"] or REAL_TRIALS)
    if wanted.keys() - {"real"}:
        warm_up()
        with Stage() as stage:
            wrong += try_points(stage) if "points" in wanted else 0
            wrong += try_transfers(stage, wanted["once"] or TRIALS) if "once" in wanted else 0
    return 1 if wrong else 0


def _wanted(words: list[str]) -> Iterator[tuple[str, int]]:
    """Each part with the number after it, 0 if there is none."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if not word.isdigit():
            yield word, int(after) if after.isdigit() else 0


def try_points(stage: Stage) -> int:
    """Every kill point of every scenario; how many failed."""
    found = [tell(stage, scenario, "kills", try_all) for scenario in SCENARIOS]
    found += [tell(stage, scenario, "deaths of agents", try_deaths) for scenario in SCENARIOS if scenario.has_agents]
    total, failed = sum(points for points, _ in found), sum(bad for _, bad in found)
    print(f"{total} points, {failed} failures")
    return failed


def try_transfers(stage: Stage, count: int) -> int:
    """Accidents around one transfer; how many trials failed."""
    return report("in memory", try_all_kinds(stage, count))


def try_real_transfers(count: int) -> int:
    """The same on real engines; none where there can be no lab."""
    import lab
    from tests.faults.once_real import real_stage, try_real_kinds

    if reason := lab.unavailable():
        print(f"on real engines: no trials: {reason}")
        return 0
    with real_stage() as stage:
        return report("on real engines", try_real_kinds(stage, count))


def report(where: str, running: Iterator[Trial]) -> int:
    """Print each trial that failed, and the counts of each kind and of all; how many failed."""
    began = time.monotonic()
    trials: list[Trial] = []
    for trial in running:
        trials.append(trial)
        if not trial.is_right:
            print(f"  {trial.kind} {trial.number}: starts by generation {dict(trial.starts)}", *trial.failures, sep="\n    ", flush=True)
    for kind in sorted({trial.kind for trial in trials}):
        print(f"  {kind}: {summary([trial for trial in trials if trial.kind == kind])}")
    print(f"{where}: {summary(trials)} ({time.monotonic() - began:.0f} s)", flush=True)
    return sum(not trial.is_right for trial in trials)


def tell(stage: Stage, scenario: Scenario, what: str, trial: Tried) -> tuple[int, int]:
    """Try every point of a scenario and print what came of it; how many there are, and how many failed."""
    began = time.monotonic()
    points = list(trial(stage, scenario))
    bad = [point for point in points if point.failures]
    died = sum(point.was_killed for point in points)
    print(f"{scenario.name}: {len(points)} points, {died} {what}, {len(bad)} failures, {time.monotonic() - began:.0f} s", flush=True)
    for point in bad[:5]:
        print(f"  {point.call}: {point.when}:")
        for text in point.failures:
            print(f"    {text}")
    return len(points), len(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
