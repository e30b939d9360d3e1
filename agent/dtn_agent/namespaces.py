"""Runs something inside another network namespace, for as long as it takes, in a thread of its own.

A namespace belongs to a thread, and the thread ends with the call: nothing else of the agent is ever in there. (pyroute2's own
way forks a child, which a program with threads should not.)
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

CLONE_NEWNET = 0x4000_0000

T = TypeVar("T")


def within(namespace: int, action: Callable[[], T], seconds: float | None = None) -> T:
    """What `action` returns inside the namespace whose file is open here, such as `/proc/PID/ns/net`.

    OSError if it cannot be entered, TimeoutError if that takes longer than this.
    """
    return _in_a_thread(lambda: _checked(ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET)), action, seconds)


def in_a_new_one(action: Callable[[], T]) -> T:
    """What `action` returns inside a namespace that is made for it, with `lo` alone, and gone afterwards. OSError if none can be made."""
    return _in_a_thread(lambda: _checked(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET)), action, None)


def _in_a_thread(enter: Callable[[], None], action: Callable[[], T], seconds: float | None) -> T:
    came: Future[T] = Future()

    def work() -> None:
        try:
            enter()
            came.set_result(action())
        except BaseException as error:  # noqa: BLE001  # the caller gets it
            came.set_exception(error)

    thread = threading.Thread(target=work, name="namespace", daemon=True)
    thread.start()
    thread.join(seconds)
    return came.result(timeout=0)


def _checked(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
