"""Characters, cells, lines, numbers: the small things that everything else is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.progress import Measured
from dtnctl.render.escape import code, fence, html_code, marker_word, prose
from dtnctl.render.progress import render_transfer_progress
from dtnctl.render.quantities import bytes_text, duration_text, estimate_text, rate_text, size_text
from dtnctl.render.text import cells, clip, command_lines, flow, plural, printable_text
from tests.render.plans import TEXT

# --- characters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is → é 日本", "as it is → é 日本"),
        ("two\nlines\tand\r\nmore", "two\\nlines and\\r\\nmore"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("evil\u202etxt.exe", "evil\\u202etxt.exe"),
        ("no\u00a0break", "no\\xa0break"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_control_characters_show_as_escapes(text: str, shown: str) -> None:
    assert printable_text(text, ascii_only=False) == shown


def test_ascii_keeps_the_meaning_of_arrows() -> None:
    assert printable_text("8 → 16 · é", ascii_only=True) == "8 -> 16 | \\xe9"


# --- cells and lines ----------------------------------------------------------------------------------------


def test_combining_marks_take_no_cell_and_colours_neither() -> None:
    assert cells("e\u0301") == 1
    assert cells("\x1b[1;31mred\x1b[0m") == 3


def test_clip_never_cuts_a_wide_character_in_half() -> None:
    assert clip("日本語", 4, "…") == "日…"
    assert clip("abc", 3, "…") == "abc"


@given(st.lists(TEXT.map(lambda text: printable_text(text, ascii_only=False)), max_size=5), st.integers(1, 60))
def test_flow_keeps_every_word_in_order_and_breaks_only_at_spaces(pieces: list[str], width: int) -> None:
    lines = flow(pieces, width)
    assert " ".join(lines).split() == " ".join(pieces).split()
    assert all(cells(line) <= width or " " not in line for line in lines)


def test_pieces_stay_whole_where_they_fit() -> None:
    assert flow(["one two", "three four"], 12) == ["one two", "three four"]
    assert flow(["one two three four"], 12) == ["one two", "three four"]


def test_long_command_has_backslashes() -> None:
    assert command_lines("a b", 10) == ["a b"]
    assert command_lines("aaa bbb ccc", 9) == ["aaa bbb \\", "ccc"]


def test_plural() -> None:
    assert [plural(count, "change") for count in (0, 1, 2, 1000)] == ["0 changes", "1 change", "2 changes", "1,000 changes"]


# --- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (4 * 1024**3, "4.00 GiB"), (1024**3 - 1, "1.00 GiB"), (1024**7, "1024.00 EiB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size_text(count) == text


@given(st.integers(0, 2**69))
def test_size_has_at_most_four_digits_before_the_point(count: int) -> None:
    number, _unit = size_text(count).split(" ")
    assert float(number) < 1024


def test_bytes_are_exact_and_rates_are_those_of_disks_and_of_networks() -> None:
    assert bytes_text(4294967296) == "4294967296 (4.00 GiB)"
    assert rate_text(756.7 * 1024**2) == "756.7 MiB/s (6.35 Gb/s)"
    assert rate_text(0) == "0 B/s (0 b/s)"


def test_durations() -> None:
    assert [duration_text(seconds) for seconds in (0, 0.123, 5, 59.94, 59.96, 125, 3599.7, 7260)] == [
        "0.00 s", "0.12 s", "5.0 s", "59.9 s", "1 min 0 s", "2 min 5 s", "1 h 0 min", "2 h 1 min",
    ]  # fmt: skip
    assert [estimate_text(seconds) for seconds in (-1, 7.2, 125, 7260)] == ["0 s", "7 s", "2 min 5 s", "2 h 1 min"]


# --- progress -----------------------------------------------------------------------------------------------

GIB = 1024**3


RATE = 412.3 * 1024**2


@pytest.mark.parametrize(
    ("measured", "line"),
    [
        (Measured("run14", 5 * GIB // 4, 4 * GIB, RATE, eta=7.0), "run14  1.25 GiB of 4.00 GiB  31 %  412.3 MiB/s  ETA 7 s"),
        (Measured("run14", GIB, None, RATE), "run14  1.00 GiB  412.3 MiB/s"),
        (Measured("run14", GIB, None, RATE, RATE / 2), "run14  1.00 GiB  412.3 MiB/s, average 206.2 MiB/s"),
        (Measured("run14", GIB, None, None, RATE / 2), "run14  1.00 GiB  average 206.2 MiB/s"),
        (Measured("run14", 0, 0), "run14  0 B of 0 B"),
        (Measured("run14", GIB, 4 * GIB, files=3, total_files=12), "run14  1.00 GiB of 4.00 GiB, 3 of 12 files  25 %"),
        (Measured("run14", GIB, 4 * GIB, files=0, total_files=1), "run14  1.00 GiB of 4.00 GiB  25 %"),
        (Measured("run14", GIB, 4 * GIB, 0.0, RATE, still=25.2), "run14  1.00 GiB of 4.00 GiB  25 %  nothing moved for 25 s"),
        (Measured("run14", still=70.0), "run14  0 B  nothing moved for 1 min 10 s"),
    ],
)
def test_progress_shows_what_is_known(measured: Measured, line: str) -> None:
    assert render_transfer_progress(measured) == line


def test_progress_is_not_complete_before_the_last_byte() -> None:
    assert "  99 %" in render_transfer_progress(Measured("run14", 4 * GIB - 1, 4 * GIB))
    assert "  100 %" in render_transfer_progress(Measured("run14", 4 * GIB, 4 * GIB))
    assert "  100 %" in render_transfer_progress(Measured("run14", 5 * GIB, 4 * GIB))


# --- Markdown -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["it is exited (exit code 1)", "state/sessions/a.yaml:14", "8 → 16 GiB", "dtn-a, dtn-b"])
def test_harmless_text_stays_prose(text: str) -> None:
    assert prose(text) == text


@pytest.mark.parametrize(
    "text", ["@octocat", "a@b", "see #1", "GH-12", "http://x", "www.x", "a_b", "*a*", "<b>", "[a](b)", ":tada:", "$x$", "a\\", "~a~"]
)
def test_text_that_could_mean_something_becomes_code(text: str) -> None:
    assert prose(text) == f"`{text}`"


def test_code_survives_backticks_pipes_and_nothing() -> None:
    assert code("a`b") == "``a`b``"
    assert code("`a`") == "`` `a` ``"
    assert code("a|b") == "`a`&#124;`b`"
    assert code("") == prose("") == "(none)"
    assert html_code("<a&b>") == "<code>&#60;a&#38;b&#62;</code>"


def test_fence_is_longer_than_any_in_it() -> None:
    assert fence(["```", "````x"], "diff") == "`````diff\n```\n````x\n`````"


def test_marker_is_one_word() -> None:
    assert marker_word("scinet") == "scinet"
    assert marker_word("a --> <b>") == "a-b"
    assert marker_word("--") == "none"


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        (["\x1b[1mname \x1b[0m"], ["\x1b[1mname\x1b[0m"]),
        (["\x1b[1mname \x1b[0m", "@ somewhere"], ["\x1b[1mname\x1b[0m", "@ somewhere"]),
        (["\x1b[2m\x1b[1m  \x1b[0m \x1b[0m "], ["\x1b[2m\x1b[1m\x1b[0m\x1b[0m"]),
        (["a "], ["a"]),
    ],
)
def test_a_line_ends_in_no_blank_also_below_a_colour(pieces: list[str], lines: list[str]) -> None:
    """Else the text with colours would be another one than without."""
    assert flow(pieces, 12) == lines
