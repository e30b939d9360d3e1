"""Recorded runs as rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dtnctl.model.history import marks_of
from dtnctl.model.runs import GOOD, RunRecord
from dtnctl.render.history import commit_text
from dtnctl.render.html import Child, Html, address, joined
from dtnctl.web.pages.tables import Heading, Row, link
from dtnctl.web.pages.words import moment, or_dash, state

RUNS = (
    Heading("When (UTC)"),
    Heading("Commit", code=True),
    Heading("By"),
    Heading("Command"),
    Heading("Result"),
    Heading("What"),
    Heading("Plan", more=True, code=True),
)


def run_row(name: str, record: RunRecord, session: str = "") -> Row:
    """One run; of a session, what was done about it alone."""
    what = ", ".join(f"{word} {count}" for word, count in marks_of(record, session)) or "nothing to do"
    what += f"; freeze overridden: {record.override_freeze}" if record.override_freeze else ""
    cells: Sequence[Child] = (
        moment(record.began),
        commit_link(record.commit, uncommitted=record.uncommitted),
        record.asked.text,
        record.command,
        state(record.result, "good" if record.result == GOOD else "bad"),
        what,
        record.plan,
    )
    return Row(name, cells)


def commit_link(commit: str, *, uncommitted: bool = False) -> Html:
    """The beginning of the commit's id, which leads to what it changed."""
    if not commit:
        return joined(or_dash(""))
    return link(commit_text(commit, uncommitted=uncommitted), address("history", commit))
