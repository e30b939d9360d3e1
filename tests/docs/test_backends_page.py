"""docs/backends.md shows what the rows of backends say."""

from __future__ import annotations

from dtnctl.model.backends import BACKENDS
from hack import backends_page


def test_page_is_up_to_date() -> None:
    page = backends_page.PAGE.read_text()
    assert page == backends_page.render_page(page), "run: python -m hack.backends_page"


def test_each_backend_has_a_column_and_what_it_lacks_a_row_with_the_reason() -> None:
    tables = backends_page.render_tables()
    assert tables.startswith(f"| | {' | '.join(BACKENDS)} |\n")
    for row in BACKENDS.values():
        for field, lack in (*row.lacks.items(), *row.network_lacks.items(), *row.function_lacks.items()):
            (line,) = [text for text in tables.splitlines() if text.startswith(f"| `{field}`") and lack.words in text]
            assert lack.fix in line
