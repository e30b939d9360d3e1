"""Paths between sites, and the bandwidth that they are promised: tables, and one path in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dtnctl.model.fields import show_rate
from dtnctl.model.path_rows import PathRow, PromisedBandwidth
from dtnctl.model.plan import Plan
from dtnctl.render.columns import Column, table_lines
from dtnctl.render.context import RenderContext
from dtnctl.render.tables import fields_text, listing_text
from dtnctl.render.text import Role, Style, flow, look_of, plural, printable

if TYPE_CHECKING:
    from dtnctl.model.path_checks import PathFinding

COLUMNS = (
    Column("PATH", least=12),
    Column("PROVIDER", drop=2),
    Column("STATE"),
    Column("VLAN", right=True),
    Column("BANDWIDTH", right=True, drop=1),
    Column("ENDS", least=16),
    Column("NETWORK", drop=3),
    Column("WORDS", least=16, drop=4),
)
FINDINGS = (Column("CHECK"), Column("WHERE"), Column("RESULT"), Column("FOUND", least=40))
PROMISED = (Column("INTERFACE", least=16), Column("PROMISED", right=True))
ROLES: dict[str, Role] = {
    "active": "create",
    "failed": "destroy",
    "expired": "destroy",
    "unknown": "destroy",
    "ok": "create",
    "wrong": "destroy",
}


def render_paths(rows: Sequence[PathRow], promised: Sequence[PromisedBandwidth], context: RenderContext) -> str:
    """A line for each path; below it what its interfaces are promised, where any is."""
    look, rows = look_of(context), printable(tuple(rows), ascii_only=context.ascii)
    text = listing_text(COLUMNS, [_cells(row) for row in rows], "paths", context)
    return text + ("\n" + "\n".join(_promised(promised, look)) + "\n" if promised else "")


def below_status(rows: Sequence[PathRow], promised: Sequence[PromisedBandwidth], context: RenderContext) -> str:
    """The same below other lists; nothing where there is no path."""
    return "\n" + render_paths(rows, promised, context) if rows else ""


def path_lines(plan: Plan, look: Style) -> list[str]:
    """The tables of a plan that changes paths; nothing of any other."""
    if not any(change.kind == "path" for change in plan.changes):
        return []
    lines = table_lines(COLUMNS, [_cells(row) for row in plan.paths], look, indent=2, roles=ROLES)
    return [*lines, *([""] if plan.promised else []), *_promised(plan.promised, look, indent=2)]


def _cells(row: PathRow) -> list[str]:
    rate = show_rate(row.bandwidth) if row.bandwidth else ""
    return [row.name, row.provider, row.state, str(row.vlan or ""), rate, ", ".join(row.ends), row.network, row.words]


def _promised(promised: Sequence[PromisedBandwidth], look: Style, indent: int = 0) -> list[str]:
    cells = [[f"{row.interface} of {row.endpoint}", promised_text(row, look.arrow)] for row in promised]
    return table_lines(PROMISED, cells, look, indent=indent) if cells else []


def promised_text(row: PromisedBandwidth, arrow: str) -> str:
    """`10000mbit → 20000mbit/100000mbit`: before and after, of how much; without a total where no agent reports the interface's speed."""
    usage = row.usage
    after = show_rate(usage.after) if usage.after == usage.before else f"{show_rate(usage.before)} {arrow} {show_rate(usage.after)}"
    return f"{after}/{show_rate(usage.total)}" if usage.total else after


def render_check(name: str, findings: Sequence[PathFinding], context: RenderContext) -> str:
    """A line for each finding; below it what to do about those that are not right, each thing once."""
    look, findings = look_of(context), printable(tuple(findings), ascii_only=context.ascii)
    cells = [[item.aspect, item.where, item.verdict, item.text] for item in findings]
    open_ones = [item for item in findings if item.verdict != "ok"]
    verdict = (
        f"{len(open_ones)} of {plural(len(findings), 'check')} not right" if open_ones else f"all {plural(len(findings), 'check')} right"
    )
    lines = [look.paint("bold", f"path {name}: {verdict}"), "", *table_lines(FINDINGS, cells, look, roles=ROLES, fits=not context.show_all)]
    fixes = list(dict.fromkeys(item.fix for item in open_ones if item.fix))
    return (
        "\n".join([*lines, *([""] if fixes else []), *(line for fix in fixes for line in flow(["next:", *fix.split(" ")], look.width))])
        + "\n"
    )


def render_path(row: PathRow, context: RenderContext) -> str:
    """One in full, as `field: value`."""
    row = printable(row, ascii_only=context.ascii)
    fields = [("path", row.name), ("provider", row.provider), ("state", row.state), ("words", row.words)]
    fields += [("end", end) for end in row.ends]
    fields += [("network", row.network), ("vlan", str(row.vlan or "")), ("mtu", str(row.mtu or ""))]
    return fields_text([*fields, ("bandwidth", show_rate(row.bandwidth) if row.bandwidth else "")], context)
