"""What a run in parallel shows of its files."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace

import pytest

from tests.longest_files import Spans


def shown(*reports: tuple[str, str, float, float]) -> list[str]:
    """The lines of a run with these phases of tests: worker, test, begin and end."""
    spans, out = Spans(), StringIO()
    for worker, test, begin, end in reports:
        of_worker = {"worker_id": worker} if worker else {}
        spans.pytest_runtest_logreport(SimpleNamespace(nodeid=test, start=begin, stop=end, duration=end - begin, **of_worker))
    config = pytest.Config.fromdictargs({"color": "no"}, [])
    spans.pytest_terminal_summary(pytest.TerminalReporter(config, out))
    return out.getvalue().splitlines()


def test_longest_file_is_first_and_the_end_of_each_worker_is_shown() -> None:
    title, *lines = shown(
        ("gw0", "tests/a.py::test_a", 100, 130), ("gw1", "tests/b.py::test_b", 101, 151), ("gw0", "tests/a.py::test_c", 135, 165)
    )
    assert "files that took longest" in title
    assert lines == ["    60  gw0 from 0 to 65  tests/a.py", "    50  gw1 from 1 to 51  tests/b.py", "ended: gw0 at 65, gw1 at 51"]


def test_run_without_workers_shows_nothing() -> None:
    assert shown(("", "tests/a.py::test_a", 100, 130)) == []
