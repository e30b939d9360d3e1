"""What a reviewer must not miss, before any table: what is blocked, and what removes, replaces, interrupts or starts something.

A cause has one entry, however many objects it concerns. The blocked list is never cut: it is made shorter by naming less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dtnctl.model.plan import Change, Plan
from dtnctl.render.budget import Part
from dtnctl.render.escape import code, prose
from dtnctl.render.links import place_link, short
from dtnctl.render.summary import Group, endpoint_risks, group_changes, nameless, object_name, shown_notes
from dtnctl.render.text import plural

DANGERS = ("destroy", "replace", "start")
MOST = 10  # names in one entry; of more it says how many there are
MOST_PLACES = 3
WORDS = {"start": "Starts on merge"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Changes of one kind with one cause."""

    verb: str
    changes: tuple[Change, ...]

    @property
    def first(self) -> Change:
        return self.changes[0]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(object_name(change) for change in self.changes))

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(sorted({change.endpoint for change in self.changes}))


def blocked_part(plan: Plan, source: str, room: int) -> Part:
    """All that is blocked, in at most `room` bytes: by cause, else by error code, else as one number."""
    blocked = plan.blocked
    title = (f"> **Blocked ({plan.count('blocked'):,})**",)
    forms = (
        [_entry_text(entry, source) for entry in _entries((("blocked", change) for change in blocked), _cause_key)],
        [_code_text(entry) for entry in _entries((("blocked", change) for change in blocked), lambda change: change.code)],
    )
    for items in forms:
        part = Part("", tuple(items), 0, title, ("",))
        if part.size <= room:
            return part
    number = plural(plan.count("blocked"), "object")
    return Part("", (f"> - {number}; the plan's JSON has the names and causes",), 0, title, ("",))


def careful_part(plan: Plan, source: str, rank: int) -> Part:
    """What removes, replaces, interrupts or starts something; endpoints of which nothing is known; notes."""
    pairs = [(group.verb, change) for group in _careful_groups(plan) for change in group.changes]
    items = [_entry_text(entry, source) for entry in _entries(pairs, _cause_key)]
    items += [f"> - **Endpoint** {prose(short(risk))}" for risk in endpoint_risks(plan)]
    items += [f"> - **Note** {prose(short(note))}" for note in shown_notes(plan)]
    return Part("entries of the careful list", tuple(items), rank, ("> **Needs a careful look**",), ("",))


def _careful_groups(plan: Plan) -> list[Group]:
    wanted = [change for change in plan.changes if change.mark != "blocked"]
    groups = group_changes(plan, wanted)
    return [group for group in groups if group.verb in DANGERS or any(change.interrupts for change in group.changes)]


def _entries(pairs: Iterable[tuple[str, Change]], key_of: Callable[[Change], object]) -> list[Entry]:
    """The changes in their order; one joins an earlier entry with the same verb and key."""
    found: dict[object, tuple[str, list[Change]]] = {}
    for verb, change in pairs:
        found.setdefault((verb, key_of(change)), (verb, []))[1].append(change)
    return [Entry(verb, tuple(changes)) for verb, changes in found.values()]


def _cause_key(change: Change) -> object:
    """Equal for all that has one cause, although each sentence names its own object and endpoint."""
    texts = [change.cause.text, change.fix, change.interrupts, _movement(change)]
    return change.kind, change.code, tuple(nameless(nameless(text, change.name), change.endpoint) for text in texts)


def _movement(change: Change) -> str:
    """From where to where: that of a transfer is what a reviewer decides about."""
    return change.summary if change.kind == "transfer" and change.mark == "transfer" else ""


def _entry_text(entry: Entry, source: str) -> str:
    change = entry.first
    is_one = len(entry.changes) == 1
    own = short if is_one else _shared(change)
    texts = [change.code, _movement(change), change.cause.text]
    why = [prose(own(text)) for text in texts if text]
    why += _places(entry, source)
    if change.interrupts:
        why.append(prose(own(f"interrupts: {change.interrupts}")))
    if change.fix:
        why.append(prose(own(f"fix: {change.fix}")))
    return f"> - **{WORDS.get(entry.verb, entry.verb.capitalize())}** {_named(entry.names)} on {_where(entry.endpoints)} — {'; '.join(why)}"


def _shared(change: Change) -> Callable[[str], str]:
    """Makes sentences about one of several objects say what is true of all of them."""
    return lambda text: short(nameless(nameless(text, change.name), change.endpoint))


def _code_text(entry: Entry) -> str:
    """One error code with the first of its objects."""
    count = plural(len(entry.changes), "object")
    example = f"{code(short(entry.names[0]))}: {prose(short(entry.first.cause.text))}"
    return f"> - **Blocked** {count} on {_where(entry.endpoints)} — {prose(short(entry.first.code))}, such as {example}"


def _named(names: Sequence[str]) -> str:
    shown = [code(short(name)) for name in names[:MOST]]
    return ", ".join(shown) + (f" and {len(names) - MOST:,} more" if len(names) > MOST else "")


def _where(endpoints: Sequence[str]) -> str:
    shown = [prose(short(name)) for name in endpoints[:MOST]]
    return ", ".join(shown) + (f" and {len(endpoints) - MOST:,} more" if len(endpoints) > MOST else "")


def _places(entry: Entry, source: str) -> list[str]:
    """The lines that decide, each once; the first few of many."""
    links = list(dict.fromkeys(link for change in entry.changes if (link := place_link(change.cause, source))))
    more = len(links) - MOST_PLACES
    return [*links[:MOST_PLACES], *[f"and {more:,} more {'places' if more > 1 else 'place'}"] * (more > 0)]
