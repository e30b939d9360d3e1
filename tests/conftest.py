"""What holds for every test: its place in the run, signals that reach the programs that it starts, the same inputs in each run.

`make random` looks for new inputs: EXAMPLES of them for each generated test. A failure prints the blob that repeats it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "dtnctl",
    max_examples=int(os.environ.get("DTNCTL_EXAMPLES", "60")),
    deadline=None,  # the machine may be busy
    print_blob=True,
    derandomize="DTNCTL_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("dtnctl")

HERE = Path(__file__).parent
# What takes a minute and more, longest first. A worker that began with it last would keep the run waiting, with nothing for the others.
LONG = (
    "faults/test_points",
    "e2e/",
    "runtime/transfers/tools/",
    "engines/",
    "quickstart/",
    "trials/",
    "workflows/",
    "agent/",
    "runtime/",
    "providers/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Workers take files in this order (`--dist loadfile`)."""

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(HERE).as_posix()
        return next((number for number, begin in enumerate(LONG) if path.startswith(begin)), len(LONG))

    items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """A run in the background of a script ignores SIGINT, one under nohup SIGHUP, and what it starts would inherit that."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What dtnctl keeps for later runs is not put into the home folder of who runs the tests."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before
