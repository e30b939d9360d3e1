"""Settings of devices that come later than the agent: waited for, tried again, each with one line."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path

import pytest
from dtn_agent.audit import Audit
from dtn_agent.log import Lines
from dtn_agent.protocol.tuning import HeldTuning, Untune
from dtn_agent.tuning.tune import HostTuning

from tests.agent.server.serving import unasked
from tests.agent.tuning.asking import PROBING, PROBING_KEY, REQUESTS, SCHEDULER, affinities, read, said, tune
from tests.agent.tuning.tuned_host import TunedHost

DRIVE = "sys/block/nvme0n1"


def unplug(host: TunedHost, what: str = DRIVE) -> Path:
    """Take it away; where to put it back from."""
    return (host.folder / what).rename(host.folder / "unplugged")


def test_device_whose_driver_comes_late_is_waited_for(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, REQUESTS, "512")
    host.write(f"{DRIVE}/queue/nr_requests", "1023")
    unplugged = unplug(host)
    comes = threading.Timer(0.2, unplugged.rename, [host.folder / DRIVE])
    comes.start()
    HostTuning(host.ledger, host.root, host.services).restore()
    comes.join()
    assert (read(host, REQUESTS), said(caplog)) == ("512", [])


def test_devices_that_never_come_are_waited_for_once_and_not_each(host: TunedHost) -> None:
    entries = tuple(
        HeldTuning(key=f"block/sd{letter}/nr_requests", found="1", wanted="2", now=None, site="play") for letter in "abcdefghij"
    )
    host.ledger.write(lambda held: held.model_copy(update={"tuning": entries}))
    began = time.monotonic()
    HostTuning(host.ledger, host.root, host.services, device_seconds=0.5).restore()
    assert 0.5 <= time.monotonic() - began < 10 * 0.5


def test_what_comes_even_later_is_restored_then_and_both_are_told_once(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, REQUESTS, "512")
    host.write(f"{DRIVE}/queue/nr_requests", "1023")
    unplugged, tuning = unplug(host), host.tuning
    tuning.restore()
    for _ in range(3):
        tuning.retry()
    assert said(caplog) == [f"not restored: there is no {REQUESTS} here"]
    unplugged.rename(host.folder / DRIVE)
    tuning.retry()
    assert read(host, REQUESTS) == "512"
    host.write(f"{DRIVE}/queue/nr_requests", "1023")
    tuning.retry()
    assert read(host, REQUESTS) == "1023", "what somebody changes later is for dtnctl to see"
    assert said(caplog)[1:] == [f"restored after all: {REQUESTS}"]


def test_interrupts_of_a_nic_that_is_up_later_are_placed_then(host: TunedHost, monkeypatch: pytest.MonkeyPatch) -> None:
    tune(host, "interface/ens1f0/irqs", "local")
    for number in (40, 41, 42):
        host.write(f"proc/irq/{number}/smp_affinity_list", "0-7")
    unplugged, tuning = unplug(host, "proc/irq"), host.tuning
    tuning.restore()
    monkeypatch.setattr("dtn_agent.tuning.tune.RETRY_SECONDS", 0.01)
    stop = threading.Event()
    watching = threading.Thread(target=tuning.watch, args=(stop,))
    watching.start()
    unplugged.rename(host.folder / "proc/irq")
    for _ in range(3000):
        if affinities(host) == ["4", "5", "4"]:
            break
        stop.wait(0.02)
    stop.set()
    watching.join(60)
    assert affinities(host) == ["4", "5", "4"]


def test_setting_that_is_refused_is_tried_ever_more_rarely_because_a_try_may_restart_a_nic(
    host: TunedHost, caplog: pytest.LogCaptureFixture
) -> None:
    host.services.active.add("irqbalance.service")
    tune(host, "irqbalance", "off")
    host.services.active.add("irqbalance.service")
    host.services.refuses = "busy"
    asked, tuning = host.services.asked, host.tuning
    tuning.restore()
    for _ in range(14):
        tuning.retry()
    assert host.services.asked - asked == 1 + 3  # after 1, 2 and 4 more rounds
    host.services.refuses = ""
    tuning.retry()
    assert read(host, "irqbalance") == "off"
    assert len(said(caplog)) == 2


def test_each_setting_that_is_restored_or_refused_has_its_line_once(host: TunedHost) -> None:
    tune(host, PROBING_KEY, "1")
    tune(host, REQUESTS, "512")
    tune(host, "governor", "performance")
    host.write(PROBING, "0")
    unplugged, output = unplug(host), io.StringIO()
    tuning = HostTuning(host.ledger, host.root, host.services, device_seconds=0, audit=Audit(Lines(output), "agent"))
    tuning.restore()
    tuning.retry()
    assert unasked(output) == [("tune", PROBING_KEY, "done"), ("tune", REQUESTS, "not-found")]
    host.write("unplugged/queue/nr_requests", "1023")
    unplugged.rename(host.folder / DRIVE)
    tuning.retry()
    assert unasked(output)[2:] == [("tune", REQUESTS, "done")]
    assert json.loads(output.getvalue().splitlines()[2])["detail"] == f"{REQUESTS} is 512 again; it was 1023"


def test_what_the_late_setting_of_a_device_undoes_is_made_again(host: TunedHost) -> None:
    tune(host, SCHEDULER, "kyber")
    tune(host, REQUESTS, "512")
    host.write(f"{DRIVE}/queue/scheduler", "[none] mq-deadline kyber")
    unplugged, tuning = unplug(host, f"{DRIVE}/queue/scheduler"), host.tuning
    tuning.restore()
    unplugged.rename(host.folder / DRIVE / "queue/scheduler")
    tuning.retry()
    assert [read(host, key) for key in (SCHEDULER, REQUESTS)] == ["kyber", "512"]


def test_setting_that_is_given_back_meanwhile_is_not_tried_again(host: TunedHost, caplog: pytest.LogCaptureFixture) -> None:
    tune(host, REQUESTS, "512")
    unplugged, tuning = unplug(host), host.tuning
    tuning.restore()
    tuning.untune(Untune(site="scinet", key=REQUESTS))
    unplugged.rename(host.folder / DRIVE)
    tuning.retry()
    assert len(said(caplog)) == 1
