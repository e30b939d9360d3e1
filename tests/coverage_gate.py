"""A pytest plugin that fails the run when a line or branch of the nouns and the decisions was not executed.

Loaded with `-p tests.coverage_gate`, switched on with `--coverage-gate`. Each process that runs tests measures itself (with `-n`
these are the workers); the first one adds them up and prints before pytest's closing line, so that line stays the last one of a run.

Only imports and the tests in TIERS are measured. Python is two to three times slower while it is traced, and what other tests run
through is no proof of a decision: they would fail for hundreds of reasons, and a decision wants a test beside it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from io import StringIO
from pathlib import Path

import coverage
import pytest
from coverage.exceptions import NoDataError

ROOMS = ("dtnctl/model", "dtnctl/planning")
TIERS = ("tests/model/", "tests/planning/", "tests/cases/", "tests/repository/", "tests/properties/test_stale.py")
FOLDER = "DTNCTL_COVERAGE_GATE"  # the environment's name for the first process, and where the others leave what they measured
GATE = pytest.StashKey["Gate"]()


def _folder_for_worker() -> Path | None:
    """Where a worker leaves what it measured; None for a first process. A run that a test starts inherits the variables of ours."""
    pid, _, folder = os.environ.get(FOLDER, "").partition(":")
    is_worker = "PYTEST_XDIST_WORKER" in os.environ and pid == str(os.getppid())
    return Path(folder) if is_worker else None


class Gate:
    """Coverage from the first import to the last test."""

    def __init__(self, root: str) -> None:
        given = _folder_for_worker()
        self.is_first = given is None
        self._folder = given or Path(tempfile.mkdtemp(prefix="coverage-gate-"))
        if self.is_first:
            os.environ[FOLDER] = f"{os.getpid()}:{self._folder}"
        self._coverage = coverage.Coverage(
            data_file=str(self._folder / "data"),
            data_suffix=True,
            config_file="pyproject.toml",
            source=[f"{root}/{room}" for room in ROOMS],
        )
        self.table = ""
        self.percent = 0.0
        self._is_on = False
        self.turn(on=True)

    def turn(self, *, on: bool) -> None:
        """Measure from here on, or do not; what was measured is kept."""
        if on == self._is_on:
            return
        if on:
            self._coverage.start()
        else:
            self._coverage.stop()
        self._is_on = on

    def stop(self) -> None:
        """Leave what was measured; the first process takes the result. Only files with something missing are in the table."""
        self.turn(on=False)
        self._coverage.save()
        if self.is_first:
            self._add_up()

    def _add_up(self) -> None:
        del os.environ[FOLDER]
        table = StringIO()
        try:
            self._coverage.combine([str(self._folder)])
            self.percent = self._coverage.report(file=table, show_missing=True, skip_covered=True)
        except NoDataError as error:  # not even an import was reached
            table.write(str(error))
        self.table = table.getvalue()
        shutil.rmtree(self._folder)

    @property
    def is_passed(self) -> bool:
        return self.percent == 100.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--coverage-gate", action="store_true", help=f"fail below 100 %% of lines and branches in {' and '.join(ROOMS)}")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # before any conftest is read: what they import must be measured too
    if early_config.known_args_namespace.coverage_gate:
        early_config.stash[GATE] = Gate(str(early_config.rootpath))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    gate = item.config.stash.get(GATE, None)
    if gate is not None:
        gate.turn(on=item.path.relative_to(item.config.rootpath).as_posix().startswith(TIERS))


@pytest.hookimpl(trylast=True)  # the workers have ended by then
def pytest_sessionfinish(session: pytest.Session) -> None:
    gate = session.config.stash.get(GATE, None)
    if gate is None:
        return
    gate.stop()
    if gate.is_first and session.exitstatus == pytest.ExitCode.OK and not gate.is_passed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    gate = config.stash.get(GATE, None)
    if gate is None or not gate.is_first:
        return
    verdict = "passed" if gate.is_passed else "FAILED: every line and branch is asked for"
    terminalreporter.section(f"coverage of {', '.join(ROOMS)}: {gate.percent:.2f} %, {verdict}")
    if not gate.is_passed:
        terminalreporter.write_line(gate.table)
