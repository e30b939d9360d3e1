"""Writes the table of docs/doctor.md from the catalogue: `python hack/doctor_page.py`. With `--check` it only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from dtnctl.model.checks import CATALOGUE, Check

PAGE = Path(__file__).parents[1] / "docs" / "doctor.md"
START, END = "<!-- checks: made by hack/doctor_page.py -->\n", "<!-- end of checks -->\n"


def render_table() -> str:
    """One row for each check, in the order of reports."""
    rows = "".join(_row(check) for check in CATALOGUE)
    return f"| Check | Of | Severity | Expected | Why |\n|---|---|---|---|---|\n{rows}"


def _row(check: Check) -> str:
    return f"| `{check.id}` | {check.about} | {check.severity} | {check.expects} | {check.why} [Source]({check.source}) |\n"


def render_page(page: str) -> str:
    """The page with its table as it should be."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{render_table()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    """Write the table into the page, or with `--check` tell whether it is up to date."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = render_page(page)
    if "--check" in arguments:
        if page == wanted:
            return 0
        sys.stderr.write(f"{PAGE} is stale; run: python hack/doctor_page.py\n")
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
