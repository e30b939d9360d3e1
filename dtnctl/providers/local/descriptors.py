"""How many reads and open files a run needs for the number of its endpoints, and that it gets them."""

from __future__ import annotations

import contextlib
import resource

MOST_READS = 8  # of one endpoint at once: more make its engine no faster
ALL_READS = 256  # of all endpoints
DESCRIPTORS = 8  # of one endpoint beside its reads: ssh's pipes and its errors, the agent's connections, a step's own
OTHERS = 256  # files, pipes and libraries of the program itself


def reads_of_each(endpoints: int) -> int:
    """How many reads of each endpoint may be under way: a fleet of 200 has two each, where eight would be 1,600 threads and sockets."""
    return max(2, min(MOST_READS, ALL_READS // max(1, endpoints)))


def allow_open_files(wanted: int) -> None:
    """Raise this process's limit of open files, which is 1024 as a rule, to what is wanted, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
