"""Endpoints that go away, images that fail, two people at once: nothing is lost or half-done in silence."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab import Lab, unavailable
from tests.e2e.playground import Playground
from tests.engine_choice import every_engine, usual_engines

pytestmark = pytest.mark.lab


def test_with_one_endpoint_down_the_other_converges_and_the_next_apply_does_only_the_rest(play: Playground) -> None:
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.lab.kill_engine("dtn2")
    try:
        ran = play.apply()
        assert ran.code == 3, ran.out + ran.err
        assert "dtn2" in ran.err
        assert play.container("run")["State"]["Running"]
        first = play.container("run")
        assert play.plan("--detailed-exitcode").code == 7, "unknown is not the same as nothing to do"
    finally:
        play.lab.start_engine("dtn2")
    assert play.changes() == [("create", "run", "dtn2")]
    play.converge()
    assert play.container("run")["State"]["StartedAt"] == first["State"]["StartedAt"]
    assert play.container("run", "dtn2")["State"]["Running"]


def test_when_no_endpoint_answers_nothing_was_changed_and_the_exit_code_says_so(play: Playground) -> None:
    play.session("run", endpoints=["dtn1", "dtn2"])
    for name in ("dtn1", "dtn2"):
        play.lab.kill_engine(name)
    try:
        assert play.apply().code == 7
        assert play.plan().code == 7
    finally:
        for name in ("dtn1", "dtn2"):
            play.lab.start_engine(name)


def test_a_session_removed_while_its_endpoint_was_down_is_cleaned_up_when_it_is_back(play: Playground) -> None:
    play.session("run", endpoints=["dtn1", "dtn2"])
    play.converge()
    play.remove("sessions/run")
    play.lab.kill_engine("dtn2")
    try:
        assert play.apply().code == 3
        assert play.names() == set()
    finally:
        play.lab.start_engine("dtn2")
    assert play.names("dtn2") == {"play.run"}
    play.converge()
    assert play.names("dtn2") == set()


@usual_engines
def test_a_replacement_keeps_ports_and_addresses_and_removes_the_old_container(play: Playground) -> None:
    play.data_network()
    play.profile("tiny", data_nets=["data"])
    play.session("aaa")
    play.session("run")
    play.converge()
    before = play.container("run")
    play.remove("sessions/aaa")
    play.session("run", settings={"env": {"NEW": "1"}})
    play.converge()
    after = play.container("run")
    assert after["Id"] != before["Id"]
    assert after["HostConfig"]["PortBindings"] == before["HostConfig"]["PortBindings"]
    assert after["NetworkSettings"]["Networks"]["data"]["IPAddress"] == before["NetworkSettings"]["Networks"]["data"]["IPAddress"]
    assert play.names() == {"play.run"}


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"arguments": ["false"], "settle": "5s"}, 8),
        ({"health_check": {"test": ["false"], "interval": "1s", "timeout": "1s", "retries": 1, "start_period": "0s"}}, 8),
        ({"init": False, "arguments": ["/no-such-program"]}, 3),
    ],
    ids=["ends-at-once", "unhealthy", "cannot-start"],
)
def test_a_replacement_that_fails_brings_the_old_container_back(play: Playground, settings: dict[str, Any], code: int) -> None:
    play.profile("tiny", restart="no")
    play.session("run")
    play.converge()
    before = play.container("run")
    play.session("run", settings=settings)
    ran = play.apply()
    assert ran.code == code, ran.out + ran.err
    assert "container that was there is back" in ran.out + ran.err
    after = play.container("run")
    assert after["Id"] == before["Id"]
    assert after["State"]["Running"]
    assert play.names() == {"play.run"}
    play.session("run")
    play.assert_nothing_to_do()


@every_engine
def test_a_replacement_cut_off_by_kill_goes_on_with_the_next_apply(play: Playground) -> None:
    play.session("run")
    play.converge()
    play.session("run", settings={"env": {"NEW": "1"}})
    engine = play.engines["dtn1"]
    engine.stop("play.run", timeout=1)
    engine.rename("play.run", "play.run..old")
    play.converge()
    assert play.names() == {"play.run"}
    assert "NEW=1" in play.container("run")["Config"]["Env"]


def test_two_applies_at_once_make_one_set_of_containers(play: Playground) -> None:
    for index in range(4):
        play.session(f"s{index}", endpoints=["dtn1", "dtn2"])
    processes = [play.start("apply", "--yes", "--lock-timeout", "2m") for _ in range(2)]
    results = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    play.assert_nothing_to_do()
    for endpoint in ("dtn1", "dtn2"):
        assert play.names(endpoint) == {f"play.s{index}" for index in range(4)}


def test_a_killed_holders_lease_is_taken_over_and_a_live_ones_is_not(play: Playground) -> None:
    play.profile("tiny", health_check={"test": ["test", "-e", "/ready"], "interval": "1s", "start_period": "100s"})
    play.session("run")
    holder = play.start("apply", "--yes")
    wait_for(lambda: "play.run" in play.names())
    play.session("other")
    refused = play.run("apply", "--yes", "--lock-timeout", "1s")
    assert refused.code == 6, refused.out + refused.err
    assert "held by" in refused.err
    children = subprocess.run(["pgrep", "-P", str(holder.pid)], capture_output=True, text=True, check=False).stdout.split()
    for pid in [*map(int, children), holder.pid]:
        os.kill(pid, signal.SIGKILL)
    holder.communicate()
    play.profile("tiny")
    ran = play.run("apply", "--yes", "--lock-timeout", "1m").expect(0)
    assert "left when it died" in ran.err
    play.assert_nothing_to_do()
    assert play.names() == {"play.run", "play.other"}


def wait_for(condition: Callable[[], object], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_an_interrupt_stops_cleanly_gives_the_lease_back_and_the_next_apply_continues(play: Playground) -> None:
    play.profile(
        "tiny", health_check={"test": ["test", "-e", "/ready"], "interval": "1s", "start_period": "100s"}, ctrl_port_range=[30000, 30050]
    )
    play.session("run")
    process = play.start("apply", "--yes")
    wait_for(lambda: "play.run" in play.names() and play.container("run")["State"]["Running"])
    process.send_signal(signal.SIGINT)
    play.run_in("play.run", "touch", "/ready")
    _, err = process.communicate(timeout=120)
    assert "stopping" in err
    assert process.returncode in (0, 130), err
    assert play.names() == {"play.run"}, "the lease is given back"
    play.converge()


def test_a_missing_image_fails_that_session_before_anything_of_it_is_created(play: Playground) -> None:
    play.session("bad", endpoints=["dtn1", "dtn2"], image="nowhere.invalid:5000/none:1")
    play.session("good")
    ran = play.apply()
    assert ran.code == 3, ran.out + ran.err
    assert "nowhere.invalid" in ran.out + ran.err
    assert play.names() == {"play.good"}
    assert play.names("dtn2") == set()


def test_removing_more_than_the_budget_is_blocked_until_it_is_meant(play: Playground) -> None:
    for index in range(4):
        play.session(f"s{index}")
    play.converge()
    for index in range(3):
        play.remove(f"sessions/s{index}")
    ran = play.apply().expect(4)
    assert "E0440" in ran.out
    assert len(play.names()) == 4
    play.apply("--max-prune", "3").expect(0)
    assert play.names() == {"play.s3"}


def test_target_and_exclude_limit_what_is_touched(play: Playground) -> None:
    for name in ("one", "two", "three"):
        play.session(name)
    play.apply("--target", "session/one").expect(0)
    assert play.names() == {"play.one"}
    play.apply("--exclude", "three").expect(0)
    assert play.names() == {"play.one", "play.two"}
    assert play.plan("--target", "session/typo").code == 64
    before = play.container("one")["Id"]
    play.apply("--target", "one", "--replace", "one").expect(0)
    assert play.container("one")["Id"] != before
    assert play.names() == {"play.one", "play.two"}


def test_apply_runs_the_expected_plan_or_refuses(play: Playground) -> None:
    play.session("one")
    document = play.root / "plan.json"
    play.plan("--out", str(document)).expect(0)
    play.session("two")
    ran = play.run("apply", "--expect", str(document))
    assert ran.code == 5
    assert "two" in ran.err
    assert play.names() == set()
    play.remove("sessions/two")
    play.run("apply", "--expect", str(document)).expect(0)
    assert play.names() == {"play.one"}


def test_nobody_is_asked_where_nobody_is_there(play: Playground) -> None:
    play.session("one")
    ran = play.run("apply")
    assert ran.code == 64
    assert "--yes" in ran.err
    assert play.names() == set()


def test_a_full_disk_is_reported_and_the_next_apply_converges_when_there_is_room(tmp_path: Path) -> None:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    with Lab(tmp_path / "lab", 1, image="tiny", disk="48m") as small:
        (tmp_path / "site").mkdir()
        play = Playground(small, tmp_path / "site")
        play.profile("tiny")
        play.session("run")
        small.exec("dtn1", ["sh", "-c", "dd if=/dev/zero of=/run/lab/disk/fill bs=64k 2>/dev/null; true"])
        ran = play.apply()
        assert ran.code in (3, 7), ran.out + ran.err
        assert "no space left" in (ran.out + ran.err).lower()
        small.exec("dtn1", ["rm", "/run/lab/disk/fill"])
        play.converge()
        play.clean()
