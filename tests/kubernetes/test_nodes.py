"""A node that does not answer, by the commands that were given for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kubernetes.conftest import NODE_READER
from tests.kubernetes.given import run_given
from tests.kubernetes.scene import Scene, service

NODE_SECONDS = 300.0


@pytest.fixture
def down(scene: Scene) -> Iterator[Scene]:
    """A session ran there before the node went down."""
    given = scene.cluster.given
    if not (given.stop_node and given.start_node):
        pytest.skip("DTN_KUBERNETES_STOP_NODE and DTN_KUBERNETES_START_NODE name no commands that stop the node and start it")
    with scene.cluster.reads_nodes(NODE_READER):
        scene.session()
        scene.converge()
        run_given(given.stop_node, node=scene.cluster.node)
        try:
            scene.cluster.wait_for(lambda: not scene.cluster.is_ready(), NODE_SECONDS)
            yield scene
        finally:
            run_given(given.start_node, node=scene.cluster.node)
            scene.cluster.wait_for(scene.cluster.is_ready, NODE_SECONDS)


def test_a_node_that_is_down_is_silent_and_its_session_is_as_declared_when_it_is_back(down: Scene) -> None:
    down.remove("sessions/run")
    plan = down.run("plan")
    assert "does not report to its cluster" in " ".join((plan.out + plan.err).split())
    down.apply("--allow-empty").expect(7)
    assert service("run") in down.cluster.names(), "no answer is not nothing there"
    down.session()
    given = down.cluster.given
    run_given(given.start_node, node=down.cluster.node)
    down.cluster.wait_for(down.cluster.is_ready, NODE_SECONDS)
    down.cluster.pod(service("run"))
    down.converge()
