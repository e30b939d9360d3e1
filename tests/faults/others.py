"""Figures whose cases are tests already: they are run here and counted. And one that is taken by `make bench`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.measured import Measured, Task

ROOT = Path(__file__).parents[2]
STALE = ("tests/properties/test_stale.py",)
SECRETS = ("tests/cli/test_secrets.py", "tests/cli/test_crash.py", "tests/model/test_secrets.py", "tests/providers/secrets")


class Counter:
    """Counts the tests of a run, and keeps what those that failed said."""

    def __init__(self) -> None:
        self.cases = 0
        self.failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not report.skipped:
            self.cases += 1
        if report.failed:
            self.failures.append(f"{report.nodeid}\n{report.longreprtext}")


def measure_secrets(task: Task) -> Measured:
    """R15: a canary as the value of every kind of secret, looked for in outputs, labels, logs, files and crash reports."""
    del task
    return _run(SECRETS)


def measure_stale(task: Task) -> Measured:
    """R17: one change after a plan was shown, of state files, of an endpoint or by another run."""
    del task
    return _run(STALE)


def _run(paths: tuple[str, ...]) -> Measured:
    counter = Counter()
    places = [str(ROOT / path) for path in paths if (ROOT / path).exists()]
    code = pytest.main(["-q", "-p", "no:cacheprovider", *places], plugins=[counter])
    failures = tuple(counter.failures) if code in (0, 1) else (f"pytest ended with {code}", *counter.failures)
    return Measured(counter.cases, failures, f"the tests of {', '.join(paths)}")


def measure_speed(task: Task) -> Measured:
    """R16: seconds depend on the machine, so they are published and not judged."""
    del task
    return Measured(0, note="not measured here: `make bench` prints P14, docs/speed.md has it with its machine")
