"""Fixtures: the engines that the contract runs on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lab
from tests.providers.backends import Backend, FakeBackend, LabBackend, fake_backend


@pytest.fixture(scope="session")
def real_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    """One real engine for the whole run."""
    if reason := lab.unavailable():
        pytest.skip(reason)
    with lab.Lab(tmp_path_factory.mktemp("lab"), 1, image="tiny") as running:
        yield running


@pytest.fixture
def fake() -> Iterator[FakeBackend]:
    with fake_backend() as backend:
        yield backend


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each of the engines in turn."""
    if request.param == "fake":
        yield request.getfixturevalue("fake")
        return
    backend = LabBackend(request.getfixturevalue("real_lab"))
    try:
        yield backend
    finally:
        backend.close()
