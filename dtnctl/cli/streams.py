"""Standard streams that are closed, full or of another encoding: repaired before anything is opened or printed."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from typing import Any

from dtnctl.errors import OutputError


class _Result(io.FileIO):
    """stdout: what cannot be written is an error of ours, with the system's reason. A reader that went away stays BrokenPipeError."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"cannot write the result to standard output: {error.strerror}") from error


class _Messages(io.FileIO):
    """stderr: there is no place to report that it cannot be written, and no run may fail half-way for it."""

    def write(self, data: Any) -> int:
        with contextlib.suppress(OSError):
            return super().write(data)
        return len(data)


def repair() -> None:
    """Open what is closed, so that no socket takes its number; replace the streams, unless a caller in this process has."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        _reserve(number, mode)
    if sys.stdout is sys.__stdout__:
        sys.stdout = sys.__stdout__ = _text(_Result(1, "w", closefd=False), sys.stdout)  # type: ignore[misc]  # meant to be constant
    if sys.stderr is sys.__stderr__:
        sys.stderr = sys.__stderr__ = _text(_Messages(2, "w", closefd=False), sys.stderr)  # type: ignore[misc]  # same
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # a number, not a path
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def _reserve(number: int, mode: int) -> None:
    """A closed stream's number is taken by the null device; stdout's in a way that writing fails, as it would have."""
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, mode)


def _text(raw: io.FileIO, before: Any) -> io.TextIOWrapper:
    """Text over the raw stream, in the encoding that was chosen for the stream before it; characters that it lacks become escapes."""
    encoding = getattr(before, "encoding", None) or "utf-8"
    is_terminal = raw.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="backslashreplace", line_buffering=is_terminal or raw.fileno() == 2
    )


def discard_result() -> None:
    """What is still to be written to stdout goes nowhere: its reader is gone, or it takes nothing."""
    if sys.stdout is sys.__stdout__:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)


def finish() -> None:
    """Write out what is buffered, or give it up."""
    try:
        sys.stdout.flush()
    except (OSError, OutputError):
        discard_result()


def only_ascii() -> Callable[[], None]:
    """From here on what is not ASCII is written as escapes, whoever writes it. The result ends that, for callers in this process."""
    changed = [(stream, stream.encoding, stream.errors) for stream in (sys.stdout, sys.stderr) if isinstance(stream, io.TextIOWrapper)]
    for stream, _, _ in changed:
        stream.reconfigure(encoding="ascii", errors="backslashreplace")

    def end() -> None:
        for stream, encoding, errors in changed:
            stream.reconfigure(encoding=encoding, errors=errors)

    return end


def can_encode(text: str) -> bool:
    """Whether stdout has these characters."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
