"""Transfers to a cluster: between two services on a node, and from a Docker engine."""

from __future__ import annotations

from typing import Any

import docker
import pytest
from lightkube.resources.batch_v1 import Job

from lab.images import saved_images
from lab.layout import default_cache
from tests.kubernetes.scene import NODE, SITE, Scene, service

SIZE = 8 * 1024**2
MAKE = f"head -c {SIZE} /dev/urandom > /data/file && md5sum /data/file | cut -d' ' -f1"
DTN = {"user": "dtnaas", "arguments": None, "memory": "256MiB", "cpus": 0.2, "data_port_range": [50100, 50149], "data_nets": ["data"]}


@pytest.fixture
def data(scene: Scene) -> Scene:
    """With a macvlan network on the node's interface, and volumes of their own at /data."""
    if not scene.cluster.given.interface or not scene.cluster.serves_networks():
        pytest.skip("no data network: DTN_KUBERNETES_INTERFACE is empty, or the cluster has no Multus")
    scene.data_network()
    return scene


def transfer(scene: Scene, source: str, **fields: Any) -> None:
    value = {"from": f"{source}:/data/file", "to": f"{NODE}:/data/copy", "tool": "rsync", "session": "pair"}
    scene.write("transfers/copy", {**value, **fields})


def row(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = scene.run("transfers", "show", "copy", "-o", "json").expect(0).json["transfer"]
    return found


def test_a_transfer_between_two_services_of_a_node_runs_once_with_a_matching_checksum(data: Scene) -> None:
    data.endpoint("other")
    data.profile("dtn", **DTN, volumes=["/tmp/{endpoint}:/data"])
    data.write("sessions/pair", {"endpoints": [NODE, "other"], "image": "dtn:1", "profile": "dtn"})
    data.converge()
    digest = data.cluster.sh(f"{SITE}.pair.other", MAKE).strip()
    transfer(data, "other")
    applied = data.apply().expect(0)
    assert "equal at both ends" in applied.out + applied.err
    assert digest in data.cluster.sh(service("pair"), "md5sum /data/copy")
    assert (row(data)["state"], row(data)["bytes"]) == ("succeeded", SIZE)
    data.assert_nothing_to_do()
    assert data.cluster.names(Job) == set()


def test_a_file_of_a_docker_engine_arrives_on_the_node(data: Scene) -> None:
    given = data.cluster.given
    if not (given.docker and given.docker_interface):
        pytest.skip("DTN_KUBERNETES_DOCKER and DTN_KUBERNETES_DOCKER_INTERFACE name no Docker engine in the data network")
    engine = docker.APIClient(base_url=given.docker, version="1.41")
    with saved_images("both", default_cache(), print).open("rb") as tar:
        list(engine.load_image(tar))
    data.docker_endpoint()
    data.profile("dtn", **DTN, volumes=["/tmp/dtnctl-pair:/data"])
    data.write("sessions/pair", {"endpoints": [NODE, "dtn1"], "image": "dtn:1", "profile": "dtn"})
    data.converge()
    digest = in_docker(engine, MAKE)
    transfer(data, "dtn1")
    applied = data.apply().expect(0)
    assert "equal at both ends" in applied.out + applied.err
    assert digest in data.cluster.sh(service("pair"), "md5sum /data/copy")
    data.assert_nothing_to_do()


def in_docker(engine: docker.APIClient, script: str) -> str:
    """What a script prints in the engine's service."""
    created = engine.exec_create(f"{SITE}.pair", ["sh", "-c", script], user="dtnaas")
    return str(engine.exec_start(created["Id"]).decode().strip())
