"""Lines of an output that comes in pieces."""

from __future__ import annotations

from dtnctl.movers.lines import LONGEST_LINE, Lines


def test_a_line_comes_when_it_is_whole_whatever_ends_it() -> None:
    lines = Lines()
    assert lines.feed(b"one\r  tw") == ["one"]
    assert lines.feed(b"o\nthree\r\n") == ["  two", "three", ""]
    assert lines.feed(b"") == []


def test_of_an_endless_line_the_end_is_kept() -> None:
    lines = Lines()
    for _ in range(3):
        assert lines.feed(b"x" * LONGEST_LINE) == []
    assert lines.feed(b"end\n") == ["x" * LONGEST_LINE + "end"]
