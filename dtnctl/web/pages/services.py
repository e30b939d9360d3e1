"""Services as rows: of a session by endpoint, of an endpoint by session. Pure."""

from __future__ import annotations

from typing import Literal

from dtnctl.model.report import ServiceRow
from dtnctl.render.html import Child, Html, address, joined
from dtnctl.web.pages.tables import Heading, Row, link
from dtnctl.web.pages.words import number, rank, state

Named = Literal["session", "endpoint"]


def service_headings(first: str) -> tuple[Heading, ...]:
    """The columns, the first one with this title."""
    return (
        Heading(first),
        Heading("State"),
        Heading("Control port", number=True, code=True),
        Heading("Data ports", more=True, code=True),
        Heading("Network"),
        Heading("Address", code=True),
        Heading("User", more=True),
        Heading("Image", more=True, code=True),
        Heading("Container", more=True, code=True),
    )


def service_row(row: ServiceRow, *, by: Named) -> Row:
    """The row; its first cell leads to the service's session, or to its endpoint."""
    name, folder = (row.session, "sessions") if by == "session" else (row.endpoint, "endpoints")
    cells: tuple[Child, ...] = (
        link(name, address(folder, name)),
        joined(service_state(row.state), " ", state(row.health)) if row.health else service_state(row.state),
        str(row.ctrl_port) if row.ctrl_port is not None else number(None),
        row.data_ports,
        row.data_net_name,
        joined(row.data_ipv4, " " if row.data_ipv4 and row.data_ipv6 else "", row.data_ipv6),
        row.container_user,
        row.image,
        row.container_id[:12],
    )
    return Row(f"{row.session} {row.endpoint} {row.container_name}", cells, "; ".join(row.errors))


def service_state(word: str) -> Html:
    """The state of a service that runs is as it should be; a transfer that runs is under way."""
    return state(word, "good" if word == "running" else None)


def worst_first(row: ServiceRow) -> tuple[int, str, str]:
    """How services are sorted."""
    return rank(row.state), row.session, row.endpoint
