"""The cluster of the run, which is used only when it is asked for: `make test-kubernetes`, or `pytest -m kubernetes`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.images import saved_images
from lab.layout import CLONE, default_cache
from tests.kubernetes.cluster import NETWORK, Cluster, namespace
from tests.kubernetes.given import NO_CLUSTER, given, run_given
from tests.kubernetes.relay import ApiRelay
from tests.kubernetes.scene import Scene

RIGHTS = CLONE / "docs" / "kubernetes"
ROLE, NODE_READER, NODE_PORTS, CLAIMS = (RIGHTS / f"{name}.yaml" for name in ("role", "node-reader", "node-ports", "device-claims"))
HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is here, and leave it out unless the marker is asked for."""
    here = [item for item in items if item.path.is_relative_to(HERE)]
    for item in here:
        item.add_marker(pytest.mark.kubernetes)
    if here and "kubernetes" not in str(config.getoption("markexpr")):
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The cluster with a namespace of this run, and the images of the scenarios on its node."""
    found = given()
    if found is None:
        pytest.skip(NO_CLUSTER)
    if found.load:
        run_given(found.load, tar=saved_images("both", default_cache(), print))
    with namespace(found, f"dtnctl-{secrets.token_hex(3)}") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def relay(cluster: Cluster) -> Iterator[ApiRelay]:
    """What dtnctl asks of the API server goes through it."""
    with cluster.relay() as relay:
        yield relay


@pytest.fixture(scope="session")
def kubeconfig(cluster: Cluster, relay: ApiRelay, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an account that has the shipped Role and no other right."""
    return cluster.account(ROLE, relay, tmp_path_factory.mktemp("account"))


@pytest.fixture
def scene(cluster: Cluster, kubeconfig: Path, tmp_path: Path) -> Iterator[Scene]:
    """A site `kube` whose endpoint `node` is the cluster's node; nothing of it is left when the test is done."""
    scene = Scene(cluster, kubeconfig, tmp_path)
    yield scene
    scene.leave()


@pytest.fixture
def multus(scene: Scene) -> Scene:
    """The cluster has networks beside its own."""
    if not scene.cluster.serves(NETWORK):
        pytest.skip("the cluster serves no NetworkAttachmentDefinitions: Multus is not installed")
    return scene


@pytest.fixture
def data(multus: Scene) -> Scene:
    """With a macvlan network on the node's interface."""
    if not multus.cluster.given.interface:
        pytest.skip("DTN_KUBERNETES_INTERFACE names no interface of the node for macvlan")
    multus.data_network()
    return multus
