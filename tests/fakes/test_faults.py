"""Faults on purpose: clients killed at a call, refusals, cut connections, stalls; and the log that says what happened."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import docker
import pytest
import requests
from docker.errors import APIError

from tests.fakes.conftest import Connect
from tests.fakes.engine import Fault, World
from tests.fakes.faults import kill_client

CALLS_FOR_ONE = [
    "dtn1 POST /containers/create",
    "dtn1 PUT /containers/one/archive",
    "dtn1 POST /containers/one/start",
    "dtn1 GET /containers/one/json",
]
KILLED = -9


def run_client(world: World, *names: str) -> int:
    """The exit code of a client process that works on dtn1."""
    command = [sys.executable, "-m", "tests.fakes.client_program", world.sockets["dtn1"], *names]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode


def state_of(world: World, name: str) -> str:
    """How far a container of the client got: absent, created, noted (its archive arrived) or running."""
    found = [c for c in world.engine("dtn1").state.containers.values() if c.name == name]
    if not found:
        return "absent"
    if found[0].running:
        return "running"
    return "noted" if "/etc/note" in found[0].files else "created"


@pytest.mark.parametrize(
    ("at", "when", "expected"),
    [
        (1, "before", "absent"),
        (1, "after", "created"),
        (2, "before", "created"),
        (2, "after", "noted"),
        (3, "before", "noted"),
        (3, "after", "running"),
        (4, "before", "running"),
        (4, "after", "running"),
    ],
)
def test_client_is_killed_exactly_before_or_after_a_call(world: World, at: int, when: str, expected: str) -> None:
    world.plan_faults(Fault("kill-client", at=at, when=when))
    assert run_client(world, "one") == KILLED
    assert state_of(world, "one") == expected
    assert world.calls() == CALLS_FOR_ONE[:at]
    assert world.journal.calls[-1].fault == f"kill-client {when}"


def test_client_beyond_the_last_call_is_not_killed(world: World) -> None:
    world.plan_faults(Fault("kill-client", at=5))
    assert run_client(world, "one") == 0
    assert world.calls() == CALLS_FOR_ONE


def test_every_trial_starts_from_the_same_world(world: World) -> None:
    world.snapshot()
    outcomes = []
    for at in (3, 1, 3):
        world.plan_faults(Fault("kill-client", at=at, when="after"))
        run_client(world, "one")
        outcomes.append((state_of(world, "one"), len(world.calls()), sum(start["count"] for start in world.starts())))
        world.reset()
    assert outcomes == [("running", 3, 1), ("created", 1, 0), ("running", 3, 1)]


def test_server_never_kills_itself(world: World, dtn1: docker.APIClient) -> None:
    world.plan_faults(Fault("kill-client", at=1))
    assert dtn1.ping()
    assert "refused" in world.journal.calls[0].fault
    assert kill_client(os.getpid()) is False


def test_kill_of_a_client_that_is_gone_is_harmless() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert kill_client(gone.pid) is False


def test_status_before_a_call_hides_it_and_after_a_call_only_the_answer(world: World, dtn1: docker.APIClient) -> None:
    world.plan_faults(
        Fault("status", match="POST /networks/create", status=500, message="no space left on device"),
        Fault("status", match="POST /networks/create", nth=2, when="after", status=500),
    )
    for name in ("first", "second"):
        with pytest.raises(APIError) as failed:
            dtn1.create_network(name)
        assert failed.value.status_code == 500
    dtn1.create_network("third")
    assert sorted(n["Name"] for n in dtn1.networks() if n["Driver"] == "bridge") == ["bridge", "second", "third"]


def test_fault_of_one_endpoint_leaves_the_other_alone(world: World, dtn1: docker.APIClient, dtn2: docker.APIClient) -> None:
    world.plan_faults(Fault("status", match="GET /*", nth=0, endpoint="dtn1", status=503))
    for _ in range(2):
        with pytest.raises(APIError):
            dtn1.info()
        assert dtn2.info()["Name"] == "dtn2"


def test_reset_cuts_the_connection_and_the_call_has_happened_or_not(world: World, dtn1: docker.APIClient) -> None:
    world.plan_faults(Fault("reset", at=1), Fault("reset", at=2, when="after"))
    for name in ("first", "second"):
        with pytest.raises(requests.exceptions.ConnectionError):
            dtn1.create_container("tiny:1", name=name)
    assert [found["Names"] for found in dtn1.containers(all=True)] == [["/second"]]


def test_stalled_call_holds_no_other_call_up(world: World, connect: Connect) -> None:
    world.plan_faults(Fault("stall", match="POST /containers/create", seconds=3600))
    stalled, free = connect("dtn1"), connect("dtn1")
    ended: list[BaseException] = []

    def create() -> None:
        try:
            stalled.create_container("tiny:1", name="late")
        except requests.exceptions.ConnectionError as error:
            ended.append(error)

    waiter = threading.Thread(target=create)
    waiter.start()
    with world.changed:
        assert world.changed.wait_for(lambda: world.calls() == ["dtn1 POST /containers/create"], timeout=10)
    assert free.containers(all=True) == []
    world.close()
    waiter.join()
    assert len(ended) == 1


def test_call_that_stalls_through_a_reset_does_not_reach_the_next_trial(world: World, connect: Connect) -> None:
    world.snapshot()
    world.plan_faults(Fault("stall", match="POST /containers/create", seconds=3600))
    stalled = connect("dtn1")
    cut = threading.Event()

    def create() -> None:
        with pytest.raises(requests.exceptions.ConnectionError):
            stalled.create_container("tiny:1", name="late")
        cut.set()

    waiter = threading.Thread(target=create)
    waiter.start()
    with world.changed:
        assert world.changed.wait_for(lambda: world.calls() == ["dtn1 POST /containers/create"], timeout=10)
    world.reset()
    waiter.join()
    assert cut.is_set()
    assert connect("dtn1").containers(all=True) == []


def test_stall_shorter_than_the_patience_of_the_client_only_delays(world: World, dtn1: docker.APIClient) -> None:
    world.plan_faults(Fault("stall", at=1, seconds=0.01, when="after"))
    assert dtn1.info()["Name"] == "dtn1"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"do": "explode", "at": 1}, "do is 'explode'"),
        ({"do": "reset", "at": 1, "when": "during"}, "when is 'during'"),
        ({"do": "reset"}, "neither at"),
    ],
)
def test_fault_that_could_never_strike_is_refused(words: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Fault(**words)  # type: ignore[arg-type]  # wrong on purpose


def test_calls_read_the_same_in_every_run(world: World, dtn1: docker.APIClient, dtn2: docker.APIClient) -> None:
    made = [client.create_container("tiny:1", name="box")["Id"] for client in (dtn1, dtn2)]
    dtn2.start(made[1])
    dtn1.start(made[0])
    dtn1.exec_start(dtn1.exec_create(made[0], ["true"])["Id"])
    dtn1.inspect_network(dtn1.networks(names=["bridge"])[0]["Id"])
    assert world.calls() == [
        "dtn1 POST /containers/create",
        "dtn2 POST /containers/create",
        "dtn2 POST /containers/box/start",
        "dtn1 POST /containers/box/start",
        "dtn1 POST /containers/box/exec",
        "dtn1 POST /exec/box/start",
        "dtn1 GET /networks",
        "dtn1 GET /networks/bridge",
    ]


def test_starts_are_counted_by_name_and_labels_and_outlive_the_container(world: World, dtn1: docker.APIClient) -> None:
    for generation in ("1", "1", "2"):
        dtn1.create_container("tiny:1", name="job", labels={"generation": generation})
        dtn1.start("job")
        dtn1.remove_container("job", force=True)
    assert world.starts() == [
        {"endpoint": "dtn1", "name": "job", "labels": {"generation": "1"}, "count": 2},
        {"endpoint": "dtn1", "name": "job", "labels": {"generation": "2"}, "count": 1},
    ]


def test_refused_start_is_not_counted(world: World, dtn1: docker.APIClient) -> None:
    host = dtn1.create_host_config(network_mode="none-such")
    dtn1.create_container("tiny:1", name="lost", host_config=host)
    with pytest.raises(APIError):
        dtn1.start("lost")
    assert world.starts() == []


def test_an_engine_that_is_down_from_a_call_on_cuts_every_connection_until_it_is_up(world: World, connect: Connect) -> None:
    client = connect("dtn1")
    world.plan_faults(Fault("down", match="POST /containers/create"))
    for _ in range(2):
        with pytest.raises(requests.RequestException):
            client.create_container("tiny:1", name="one")
    world.set_mode("dtn1", "up")
    client.create_container("tiny:1", name="one")
    assert state_of(world, "one") == "created"


def test_a_client_gets_a_signal_at_a_call_that_the_engine_carries_out(world: World) -> None:
    world.plan_faults(Fault("signal-client", at=2, signal=15))
    assert run_client(world, "one") == -15
    assert state_of(world, "one") == "noted"
