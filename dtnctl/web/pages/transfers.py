"""Transfers: the list, what went wrong first, and one of them with its rate over time, its limit and its receipt. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dtnctl.model.report import TransferRow
from dtnctl.render.html import Child, Html, address, element, joined
from dtnctl.render.quantities import bytes_text, duration_text, share_text
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.lists import Asked, Listing
from dtnctl.web.pages.tables import Heading, Row, facts, link, section, table
from dtnctl.web.pages.words import moment, prose, rank, rate, size, state
from dtnctl.web.view import View

TRANSFERS = (
    Heading("Transfer"),
    Heading("State"),
    Heading("From", more=True, code=True),
    Heading("To", more=True, code=True),
    Heading("Tool", more=True),
    Heading("Size", number=True),
    Heading("Took", number=True, more=True),
    Heading("Rate", number=True),
    Heading("Started (UTC)", more=True),
    Heading("Verified", more=True),
)
UNDER_WAY = ("claimed", "starting", "running", "verifying")


def is_under_way(state_: str) -> bool:
    """Whether its data moves, or is about to."""
    return state_ in UNDER_WAY


def transfer_link(name: str) -> Html:
    """The transfer's name, which leads to its page."""
    return link(name, address("transfers", name))


def transfer_row(row: TransferRow) -> Row:
    """One transfer of a list; why it did not succeed stands below it."""
    cells: Sequence[Child] = (
        transfer_link(row.name),
        state(row.state),
        row.source,
        row.destination,
        row.tool,
        size(row.bytes),
        "–" if row.seconds is None else duration_text(row.seconds),
        rate(row.bytes_per_second),
        moment(row.started_at),
        row.compared,
    )
    return Row(row.name, cells, _cause(row))


def _cause(row: TransferRow) -> str:
    """Why it is as it is; of one that runs the report says how to follow it, which is what a page of it does."""
    return "" if is_under_way(row.state) else row.cause


def transfers(view: View, asked: Asked, now: datetime) -> Page:
    """The list, a page of it."""
    del now
    ordered = sorted(view.transfers, key=lambda row: (rank(row.state), row.name))
    listing = Listing("transfers", "Transfers, what went wrong first", TRANSFERS, _texts, transfer_row)
    return Page("transfers", "Transfers", listing.sheet(ordered, asked))


def _texts(row: TransferRow) -> tuple[str, ...]:
    labels = (f"{name}={value}" for name, value in row.labels)
    return (row.name, row.source, row.destination, row.tool, row.session, row.cause, *labels)


# --- one of them ---------------------------------------------------------------------------------------------


def transfer(view: View, name: str, now: datetime) -> Page:
    """The page of one transfer. The curve is drawn by the page's script from what it is sent; its last points are a table too."""
    del now
    row = next(item for item in view.transfers if item.name == name)
    body = joined(
        element("div", _facts(row), data_part="facts"),
        section("Rate over time", _curve(row)),
        section("Receipt", facts(_receipt(row)), part="receipt") if row.attempt else None,
    )
    return Page("transfers", name, body, curve=True)


def _curve(row: TransferRow) -> Html:
    headings = (Heading("Seconds", number=True), Heading("Moved", number=True), Heading("Rate", number=True))
    points = table(f"Rate of {row.name} over time, newest first", headings, [], empty="There are no samples yet.", hides_caption=True)
    return element(
        "figure",
        element(
            "div", id="curve", data_source=address("transfers", row.name, "events"), role="img", aria_label=f"Rate of {row.name} over time"
        ),
        element("figcaption", "Waiting for the first samples.", id="curve-words"),
        element("details", element("summary", "As numbers"), element("div", points, id="curve-rows")),
        class_="curve",
    )


def _facts(row: TransferRow) -> Html:
    return facts(
        [
            ("State", joined(state(row.state), f" since {moment(row.since)} UTC" if row.since else "")),
            ("Cause", prose(_cause(row))),
            ("From", element("code", row.source)),
            ("To", element("code", row.destination)),
            ("Tool", row.tool),
            ("Session", link(row.session, address("sessions", row.session)) if row.session else None),
            ("Moved", bytes_text(row.bytes) if row.bytes else "nothing" if row.bytes == 0 else None),
            ("Took", duration_text(row.seconds) if row.seconds is not None else None),
            ("Rate", rate(row.bytes_per_second) if row.bytes_per_second else None),
            ("Limit", limit_words(row.bytes_per_second, row.limit, row.limit_bytes_per_second)),
        ]
    )


def limit_words(measured: float | None, limit: str, limit_rate: float | None) -> str:
    """`94 % of link ens1f0 of dtn1 (10.00 Gb/s)`; of what has no rate yet the limit alone; empty where none is known."""
    if not limit or limit_rate is None:
        return ""
    return share_text(measured, limit, limit_rate) if measured else f"{limit}, {rate(limit_rate)}"


def _receipt(row: TransferRow) -> list[tuple[str, Child]]:
    """What is recorded of the newest attempt."""
    texts: list[tuple[str, Child]] = [
        ("Generation", str(row.generation)),
        ("Attempt", str(row.attempt)),
        ("Claimed (UTC)", moment(row.claimed_at)),
        ("Started (UTC)", moment(row.started_at)),
        ("Finished (UTC)", moment(row.finished_at)),
        ("Verified", row.verified),
        ("Checksum", element("code", row.checksum) if row.checksum else None),
        ("Path", f"{row.path_verdict}, {row.network_path}: {row.path_evidence}" if row.path_verdict else None),
        ("Servers", row.served),
        ("Files", _number(row.files)),
        ("Streams", _number(row.streams)),
        ("Retransmits", _number(row.retransmits)),
        ("Exit code", _number(row.exit_code)),
        ("Asked for by", row.who),
        (
            "Commit",
            joined(element("code", row.commit), ", with changes that are not in it" if row.uncommitted else "") if row.commit else None,
        ),
        ("Engine", row.engine),
        ("Image", element("code", row.image) if row.image else None),
        ("Destination image", element("code", row.destination_image) if row.destination_image else None),
        ("Notified", row.notified),
    ]
    texts += [(f"Label {name}", value) for name, value in row.labels]
    return [*texts, *((f"Metadata {name}", value) for name, value in row.metadata)]


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
