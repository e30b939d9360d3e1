"""A world of two engines with one image, and the real Docker SDK connected to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import docker
import pytest

from tests.fakes.engine import World

Connect = Callable[[str], docker.APIClient]


@pytest.fixture
def world() -> Iterator[World]:
    """dtn1 and dtn2 with the image tiny:1."""
    with World(["dtn1", "dtn2"]) as world:
        world.add_image("tiny:1", {"Cmd": ["sleep", "infinity"], "Env": ["PATH=/bin"]}, {"/bin/busybox": b"code", "/etc/": b""})
        yield world


@pytest.fixture
def connect(world: World) -> Iterator[Connect]:
    """Clients of the world's engines, closed at the end."""
    clients: list[docker.APIClient] = []

    def make(name: str) -> docker.APIClient:
        clients.append(docker.APIClient(base_url=f"unix://{world.sockets[name]}", version="1.41"))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def dtn1(connect: Connect) -> docker.APIClient:
    return connect("dtn1")


@pytest.fixture
def dtn2(connect: Connect) -> docker.APIClient:
    return connect("dtn2")
