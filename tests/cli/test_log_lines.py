"""Lines of several logs: whole, in the order of their arrival, and none lost when one log fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.cli.log_lines import LONGEST, log_lines
from dtnctl.errors import UnreachableError


@given(st.dictionaries(st.sampled_from("abc"), st.lists(st.binary(max_size=20), max_size=8), min_size=1))
def test_lines_are_whole_however_they_were_cut(sources: dict[str, list[bytes]]) -> None:
    seen: dict[str, bytes] = dict.fromkeys(sources, b"")
    for name, line in log_lines({name: iter(chunks) for name, chunks in sources.items()}):
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        seen[name] += line
    for name, chunks in sources.items():
        written = b"".join(chunks)
        assert seen[name] == written + b"\n" * (bool(written) and not written.endswith(b"\n"))


def test_lines_come_in_the_order_of_their_arrival_and_none_waits_for_another_log() -> None:
    go_on, came = threading.Event(), []

    def slow() -> Iterator[bytes]:
        yield b"half "
        assert go_on.wait(60)
        yield b"a line\n"

    for name, line in log_lines({"a": slow(), "b": iter([b"one\ntwo\n"])}):
        came.append((name, line))
        if len(came) == 2:
            go_on.set()
    assert came == [("b", b"one\n"), ("b", b"two\n"), ("a", b"half a line\n")]


def test_line_without_an_end_is_not_kept_for_ever() -> None:
    (first, *_) = log_lines({"a": iter([b"x" * LONGEST, b"y"])})
    assert first == ("a", b"x" * LONGEST + b"\n")


def test_error_of_one_log_is_raised_when_the_others_are_read() -> None:
    lines = log_lines({"a": _silent(), "b": iter([b"x\n"])})
    assert next(lines) == ("b", b"x\n")
    with pytest.raises(UnreachableError, match="no answer"):
        next(lines)


def _silent() -> Iterator[bytes]:
    for problem in ("no answer",):
        raise UnreachableError(problem)
    yield b""
