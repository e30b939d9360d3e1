"""kill -9 of the agent at one of the things that it writes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from dtn_agent.nvmeof.exports import KEY_FILE
from dtn_agent.protocol import HeldEntry

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


def assert_keys_are_of(held: Iterable[HeldEntry], state: Path) -> None:
    """No key is stored that belongs to nothing, whole or in a draft."""
    names = {"/".join(entry.identity) for entry in held}
    path = state / KEY_FILE
    stored = json.loads(path.read_bytes()) if path.exists() else {}
    assert {key.partition("/")[2] for key in stored} <= names
    assert not path.with_suffix(".draft").exists()
