"""Writes the tables of docs/backends.md from the rows of backends: `python hack/backends_page.py`. With `--check` it only compares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dtnctl.model.backends import BACKENDS, Backend
from dtnctl.model.lacks import Lack

PAGE = Path(__file__).parents[1] / "docs" / "backends.md"
START, END = "<!-- rows: made by hack/backends_page.py -->\n", "<!-- end of rows -->\n"

CAPABILITIES: tuple[tuple[str, Callable[[Backend], str]], ...] = (
    ("Oldest version", lambda row: ".".join(map(str, row.oldest))),
    ("Changed while a service runs", lambda row: _fields(row.updates)),
    ("Of these, lifted only by a replacement", lambda row: _fields(row.never_lifts)),
    ("A replacement", lambda row: "created beside the old one, which is kept until the new one works" if row.renames else ONE_STEP),
    ("A further network", lambda row: "connected to the live container" if row.connects else "a replacement: it is part of the spec"),
    ("Images", lambda row: "pulled by a step of the plan, and compared by what is in them" if row.pulls else BY_ITSELF),
    ("Several networks with a default route", lambda row: row.routed_rule),
    ("A volume is removed by", lambda row: f"`{row.remove_volume}`"),
)
ONE_STEP = "one step: the old one stops, then the new one starts; undone by writing the old spec again"
BY_ITSELF = "pulled when a container starts, by the backend itself, and compared by their names"


def _fields(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"


def render_tables() -> str:
    """What each backend does, and then what one of them lacks, a field a row."""
    rows = tuple(BACKENDS.values())
    head = f"| | {' | '.join(row.name for row in rows)} |\n|---|{'---|' * len(rows)}\n"
    does = "".join(f"| {label} | {' | '.join(text(row) for row in rows)} |\n" for label, text in CAPABILITIES)
    lacks = "".join(_lacking(field, rows) for field in sorted({name for row in rows for name in row.lacks}))
    lacks += "".join(_lacking(field, rows, of_network=True) for field in sorted({name for row in rows for name in row.network_lacks}))
    return f"{head}{does}\n{head}{lacks}"


def _lacking(field: str, rows: tuple[Backend, ...], *, of_network: bool = False) -> str:
    cells = (_cell((row.network_lacks if of_network else row.lacks).get(field)) for row in rows)
    return f"| `{field}`{' of a network' if of_network else ''} | {' | '.join(cells)} |\n"


def _cell(lack: Lack | None) -> str:
    return "yes" if lack is None else " ".join(_sentences(lack))


def _sentences(lack: Lack) -> Iterator[str]:
    some = "**with a resource**:" if lack.by_resource else "**in part**:" if lack.asks is not bool else "**no**:"
    yield "**with an agent**:" if lack.by_agent else some
    yield f"{lack.words}. Instead: {lack.fix}"


def render_page(page: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{render_tables()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the tables into the page, or with `--check` report whether it is up to date."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = render_page(page)
    if "--check" in arguments:
        if page == wanted:
            return 0
        sys.stderr.write(f"{PAGE} is stale; run: python hack/backends_page.py\n")
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
