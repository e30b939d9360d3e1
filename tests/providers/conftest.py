"""Fixtures: the engines that the contract runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.providers.docker.engine import DockerEngine
from tests.engine_choice import PARAMS, Labs, labs
from tests.providers.backends import Backend, FakeBackend, LabBackend, fake_backend
from tests.providers.in_portainer import LOCAL, REMOTE, portainer_backend

IN_PORTAINER = {"portainer-socket": LOCAL, "portainer-tcp": REMOTE}


@pytest.fixture(scope="session")
def real_labs(request: pytest.FixtureRequest) -> Iterator[Labs]:
    """One real engine of each kind for the whole run."""
    with labs(request, 1, "tiny") as running:
        yield running


@pytest.fixture
def fake() -> Iterator[FakeBackend]:
    with fake_backend() as backend:
        yield backend


@pytest.fixture(params=["fake", *IN_PORTAINER, *PARAMS])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each of the engines in turn."""
    if request.param == "fake":
        yield request.getfixturevalue("fake")
        return
    if request.param in IN_PORTAINER:
        with portainer_backend(IN_PORTAINER[request.param], tmp_path) as portainer:
            yield portainer
        return
    backend = LabBackend(request.getfixturevalue("real_labs").lab(request.param))
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture
def engine(backend: Backend) -> DockerEngine:
    return backend.engine()
