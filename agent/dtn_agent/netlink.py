"""Lists that the kernel gives over netlink, such as all interfaces."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from typing import Any

from pyroute2.netlink import NLM_F_DUMP_INTR

READS = 50


def whole(read: Callable[[], Iterable[Any]]) -> tuple[Any, ...]:
    """The messages of a list in which nothing is missing.

    The kernel marks a list that changed while it was written (NLM_F_DUMP_INTR): entries may be left out of it. It is read again then,
    READS times in all. OSError when each was marked.
    """
    for _ in range(READS):
        messages = tuple(read())
        if not any(message["header"]["flags"] & NLM_F_DUMP_INTR for message in messages):
            return messages
    raise OSError(errno.EAGAIN, f"the kernel's list changed each of the {READS} times that it was read")
