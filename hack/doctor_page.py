"""Writes the table of docs/doctor.md from the catalogue: `python -m hack.doctor_page`. With `--check` it only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from dtnctl.model.checks import CATALOGUE, Check
from hack.page_tables import TablesOf

PAGE = Path(__file__).parents[1] / "docs" / "doctor.md"
TABLES = TablesOf("checks", "doctor_page")


def render_table() -> str:
    """One row for each check, in the order of reports."""
    rows = "".join(_row(check) for check in CATALOGUE)
    return f"| Check | Of | Severity | Expected | Why |\n|---|---|---|---|---|\n{rows}"


def _row(check: Check) -> str:
    return f"| `{check.id}` | {check.about} | {check.severity} | {check.expects} | {check.why} [Source]({check.source}) |\n"


def render_page(page: str) -> str:
    """The page with its table as it should be."""
    return TABLES.placed(page, render_table())


def main(arguments: list[str]) -> int:
    """Write the table into the page, or with `--check` report whether it is up to date."""
    return TABLES.write(PAGE, render_table(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
