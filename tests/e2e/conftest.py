"""One lab of each engine for all scenarios; each scenario gets clean engines and a site of its own.

A scenario runs on this machine's own engine; one that is marked `every_engine` on each of those that the tests know.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from lab.images import Content
from lab.releases import OWN
from tests.e2e.playground import Playground
from tests.engine_choice import NAMED, Labs, labs, params_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The engine is a parameter of each scenario, also of one without a choice: else it would get the lab that the last one left."""
    if "engine_name" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("every_engine")
        engines = params_of(marker) if marker is not None else [pytest.param(OWN.name, id=pytest.HIDDEN_PARAM)]
        metafunc.parametrize("engine_name", engines, scope="session")


def images_of(engine: str) -> Content:
    """The large one, for transfers, takes an engine with containerd's store a minute; in `make test` only our own machine's runs them."""
    return "both" if NAMED or engine == OWN.name else "tiny"


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest) -> Iterator[Labs]:
    with labs(request, 2, images_of) as found:
        yield found


@pytest.fixture(scope="session")
def two_endpoints(running: Labs, engine_name: str) -> Lab:
    return running.lab(engine_name)


@pytest.fixture
def play(two_endpoints: Lab, tmp_path: Path) -> Iterator[Playground]:
    """A site `play` with dtn1 and dtn2 over unix sockets, profile `tiny`, and nothing on the engines."""
    playground = Playground(two_endpoints, tmp_path)
    playground.profile("tiny")
    yield playground
    playground.clean()
