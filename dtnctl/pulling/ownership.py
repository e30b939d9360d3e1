"""Whether the commits since the last good one were made by the owners of what they change, as `dtnctl check --owners` finds it."""

from __future__ import annotations

from pathlib import Path

from dtnctl.errors import DtnctlError
from dtnctl.model.owners import OwnersReport
from dtnctl.repository.git_objects import run_git
from dtnctl.repository.owners import check_owners

MOST = 3  # trespasses that are named


def owners_problem(root: Path, good: str, commit: str) -> str:
    """Who changed what without owning it, or why that cannot be found out; empty if all is owned. The rules are those of `good`.

    A commit that does not continue `good` is a problem by itself: what differs would be in none of the commits that are looked at.
    """
    try:
        if run_git(root, "merge-base", good, commit, codes=(0, 1, 128)) != good:
            return f"it does not continue {good[:12]}, the last good commit, as far as the history is here"
        return _text(check_owners(root, "state", f"{good}..{commit}"))
    except DtnctlError as error:
        return str(error)


def _text(report: OwnersReport) -> str:
    found = report.trespasses
    texts = [f"{item.path} by {item.who} in {item.commit[:12]}, whose owners are {', '.join(item.rule.people)}" for item in found]
    more = f"; and {len(texts) - MOST} more" if len(texts) > MOST else ""
    return "; ".join(texts[:MOST]) + more
