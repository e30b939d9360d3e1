"""Containers in the in-memory engine, through the Docker SDK; scenes.py compares the details with a real one."""

from __future__ import annotations

from typing import Any

import docker
import pytest
from docker.errors import APIError

from tests.fakes.engine import Behaviour, World


def make(client: docker.APIClient, name: str, **host: Any) -> str:
    host_config = client.create_host_config(**host)
    container_id: str = client.create_container("tiny:1", name=name, host_config=host_config)["Id"]
    return container_id


def test_labels_and_environment_of_the_image_are_inherited_and_overridden(world: World, dtn1: docker.APIClient) -> None:
    world.add_image("parent:1", {"Cmd": ["run"], "Env": ["A=1", "B=1"], "Labels": {"own": "yes", "who": "image"}})
    dtn1.create_container("parent:1", name="child", environment={"B": "2"}, labels={"who": "container"})
    config = dtn1.inspect_container("child")["Config"]
    assert config["Env"] == ["B=2", "A=1"]
    assert config["Labels"] == {"own": "yes", "who": "container"}


def test_committed_image_hands_labels_on(dtn1: docker.APIClient) -> None:
    dtn1.create_container("tiny:1", name="source", labels={"owner": "site"})
    dtn1.commit("source", "copy", "1")
    dtn1.create_container("copy:1", name="impostor")
    assert [found["Names"] for found in dtn1.containers(all=True, filters={"label": "owner=site"})] == [["/impostor"], ["/source"]]


def test_second_create_with_one_name_is_refused(dtn1: docker.APIClient) -> None:
    first = make(dtn1, "lease")
    with pytest.raises(APIError, match="already in use by container") as refused:
        make(dtn1, "lease")
    assert refused.value.status_code == 409
    dtn1.remove_container(first)
    make(dtn1, "lease")


def test_taken_port_fails_the_start_and_leaves_the_container_created(dtn1: docker.APIClient) -> None:
    for name in ("first", "second"):
        host = dtn1.create_host_config(port_bindings={30000: 30000})
        dtn1.create_container("tiny:1", name=name, ports=[30000], host_config=host)
    dtn1.start("first")
    with pytest.raises(APIError, match=r"Bind for 0\.0\.0\.0:30000 failed: port is already allocated") as refused:
        dtn1.start("second")
    assert refused.value.status_code == 500
    assert dtn1.inspect_container("second")["State"]["Status"] == "created"
    dtn1.stop("first")
    dtn1.start("second")
    assert dtn1.inspect_container("second")["NetworkSettings"]["Ports"]["30000/tcp"][0]["HostPort"] == "30000"


def test_port_of_another_program_on_the_host_fails_the_start(world: World, dtn1: docker.APIClient) -> None:
    world.engine("dtn1").machine.busy_ports.add(("tcp", 30000))
    host = dtn1.create_host_config(port_bindings={30000: 30000})
    dtn1.create_container("tiny:1", name="late", ports=[30000], host_config=host)
    with pytest.raises(APIError, match="address already in use"):
        dtn1.start("late")


def test_stopped_container_gives_its_address_back(dtn1: docker.APIClient) -> None:
    for name in ("first", "second"):
        make(dtn1, name)
    dtn1.start("first")
    address = dtn1.inspect_container("first")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    dtn1.stop("first")
    dtn1.start("second")
    dtn1.start("first")
    assert dtn1.inspect_container("second")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == address
    assert dtn1.inspect_container("first")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == "172.17.0.3"


def test_replaced_network_of_the_same_name_is_not_taken_for_the_old_one(dtn1: docker.APIClient) -> None:
    dtn1.create_network("data")
    make(dtn1, "service", network_mode="data")
    dtn1.start("service")
    dtn1.stop("service")
    dtn1.remove_network("data")
    dtn1.create_network("data")
    with pytest.raises(APIError, match=r"network [0-9a-f]{64} not found"):
        dtn1.start("service")


def test_vlan_interface_is_made_for_a_macvlan_and_goes_with_it(world: World, dtn1: docker.APIClient) -> None:
    dtn1.create_network("star222", driver="macvlan", options={"parent": "eth1.222"})
    assert world.engine("dtn1").state.vlan_links == ["eth1.222"]
    dtn1.remove_network("star222")
    assert world.engine("dtn1").state.vlan_links == []


def test_exhausted_default_pools_are_an_error(dtn1: docker.APIClient) -> None:
    subnets = []
    for number in range(30):
        dtn1.create_network(f"net{number}")
        subnets.append(dtn1.inspect_network(f"net{number}")["IPAM"]["Config"][0]["Subnet"])
    assert subnets[0] == "172.18.0.0/16"
    assert len(set(subnets)) == 30
    with pytest.raises(APIError, match="could not find an available, non-overlapping IPv4 address pool"):
        dtn1.create_network("one-too-many")


def test_full_pool_refuses_the_next_container(dtn1: docker.APIClient) -> None:
    pool = docker.types.IPAMPool(subnet="10.9.0.0/30")
    dtn1.create_network("small", ipam=docker.types.IPAMConfig(pool_configs=[pool]))
    for name in ("first", "second"):
        make(dtn1, name, network_mode="small")
    dtn1.start("first")
    with pytest.raises(APIError, match="no available IPv4 addresses"):
        dtn1.start("second")


def test_container_that_removes_itself_is_gone_after_its_end(dtn1: docker.APIClient) -> None:
    container = make(dtn1, "passing", auto_remove=True)
    dtn1.start(container)
    dtn1.stop(container)
    with pytest.raises(docker.errors.NotFound):
        dtn1.inspect_container(container)


def test_restart_policy_brings_a_failed_program_back_and_counts(world: World, dtn1: docker.APIClient) -> None:
    world.programs.register(Behaviour(ends=True, exit_code=3), name="stubborn")
    make(dtn1, "stubborn", restart_policy={"Name": "on-failure", "MaximumRetryCount": 2})
    dtn1.start("stubborn")
    assert dtn1.inspect_container("stubborn")["State"]["Status"] == "restarting"
    assert [world.restart_due(), world.restart_due(), world.restart_due()] == [1, 1, 0]
    seen = dtn1.inspect_container("stubborn")
    assert (seen["RestartCount"], seen["State"]["Status"], seen["State"]["ExitCode"]) == (2, "exited", 3)


def test_restart_keeps_a_container_that_would_remove_itself(dtn1: docker.APIClient) -> None:
    container = make(dtn1, "steady", auto_remove=True)
    dtn1.start(container)
    dtn1.restart(container)
    assert dtn1.inspect_container(container)["State"]["Running"] is True


def test_ignored_stop_signal_ends_in_a_kill(world: World, dtn1: docker.APIClient) -> None:
    world.programs.register(Behaviour(ignores=("SIGTERM",)), name="deaf")
    make(dtn1, "deaf")
    dtn1.start("deaf")
    dtn1.stop("deaf")
    assert dtn1.inspect_container("deaf")["State"]["ExitCode"] == 137


@pytest.mark.parametrize(("name", "code"), [("SIGRTMIN+3", 165), ("RTMAX-1", 191), ("int", 130), ("15", 143)])
def test_every_way_to_write_a_signal_is_understood(dtn1: docker.APIClient, name: str, code: int) -> None:
    dtn1.create_container("tiny:1", name="service", stop_signal=name)
    dtn1.start("service")
    dtn1.stop("service")
    assert dtn1.inspect_container("service")["State"]["ExitCode"] == code


def test_health_is_starting_before_it_is_healthy(world: World, dtn1: docker.APIClient) -> None:
    world.programs.register(Behaviour(checks_until_healthy=2), name="slow")
    dtn1.create_container("tiny:1", name="slow", healthcheck={"test": ["CMD", "true"]})
    dtn1.start("slow")
    seen = [dtn1.inspect_container("slow")["State"]["Health"]["Status"] for _ in range(3)]
    assert seen == ["starting", "starting", "healthy"]


def test_missing_command_refuses_the_start(world: World, dtn1: docker.APIClient) -> None:
    world.programs.register(Behaviour(missing=True), argv="mistyped")
    dtn1.create_container("tiny:1", ["mistyped"], name="wrong")
    with pytest.raises(APIError, match="executable file not found"):
        dtn1.start("wrong")
    assert dtn1.inspect_container("wrong")["State"]["ExitCode"] == 127


def test_prune_takes_what_was_never_started_as_well(dtn1: docker.APIClient) -> None:
    for name in ("never", "running", "ended"):
        make(dtn1, name)
    for name in ("running", "ended"):
        dtn1.start(name)
    dtn1.stop("ended")
    pruned = dtn1.prune_containers()
    assert len(pruned["ContainersDeleted"]) == 2
    assert [found["Names"] for found in dtn1.containers(all=True)] == [["/running"]]


def test_events_tell_of_a_life(dtn1: docker.APIClient) -> None:
    container = make(dtn1, "short")
    dtn1.start(container)
    dtn1.stop(container)
    events = dtn1.events(since=0, until=1, decode=True, filters={"type": "container"})
    assert list(events) == []
    until = 4102444800
    stream = dtn1.events(since=1, until=until, decode=True, filters={"type": "container"})
    seen = [next(stream)["Action"] for _ in range(4)]
    stream.close()
    assert seen == ["create", "start", "die", "stop"]
