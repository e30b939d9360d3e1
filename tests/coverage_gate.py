"""A pytest plugin that fails the run when a line or branch of the nouns and the decisions was not executed.

Loaded with `-p tests.coverage_gate`, switched on with `--coverage-gate`. Each process that runs tests measures itself (with `-n`
these are the workers); the first one adds them up and prints before pytest's closing line, so that line stays the last one of a run.

Only the tests in TIERS are measured, and the measured modules while they are imported. Python is two to three times slower while it is
traced, and what other tests run through is no proof of a decision: they would fail for hundreds of reasons, and a decision wants a test
beside it.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from io import StringIO
from pathlib import Path
from types import ModuleType

import coverage
import pytest
from coverage.exceptions import NoDataError

ROOMS = ("dtnctl/model", "dtnctl/planning")
TIERS = ("tests/model/", "tests/planning/", "tests/cases/", "tests/repository/test_", "tests/properties/test_stale.py")
FOLDER = "DTNCTL_COVERAGE_GATE"  # the environment's name for the first process, and where the others leave what they measured
GATE = pytest.StashKey["Gate"]()


def _folder_for_worker() -> Path | None:
    """Where a worker leaves what it measured; None for a first process. A run that a test starts inherits the variables of ours."""
    pid, _, folder = os.environ.get(FOLDER, "").partition(":")
    is_worker = "PYTEST_XDIST_WORKER" in os.environ and pid == str(os.getppid())
    return Path(folder) if is_worker else None


class Gate:
    """Coverage of the modules in ROOMS while they are imported, and while it is turned on."""

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
        sys.meta_path.insert(0, _Finder(self))

    def turn(self, *, on: bool) -> None:
        """Measure from here on, or do not; what was measured is kept."""
        if on == self._is_on:
            return
        if on:
            self._coverage.start()
        else:
            self._coverage.stop()
        self._is_on = on

    def measure(self, *, is_wanted: bool) -> None:
        """For a test. Functions that keep their results run again in the first one of a tier: they were called unmeasured before."""
        if is_wanted and not self._is_on:
            for name, module in list(sys.modules.items()):
                if _is_in_rooms(name):
                    for value in vars(module).values():
                        getattr(value, "cache_clear", lambda: None)()
        self.turn(on=is_wanted)

    @contextmanager
    def while_importing(self) -> Iterator[None]:
        before = self._is_on
        self.turn(on=True)
        yield
        self.turn(on=before)

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


def _is_in_rooms(module: str) -> bool:
    return f"{module.replace('.', '/')}/".startswith(tuple(f"{room}/" for room in ROOMS))


class _Finder(PathFinder):
    """Finds the modules in ROOMS for the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def find_spec(  # type: ignore[override]  # a class method there
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_in_rooms(fullname):
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(self._gate, spec.loader)
        return spec


class _Loader(SourceFileLoader):
    """Runs a module's lines in front of the gate."""

    def __init__(self, gate: Gate, loader: SourceFileLoader) -> None:
        super().__init__(loader.name, loader.path)
        self._gate = gate

    def exec_module(self, module: ModuleType) -> None:
        with self._gate.while_importing():
            super().exec_module(module)


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
        gate.measure(is_wanted=item.path.relative_to(item.config.rootpath).as_posix().startswith(TIERS))


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
