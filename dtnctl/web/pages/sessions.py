"""Sessions: the list, what is wrong first, and one of them with its services, transfers and runs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from dtnctl.model.report import SessionRow
from dtnctl.model.runs import RunRecord
from dtnctl.render.html import Child, Html, address, element, joined
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.lists import Asked, Listing
from dtnctl.web.pages.runs import RUNS, run_row
from dtnctl.web.pages.services import service_headings, service_row, worst_first
from dtnctl.web.pages.tables import Heading, Row, facts, link, section, table
from dtnctl.web.pages.transfers import TRANSFERS, transfer_row
from dtnctl.web.pages.words import rank, state
from dtnctl.web.view import View

SESSIONS = (
    Heading("Session"),
    Heading("State"),
    Heading("Endpoints"),
    Heading("Image", more=True, code=True),
    Heading("Profile", more=True),
    Heading("User", more=True),
)
NAMED = 4  # endpoints in one cell; of more the number is shown


def session_link(name: str) -> Html:
    """The session's name, which leads to its page."""
    return link(name, address("sessions", name))


def sessions(view: View, asked: Asked, now: datetime) -> Page:
    """The list, a page of it."""
    del now
    ordered = sorted(view.sessions, key=lambda row: (not row.errors, rank(row.state), row.name))
    listing = Listing("sessions", "Sessions, what is wrong first", SESSIONS, _texts, _row)
    return Page("sessions", "Sessions", listing.sheet(ordered, asked))


def _texts(row: SessionRow) -> tuple[str, ...]:
    return (row.name, *row.endpoints, row.image, row.profile, row.user, *row.errors)


def _row(row: SessionRow) -> Row:
    cells: Sequence[Child] = (
        session_link(row.name),
        state(row.state),
        _endpoints(row.endpoints),
        row.image,
        row.profile,
        row.user,
    )
    return Row(row.name, cells, "; ".join(row.errors))


def _endpoints(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED:,} more" if len(names) > NAMED else "")


def session(view: View, name: str, runs: Mapping[str, RunRecord], now: datetime) -> Page:
    """The page of one session. `runs`: those that did something about it, the newest first."""
    del now
    row = next(item for item in view.sessions if item.name == name)
    own = sorted((item for item in view.services if item.session == name), key=worst_first)
    carried = [transfer_row(item) for item in view.transfers if item.session == name]
    body = joined(
        element("div", _facts(view, row), data_part="facts"),
        section(
            "Services",
            table(
                f"Services of {name}",
                service_headings("Endpoint"),
                [service_row(item, by="endpoint") for item in own],
                empty="It has no service.",
                hides_caption=True,
            ),
            part="services",
            count=len(own),
        ),
        section(
            "Transfers",
            table(f"Transfers of {name}", TRANSFERS, carried, empty="It carries no transfer.", hides_caption=True),
            part="transfers",
            count=len(carried),
        ),
        section(
            "Runs",
            table(
                f"Runs about {name}",
                RUNS,
                [run_row(key, item, name) for key, item in runs.items()],
                empty="No recorded run did something about it.",
                hides_caption=True,
            ),
            part="runs",
        ),
    )
    return Page("sessions", name, body)


def _facts(view: View, row: SessionRow) -> Html:
    document = view.site.sessions.get(row.name)
    return facts(
        [
            ("State", state(row.state)),
            ("Wrong", element("ul", [element("li", error) for error in row.errors]) if row.errors else None),
            ("Endpoints", ", ".join(row.endpoints)),
            ("Image", element("code", row.image) if row.image else None),
            ("Profile", row.profile),
            ("User", row.user),
            ("Declared", element("code", document.where()) if document is not None else "no longer: apply removes it"),
        ]
    )
