"""Transfers between two real services: started once, judged by evidence, remembered."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.e2e.playground import Playground
from tests.e2e.test_trouble import wait_for
from tests.engine_choice import every_engine

pytestmark = pytest.mark.lab
SIZE = 64 * 1024**2


@pytest.fixture
def pair(play: Playground) -> Playground:
    """A session of two DTN services on a data network, with a file on the first."""
    play.data_network()
    profile = {
        "volumes": ["/data:/data"],
        "init": True,
        "memory": None,
        "user": "dtnaas",
        "data_nets": ["data"],
        "data_port_range": [50100, 50199],
        "stop_timeout": "2s",
    }
    play.write("profiles/dtn", profile)
    play.write("sessions/pair", {"endpoints": ["dtn1", "dtn2"], "image": "dtn:1", "profile": "dtn"})
    play.lab.exec("dtn1", ["sh", "-c", f"head -c {SIZE} /dev/urandom > /data/file && chmod 1777 /data"])
    play.lab.exec("dtn2", ["chmod", "1777", "/data"])
    return play


def transfer(play: Playground, name: str = "copy", **fields: Any) -> None:
    play.write(f"transfers/{name}", {"from": "dtn1:/data/file", "to": "dtn2:/data/file", "tool": "gridftp"} | fields)


def row(play: Playground, name: str = "copy") -> dict[str, Any]:
    value: dict[str, Any] = play.run("transfers", "show", name, "-o", "json").expect(0).json
    found: dict[str, Any] = value["transfer"]
    return found


def md5(play: Playground, endpoint: str, path: str) -> str:
    return play.lab.exec(endpoint, ["md5sum", path]).stdout.split()[0]


def job_names(play: Playground) -> set[str]:
    return {name for name in play.names() if re.search(r"\.g\d+a\d+$", name)}


@every_engine
def test_a_declared_transfer_runs_once_with_a_matching_checksum_and_leaves_no_key(pair: Playground) -> None:
    transfer(pair)
    ran = pair.apply().expect(0)
    assert "equal at both ends" in ran.out + ran.err
    assert md5(pair, "dtn1", "/data/file") == md5(pair, "dtn2", "/data/file")
    receipt = row(pair)
    assert (receipt["state"], receipt["bytes"], receipt["generation"]) == ("succeeded", SIZE, 1)
    pair.assert_nothing_to_do()
    assert job_names(pair) == set()
    for endpoint in ("dtn1", "dtn2"):
        keys = pair.run_in("play.pair", "sh", "-c", "cat /home/dtnaas/.ssh/authorized_keys2; ls /root/.ssh", endpoint=endpoint)
        assert b"dtnctl" not in keys.stdout
    logs = pair.run("transfers", "logs", "copy").expect(0).out
    # a copy that takes less than a second has no rate to print
    assert re.search(r"Source: sshftp://\S+\nDest: .*\n  file$", logs, re.MULTILINE)


def test_it_is_not_run_again_by_an_apply_nor_after_a_prune_but_by_a_raised_generation(pair: Playground) -> None:
    transfer(pair, verify="size")
    pair.apply().expect(0)
    pair.lab.exec("dtn2", ["rm", "/data/file"])
    pair.apply().expect(0)
    pair.engines["dtn1"].prune_containers()
    ran = pair.apply().expect(0)
    assert "already" in ran.out + ran.err, "the record survived the prune and was read"
    assert pair.lab.exec("dtn2", ["ls", "/data"]).stdout.split() == []
    assert row(pair)["state"] == "succeeded"
    pair.assert_nothing_to_do()
    transfer(pair, verify="size", generation=2)
    pair.apply().expect(0)
    assert pair.lab.exec("dtn2", ["ls", "/data"]).stdout.split() == ["file"]


def test_a_folder_is_copied_with_all_below_it(pair: Playground) -> None:
    script = "mkdir -p '/data/in/a b/c'; cd /data/in; head -c 3000000 /dev/urandom > 'a b/one'; echo two > 'a b/c/two-2'; : > empty"
    pair.lab.exec("dtn1", ["sh", "-c", script])
    folders: dict[str, Any] = {"from": "dtn1:/data/in/", "to": "dtn2:/data/out/", "recursive": True, "concurrency": 2}
    transfer(pair, **folders)
    pair.apply().expect(0)
    first = pair.lab.exec("dtn1", ["sh", "-c", "cd /data/in && find . -type f | sort | xargs -d '\\n' md5sum"]).stdout
    assert pair.lab.exec("dtn2", ["sh", "-c", "cd /data/out && find . -type f | sort | xargs -d '\\n' md5sum"]).stdout == first


def test_a_missing_source_fails_with_its_cause_and_is_not_tried_again_by_itself(pair: Playground) -> None:
    transfer(pair, **{"from": "dtn1:/data/nope"})
    ran = pair.apply()
    assert ran.code == 9, ran.out + ran.err
    assert "/data/nope" in ran.out + ran.err
    assert pair.container("pair")["State"]["Running"], "infrastructure is fine"
    again = pair.apply()
    assert again.code == 9
    assert job_names(pair) == set()


def test_a_destination_that_cannot_be_written_fails_with_the_servers_words(pair: Playground) -> None:
    pair.lab.exec("dtn2", ["mkdir", "-m", "755", "/data/closed"])
    transfer(pair, to="dtn2:/data/closed/nope")
    ran = pair.apply()
    assert ran.code == 9, ran.out + ran.err
    assert "permission" in (ran.out + ran.err).lower()
    assert row(pair)["state"] == "failed"
    pair.assert_nothing_to_do()
    again = pair.apply()
    assert again.code == 9, "it stays visible"
    assert "--allow-failed copy" in again.err
    pair.run("apply", "--yes", "--allow-failed", "copy").expect(0)


def test_a_running_transfer_is_followed_cancelled_and_remembered(pair: Playground) -> None:
    pair.apply().expect(0)
    pair.lab.exec("dtn1", ["sh", "-c", "tc qdisc add dev eth1 root tbf rate 8mbit burst 256kb latency 100ms"])
    try:
        transfer(pair)
        pair.run("apply", "--yes", "--no-wait").expect(0)
        wait_for(lambda: bool(job_names(pair)))
        assert row(pair)["state"] == "running"
        assert "running" in pair.plan().out
        pair.run("transfers", "cancel", "copy").expect(0)
    finally:
        pair.lab.exec("dtn1", ["tc", "qdisc", "del", "dev", "eth1", "root"])
    assert row(pair)["state"] == "cancelled"
    pair.assert_nothing_to_do()
    assert job_names(pair) == set()


def test_while_an_apply_waits_for_a_copy_others_apply_and_cancel_on_the_same_endpoints(pair: Playground) -> None:
    pair.apply().expect(0)
    pair.lab.exec("dtn1", ["sh", "-c", "tc qdisc add dev eth1 root tbf rate 8mbit burst 256kb latency 100ms"])
    try:
        transfer(pair)
        waiting = pair.start("apply", "--yes")
        wait_for(lambda: row(pair)["state"] == "running")
        wait_for(lambda: not any(name.endswith(".lease") for endpoint in ("dtn1", "dtn2") for name in pair.names(endpoint)))
        pair.session("meanwhile")
        pair.run("apply", "--yes", "--lock-timeout", "5s", "--no-wait").expect(0)
        assert pair.container("meanwhile")["State"]["Running"]
        pair.run("transfers", "cancel", "copy", "--lock-timeout", "5s").expect(0)
        out, err = waiting.communicate(timeout=120)
    finally:
        pair.lab.exec("dtn1", ["tc", "qdisc", "del", "dev", "eth1", "root"])
    assert waiting.returncode == 9, out + err
    assert "cancelled" in out + err
    assert row(pair)["state"] == "cancelled"
    pair.assert_nothing_to_do()


def test_a_transfer_that_ended_without_us_is_judged_by_the_next_apply(pair: Playground) -> None:
    transfer(pair)
    pair.run("apply", "--yes", "--no-wait").expect(0)
    engine = pair.engines["dtn1"]
    (job,) = job_names(pair)
    engine.wait(job)
    assert ("finish" in pair.plan("-o", "json").out) or ("receipt" in pair.plan().out)
    pair.apply().expect(0)
    assert row(pair)["state"] == "succeeded"


def test_two_transfers_of_one_session_run_side_by_side(pair: Playground) -> None:
    pair.lab.exec("dtn1", ["sh", "-c", "cp /data/file /data/second"])
    transfer(pair)
    transfer(pair, "second", **{"from": "dtn1:/data/second", "to": "dtn2:/data/second"})
    pair.apply().expect(0)
    assert md5(pair, "dtn2", "/data/second") == md5(pair, "dtn2", "/data/file")


def test_a_transfer_that_follows_another_takes_what_that_one_brought_in_the_same_apply(pair: Playground) -> None:
    """Its source is not there before; and what follows one that cannot start is not started."""
    transfer(pair, "a-back", **{"from": "dtn2:/data/file", "to": "dtn1:/data/back", "after": "copy"})
    transfer(pair)
    ran = pair.apply().expect(0)
    assert "starts after copy, if that succeeds" in ran.out
    assert md5(pair, "dtn1", "/data/back") == md5(pair, "dtn1", "/data/file")
    transfer(pair, "nope", **{"from": "dtn1:/data/nope"})
    transfer(pair, "z-next", after="nope", to="dtn2:/data/next")
    pair.apply().expect(9)
    assert row(pair, "z-next")["attempt"] == 0
    assert not job_names(pair)


def test_over_the_limit_of_an_endpoint_the_same_apply_starts_a_transfer_after_the_end_of_another(pair: Playground) -> None:
    pair.lab.exec("dtn1", ["sh", "-c", "cp /data/file /data/second"])
    written = yaml.safe_load((pair.root / "state/endpoints/dtn2.yaml").read_text())
    pair.write("endpoints/dtn2", written | {"limits": {"transfers": 1}})
    transfer(pair)
    transfer(pair, "second", **{"from": "dtn1:/data/second", "to": "dtn2:/data/second", "priority": 5})
    ran = pair.apply().expect(0)
    assert "waits: dtn2 runs 1 of 1 transfers (second); starts after the end of second" in " ".join(ran.out.split())
    assert row(pair)["started_at"] >= row(pair, "second")["finished_at"]
    assert md5(pair, "dtn2", "/data/file") == md5(pair, "dtn2", "/data/second")


def test_a_replacement_waits_for_the_copy_that_runs_through_it_even_if_asked_for_by_name(pair: Playground) -> None:
    pair.apply().expect(0)
    before = pair.container("pair")["Id"]
    pair.lab.exec("dtn1", ["sh", "-c", "tc qdisc add dev eth1 root tbf rate 8mbit burst 256kb latency 100ms"])
    try:
        transfer(pair)
        pair.run("apply", "--yes", "--no-wait").expect(0)
        wait_for(lambda: row(pair)["state"] == "running")
        session = {"endpoints": ["dtn1", "dtn2"], "image": "dtn:1", "profile": "dtn", "settings": {"env": {"A": "b"}}}
        pair.write("sessions/pair", session)
        for arguments in ((), ("--replace", "pair")):
            ran = pair.run("apply", "--yes", "--no-wait", *arguments).expect(4)
            assert "E0492" in ran.out + ran.err
            assert "waits: this replace would stop transfer copy" in " ".join((ran.out + ran.err).split())
            assert pair.container("pair")["Id"] == before
        wait_for(lambda: re.search(r"transfer copy at \d+ %, not resumable", " ".join(pair.run("plan").out.split())) is not None)
        pair.run("apply", "--yes", "--no-wait", "--defer-until-idle").expect(0)
        assert pair.container("pair")["Id"] == before
        cut_off = pair.run("plan", "--interrupt", "copy").expect(0)
        assert "the running transfer copy is cut off at" in " ".join(cut_off.out.split())
        assert row(pair)["state"] == "running"
        pair.run("transfers", "cancel", "copy").expect(0)
    finally:
        pair.lab.exec("dtn1", ["tc", "qdisc", "del", "dev", "eth1", "root"])
    pair.apply().expect(0)
    assert pair.container("pair")["Id"] != before
    pair.assert_nothing_to_do()
