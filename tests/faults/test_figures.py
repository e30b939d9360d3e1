"""The short form of `make faults`: a few cases of every row that needs no real engines, and the table itself."""

from __future__ import annotations

import pytest

from tests.faults.__main__ import Line, run_part, table
from tests.faults.measured import Measured, Task
from tests.faults.rows import ROWS, find_row, find_rows


@pytest.mark.parametrize("name", [row.name for row in ROWS if row.short])
def test_a_few_cases_of_each_figure_have_no_failure(name: str) -> None:
    """In a process of its own, as `make faults` runs it: one row makes threads do nothing at all."""
    row = find_row(name)
    line = run_part(row, row.short, seed=1, part=0)
    assert line.result.failures == ()
    assert line.result.cases > 0


def test_every_figure_has_a_row() -> None:
    assert {row.figure for row in ROWS} == {f"R{number}" for number in range(1, 19)}
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_rows_are_found_by_figure_and_by_name_with_a_number_of_cases() -> None:
    assert {row.name: size for row, size in find_rows(["R10", "refusals", "7"]).items()} == {"same-bytes": 0, "refusals": 7}
    assert list(find_rows([])) == list(ROWS)
    with pytest.raises(SystemExit, match="there is no 'R99'"):
        find_rows(["R99"])


def test_parts_share_the_cases_without_loss_and_a_choice_is_the_same_for_the_same_seed() -> None:
    cases = list(range(100))
    parts = [Task(30, 5, part, 3).chosen(cases) for part in range(3)]
    assert sorted(case for part in parts for case in part) == sorted(Task(30, 5).chosen(cases))
    assert Task(1000, 5).chosen(cases) == cases
    assert [number for part in range(3) for number in Task(30, 5, part, 3).numbers()] != []


def test_a_failure_is_counted_and_the_table_shows_it() -> None:
    line = Line(ROWS[0], 2, Measured(1) + Measured(1, ("went wrong",), "a note"), cpu=90.0)
    text = "\n".join(table([line], 3))
    assert "R1   points                    2        1      3      1.5  kill -9" in text
    assert text.endswith("[a note]")
