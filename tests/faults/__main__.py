"""`python -m tests.faults` (`make faults`): every kill point of every scenario; prints how many and what failed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

from tests.faults.harness import Stage, warm_up
from tests.faults.points import SCENARIOS, Point, Scenario, try_all, try_deaths

Trial = Callable[[Stage, Scenario], Iterator[Point]]


def main() -> int:
    warm_up()
    with Stage() as stage:
        found = [tell(stage, scenario, "kills", try_all) for scenario in SCENARIOS]
        found += [tell(stage, scenario, "deaths of agents", try_deaths) for scenario in SCENARIOS if scenario.has_agents]
    total, failed = (sum(numbers) for numbers in zip(*found, strict=True))
    print(f"{total} points, {failed} failures")
    return 1 if failed else 0


def tell(stage: Stage, scenario: Scenario, what: str, trial: Trial) -> tuple[int, int]:
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
    sys.exit(main())
