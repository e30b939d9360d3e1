"""Two emulated machines for all scenarios, which run only when asked for: `make test-hardware`, or `pytest -m hardware`.

A guest that hangs (an emulated processor may lose a timer for good) is killed and started anew, the test that it was seen in runs
once more, and the end of the run says so.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from lab.hardware import Guests, unavailable
from tests.hardware.scene import Scene

HERE = Path(__file__).parent
GUESTS = pytest.StashKey[Guests]()
PHASES = pytest.StashKey[list[str]]()
HUNG = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is here, and leave it out unless the marker is asked for."""
    here = [item for item in items if item.path.is_relative_to(HERE)]
    for item in here:
        item.add_marker(pytest.mark.hardware)
    if here and "hardware" not in str(config.getoption("markexpr")):
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def guests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """Both guests; those in $DTN_HARDWARE_DIR, if they are up there, are used as they are and stay."""
    if reason := unavailable():
        pytest.skip(reason)
    kept = os.environ.get("DTN_HARDWARE_DIR")
    if kept and (Path(kept) / "lab.json").exists():
        request.config.stash[GUESTS] = Guests.open(kept)
        yield request.config.stash[GUESTS]
        return
    began = time.monotonic()
    with Guests(tmp_path_factory.mktemp("guests"), say=lambda text: print(f"hardware: {text}", file=sys.__stderr__, flush=True)) as both:
        request.config.stash[GUESTS] = both
        request.config.stash[PHASES] = [f"{seconds:6.0f} s  {name}" for name, seconds in both.phases]
        request.config.stash[PHASES].append(f"{time.monotonic() - began:6.0f} s  in all until both guests were ready")
        yield both


@pytest.fixture(scope="module")
def scene(guests: Guests, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A site `virtual` with both guests as endpoints; nothing of it is left on them when a module's tests are done.

    One for a module, because what each of its tests needs takes an emulated machine half a minute to make.
    """
    scene = Scene(guests, tmp_path_factory.mktemp("scene"))
    yield scene
    scene.leave()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Look at once whether a guest hangs when something fails: later the guests may be gone, because their session is over."""
    report = yield
    both = item.config.stash.get(GUESTS, None)
    if report.failed and both is not None and item.path.is_relative_to(HERE):
        item.stash[HUNG] = [*item.stash.get(HUNG, []), *both.silent()]
    return report


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test once more, on guests that answer again, if it failed while one of them did not."""
    if not item.path.is_relative_to(HERE):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if hung := item.stash.get(HUNG, []):
        item.config.stash[GUESTS].revive(hung)
        item._initrequest()  # type: ignore[attr-defined]  # the first try used up its fixtures; pytest has no public way to begin again
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How long each phase took, and which guests hung."""
    both = config.stash.get(GUESTS, None)
    if both is None:
        return
    terminalreporter.section("virtual hardware")
    for line in config.stash.get(PHASES, []):
        terminalreporter.write_line(line)
    for report in [item for items in terminalreporter.stats.values() for item in items if isinstance(item, pytest.TestReport)]:
        if report.when == "call":
            terminalreporter.write_line(f"{report.duration:6.0f} s  {report.nodeid.rpartition('::')[2]}")
    for line in both.restarts:
        terminalreporter.write_line(f"RESTARTED: {line}", red=True)
