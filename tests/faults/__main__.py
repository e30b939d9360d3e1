"""`python -m tests.faults [--full] [--seed N] [ROW [SIZE]] …` (`make faults`, with FULL=1 and ARGS): the figures R1-R18 as one table.

A ROW is a figure (R9) or a name (refusals); with a SIZE that many of its cases are tried. Each row runs in processes of its own, two at a
time, those with real engines beside them one after the other. Exit code 1 if anything failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.faults.measured import Measured, measured
from tests.faults.rows import Row, find_rows

ROOT = Path(__file__).parents[2]
SIDE_BY_SIDE = 2


@dataclass(frozen=True)
class Line:
    """A row as it was measured; `cpu` in seconds, all processes together."""

    row: Row
    size: int
    result: Measured
    cpu: float

    def __add__(self, other: Line) -> Line:
        return Line(self.row, self.size, self.result + other.result, self.cpu + other.cpu)


def main(words: list[str]) -> int:
    options = _parser().parse_args(words)
    began = time.monotonic()
    sizes = {row: size or (row.full if options.full else row.usual) for row, size in find_rows(options.rows).items()}
    lines = list(run_rows({row: size for row, size in sizes.items() if size}, options.seed))
    print("\n".join(table(lines, options.seed)))
    failed = [line for line in lines if line.result.failures]
    for line in failed:
        print(f"\n{line.row.figure} {line.row.name}: {len(line.result.failures)} failures", *filter(None, line.result.failures), sep="\n  ")
    minutes, cpu = (time.monotonic() - began) / 60, sum(line.cpu for line in lines) / 60
    print(f"\n{sum(line.result.cases for line in lines)} cases, {sum(len(line.result.failures) for line in lines)} failures; ", end="")
    print(f"{minutes:.1f} minutes, {cpu:.1f} CPU minutes, seed {options.seed}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", help="figures or names of rows, each with a number of cases after it if it is to be another")
    parser.add_argument("--full", action="store_true", help="every point, 10,000 random cases")
    parser.add_argument("--seed", type=int, default=1, help="decides which cases are tried where not all of them are")
    return parser


def run_rows(sizes: dict[Row, int], seed: int) -> Iterator[Line]:
    """Each row's line when all of its parts have ended, in the order of the table."""
    with ThreadPoolExecutor(1) as lab, ThreadPoolExecutor(SIDE_BY_SIDE) as memory:
        running: dict[Row, list[Future[Line]]] = {}
        for row, size in sizes.items():
            pool = lab if row.lab else memory
            running[row] = [pool.submit(run_part, row, size, seed, part) for part in range(min(row.parts, size))]
        for row, parts in running.items():
            first, *others = (part.result() for part in parts)
            line = sum(others, start=first)
            print(f"{row.figure} {row.name}: {line.result.cases} cases, {len(line.result.failures)} failures", file=sys.stderr, flush=True)
            yield line


def run_part(row: Row, size: int, seed: int, part: int) -> Line:
    """A share of a row in a process of its own, with the CPU time that it and its children took."""
    command = [sys.executable, "-m", "tests.faults.one_row", row.name, *map(str, (size, seed, part, min(row.parts, size)))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    if process.returncode != 0 or not lines:
        return Line(row, size, Measured(1, (f"the process of the row ended with {process.returncode}",)), cpu)
    return Line(row, size, measured(json.loads(lines[-1])), cpu)


def environment() -> dict[str, str]:
    """Without what would make dtnctl behave as in a pipeline."""
    left_out = ("CI", "GITHUB_ACTIONS", "GITLAB_CI")
    return {**{name: value for name, value in os.environ.items() if name not in left_out}, "PYTHONPATH": f"{ROOT}:{ROOT / 'agent'}"}


def table(lines: list[Line], seed: int) -> Iterator[str]:
    """The rows in columns."""
    yield f"{'R':<4} {'row':<18} {'cases':>8} {'failures':>8} {'seed':>6} {'CPU min':>8}  claim"
    for line in lines:
        row, result = line.row, line.result
        yield (
            f"{row.figure:<4} {row.name:<18} {result.cases:>8} {len(result.failures):>8} {seed:>6} {line.cpu / 60:>8.1f}  {row.claim}"
            + (f" [{result.note}]" if result.note else "")
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
