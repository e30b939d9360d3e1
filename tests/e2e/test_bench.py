"""`dtnctl bench` between real endpoints: each scenario is one sentence. The figures themselves are not judged: the machine is busy."""

from __future__ import annotations

import pytest

from tests.e2e.playground import Playground
from tests.e2e.test_trouble import wait_for

pytestmark = pytest.mark.lab
SHORT = ("bench", "network", "dtn1", "dtn2", "--image", "dtn:1", "--rounds", "1", "--duration", "1")


@pytest.fixture
def both(play: Playground) -> Playground:
    """Both endpoints reached by ssh, and a macvlan network of theirs."""
    for endpoint in play.lab.endpoints:
        play.endpoint(endpoint.name, "ssh")
    play.data_network()
    return play


def programs(play: Playground) -> set[str]:
    """Where iperf3 runs."""
    found = (play.lab.exec(name, ["sh", "-c", "pgrep -x iperf3 || true"]).stdout.strip() for name in ("dtn1", "dtn2"))
    return {pid for pid in found if pid}


def test_hosts_and_containers_on_each_network_are_measured_and_nothing_of_it_is_left(both: Playground) -> None:
    before = {name: both.dump(name) for name in ("dtn1", "dtn2")}
    document = both.run(*SHORT, "--address", "10.20.0.12", "-o", "json").expect(0).json
    rows = {(row["mode"], row["network"]): row for row in document["rows"]}
    assert list(rows) == [("native", ""), ("host", "host"), ("bridge", "bridge"), ("macvlan", "data")]
    for row in rows.values():
        (sample,) = row["samples"]
        assert sample["rate"] > 0
        assert 0 < sample["sender"] < sample["sender_host"]
        assert 0 < sample["receiver"] < sample["receiver_host"]
    assert document["base"] == "native"
    assert [machine["program"].split()[0] for machine in document["machines"]] == ["iperf", "iperf"]
    assert {name: both.dump(name) for name in ("dtn1", "dtn2")} == before
    assert programs(both) == set()


def test_a_killed_run_leaves_no_program_on_the_hosts_and_the_next_apply_removes_its_containers(both: Playground) -> None:
    for mode in ("native", "data"):
        bench = both.start(*SHORT[:-1], "60", "--mode", mode)
        wait_for(lambda: bool(programs(both)))
        bench.kill()
        bench.communicate()
        if mode == "native":
            wait_for(lambda: not programs(both))
    assert both.names("dtn1") >= {"play.dtnctl-bench"}
    both.apply().expect(0)
    assert "play.dtnctl-bench" not in both.names("dtn1") | both.names("dtn2")
    assert both.networks("dtn1") | both.networks("dtn2") == set()
    wait_for(lambda: not programs(both))


def test_an_image_without_iperf3_is_named_as_the_reason(both: Playground) -> None:
    ran = both.run("bench", "network", "dtn1", "dtn2", "--image", "tiny:1", "--rounds", "1", "--duration", "1", "--mode", "data").expect(3)
    assert "macvlan data failed: there is no iperf3 there" in ran.out
    assert both.networks("dtn1") == set()


def test_volumes_are_measured_by_fio_on_files_of_its_own_which_are_removed(both: Playground) -> None:
    both.lab.exec("dtn1", ["sh", "-c", "echo precious >/data/kept"])
    both.session("disks", image="dtn:1", settings={"volumes": ["/data"]})
    ran = both.run(
        "bench", "storage", "disks", "--size", "8MiB", "--duration", "1s", "--rounds", "1", "--block", "1MiB", "-o", "json"
    ).expect(0)
    rows = ran.json["rows"]
    assert [(row["way"], row["jobs"]) for row in rows] == [("write", 1), ("read", 1), ("write", 4), ("read", 4)]
    assert all(row["samples"][0]["rate"] > 0 for row in rows)
    assert both.names("dtn1") == set()
    assert both.lab.exec("dtn1", ["sh", "-c", "find /data"]).stdout.split() == ["/data", "/data/kept"]


def test_files_of_a_killed_run_are_removed_by_the_next_apply(both: Playground) -> None:
    both.session("disks", image="dtn:1", settings={"volumes": ["/data"]})
    bench = both.start("bench", "storage", "disks", "--size", "8MiB", "--duration", "60s", "--rounds", "1")
    wait_for(lambda: "fio." in both.lab.exec("dtn1", ["find", "/data"], check=False).stdout)
    bench.kill()
    bench.communicate()
    both.apply("--exclude", "session/disks").expect(0)
    assert both.names("dtn1") == set()
    assert both.lab.exec("dtn1", ["find", "/data"]).stdout.split() == ["/data"]
