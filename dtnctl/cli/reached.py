"""Says after an apply how much of its limit each transfer reached that ended well in it, where agents report what bounds it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from dtnctl.model.actions import FinishTransfer
from dtnctl.model.outcome import Outcome
from dtnctl.model.plan import Plan
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site


def reached_lines(site: Site, plan: Plan, outcomes: Iterable[Outcome], seen: Snapshot | None, now: datetime) -> list[str]:
    """`run14: 9.40 Gb/s …, 94 % of link ens1f0 of dtn1 (10.00 Gb/s)`, a line each. `seen` is the last look, None if there was none."""
    done = {outcome.step for outcome in outcomes if outcome.result == "done"}
    names = {step.action.transfer for step in plan.steps if isinstance(step.action, FinishTransfer) and step.id in done}
    if seen is None or not names or all(endpoint.host is None for endpoint in seen.endpoints.values()):
        return []
    from dtnctl.planning.report import transfer_rows
    from dtnctl.render.quantities import rate_text, share_text

    rows = [row for row in transfer_rows(site, seen, now) if row.name in names and row.state == "succeeded"]
    return [
        f"{row.name}: {rate_text(row.bytes_per_second)}, {share_text(row.bytes_per_second, row.limit, row.limit_bytes_per_second)}"
        for row in rows
        if row.bytes_per_second and row.limit_bytes_per_second
    ]
