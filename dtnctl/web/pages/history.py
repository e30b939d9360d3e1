"""History: runs and what stands; and what one commit changed in the state. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dtnctl.model.commit_changes import DeclaredChange
from dtnctl.model.history import History, Standing
from dtnctl.printable import plural
from dtnctl.render.commit import CommitView
from dtnctl.render.html import Child, Html, address, element, joined
from dtnctl.web.pages.endpoints import endpoint_link
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.runs import RUNS, commit_link, run_row
from dtnctl.web.pages.services import service_state
from dtnctl.web.pages.sessions import session_link
from dtnctl.web.pages.tables import Heading, Row, facts, link, section, table
from dtnctl.web.pages.words import moment

STANDING = (Heading("Session"), Heading("Endpoint"), Heading("Made by", code=True), Heading("State"))
CHANGED = (Heading("Object"), Heading("Change"), Heading("Where", more=True, code=True))
MOST_STANDING = 200
NOTHING = "–"


def history(found: History, trouble: str, now: datetime) -> Page:
    """The page. `trouble`: why the record cannot be read."""
    del now
    runs = [run_row(name, record) for name, record in found.runs.items()]
    standing = [_standing(item) for item in found.standing[:MOST_STANDING]]
    left = len(found.standing) - len(standing)
    body = joined(
        element("p", f"The record of runs cannot be read: {trouble}", class_="trouble", role="alert") if trouble else None,
        section(
            "Runs",
            table("Runs, the newest first", RUNS, runs, empty="No run is recorded in this repository.", hides_caption=True),
            element("p", f"{plural(found.more, 'older run')} left out", class_="dim") if found.more else None,
            part="runs",
            count=len(runs),
        ),
        section(
            "What stands now",
            table("What stands now", STANDING, standing, empty="No service stands on what answered.", hides_caption=True),
            element("p", f"{left:,} more left out", class_="dim") if left > 0 else None,
            element("ul", [element("li", f"{name} does not answer: what stands there is unknown") for name, _ in found.silent]),
            part="standing",
            count=len(found.standing),
        ),
    )
    return Page("history", "History", body)


def _standing(item: Standing) -> Row:
    cells: Sequence[Child] = (
        session_link(item.session),
        endpoint_link(item.endpoint),
        commit_link(item.commit, uncommitted=item.uncommitted),
        service_state(item.state),
    )
    return Row(f"{item.session} {item.endpoint}", cells)


def commit(view: CommitView, now: datetime) -> Page:
    """What one commit changed, field by field, and the runs that applied it."""
    del now
    pairs: list[tuple[str, Child]] = [
        ("Commit", element("code", view.commit)),
        ("Author", view.author),
        ("When", moment(view.when)),
        ("Plan", link("what apply would do with its files", address("plan", commit=view.commit))),
    ]
    title = "Runs of a later commit that contains it" if view.later else "Runs"
    body = joined(
        element("p", view.subject),
        facts(pairs),
        section(
            "Changes",
            table(
                "What it declares otherwise than its parent",
                CHANGED,
                [_changed(change) for change in view.changes],
                empty="It changes nothing that the state declares.",
                hides_caption=True,
            ),
            count=len(view.changes),
        ),
        section(
            title,
            table(
                title,
                RUNS,
                [run_row(name, record) for name, record in view.runs.items()],
                empty="No recorded run applied it.",
                hides_caption=True,
            ),
        ),
    )
    return Page("history", f"Commit {view.commit[:7]}", body)


def _changed(change: DeclaredChange) -> Row:
    where = f" @ {change.endpoint}" if change.endpoint else ""
    fields = [
        element("li", element("code", field.field), ": ", _value(field.before), " → ", _value(field.after)) for field in change.fields
    ]
    cells: Sequence[Child] = (
        f"{change.kind}/{change.name}{where}",
        joined(change.mark, element("ul", fields) if fields else None),
        change.place,
    )
    return Row(f"{change.kind} {change.name} {change.endpoint}", cells)


def _value(text: str) -> Html:
    return element("code", text) if text else joined(NOTHING)
