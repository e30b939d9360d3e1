"""kill -9 of the agent before and after each thing that tuning writes: what is left is mended by the next start, or can be put back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dtn_agent.protocol import Tune, Untune

from tests.agent.tuning.tuned_host import TunedHost, tuned_host

REPOSITORY = Path(__file__).parents[3]
KEY = "governor"
POLICIES = tuple(f"sys/devices/system/cpu/cpufreq/policy{number}/scaling_governor" for number in (0, 10))
PROGRAM = """
import os, signal, sys
from pathlib import Path
from dtn_agent.protocol import Tune, Untune
from tests.agent.tuning.tuned_host import TunedHost

folder, request, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
opened = 0

def killed_at_the_last(event, arguments):
    global opened
    if event in ("open", "os.rename") and str(folder) in str(arguments[0]):
        opened += 1
        if opened > last:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(killed_at_the_last)
tuning = TunedHost(folder).tuning
if request == "tune":
    tuning.tune(Tune(site="scinet", key="governor", value="performance"))
else:
    tuning.untune(Untune(site="scinet", key="governor"))
"""


def run_until(host: TunedHost, request: str, last: int) -> bool:
    """Whether the request ended before so many files had been opened or renamed; else it was killed there."""
    environment = {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'agent'}"}
    command = [sys.executable, "-c", PROGRAM, str(host.folder), request, str(last)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, -signal.SIGKILL), ran.stderr
    return ran.returncode == 0


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
