"""Endpoints: the list, what is silent first, and one of them with its host, its services and what doctor finds. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dtnctl.model.findings import Examination, Finding
from dtnctl.model.report import EndpointRow
from dtnctl.planning.maps.host import host_map
from dtnctl.printable import plural
from dtnctl.render.context import RenderContext
from dtnctl.render.host import render_host
from dtnctl.render.html import Child, Html, address, element, joined, on_lines, trusted
from dtnctl.render.pictures.host import host_picture
from dtnctl.render.pictures.svg import inline
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.services import service_headings, service_row
from dtnctl.web.pages.tables import Heading, Row, facts, link, section, table
from dtnctl.web.pages.words import age, ago, number, prose, rank, since, state
from dtnctl.web.view import Answer, View

ENDPOINTS = (
    Heading("Endpoint"),
    Heading("State"),
    Heading("Sessions", number=True, more=True),
    Heading("Containers", number=True, more=True),
    Heading("Doctor"),
    Heading("Lock", more=True),
    Heading("Engine", more=True, code=True),
    Heading("Agent", more=True, code=True),
    Heading("Asked", number=True),
    Heading("Address", more=True, code=True),
)
FINDINGS = (Heading("Finding"), Heading("Verdict"), Heading("Is"), Heading("Wanted"), Heading("What to do", more=True))
SHOWN = ("error", "warning", "info")  # of the findings; of those that are right or not known the number is shown
HOST_WIDTH = 150


def endpoint_link(name: str) -> Html:
    """The endpoint's name, which leads to its page."""
    return link(name, address("endpoints", name))


def endpoints(view: View, now: datetime) -> Page:
    """The list."""
    ordered = sorted(view.endpoints, key=lambda row: (rank(row.state), _doctor_rank(view, row.name), row.name))
    rows = [_row(row, view, now) for row in ordered]
    listing = table("Endpoints, what is silent first", ENDPOINTS, rows, empty="The site declares no endpoint.")
    return Page("endpoints", "Endpoints", element("div", listing, data_part="endpoints"))


def _doctor_rank(view: View, name: str) -> int:
    found = view.examinations.get(name)
    return 1 if found is None or not found.counts["error"] else 0


def _row(row: EndpointRow, view: View, now: datetime) -> Row:
    answer = view.answer(row.name)
    cells: Sequence[Child] = (
        endpoint_link(row.name),
        _state(row, answer, now),
        number(row.sessions),
        number(row.containers),
        doctor_words(view.examinations.get(row.name)),
        row.lock or ("free" if row.state == "answered" else ""),
        row.engine_version,
        row.agent or ("silent" if row.agent_reason else "none"),
        ago(answer.at, now),
        row.url,
    )
    return Row(row.name, cells, row.reason or row.agent_reason)


def _state(row: EndpointRow, answer: Answer, now: datetime) -> Html:
    if answer.at is None:
        return state("asked", "unknown")
    if answer.silent_since is None:
        return state(row.state)
    return joined(state("silent"), " ", element("span", age((now - answer.silent_since).total_seconds()), class_="dim"))


def doctor_words(found: Examination | None) -> str:
    """`2 errors, 1 warning`; how much is right where nothing is wrong; empty where there is no agent to ask."""
    if found is None:
        return ""
    if found.silence:
        return "not known"
    wrong = [plural(found.counts[word], word) for word in ("error", "warning") if found.counts[word]]
    return ", ".join(wrong) or f"{found.counts['ok']:,} of {found.checked:,} right"


# --- one of them ---------------------------------------------------------------------------------------------


def endpoint(view: View, name: str, now: datetime) -> Page:
    """The page of one endpoint, with a map of its host where an agent reports it."""
    row = next(item for item in view.endpoints if item.name == name)
    services = [service_row(item, by="session") for item in view.services if item.endpoint == name]
    body = joined(
        element("div", _facts(row, view.answer(name), now), data_part="facts"),
        _doctor(view, name, now),
        section(
            "Services",
            table(f"Services on {name}", service_headings("Session"), services, empty="No session has a service here.", hides_caption=True),
            part="services",
            count=len(services),
        ),
        _map(view, name),
        _host(view, name),
    )
    return Page("endpoints", name, body)


def _map(view: View, name: str) -> Html | None:
    """The host as a picture: what is where, and which session has it."""
    if view.snapshot.endpoints[name].host is None:
        return None
    drawn = trusted(inline(host_picture(host_map(view.site, view.snapshot, name, view.now)), "host"))
    return section("Host", element("figure", drawn, class_="picture", tabindex=0, aria_label=f"The host of {name}"), part="map")


def _facts(row: EndpointRow, answer: Answer, now: datetime) -> Html:
    silence = since(answer.silent_since, now) if answer.silent_since is not None else None
    last = ago(answer.answered_at, now) if answer.silent_since is not None else None
    return facts(
        [
            ("State", joined(state(row.state), " ", silence) if answer.at is not None else state("asked", "unknown")),
            ("Why", row.reason),
            ("Answered last", last),
            ("Asked", ago(answer.at, now)),
            ("Engine", row.engine_version),
            ("Sessions", number(row.sessions)),
            ("Containers", number(row.containers)),
            ("Lock", row.lock or ("free" if row.state == "answered" else "not known")),
            ("Agent", row.agent or row.agent_reason or "none"),
            ("Host", row.host),
            ("Address", element("code", row.url)),
        ]
    )


def _doctor(view: View, name: str, now: datetime) -> Html | None:
    found = view.examinations.get(name)
    if found is None:
        return None
    if found.silence:
        return section("Doctor", element("p", f"Not known: {found.silence}"), part="doctor")
    rows = [_finding(number_, item) for number_, item in enumerate(found.findings) if item.severity in SHOWN]
    rest = f"{found.counts['ok']:,} right, {found.counts['unknown']:,} not known, {found.ignored:,} ignored by the site; examined "
    nic = f"; data interface {found.nic}" if found.nic else ""
    return section(
        "Doctor",
        table(f"What doctor finds on {name}, worst first", FINDINGS, rows, empty="Nothing to correct.", hides_caption=True),
        element("p", rest, ago(view.examined_at, now), nic, class_="dim"),
        part="doctor",
        count=len(rows),
    )


def _finding(place: int, item: Finding) -> Row:
    cells: Sequence[Child] = (
        joined(item.check, f" · {item.subject}" if item.subject else ""),
        state(item.severity),
        element("code", item.actual) if item.actual else "",
        element("code", item.expected) if item.expected else "",
        prose(item.fix) if "`" in item.fix else element("code", item.fix) if item.fix else "",
    )
    return Row(f"{item.check} {item.subject} {place}", cells, joined(item.about.why, " ", element("span", item.place, class_="dim")))


def _host(view: View, name: str) -> Html | None:
    """The host as the command line shows it: a screen of numbers for whoever wants all of them."""
    host = view.snapshot.endpoints[name].host
    if host is None:
        return None
    lines = render_host(host, RenderContext(width=HOST_WIDTH, show_all=True)).rstrip("\n").split("\n")
    text = element("pre", on_lines(lines), tabindex=0, role="region", aria_label=f"Hardware of {name} in numbers")
    return element("details", element("summary", "Hardware in numbers"), text, data_part="host")
