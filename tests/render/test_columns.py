"""Tables that are too wide for a terminal say what they left out, and how to see it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.render.columns import SHOW, Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.text import cells, look_of

CELL = st.text("ab1-", max_size=30)
TABLES = st.integers(1, 8).flatmap(
    lambda count: st.tuples(
        st.tuples(*(st.builds(Column, st.just(f"C{number}"), drop=st.integers(0, 9)) for number in range(count))),
        st.lists(st.tuples(*[CELL] * count), min_size=1, max_size=4),
    )
)


@given(TABLES, st.integers(40, 200))
def test_every_column_with_something_in_it_is_shown_or_named_below(
    table: tuple[tuple[Column, ...], list[tuple[str, ...]]], width: int
) -> None:
    columns, rows = table
    header, *lines = table_lines(columns, rows, look_of(RenderContext(width=width)))
    note = " ".join(lines[len(rows) :])
    for index, column in enumerate(columns):
        if any(row[index] for row in rows):
            assert (column.header in header.split()) != (column.header in note.replace(",", " ").split())
    assert note == "" or note.endswith(SHOW)
    assert all(cells(line) <= width for line in lines[len(rows) :])


@given(TABLES)
def test_wide_tables_leave_nothing_out(table: tuple[tuple[Column, ...], list[tuple[str, ...]]]) -> None:
    columns, rows = table
    header, *lines = table_lines(columns, rows, look_of(RenderContext(width=40)), fits=False)
    assert header.split() == [column.header for column in columns]
    assert len(lines) == len(rows)
