"""What a plan says of the cost of comparing data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.ledger import Attempt
from dtnctl.planning.transfers.verification import last_cost

DONE = Attempt(
    "t", 3, 1, "c", "2026-06-01T10:00:00Z", verdict="succeeded", bytes=1200 * 1024**3, checksum="sha256:00", verify_seconds=600.0
)


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (DONE, "generation 3 took 10 min for sha256 of 1.17 TiB at both ends, 2.00 GiB/s"),
        (
            replace(DONE, bytes=512 * 1024**2, verify_seconds=2.0),
            "generation 3 took 2 s for sha256 of 512.00 MiB at both ends, 256.00 MiB/s",
        ),
        (replace(DONE, checksum=""), "generation 3 took 10 min for 1.17 TiB at both ends, 2.00 GiB/s"),
        (replace(DONE, verify_seconds=0.9), ""),
        (replace(DONE, verdict="failed"), ""),
        (replace(DONE, bytes=0), ""),
    ],
)
def test_the_cost_is_what_a_comparison_took_that_is_long_enough_to_measure(attempt: Attempt, text: str) -> None:
    assert last_cost([attempt]) == text


def test_the_newest_comparison_counts() -> None:
    found = last_cost([replace(DONE, generation=4, verify_seconds=300.0), DONE, replace(DONE, generation=5, verdict="failed")])
    assert found.startswith("generation 4 took 5 min")
    assert last_cost([]) == ""
