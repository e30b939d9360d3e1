"""Labs for the tests of the lab itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import Lab, unavailable


@pytest.fixture(scope="session", autouse=True)
def machine_can_run_a_lab() -> None:
    """Skips, with the reason, where no lab can be brought up."""
    if reason := unavailable():
        pytest.skip(reason)


@pytest.fixture(scope="module")
def tiny_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two endpoints with the small image and little disk."""
    with Lab(tmp_path_factory.mktemp("tiny") / "lab", 2, image="tiny", disk="128m") as lab:
        yield lab


@pytest.fixture(scope="module")
def dtn_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two endpoints with the DTN image."""
    with Lab(tmp_path_factory.mktemp("dtn") / "lab", 2) as lab:
        yield lab
