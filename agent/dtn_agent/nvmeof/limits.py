"""Calls and programs that may wait for a device that does not answer: each ends, for us, after a time."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class TooLongError(OSError):
    """It has not ended in its time. It may still end: what it does is done then. `came` knows when a call has ended."""

    def __init__(self, text: str, came: Future[Any] | None = None) -> None:
        super().__init__(text)
        self.came = came


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Its last line, which is where programs say what is wrong. Lines that are set in only go on with it, as mount's hint at dmesg."""
        lines = [line for line in (self.err or self.out).splitlines() if line.strip() and not line[0].isspace()]
        return next(reversed(lines), f"exit code {self.code}")


def run(words: Sequence[str], seconds: float) -> Ran:
    """Run a program. FileNotFoundError if there is none; TooLongError if it does not end, and then it is killed and not waited for."""
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        # what hangs in the kernel dies when the device comes back or is given up
        threading.Thread(target=process.communicate, name=f"end of {words[0]}", daemon=True).start()
        raise TooLongError(f"{words[0]} has not ended in {seconds:g} s") from None
    return Ran(process.returncode, out, err)


def within(seconds: float, act: Callable[[], T]) -> T:
    """What `act` returns or raises; TooLongError if that takes longer, and then nothing waits for it."""
    came: Future[T] = Future()

    def work() -> None:
        try:
            came.set_result(act())
        except BaseException as error:  # noqa: BLE001  # the caller gets it
            came.set_exception(error)

    threading.Thread(target=work, name="waits for a device", daemon=True).start()
    try:
        return came.result(seconds)
    except NotDone:
        if came.done():
            raise  # a TimeoutError of the kernel's
        raise TooLongError(f"the kernel has not answered in {seconds:g} s", came) from None
