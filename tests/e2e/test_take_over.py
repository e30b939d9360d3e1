"""What docker compose runs becomes a session with the same container: nothing differs before, and nothing is left to do after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker
import pytest

from tests.e2e.playground import Playground

pytestmark = pytest.mark.lab

COMPOSE = """
name: dtn
services:
  mover:
    image: tiny:1
    command: ["sleep", "100000"]
    init: true
    restart: unless-stopped
    ports: ["2222:22", "50000-50003:50000-50003"]
    volumes: ["/data:/data", "state:/state"]
    ulimits: {memlock: -1, nofile: {soft: 1024, hard: 2048}}
    mem_limit: 64m
    cap_add: [NET_ADMIN]
    dns: 192.0.2.53
    environment: {MODE: fast}
    networks: {mgmt: {}, data: {ipv4_address: 10.20.0.12}}
    stop_grace_period: 2s
volumes: {state: {}}
networks:
  mgmt: {ipam: {config: [{subnet: 172.30.0.0/24}]}}
  data: {driver: macvlan, driver_opts: {parent: eth1}, ipam: {config: [{subnet: 10.20.0.0/24}]}}
"""
NAME, NETWORKS = "dtn-mover-1", ("dtn_data", "dtn_mgmt")


def compose_up(engine: docker.APIClient) -> None:
    """What `docker compose up` makes of the file."""
    for name, driver, subnet, options in (
        ("dtn_mgmt", "bridge", "172.30.0.0/24", {}),
        ("dtn_data", "macvlan", "10.20.0.0/24", {"parent": "eth1"}),
    ):
        pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=subnet)])
        engine.create_network(name, driver=driver, options=options, ipam=pool)
    engine.create_volume("dtn_state")
    ports: dict[int | str, Any] = {22: 2222, **{port: port for port in range(50000, 50004)}}
    host_config = engine.create_host_config(
        init=True,
        restart_policy={"Name": "unless-stopped"},
        port_bindings=ports,
        binds=["/data:/data", "dtn_state:/state"],
        ulimits=[
            docker.types.Ulimit(name="memlock", soft=-1, hard=-1),
            docker.types.Ulimit(name="nofile", soft=1024, hard=2048),
        ],
        mem_limit="64m",
        cap_add=["NET_ADMIN"],
        dns=["192.0.2.53"],
        network_mode="dtn_data",
    )
    fixed = {"EndpointsConfig": {"dtn_data": engine.create_endpoint_config(ipv4_address="10.20.0.12")}}
    engine.create_container(
        "tiny:1",
        ["sleep", "100000"],
        name=NAME,
        environment={"MODE": "fast"},
        ports=[*ports],
        host_config=host_config,
        networking_config=fixed,
        stop_timeout=2,
        labels={"com.docker.compose.project": "dtn"},
    )
    engine.connect_container_to_network(NAME, "dtn_mgmt")
    engine.start(NAME)


def compose_down(engine: docker.APIClient) -> None:
    """The same without its volume, as `docker compose down` does it."""
    engine.remove_container(NAME, force=True)
    for name in NETWORKS:
        engine.remove_network(name)


def test_a_service_of_compose_is_taken_over_and_no_field_differs(play: Playground, tmp_path: Path) -> None:
    engine, site = play.engines["dtn1"], tmp_path / "converted"
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    compose_up(engine)
    place = ("--endpoint", "dtn1", "--docker", play.lab.endpoint("dtn1").unix_url, "--out", str(site))
    play.run("convert", "compose", str(tmp_path / "compose.yaml"), *place).expect(0)
    play.run("-C", str(site), "validate").expect(0)
    compared = play.run("-C", str(site), "sessions", "compare", "mover", NAME).expect(0)
    assert f"container {NAME} on dtn1 and session mover: no field differs" in compared.out
    held = play.run("-C", str(site), "apply", "--yes").expect(4)
    assert "use another network, or remove dtn_data there" in " ".join(held.out.split())
    assert play.names() == {NAME}, "nothing is adopted, and nothing of compose is touched"
    compose_down(engine)
    play.run("-C", str(site), "apply", "--yes").expect(0)
    assert "No changes" in play.run("-C", str(site), "plan", "--detailed-exitcode").expect(0).out
    assert play.networks() == {"data", "mgmt"}
