"""kill -9 of the agent at one of the things that it writes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.agent.forked import ends_in_a_fork

CHANGING = ("open", "os.rename", "os.mkdir", "os.rmdir", "os.symlink", "os.remove", "fcntl.ioctl", "kernel")
OF_INITIATOR = ("sys", "dev", "proc")  # what a KernelInitiator does is done as a whole, as by a kernel: it says "kernel" before and after


def ends_before(folder: Path, act: Callable[[], object], last: int, apart: tuple[str, ...] = ()) -> bool:
    """Whether `act` ended before so many things below the folder had been changed; else the agent was killed there.

    What is in the folders `apart` is not counted.
    """
    count = 0
    others = tuple(str(folder / name) for name in (*apart, "targets"))

    def killed_at_the_last(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        is_reading = event == "open" and isinstance(arguments[2], int) and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event not in CHANGING or is_reading or (arguments and str(arguments[0]).startswith(others)):
            return
        if event in ("fcntl.ioctl", "kernel") or str(folder) in str(arguments[0]):
            count += 1
            if count > last:
                os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        sys.addaudithook(killed_at_the_last)
        act()

    return ends_in_a_fork(work)
