"""The facts of one heading of changes, in reading order. Terminal and Markdown lay out the same facts, so neither can miss one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dtnctl.model.plan import Cause, Change, FieldChange, TransferNote
from dtnctl.model.resources import Pairs
from dtnctl.render.summary import FINISHED, Group, named
from dtnctl.render.text import Sign, Style, dotted

NOTHING = "(none)"  # an empty value, where a blank would look like a mistake


@dataclass(frozen=True, slots=True)
class Fact:
    """One row under a heading. `pieces` are joined by spaces; lines break between them first. No sign: it only explains."""

    sign: Sign | None
    label: str
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """`claims` are the concrete choices of each endpoint: they want columns, all else wants rows before or after them."""

    before: tuple[Fact, ...]
    claims: tuple[tuple[str, Pairs], ...]
    after: tuple[Fact, ...]


def facts_of(group: Group, look: Style) -> Facts:
    first = group.first
    before = [
        *power_facts(first),
        *_shared(group, None, "what", lambda change: change.summary if change.summary != change.cause.text else ""),
        *_why(first),
        *_others(group),
        *_field_facts(first, look),
        *_shared(group, "note", "interrupts", lambda change: change.interrupts),
    ]
    claims = tuple((change.endpoint, change.allocations) for change in group.changes if change.allocations)
    after = [*_kept(group, look), *_notes(group)]
    if first.fix:
        after.append(Fact(None, "fix", (first.fix,)))
    return Facts(tuple(before), claims, tuple(after))


def power_facts(change: Change) -> list[Fact]:
    """What its container is given; all changes under one heading are given the same."""
    return [Fact("power" if power.is_over_host else "create", power.label, (power.value,)) for power in change.powers]


def _why(change: Change) -> list[Fact]:
    """The cause; a blocked change has its code before it."""
    if change.code:
        return [Fact(change.mark, change.code, (change.cause.text,))]
    return [Fact(None, "why", (change.cause.text,))] if change.cause.text else []


def _others(group: Group) -> list[Fact]:
    """The objects that are blocked for the same reason."""
    return [Fact(None, "also", (f"{named(group.others)}: the same",))] if group.others else []


def _field_facts(change: Change, look: Style) -> list[Fact]:
    return [_field_fact(field, change.cause, look) for field in change.fields]


def _field_fact(field: FieldChange, cause: Cause, look: Style) -> Fact:
    pieces = [field.before or NOTHING, f"{look.arrow} {field.after or NOTHING}"]
    if field.forces_replace:
        pieces.append("(forces replace)")
    if own := _own_cause(field.cause, cause):
        pieces.append(f"({own})")
    return Fact("replace" if field.forces_replace else "update", field.field, tuple(pieces))


def _own_cause(cause: Cause, above: Cause) -> str:
    """What a field's cause says beyond the heading's: its place, its words."""
    place = cause.place if cause.place != above.place else ""
    text = cause.text if cause.text != above.text else ""
    return ": ".join(part for part in (place, text) if part)


def _shared(group: Group, sign: Sign | None, label: str, text_of: Callable[[Change], str]) -> list[Fact]:
    """One row if the text is the same on all endpoints, else one for each endpoint that has a text."""
    texts = [(change.endpoint, text_of(change)) for change in group.changes]
    if len({text for _, text in texts}) == 1:
        return [Fact(sign, label, (texts[0][1],))] if texts[0][1] else []
    return [Fact(sign, label, (f"{endpoint}:", text)) for endpoint, text in texts if text]


def _kept(group: Group, look: Style) -> list[Fact]:
    several = len(group.changes) > 1
    return [
        Fact("kept", "kept", (*[f"{change.endpoint}:"] * several, *claim_pieces(change.kept, look)))
        for change in group.changes
        if change.kept
    ]


def _notes(group: Group) -> list[Fact]:
    """Each note once; with the names of its endpoints if it is not true of all of them."""
    holders: dict[str, list[str]] = {}
    for change in group.changes:
        for note in change.notes:
            holders.setdefault(note, []).append(change.endpoint)
    return [
        Fact("note", "note", (note,) if len(set(names)) == len(group.changes) else (f"{', '.join(dict.fromkeys(names))}:", note))
        for note, names in holders.items()
    ]


def claim_pieces(claims: Pairs, look: Style) -> list[str]:
    return dotted([f"{label} {value}" for label, value in claims], look.dot)


def transfer_fact(note: TransferNote) -> Fact:
    """A transfer that needs nothing now. What neither succeeded nor runs wants a look."""
    signs: dict[str, Sign] = {FINISHED: "kept", "running": "transfer"}
    name = f"transfer/{note.name} generation {note.generation}"
    return Fact(signs.get(note.state, "note"), note.state, (f"{name}:", note.text) if note.text else (name,))
