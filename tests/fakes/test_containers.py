"""Containers in the in-memory engine, through the Docker SDK; the contract of tests/providers compares it with a real one."""

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


def test_full_pool_refuses_the_next_container(dtn1: docker.APIClient) -> None:
    pool = docker.types.IPAMPool(subnet="10.9.0.0/30")
    dtn1.create_network("small", ipam=docker.types.IPAMConfig(pool_configs=[pool]))
    for name in ("first", "second"):
        make(dtn1, name, network_mode="small")
    dtn1.start("first")
    with pytest.raises(APIError, match="no available IPv4 addresses"):
        dtn1.start("second")


def test_health_is_starting_before_it_is_healthy(world: World, dtn1: docker.APIClient) -> None:
    world.programs.register(Behaviour(checks_until_healthy=2), name="slow")
    dtn1.create_container("tiny:1", name="slow", healthcheck={"test": ["CMD", "true"]})
    dtn1.start("slow")
    seen = [dtn1.inspect_container("slow")["State"]["Health"]["Status"] for _ in range(3)]
    assert seen == ["starting", "starting", "healthy"]
