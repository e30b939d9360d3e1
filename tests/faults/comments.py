"""R14: the comment of a plan of any size is within the forge's limit, with its verdict and everything that is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from dtnctl.render.markdown import LIMIT
from tests.faults.measured import Measured, Task

MOST = 5000
FIXED = (1, 2, 60, 1000, MOST)


def measure(task: Task) -> Measured:
    """Plans with every kind of change, and texts of every length in them."""
    result = Measured(0)
    for number in task.numbers():
        rng = task.rng("comment", number)
        count = FIXED[number] if number < len(FIXED) else round(MOST ** rng.random())
        failures = list(_wrong(count, rng))
        result += Measured(1, ("\n    ".join((f"{count} changes, {number}, seed {task.seed}:", *failures)),) if failures else ())
    return result


def _wrong(count: int, rng: Random) -> Iterator[str]:
    from dtnctl.render.markdown import render_plan_comment
    from tests.render.test_markdown import CONTEXT, many

    words = rng.choice(("no file any more", "x" * rng.randint(1, 300), "| a `b` <c> @d #1 " * rng.randint(1, 20), "\u00e9\u4e2d" * 40))
    plan = many(count, words)
    text = render_plan_comment(plan, CONTEXT)
    blocked = len(plan.blocked)
    if len(text) > LIMIT:
        yield f"{len(text)} characters"
    if blocked and f"**Blocked ({blocked:,})**" not in text:
        yield f"{blocked} are blocked, and it does not say so"
    if blocked and f"{blocked:,} blocked" not in text.split("\n", 3)[1]:
        yield f"its title does not have the verdict: {text[:200]!r}"
