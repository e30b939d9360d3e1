"""A plan as the comment of a pull request has it: what is blocked, what needs care, the endpoints, each change with its facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dtnctl.model.plan import EndpointSummary, Mark, Plan
from dtnctl.printable import plural
from dtnctl.render.context import RenderContext
from dtnctl.render.facts import Fact, claim_pieces, facts_of
from dtnctl.render.html import Child, Html, address, element, joined
from dtnctl.render.summary import (
    Group,
    count_by_endpoint,
    group_changes,
    hardware_cells,
    object_name,
    risks,
    shown_notes,
    split_drift,
    transfer_order,
    verdict,
)
from dtnctl.render.text import UNICODE_SIGNS, look_of
from dtnctl.web.pages.endpoints import endpoint_link
from dtnctl.web.pages.frame import Page
from dtnctl.web.pages.tables import Heading, Row, facts, section, table
from dtnctl.web.pages.words import state

LOOK = look_of(RenderContext(width=1_000_000))
MARKS: tuple[Mark, ...] = ("blocked", "destroy", "replace", "transfer", "update", "create")
MOST_GROUPS = 300
OPEN = 40  # as many changes are unfolded from the start
MOST_UNCHANGED = 500


@dataclass(frozen=True, slots=True)
class PlanOf:
    """Which plan a page shows. `subject`: the commit or branch as it was asked for, empty for the files as they are.

    `of` is what the files are: a commit with its subject, or `HEAD …`. `plan` is None while it is made, or where it cannot be:
    `troubles` say why. `notes`: what is not as an `apply` of it would find it.
    """

    subject: str
    of: str
    plan: Plan | None = None
    notes: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()

    @property
    def is_under_way(self) -> bool:
        """Whether it is being made."""
        return self.plan is None and not self.troubles


def plan_page(shown: PlanOf, branches: Sequence[tuple[str, str]], now: datetime) -> Page:
    """The page. `branches`: (name to ask for, label) of each branch and pull request that was fetched."""
    del now
    title = f"Plan of {shown.subject}" if shown.subject else "Plan"
    return Page("plan", title, joined(_choice(shown, branches), _content(shown)), reload=2 if shown.is_under_way else 0)


def _choice(shown: PlanOf, branches: Sequence[tuple[str, str]]) -> Html:
    names = element("datalist", [element("option", label, value=name) for name, label in branches], id="branches")
    field = element(
        "input", name="commit", value=shown.subject, id="commit", list="branches", autocomplete="off", placeholder="the files as they are"
    )
    label = element("label", "Branch, tag or commit", for_="commit")
    form = element("form", label, field, names, element("button", "Show its plan", type="submit"), method="get", action=address("plan"))
    return element("div", form, class_="controls")


def _content(shown: PlanOf) -> Html:
    troubles = element("div", [element("p", text) for text in shown.troubles], class_="trouble", role="alert") if shown.troubles else None
    if shown.plan is None:
        waiting = element("p", "The endpoints are being asked; this page comes back with the plan.", class_="empty")
        return joined(element("p", shown.of, class_="dim"), troubles or waiting)
    plan = shown.plan
    parts = (
        troubles,
        _head(plan, shown),
        section("Endpoints", _endpoints(plan)) if plan.endpoints else None,
        *_changes(plan),
        _transfers(plan),
        _unchanged(plan),
    )
    return element("div", parts, data_part="plan" if not shown.subject else None)


def _head(plan: Plan, shown: PlanOf) -> Html:
    notes = [*shown.notes, *shown_notes(plan)]
    pairs: list[tuple[str, Child]] = [
        ("Of", shown.of),
        ("Risk", " · ".join(risks(plan)) if plan.changes or plan.silent else None),
        ("Note", element("ul", [element("li", note) for note in notes]) if notes else None),
        ("Hash", element("code", plan.hash) if plan.changes else None),
        ("Exactly this", element("code", f"dtnctl apply --expect {plan.hash}") if plan.steps and not shown.subject else None),
    ]
    return joined(element("p", element("strong", " · ".join(verdict(plan, "plan"))), class_="verdict"), facts(pairs))


def _endpoints(plan: Plan) -> Html:
    has_hardware = any(row.vfs is not None or row.cpus for row in plan.endpoints)
    headings = [
        Heading("Endpoint"),
        Heading("State"),
        Heading("Sessions", number=True),
        *(Heading(mark.capitalize(), number=True) for mark in reversed(MARKS)),
        Heading("Ports", number=True, more=True),
        *[Heading("VFs", number=True, more=True), Heading("CPUs", more=True)] * has_hardware,
    ]
    counts = count_by_endpoint(plan)
    ordered = sorted(plan.endpoints, key=lambda row: (not row.silence, not row.lock, row.name))
    rows = [_endpoint(row, [counts[row.name, mark] for mark in reversed(MARKS)], has_hardware=has_hardware) for row in ordered]
    return table("What each endpoint would get", headings, rows, empty="There is no endpoint.", hides_caption=True)


def _endpoint(row: EndpointSummary, counts: Sequence[int], *, has_hardware: bool) -> Row:
    word = state("silent") if row.silence else state("locked", "warning") if row.lock else state("live", "good")
    sessions, ports = _from_to(row.sessions_before, row.sessions_after), _from_to(row.ports_before, row.ports_after)
    known = ("?", "?") if row.silence else (sessions, ports)
    hardware = hardware_cells(row, LOOK.arrow) if has_hardware else ()
    cells: Sequence[Child] = (endpoint_link(row.name), word, known[0], *(str(number) for number in counts), known[1], *hardware)
    return Row(row.name, cells, row.silence or (f"locked by {row.lock}" if row.lock else ""))


def _from_to(before: int, after: int) -> str:
    return f"{after:,}" if before == after else f"{before:,} → {after:,}"


def _changes(plan: Plan) -> Iterator[Html]:
    """Those that Git asks for, what is blocked first, then drift."""
    wanted, drifted = split_drift(plan.changes)
    room = MOST_GROUPS
    for title, changes in (("Changes", wanted), ("Drift: Git did not change, the endpoint did", drifted)):
        groups = sorted(group_changes(plan, changes), key=lambda group: MARKS.index(group.first.mark))
        shown = groups[:room]
        room -= len(shown)
        if groups:
            left = len(groups) - len(shown)
            more = element("p", f"{left:,} more left out; `dtnctl plan` shows all", class_="dim") if left else None
            yield section(title, [_group(group, is_open=len(groups) <= OPEN) for group in shown], more, count=len(changes))


def _group(group: Group, *, is_open: bool) -> Html:
    change = group.first
    found = facts_of(group, LOOK)
    claims = [Fact("create", endpoint, tuple(claim_pieces(pairs, LOOK))) for endpoint, pairs in found.claims]
    rows = [
        element("tr", element("th", fact.label, scope="row"), element("td", " ".join(fact.pieces)))
        for fact in (*found.before, *claims, *found.after)
    ]
    if change.cause.place:
        rows.append(element("tr", element("th", "declared", scope="row"), element("td", element("code", change.cause.place))))
    title = element(
        "summary",
        element(
            "span",
            element("span", UNICODE_SIGNS[change.mark], class_="sign", aria_hidden="true"),
            " ",
            group.verb,
            class_=f"mark {change.mark}",
        ),
        " ",
        element("strong", object_name(change)),
        " @ ",
        ", ".join(group.endpoints),
    )
    return element(
        "details",
        title,
        element("table", element("caption", object_name(change), class_="for-readers"), element("tbody", rows), class_="plain"),
        open=is_open,
    )


def _transfers(plan: Plan) -> Html | None:
    if not plan.transfers:
        return None
    notes = transfer_order(plan.transfers)
    rows = [Row(note.name, (f"{note.name} generation {note.generation}", state(note.state), note.text, note.place)) for note in notes]
    headings = (Heading("Transfer"), Heading("State"), Heading("What"), Heading("Declared", more=True, code=True))
    return section(
        "Transfers with nothing to do", table("Transfers with nothing to do", headings, rows, empty="", hides_caption=True), count=len(rows)
    )


def _unchanged(plan: Plan) -> Html | None:
    if not plan.unchanged:
        return None
    names = [element("li", name) for name in plan.unchanged[:MOST_UNCHANGED]]
    left = len(plan.unchanged) - len(names)
    more = element("p", f"{left:,} more", class_="dim") if left else None
    return element(
        "details", element("summary", f"{plural(len(plan.unchanged), 'object')} unchanged"), element("ul", names, class_="columns"), more
    )


def without_steps(plan: Plan) -> Plan:
    """What is kept of a plan for its page alone: the snapshot that it was made from is large."""
    return replace(plan, snapshot=None)
