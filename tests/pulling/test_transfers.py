"""Transfers under the pull loop, on real engines: they hold up no push, and go on when the loop ends."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import Lab, unavailable
from tests.pulling.soak import Soak, soaking

pytestmark = [pytest.mark.lab, pytest.mark.slow]
SIZE = 64 * 1024**2
PATIENCE = 120
PROFILE = {
    "mgmt_net": "host",
    "data_port_range": [50100, 50199],
    "user": "dtnaas",
    "volumes": ["/data:/data"],
    "init": True,
    "memory": None,
}
SLOW = ("dev", "eth0", "root", "tbf", "rate", "4mbit", "burst", "256kb", "latency", "100ms")  # the copy would take two minutes
JOB = re.compile(r"\.g\d+a\d+$")


def row(soak: Soak) -> dict[str, Any]:
    found: dict[str, Any] = soak.play.run("transfers", "show", "copy", "-o", "json").expect(0).json["transfer"]
    return found


def until(soak: Soak, is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        soak.check_alive()
        assert time.monotonic() < end, soak.log.read_text()[-3000:]
        soak.pause(0.3)


def test_running_transfer_holds_up_no_push_outlives_the_loop_and_is_started_once(tmp_path: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with Lab(tmp_path / "lab", 2) as lab, soaking(lab, tmp_path / "soak", 1, print) as soak:
        for endpoint in ("dtn1", "dtn2"):
            lab.exec(endpoint, ["sh", "-c", f"head -c {SIZE} /dev/urandom > /data/{endpoint} && chmod 1777 /data"])
        soak.play.write("profiles/dtn", PROFILE)
        soak.play.write("sessions/pair", {"endpoints": ["dtn1", "dtn2"], "image": "dtn:1", "profile": "dtn"})
        ends = {"from": "dtn1:/data/dtn1", "to": "dtn2:/data/copy"}
        soak.play.write("transfers/copy", ends | {"session": "pair", "tool": "rsync"})
        soak.play.run("validate").expect(0)
        lab.exec("dtn1", ["tc", "qdisc", "add", *SLOW])
        soak.add()
        soak.start()
        until(soak, lambda: any(JOB.search(name) for name in soak.play.names()))

        soak.add()
        head = soak.repository.head
        until(soak, lambda: f"{head[:12]} is applied" in soak.log.read_text())
        assert row(soak)["state"] == "running"
        assert soak.end(signal.SIGTERM) == 143
        assert row(soak)["state"] == "running"
        lab.exec("dtn1", ["tc", "qdisc", "del", *SLOW])
        (job,) = [name for name in soak.play.names() if JOB.search(name)]
        assert soak.play.engines["dtn1"].wait(job, timeout=PATIENCE)["StatusCode"] == 0

        soak.start()
        until(soak, lambda: row(soak)["state"] == "succeeded")
        found = row(soak)
        assert (found["generation"], found["attempt"], found["bytes"]) == (1, 1, SIZE)
        soak.play.remove("transfers/copy")
        soak.play.remove("sessions/pair")
        soak.play.remove("profiles/dtn")
        soak.settle()
