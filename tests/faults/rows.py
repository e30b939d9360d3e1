"""The figures R1-R18 as rows: what is claimed, what measures it, and how many cases each form tries.

`short` is part of `make test`, `usual` is `make faults`, `full` is `make faults FULL=1`. A size of 0: the form leaves the row out.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.measured import Measured, Task

ALL = 10**9


@dataclass(frozen=True)
class Row:
    """One line of the table. `where` is MODULE:FUNCTION below tests.faults; the function takes a Task and returns what it Measured.

    `counts` says what one case is. `parts`: how many processes share the cases. `lab`: it needs real engines, and so root.
    """

    figure: str
    name: str
    claim: str
    counts: str
    where: str
    short: int
    usual: int
    full: int
    parts: int = 1
    lab: bool = False

    def measure(self, task: Task) -> Measured:
        module, _, function = self.where.partition(":")
        found: Callable[[Task], Measured] = getattr(importlib.import_module(f"tests.faults.{module}"), function)
        return found(task)


ROWS = (
    Row(
        "R1", "points", "kill -9 at any call: the next run converges, with no orphan, no duplicate and nothing foreign touched",
        "a kill before or after one call of one of 23 scenarios", "kills:measure_first", 0, 230, ALL, parts=4,
    ),
    Row(
        "R1", "second-points", "the same when the second run is killed too",
        "a kill of the first and of the second run", "kills:measure_second", 0, 69, 3000, parts=2,
    ),
    Row(
        "R1", "deaths", "an agent dies at any of its writes: the next run converges",
        "a write of an agent, or its answer", "kills:measure_deaths", 0, 40, ALL, parts=2,
    ),
    Row(
        "R1", "real-kills", "kill -9 at any moment on real engines: the next run converges",
        "a kill at a random moment of an apply on real engines", "real_kills:measure", 0, 50, 200, lab=True,
    ),
    Row(
        "R2", "random", "any state seen, any state declared, any fault: the next runs end as declared",
        "a generated (seen, declared, faults)", "random_cases:measure", 20, 1500, 10_000, parts=2,
    ),
    Row(
        "R3", "lease-soak", "a lease excludes and never sticks: 100 clients take it 100 times, holders are killed or stopped",
        "a lease that was taken", "lease_soak:measure", 0, 2000, 10_000,
    ),
    Row(
        "R3", "interleavings-2", "interleavings of 2 clients over lease, claim, start and receipt, with a crash at every call and a stop",
        "a run to its end", "interleavings:measure_two", 60, 8000, ALL, parts=2,
    ),
    Row(
        "R3", "stopped", "a holder that was stopped longer than its lease lasts writes no more than the one call that was on its way",
        "a stop before one call, and an end after one step of another client", "interleavings:measure_stopped", 30, ALL, ALL, parts=2,
    ),
    Row(
        "R3", "interleavings-3", "interleavings of 3 clients, the same",
        "a run to its end", "interleavings:measure_three", 0, 4000, 200_000, parts=2,
    ),
    Row(
        "R4", "second-apply", "after an apply the plan is empty, and a second apply writes nothing",
        "a scenario on engines in memory", "writes:measure_second_apply", 3, ALL, ALL,
    ),
    Row(
        "R5", "reads", "plan, drift, status and validate write nothing",
        "a command on engines in memory, after each scenario", "writes:measure_reads", 4, ALL, ALL,
    ),
    Row(
        "R4", "real-second-apply", "the same on real engines, recorded by a proxy before each",
        "an apply or a command on real engines", "real_writes:measure", 0, ALL, ALL, lab=True,
    ),
    Row(
        "R6", "once", "a transfer's job starts at most once per generation",
        "a trial of accidents around one transfer", "once:measure", 0, 1050, 10_500, parts=2,
    ),
    Row(
        "R6", "joined", "transfers that call together: wherever their run is killed, each starts once and comes to its end",
        "a kill before or after one call of an apply with six transfers", "joined:measure", 1, 60, ALL, parts=2,
    ),
    Row(
        "R6", "real", "the same on real engines",
        "a trial on real engines", "once_real:measure", 0, 12, 60, lab=True,
    ),
    Row(
        "R7", "concurrent", "2-8 applies at once, of one commit or of several: one writes at a time, and the newest commit is the end",
        "a group of applies at once", "side_by_side:measure", 1, 24, 400, parts=2,
    ),
    Row(
        "R8", "outages", "endpoints are down, before or in the middle: all others converge, and the next run does only the rest",
        "a set of endpoints that is down from one call on", "outages:measure", 1, 40, 600, parts=2,
    ),
    Row(
        "R9", "refusals", "a fault at the k-th call: no traceback, no wrong end after the next run",
        "one call that is answered 409, 404, 500, cut off or late", "refusals:measure", 2, 200, ALL, parts=2,
    ),
    Row(
        "R10", "same-bytes", "equal facts give equal bytes, whatever the order of answers and PYTHONHASHSEED",
        "a shuffle of what was seen, or a hash seed", "same_bytes:measure", 40, 1100, 10_000, parts=2,
    ),
    Row(
        "R11", "interrupts", "Ctrl-C, SIGTERM, both as CI sends them: it ends, no lease is left, the next run converges",
        "a signal at one call", "interrupts:measure", 1, 60, 800, parts=2,
    ),
    Row(
        "R12", "strangers", "what is not ours is never touched, whatever its labels say",
        "a container or network of somebody else", "strangers:measure", 40, 200, 4000,
    ),
    Row(
        "R13", "vf-ledger", "virtual functions are the same before creation and after removal, kills included",
        "a kill while made or removed, on hosts in memory", "vf_ledger:measure", 0, 40, 600, parts=2,
    ),
    Row(
        "R14", "comments", "a comment has at most 65,536 characters, with its verdict and everything that is blocked",
        "a plan of 1 to 5,000 steps", "comments:measure", 4, 60, 600,
    ),
    Row("R15", "secrets", "no secret in any output, label, log or crash trace", "a test with a canary", "others:measure_secrets", 0, 1, 1),
    Row("R16", "speed", "offline plan of 20 endpoints and 100 sessions in 2 s", "", "others:measure_speed", 0, 1, 1),
    Row("R17", "stale-plans", "a stale plan is refused, one that holds is not", "a change after it", "others:measure_stale", 0, 1, 1),
    Row(
        "R18", "dropped", "any CI runs are dropped: the end is what HEAD declares",
        "a set of runs that are dropped", "dropped_runs:measure", 1, 40, 1024, parts=2,
    ),
)  # fmt: skip


def find_row(name: str) -> Row:
    """The row of this name."""
    return next(row for row in ROWS if row.name == name)


def find_rows(words: list[str]) -> dict[Row, int]:
    """Rows by figure or by name, each with the number that follows it, 0 without one; without words all of them."""
    found: dict[Row, int] = {}
    for word, after in zip(words, [*words[1:], ""][: len(words)], strict=True):
        if word.isdigit():
            continue
        rows = [row for row in ROWS if word in (row.figure, row.name)]
        if not rows:
            names = ", ".join(dict.fromkeys(name for row in ROWS for name in (row.figure, row.name)))
            raise SystemExit(f"faults: there is no {word!r}; there are {names}")
        found |= dict.fromkeys(rows, int(after) if after.isdigit() else 0)
    return found or dict.fromkeys(ROWS, 0)
