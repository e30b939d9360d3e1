"""Networks between endpoints: the picture, each network with who is on it, and the paths between sites. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dtnctl.model.path_rows import PathRow
from dtnctl.model.site import Document, Network
from dtnctl.planning.maps.networks import network_map
from dtnctl.render.html import Child, element, joined, trusted
from dtnctl.render.pictures.networks import networks_picture
from dtnctl.render.pictures.svg import inline
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.tables import Heading, Row, section, table
from dtnctl.web.pages.words import rank, state
from dtnctl.web.view import View

NETWORKS = (
    Heading("Network"),
    Heading("Driver"),
    Heading("VLAN", number=True),
    Heading("MTU", number=True),
    Heading("Subnet", code=True),
    Heading("Addresses", more=True, code=True),
    Heading("Interfaces", more=True),
    Heading("Services", number=True),
)
PATHS = (
    Heading("Path"),
    Heading("State"),
    Heading("Ends"),
    Heading("VLAN", number=True),
    Heading("Bandwidth", number=True),
    Heading("MTU", number=True, more=True),
    Heading("Network", more=True),
    Heading("Provider", more=True),
)


def networks(view: View, now: datetime) -> Page:
    """The page, with a picture of the endpoints and of what joins them."""
    del now
    drawn = trusted(inline(networks_picture(network_map(view.site, view.snapshot, view.now)), "networks"))
    rows = [_row(view, document) for _, document in sorted(view.site.networks.items())]
    paths = [_path(row) for row in sorted(view.path_rows, key=lambda row: (rank(row.state), row.name))]
    body = joined(
        element("figure", drawn, class_="picture", tabindex=0, aria_label="Networks between endpoints", data_part="picture"),
        section(
            "Networks",
            table("Networks as declared", NETWORKS, rows, empty="The site declares no network.", hides_caption=True),
            part="networks",
            count=len(rows),
        ),
        section("Paths between sites", table("Paths", PATHS, paths, empty="", hides_caption=True), part="paths", count=len(paths))
        if paths
        else None,
    )
    return Page("networks", "Networks", body)


def _row(view: View, document: Document[Network]) -> Row:
    value = document.value
    uses = (
        f"{name} {item.value.interfaces[document.name]}"
        for name, item in sorted(view.site.endpoints.items())
        if document.name in item.value.interfaces
    )
    cells: Sequence[Child] = (
        document.name,
        value.driver,
        str(value.vlan or "–"),
        str(value.mtu or "–"),
        joined(str(value.subnet or ""), " " if value.subnet and value.subnet6 else "", str(value.subnet6 or "")),
        ", ".join(f"{first}–{last}" if first != last else str(first) for first, last in value.addresses or ()),
        ", ".join(uses),
        str(sum(row.data_net_name == document.name for row in view.services)),
    )
    return Row(document.name, cells)


def _path(row: PathRow) -> Row:
    cells: Sequence[Child] = (
        row.name,
        state(row.state),
        " ↔ ".join(row.ends),
        str(row.vlan or "–"),
        f"{row.bandwidth / 1e6:g} Gb/s" if row.bandwidth else "–",
        str(row.mtu or "–"),
        row.network,
        row.provider,
    )
    return Row(f"{row.name} {row.provider}", cells, row.words)
