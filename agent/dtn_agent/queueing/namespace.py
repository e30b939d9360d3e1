"""Runs something inside another network namespace, for as long as it takes, in a thread of its own.

A namespace belongs to a thread, and the thread ends with the call: nothing else of the agent is ever in there. (pyroute2's own
way forks a child, which a program with threads should not.)
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CLONE_NEWNET = 0x4000_0000

T = TypeVar("T")


def within(namespace: int, action: Callable[[], T]) -> T:
    """What `action` returns inside the namespace whose file is open here, such as `/proc/PID/ns/net`."""
    return _in_a_thread(lambda: _checked(ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET)), action)


def in_a_new_one(action: Callable[[], T]) -> T:
    """What `action` returns inside a namespace that is made for it, with `lo` alone, and gone afterwards."""
    return _in_a_thread(lambda: _checked(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET)), action)


def _in_a_thread(enter: Callable[[], None], action: Callable[[], T]) -> T:
    def work() -> T:
        enter()
        return action()

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="namespace") as threads:
        return threads.submit(work).result()


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
