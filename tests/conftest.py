"""What holds for every test: signals reach the programs that tests start, and generated inputs are the same in each run.

`make random` looks for new inputs: EXAMPLES of them for each generated test. A failure prints the blob that repeats it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

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
