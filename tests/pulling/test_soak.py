"""The short form of `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab, unavailable
from tests.pulling.soak import soaking

SEED, SECONDS = 11, 25.0


@pytest.mark.lab
@pytest.mark.slow
def test_loop_ends_equal_to_head_after_random_pushes_outages_and_kills(tmp_path: Path) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    with Lab(tmp_path / "lab", 2, image="tiny") as lab, soaking(lab, tmp_path / "soak", SEED, print) as soak:
        soak.run(SECONDS, pause=1.0)
        assert soak.counts.total() > 2
