"""kill -9 of the agent before and after each thing that tuning writes: what is left is mended by the next start, or can be put back."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from dtn_agent.protocol.tuning import Tune, Untune

from tests.agent.forked import ends_in_a_fork
from tests.agent.tuning.tuned_host import TunedHost, tuned_host

KEY = "governor"
POLICIES = tuple(f"sys/devices/system/cpu/cpufreq/policy{number}/scaling_governor" for number in (0, 10))


def run_until(host: TunedHost, request: str, last: int) -> bool:
    """Whether the request ended before so many files had been opened or renamed; else it was killed there."""
    opened = 0

    def killed_at_the_last(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal opened
        if event in ("open", "os.rename") and str(host.folder) in str(arguments[0]):
            opened += 1
            if opened > last:
                os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        tuning = TunedHost(host.folder).tuning
        sys.addaudithook(killed_at_the_last)
        if request == "tune":
            tuning.tune(Tune(site="scinet", key=KEY, value="performance"))
        else:
            tuning.untune(Untune(site="scinet", key=KEY))

    return ends_in_a_fork(work)


def governors(host: TunedHost) -> list[str]:
    return [host.text(policy) for policy in POLICIES]


def as_found(folder: Path) -> TunedHost:
    folder.mkdir()
    host = tuned_host(folder)
    host.write(POLICIES[1], "schedutil")
    return host


@pytest.mark.slow
def test_tuning_that_is_killed_anywhere_is_done_by_the_next_start_or_was_not_begun(tmp_path: Path) -> None:
    ended, last = False, 0
    while not ended:
        host = as_found(tmp_path / str(last))
        ended = run_until(host, "tune", last)
        host.tuning.restore()
        assert governors(host) == (["performance"] * 2 if host.tuning.held() else ["powersave", "schedutil"])
        host.tuning.tune(Tune(site="scinet", key=KEY, value="performance"))
        host.tuning.untune(Untune(site="scinet", key=KEY))
        assert governors(host) == ["powersave", "schedutil"]
        last += 1
    assert last > 8  # reads, the ledger's draft and its new name, and both policies


@pytest.mark.slow
def test_putting_back_that_is_killed_anywhere_can_be_asked_for_again(tmp_path: Path) -> None:
    ended, last = False, 0
    while not ended:
        host = as_found(tmp_path / str(last))
        host.tuning.tune(Tune(site="scinet", key=KEY, value="performance"))
        ended = run_until(host, "untune", last)
        host.tuning.restore()
        assert governors(host) == (["performance"] * 2 if host.tuning.held() else ["powersave", "schedutil"])
        host.tuning.untune(Untune(site="scinet", key=KEY))
        assert governors(host) == ["powersave", "schedutil"]
        last += 1
    assert last > 8
