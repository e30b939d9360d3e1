"""Writes the tables of docs/backends.md from the rows of backends: `python -m hack.backends_page`. With `--check` it only compares."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from dtnctl.model.backends import BACKENDS, Backend
from dtnctl.model.lacks import Lack, Lacks
from hack.page_tables import TablesOf

PAGE = Path(__file__).parents[1] / "docs" / "backends.md"
TABLES = TablesOf("rows", "backends_page")

CAPABILITIES: tuple[tuple[str, Callable[[Backend], str]], ...] = (
    ("Oldest version", lambda row: ".".join(map(str, row.oldest))),
    ("Changed while a service runs", lambda row: _fields(row.updates)),
    ("Of these, lifted only by a replacement", lambda row: _fields(row.never_lifts)),
    ("A replacement", lambda row: "created beside the old one, which is kept until the new one works" if row.renames else ONE_STEP),
    ("A further network", lambda row: "connected to the live container" if row.connects else "a replacement: it is part of the spec"),
    ("Images", lambda row: "pulled by a step of the plan, and compared by what is in them" if row.pulls else BY_ITSELF),
    ("Health checks", lambda row: "run by the backend" if row.checks_by_itself else BY_TIMERS),
    ("Several networks with a default route", lambda row: row.routed_rule),
    ("A volume is removed by", lambda row: f"`{row.remove_volume}`"),
)
LACKS: tuple[tuple[str, Callable[[Backend], Lacks]], ...] = (
    ("", lambda row: row.lacks),
    (" of a network", lambda row: row.network_lacks),
    (" of a network of virtual functions", lambda row: row.function_lacks),
)
ONE_STEP = "one step: the old one stops, then the new one starts; undone by writing the old spec again"
BY_TIMERS = "run by systemd's timers on the host; where there are none, by `apply` while it waits, and by nothing later"
BY_ITSELF = "pulled when a container starts, by the backend itself, and compared by their names"


def _fields(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"


def render_tables() -> str:
    """What each backend does, and then what one of them lacks, a field a row."""
    rows = tuple(BACKENDS.values())
    head = f"| | {' | '.join(row.name for row in rows)} |\n|---|{'---|' * len(rows)}\n"
    does = "".join(f"| {label} | {' | '.join(text(row) for row in rows)} |\n" for label, text in CAPABILITIES)
    lacks = "".join(_lacking(rows, kind, lacks_of) for kind, lacks_of in LACKS)
    return f"{head}{does}\n{head}{lacks}"


def _lacking(rows: tuple[Backend, ...], kind: str, lacks_of: Callable[[Backend], Lacks]) -> str:
    fields = sorted({name for row in rows for name in lacks_of(row)})
    return "".join(f"| `{name}`{kind} | {' | '.join(_cell(lacks_of(row).get(name)) for row in rows)} |\n" for name in fields)


def _cell(lack: Lack | None) -> str:
    return "yes" if lack is None else " ".join(_sentences(lack))


def _sentences(lack: Lack) -> Iterator[str]:
    some = "**with a resource**:" if lack.by_resource else "**in part**:" if lack.asks is not bool else "**no**:"
    yield "**with an agent**:" if lack.by_agent else some
    yield f"{lack.words}. Instead: {lack.fix}"


def render_page(page: str) -> str:
    """The page with its tables as they should be."""
    return TABLES.placed(page, render_tables())


def main(arguments: list[str]) -> int:
    """Write the tables into the page, or with `--check` report whether it is up to date."""
    return TABLES.write(PAGE, render_tables(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
