"""A table gives up columns before characters, and characters before its width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.render.columns import Column, fit, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.text import cells, look_of
from tests.render.plans import RELAXED

COLUMNS = (Column("NAME", least=6), Column("STATE"), Column("SIZE", right=True, drop=1), Column("NOTE", drop=2))
ROWS = [["alpha-centauri", "up", "7", "near"], ["b", "down", "12345", ""]]


def lines(width: int) -> list[str]:
    return table_lines(COLUMNS, ROWS, look_of(RenderContext(width=width)))


def test_everything_is_shown_where_it_fits() -> None:
    assert lines(80) == ["NAME            STATE   SIZE  NOTE", "alpha-centauri  up         7  near", "b               down   12345"]


def test_columns_leave_in_their_order() -> None:
    look = look_of(RenderContext(width=40))
    assert table_lines(COLUMNS, ROWS, look, indent=9)[0] == " " * 9 + "NAME            STATE   SIZE"
    assert table_lines(COLUMNS, ROWS, look, indent=15)[0] == " " * 15 + "NAME            STATE"


def test_then_long_cells_are_cut() -> None:
    look = look_of(RenderContext(width=40))
    assert table_lines(COLUMNS, ROWS, look, indent=25) == [
        " " * 25 + "NAME      STATE",
        " " * 25 + "alpha-c…  up",
        " " * 25 + "b         down",
    ]


def test_column_without_content_leaves_if_it_may() -> None:
    assert table_lines(COLUMNS, [["a", "up", "", ""]], look_of(RenderContext()))[0] == "NAME  STATE"


def test_wide_characters_are_counted_as_two_cells() -> None:
    first, second, third = table_lines((Column("A"), Column("B")), [["日本", "x"], ["abcd", "y"]], look_of(RenderContext()))
    assert (first, second, third) == ("A     B", "日本  x", "abcd  y")


@RELAXED
@given(
    st.lists(st.builds(Column, st.just("H"), st.booleans(), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=6),
    st.lists(st.integers(1, 60), min_size=6, max_size=6),
    st.integers(1, 200),
)
def test_table_is_too_wide_only_when_nothing_can_give(columns: list[Column], natural: list[int], width: int) -> None:
    widths = fit(columns, [], natural[: len(columns)], width)
    total = sum(widths) + 2 * (sum(1 for each in widths if each) - 1)
    if total > width:
        assert not any(column.drop for column, each in zip(columns, widths, strict=True) if each)
        assert all(each <= max(column.least, 1) for column, each in zip(columns, widths, strict=True) if column.least and each)
    for column, each, full in zip(columns, widths, natural, strict=False):
        assert 0 <= each <= full
        assert each or column.drop


def test_cells_of_an_empty_table_are_its_headers() -> None:
    (header,) = table_lines(COLUMNS, [], look_of(RenderContext()))
    assert header == "NAME  STATE  SIZE  NOTE"
    assert cells(header) == 23
