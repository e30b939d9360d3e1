"""A pytest plugin that says which files of tests took longest and when each worker had nothing left: what LABS and LAST of conftest.py
are made of.

Loaded with `-p tests.longest_files`; it shows something where tests run side by side.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

SHOWN = 25


@dataclass(slots=True)
class Span:
    """A file's tests on one worker, in seconds of the clock: those that ran, and their fixtures."""

    first: float
    last: float = 0.0
    busy: float = 0.0


class Spans:
    """What the reports of a run say of its files; the workers' clock is that of this machine."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, str], Span] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        worker = getattr(report, "worker_id", None)
        if worker is None:
            return
        key = (str(worker), report.nodeid.partition("::")[0])
        span = self._spans.setdefault(key, Span(report.start))
        span.last = report.stop
        span.busy += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._spans:
            return
        begin = min(span.first for span in self._spans.values())
        terminalreporter.section("files that took longest, in seconds")
        for (worker, file), span in sorted(self._spans.items(), key=lambda item: -item[1].busy)[:SHOWN]:
            terminalreporter.write_line(f"{span.busy:6.0f}  {worker} from {span.first - begin:.0f} to {span.last - begin:.0f}  {file}")
        ends: dict[str, float] = defaultdict(float)
        for (worker, _), span in self._spans.items():
            ends[worker] = max(ends[worker], span.last - begin)
        terminalreporter.write_line("ended: " + ", ".join(f"{worker} at {end:.0f}" for worker, end in sorted(ends.items())))


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Spans(), "spans of files")
