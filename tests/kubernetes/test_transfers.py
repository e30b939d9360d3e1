"""Transfers to a cluster: between two services on a node, and from a Docker engine."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import Service

from lab.images import saved_images
from lab.layout import default_cache
from tests.kubernetes.conftest import NODE_PORTS
from tests.kubernetes.scene import NODE, SITE, Scene, service

SIZE = 8 * 1024**2
DTN = {"user": "dtnaas", "arguments": None, "memory": "256MiB", "cpus": 0.2, "data_port_range": [30300, 30349], "data_nets": ["data"]}


def test_a_transfer_between_two_nodes_runs_once_with_a_matching_checksum(data: Scene) -> None:
    other = data.cluster.other_node()
    if other is None:
        pytest.skip("the cluster has no second node that is ready")
    data.endpoint("other", node=other, interfaces={"data": data.cluster.given.interface})
    pair(data, "other")
    digest = data.cluster.sh(f"{SITE}.pair.other", making("other")).strip()
    assert digest in data.cluster.sh(service("pair"), f"md5sum {copied(data, 'other', NODE)}")


def test_files_are_copied_from_a_docker_engine_to_the_node_and_back(data: Scene) -> None:
    docker_to_node_and_back(data)
    assert data.cluster.names(Job) == set()


def test_a_docker_engine_reaches_ports_that_a_service_of_the_node_publishes(data: Scene) -> None:
    data.cluster.apply(NODE_PORTS.read_text())
    data.on_cluster["publish"] = "node-port"
    data.data_network()
    docker_to_node_and_back(data)
    (published,) = data.cluster.names(Service)
    assert data.cluster.get(Service, published).spec.type == "NodePort"
    assert "hostPort" not in str(data.cluster.get(Deployment, service("pair")).to_dict())


def docker_to_node_and_back(data: Scene) -> None:
    """A session of both, and a transfer each way, each with the program that copies at its source."""
    with beside_docker(data) as in_docker:
        digest = in_docker(making("dtn1"))
        assert digest in data.cluster.sh(service("pair"), f"md5sum {copied(data, 'dtn1', NODE)}")
        digest = data.cluster.sh(service("pair"), making(NODE)).strip()
        assert digest in in_docker(f"md5sum {copied(data, NODE, 'dtn1')}")


@contextlib.contextmanager
def beside_docker(data: Scene) -> Iterator[Callable[[str], str]]:
    """A session on the node and on a Docker engine; yields what a script prints in the engine's service."""
    given = data.cluster.given
    if not (given.docker and given.docker_host and given.docker_interface):
        pytest.skip("DTN_KUBERNETES_DOCKER, …_DOCKER_HOST and …_DOCKER_INTERFACE name no Docker engine in the data network")
    engine = docker.APIClient(base_url=given.docker, version="1.41")
    with contextlib.closing(engine):
        if not engine.images("dtn:1"):
            with saved_images("both", default_cache(), print).open("rb") as tar:
                list(engine.load_image(tar))
        data.docker_endpoint()
        pair(data, "dtn1")

        def in_docker(script: str) -> str:
            created = engine.exec_create(f"{SITE}.pair", ["sh", "-c", script], user="dtnaas")
            return str(engine.exec_start(created["Id"]).decode().strip())

        yield in_docker


def pair(scene: Scene, other: str) -> None:
    """A service on the node and one on the other endpoint, each with the folder of its host at /data."""
    if not scene.cluster.given.folder:
        pytest.skip("DTN_KUBERNETES_FOLDER names no folder of the hosts")
    scene.profile("dtn", **DTN, volumes=[f"{scene.cluster.given.folder}:/data"])
    scene.write("sessions/pair", {"endpoints": [NODE, other], "image": "dtn:1", "profile": "dtn"})
    scene.converge()


def making(endpoint: str) -> str:
    """A script that makes the endpoint's file and prints its checksum. Hosts may share the folder, in which each owns its files."""
    return f"head -c {SIZE} /dev/urandom > {file_of(endpoint)} && md5sum {file_of(endpoint)} | cut -d' ' -f1"


def file_of(endpoint: str) -> str:
    return f"/data/file-of-{endpoint}"


def copied(scene: Scene, source: str, destination: str) -> str:
    """The path at the destination, of a transfer that ended well and is recorded."""
    name = declare(scene, source, destination)
    applied = scene.apply().expect(0)
    assert "equal at both ends" in applied.out + applied.err
    row = scene.run("transfers", "show", name, "-o", "json").expect(0).json["transfer"]
    assert (row["state"], row["bytes"]) == ("succeeded", SIZE)
    scene.assert_nothing_to_do()
    return f"/data/{name}"


def declare(scene: Scene, source: str, destination: str, **fields: Any) -> str:
    """The name of a transfer of the source's file."""
    name = f"copy-{secrets.token_hex(3)}"  # records outlive a run of these tests
    ends = {"from": f"{source}:{file_of(source)}", "to": f"{destination}:/data/{name}"}
    scene.write(f"transfers/{name}", {**ends, "tool": "rsync", "session": "pair", **fields})
    return name
