"""Work that Ctrl-C leaves: it goes on in a thread of its own until its endpoints fall silent, and the shell reads the next line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
AT_ONCE = 0.2  # seconds within which a signal is noticed: a wait without end keeps Python from its handlers on some systems


def in_background(work: Callable[[], T]) -> T:
    """What the work returns or raises. A signal that raises here leaves it to itself."""
    result: list[T] = []
    failure: list[BaseException] = []

    def carry_out() -> None:
        try:
            result.append(work())
        except BaseException as error:  # noqa: BLE001  # it is raised again where it is waited for
            failure.append(error)

    thread = threading.Thread(target=carry_out, name="look", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(AT_ONCE)
    if failure:
        raise failure[0]
    return result[0]
