"""The first page: what is wrong, then how much there is of everything, then what runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from dtnctl.render.html import Child, Html, address, element, joined
from dtnctl.render.summary import verdict
from dtnctl.web.pages.endpoints import doctor_words, endpoint_link
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.sessions import session_link
from dtnctl.web.pages.tables import Heading, Row, facts, link, section, table
from dtnctl.web.pages.transfers import TRANSFERS, is_under_way, transfer_link, transfer_row
from dtnctl.web.pages.words import counted, since, state
from dtnctl.web.view import View

WRONG = (Heading("What"), Heading("State"), Heading("Why"))
MOST_WRONG = 50
TRANSFERS_GONE_WRONG = ("failed", "partial", "unknown")


def overview(view: View, now: datetime) -> Page:
    """The page."""
    wrong = tuple(_wrong(view, now))
    shown, left = wrong[:MOST_WRONG], len(wrong) - MOST_WRONG
    more = element("p", f"and {left:,} more: the lists have them first", class_="dim") if left > 0 else None
    running = [row for row in view.transfers if is_under_way(row.state)]
    body = joined(
        section(
            "Needs a look",
            table("What needs a look", WRONG, shown, empty="Nothing is wrong on what answered.", hides_caption=True),
            more,
            part="wrong",
            count=len(wrong),
        ),
        section("What there is", _counts(view), part="counts"),
        section(
            "Transfers under way",
            table("Transfers under way", TRANSFERS, [transfer_row(row) for row in running], empty="No transfer runs.", hides_caption=True),
            part="running",
            count=len(running),
        ),
    )
    return Page("overview", "Overview", body)


def _wrong(view: View, now: datetime) -> Iterator[Row]:
    """A row for each thing that a person should look at, the worst kinds first."""
    silent = {row.reason for row in view.endpoints if row.reason}
    for endpoint in view.endpoints:
        if endpoint.state == "silent" and (began := view.answer(endpoint.name).silent_since):
            yield _row("endpoint", endpoint_link(endpoint.name), joined(state("silent"), " ", since(began, now)), endpoint.reason)
        elif endpoint.agent_reason:
            yield _row("agent of", endpoint_link(endpoint.name), state("silent"), endpoint.agent_reason)
    for transfer in view.transfers:
        if transfer.state in TRANSFERS_GONE_WRONG and transfer.cause not in silent:
            yield _row("transfer", transfer_link(transfer.name), state(transfer.state), transfer.cause)
    for session in view.sessions:
        own = [error for error in session.errors if error.partition(": ")[2] not in silent]
        if own:
            yield _row("session", session_link(session.name), state(session.state), "; ".join(own))
    for name, examination in view.examinations.items():
        if examination.counts["error"]:
            first = next(item for item in examination.findings if item.severity == "error")
            why = " ".join(word for word in (first.subject, first.check, "is", first.actual or "not set") if word)
            yield _row("host of", endpoint_link(name), state("error"), f"{doctor_words(examination)}; first: {why}")


def _row(kind: str, subject: Html, word: Html, why: str) -> Row:
    return Row(f"{kind} {subject}", (joined(element("span", kind, class_="dim"), " ", subject), word, why))


def _counts(view: View) -> Html:
    """How many there are of each kind, by state, and what apply would do now."""
    pairs: list[tuple[str, Child]] = [
        ("Endpoints", link(counted((row.state for row in view.endpoints), "endpoint"), address("endpoints"))),
        ("Sessions", link(counted((row.state for row in view.sessions), "session"), address("sessions"))),
        ("Transfers", link(counted((row.state for row in view.transfers), "transfer"), address("transfers"))),
        ("Plan", link(" · ".join(verdict(view.plan, "plan")), address("plan"))),
        ("Repository", element("code", str(view.root))),
    ]
    return facts(pairs)
