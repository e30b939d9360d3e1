"""Reads and open files of a fleet: what a usual limit of 1,024 would stop."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from dtnctl.providers.local.descriptors import ALL_READS, MOST_READS, reads_of_each

PROGRAM = """
import resource
from dtnctl.providers.local.descriptors import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
allow_open_files({wanted})
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after(soft: int, hard: int, wanted: int) -> tuple[int, ...]:
    """Of a process of its own: a limit that was lowered cannot be raised again."""
    program = PROGRAM.format(soft=soft, hard=hard, wanted=wanted)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return tuple(map(int, ran.stdout.split()))


@pytest.mark.parametrize(("endpoints", "reads"), [(0, MOST_READS), (1, MOST_READS), (32, MOST_READS), (64, 4), (200, 2), (1000, 2)])
def test_a_fleet_has_fewer_reads_of_each_endpoint(endpoints: int, reads: int) -> None:
    assert reads_of_each(endpoints) == reads
    assert endpoints * reads <= max(ALL_READS, 2 * endpoints)


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 4096, reason="the hard limit is lower than the test's")
@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "after"),
    [
        (1024, 4096, 2000, (2256, 4096)),
        (1024, 2048, 9000, (2048, 2048)),
        (1024, 4096, 16, (1024, 4096)),
    ],
)
def test_the_limit_of_open_files_is_raised_as_far_as_needed_and_allowed(soft: int, hard: int, wanted: int, after: tuple[int, ...]) -> None:
    assert limits_after(soft, hard, wanted) == after
