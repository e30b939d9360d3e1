"""`python -m tests.faults` (`make faults`): every kill point of every scenario; prints how many and what failed."""

from __future__ import annotations

import sys
import time

from tests.faults.harness import Stage, warm_up
from tests.faults.points import SCENARIOS, try_all


def main() -> int:
    warm_up()
    total = failed = 0
    with Stage() as stage:
        for scenario in SCENARIOS:
            began = time.monotonic()
            points = list(try_all(stage, scenario))
            bad = [point for point in points if point.failures]
            total += len(points)
            failed += len(bad)
            killed = sum(point.was_killed for point in points)
            print(
                f"{scenario.name}: {len(points)} points, {killed} kills, {len(bad)} failures, {time.monotonic() - began:.0f} s", flush=True
            )
            for point in bad[:5]:
                print(f"  kill {point.when} call {point.call}:")
                for text in point.failures:
                    print(f"    {text}")
    print(f"{total} points, {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
