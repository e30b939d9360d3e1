"""Whether the commits since the last good one were made by the owners of what they change, as `dtnctl check --owners` finds it."""

from __future__ import annotations

from pathlib import Path

from dtnctl.errors import DtnctlError
from dtnctl.repository.owners import check_owners

MOST = 3  # trespasses that are named


def owners_problem(root: Path, good: str, commit: str) -> str:
    """Who changed what without owning it, or why that cannot be found out; empty if all is owned. The rules are those of `good`."""
    try:
        found = check_owners(root, "state", f"{good}..{commit}").trespasses
    except DtnctlError as error:
        return str(error)
    texts = [f"{item.path} by {item.who} in {item.commit[:12]}, whose owners are {', '.join(item.rule.people)}" for item in found]
    more = f"; and {len(texts) - MOST} more" if len(texts) > MOST else ""
    return "; ".join(texts[:MOST]) + more
