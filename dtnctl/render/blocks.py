"""One heading of a plan with its facts, laid out for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dtnctl.model.resources import Pairs
from dtnctl.render.facts import Fact, claim_pieces, facts_of
from dtnctl.render.summary import Group, object_name
from dtnctl.render.text import Style, cells, flow, pad

BODY = 4  # where the facts of a change start
VERB = 11  # cells of mark and verb
EDGE = 120  # places in Git stand no further to the right: the eye would lose the line
LABEL = 20  # the longest label that shares its line with its text


def block_lines(group: Group, look: Style) -> list[str]:
    """Heading, why and what differs, the concrete choices, and last what stays or is worth knowing."""
    facts = facts_of(group, look)
    claimed = [label for _, pairs in facts.claims for label, _ in pairs]
    label = _width_of([*(fact.label for fact in (*facts.before, *facts.after)), *claimed])
    is_told_apart = len({change.allocations for change in group.changes}) > 1
    columns = _claim_columns(facts.claims, label, look) if is_told_apart else []
    rows = [] if columns else _claim_facts(facts.claims, look, named=is_told_apart)
    lines = [*_heading(group, look), *_all_lines(facts.before, label, look), *columns]
    return [*lines, *_all_lines(rows, label, look), *_all_lines(facts.after, label, look)]


def fact_rows(facts: Sequence[Fact], look: Style) -> list[str]:
    """The facts one below the other, their texts in one column."""
    return _all_lines(facts, label_width(facts), look)


def label_width(facts: Sequence[Fact]) -> int:
    """Cells for the labels of facts below one another; a label that needs more than LABEL has its text below it."""
    return _width_of(fact.label for fact in facts)


def _width_of(labels: Iterable[str]) -> int:
    return max((cells(label) for label in labels if cells(label) <= LABEL), default=0)


# --- the heading --------------------------------------------------------------------------------------------


def _heading(group: Group, look: Style) -> list[str]:
    """Mark, verb, object and endpoints; the place in Git at the right edge, or below if there is no room."""
    change = group.first
    start = pad(look.paint(change.mark, f"{look.signs[change.mark]} {group.verb}"), VERB)
    where, *more = _endpoints(group.endpoints, look)
    pieces = [look.paint("bold", object_name(change)), f"@ {where}", *more]
    first, *others = flow(pieces, look.width - VERB)
    return with_place([start + first, *(" " * VERB + line for line in others)], change.cause.place, look)


def _endpoints(names: Sequence[str], look: Style) -> list[str]:
    joint = f" {look.both}" if len(names) == 2 else ","
    return [*(name + joint for name in names[:-1]), names[-1]]


def with_place(lines: list[str], place: str, look: Style) -> list[str]:
    """The lines with a place in Git at the right edge of the last one, or below it if there is no room."""
    if not place:
        return lines
    edge = min(look.width, EDGE)
    room = edge - cells(lines[-1]) - cells(place)
    if room >= 2:
        return [*lines[:-1], lines[-1] + " " * room + look.paint("dim", place)]
    parts = flow([place], look.width - BODY)
    return [*lines, *(" " * max(BODY, edge - cells(part)) + look.paint("dim", part) for part in parts)]


# --- rows ---------------------------------------------------------------------------------------------------


def fact_lines(fact: Fact, label: int, look: Style) -> list[str]:
    """Sign, label and text; a label longer than `label` cells has its text below."""
    sign = look.signs[fact.sign] if fact.sign else " "
    start = " " * BODY + look.paint(fact.sign or "", sign) + " " + look.paint(fact.sign or "dim", fact.label)
    indent = _indent(label)
    lines = [" " * indent + line for line in flow(fact.pieces, look.width - indent)]
    if cells(fact.label) > label:
        room = look.width - BODY - 2
        first, *more = flow([fact.label], room)
        return [start if not more else start.replace(fact.label, first), *(" " * (BODY + 2) + line for line in more), *lines]
    return [pad(start, indent) + lines[0][indent:], *lines[1:]]


def _all_lines(facts: Sequence[Fact], label: int, look: Style) -> list[str]:
    return [line for fact in facts for line in fact_lines(fact, label, look)]


def _indent(label: int) -> int:
    return BODY + 2 + label + 2


# --- concrete choices ---------------------------------------------------------------------------------------


def _claim_facts(claims: Sequence[tuple[str, Pairs]], look: Style, *, named: bool) -> list[Fact]:
    """With names one row for each endpoint; without, one row for each choice: it is the same everywhere."""
    if named:
        return [Fact("create", endpoint, tuple(claim_pieces(pairs, look))) for endpoint, pairs in claims]
    return [Fact("create", label, (value,)) for _, pairs in claims[:1] for label, value in pairs]


def _claim_columns(claims: Sequence[tuple[str, Pairs]], label: int, look: Style) -> list[str]:
    """Endpoints side by side; empty if they would not fit, or if an endpoint has several choices with one label."""
    labels = list(dict.fromkeys(label for _, pairs in claims for label, _ in pairs))
    widths = [max(cells(text) for text in (endpoint, *dict(pairs).values())) for endpoint, pairs in claims]
    is_ambiguous = any(len(pairs) != len(dict(pairs)) for _, pairs in claims)
    is_wide = _indent(label) + sum(widths) + 2 * (len(widths) - 1) > look.width
    if is_ambiguous or is_wide or any(cells(name) > label for name in labels):
        return []
    endpoints = [look.paint("dim", endpoint) for endpoint, _ in claims]
    lines = [" " * _indent(label) + _columns(endpoints, widths)] if labels else []
    for name in labels:
        start = " " * BODY + look.paint("create", f"{look.signs['create']} {name}")
        lines.append(pad(start, _indent(label)) + _columns([dict(pairs).get(name, "") for _, pairs in claims], widths))
    return lines


def _columns(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(pad(text, width) for text, width in zip(texts, widths, strict=True)).rstrip()
