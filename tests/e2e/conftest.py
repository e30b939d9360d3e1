"""One lab for all scenarios; each scenario gets clean engines and a site of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab, unavailable
from tests.e2e.playground import Playground


@pytest.fixture(scope="session")
def two_endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    with Lab(tmp_path_factory.mktemp("e2e"), 2, image="both") as lab:
        yield lab


@pytest.fixture
def play(two_endpoints: Lab, tmp_path: Path) -> Iterator[Playground]:
    """A site `play` with dtn1 and dtn2 over unix sockets, profile `tiny`, and nothing on the engines."""
    playground = Playground(two_endpoints, tmp_path)
    playground.profile("tiny")
    yield playground
    playground.clean()
