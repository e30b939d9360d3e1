"""Why a plan is not the one that it was: what moved on the endpoints since, and which of it another run of dtnctl did. Pure.

What was changed in Git is no part of it: files are compared by the repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dtnctl.model.basis import SeenObject

MADE_BY_US = frozenset({"container", "job", "server", "container of the site", "network"})  # each has labels that only dtnctl gives
WRITTEN_BY_US = frozenset({"record", "held function", "held setting", "held VLAN"})
UNTOLD = frozenset({"health", "commit"})  # facts that change by themselves, or are said in another way
SESSION_KINDS = frozenset({"container", "held function"})


@dataclass(frozen=True, slots=True)
class OtherRun:
    """A run that ended after the plan was made. `text` names it; `touched` are the (kind, name, endpoint) of what it changed.

    `left_there`: those of them that were there when it ended, so that they are not gone by it.
    """

    text: str
    touched: frozenset[tuple[str, str, str]]
    left_there: frozenset[tuple[str, str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Moved:
    """Sentences: what the endpoints did, and what other runs did."""

    host: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


def what_moved(before: Sequence[SeenObject], now: Sequence[SeenObject], runs: Sequence[OtherRun] = ()) -> Moved:
    """What is not the same, in the order of endpoints. Endpoints that one of the looks got no answer from have one sentence."""
    host: list[str] = []
    by_runs: list[str] = []
    for old, new in _pairs(before, now):
        item = new or old
        assert item is not None
        run = _run_of(item, runs, is_gone=new is None)
        if run is not None:
            by_runs.append(f"{_text(old, new)}, by {run.text}")
        elif item.kind in WRITTEN_BY_US or (item.kind in MADE_BY_US and _is_made(old, new)):
            by_runs.append(_text(old, new) + _signature(item))
        else:
            host.append(_text(old, new))
    return Moved(tuple(host), tuple(by_runs))


def _pairs(before: Sequence[SeenObject], now: Sequence[SeenObject]) -> Iterator[tuple[SeenObject | None, SeenObject | None]]:
    """Each thing that differs, as it was and as it is; None where it is not there."""
    unknown = {item.endpoint for item in (*before, *now) if item.kind == "engine" and "silence" in dict(item.facts)}
    old = {_key(item): item for item in before if item.kind == "engine" or item.endpoint not in unknown}
    new = {_key(item): item for item in now if item.kind == "engine" or item.endpoint not in unknown}
    for key in sorted(old.keys() | new.keys()):
        one, other = old.get(key), new.get(key)
        if one is None or other is None or _differing(one, other):
            yield one, other


def _key(item: SeenObject) -> tuple[str, str, str]:
    return item.endpoint, item.kind, item.name


def _differing(old: SeenObject, new: SeenObject) -> tuple[tuple[str, str, str], ...]:
    """(label, before, now) of the facts that differ."""
    one, other = dict(old.facts), dict(new.facts)
    labels = [*one, *(label for label in other if label not in one)]
    changed = ((label, one.get(label, "none"), other.get(label, "none")) for label in labels if label not in UNTOLD)
    return tuple(item for item in changed if item[1] != item[2])


def _is_made(old: SeenObject | None, new: SeenObject | None) -> bool:
    """Whether it is another object than before, which only dtnctl can have made with these labels."""
    return new is not None and (old is None or dict(old.facts).get("id") != dict(new.facts).get("id"))


def _run_of(item: SeenObject, runs: Sequence[OtherRun], *, is_gone: bool) -> OtherRun | None:
    """The newest run that changed it, as the record of runs says; `runs` are the newest first. None if what it did does not explain it."""
    kind = (
        "session"
        if item.kind in SESSION_KINDS
        else {"job": "transfer", "server": "transfer", "record": "transfer"}.get(item.kind, item.kind)
    )
    place = kind, item.owner or item.name, item.endpoint
    newest = next((run for run in runs if place in run.touched), None)
    return None if newest is not None and is_gone and place in newest.left_there else newest


def _signature(item: SeenObject) -> str:
    """Who made it, as far as it says so itself."""
    facts = dict(item.facts)
    who = f" by {facts['by']}" if "by" in facts else ""
    commit = f" of commit {facts['commit'][:7]}" if "commit" in facts else ""
    return f", by another run{who}{commit}"


def _text(old: SeenObject | None, new: SeenObject | None) -> str:
    item = new or old
    assert item is not None
    what = f"{item.endpoint}: {' '.join(word for word in (item.kind, item.name) if word)}"
    if old is None:
        facts = ", ".join(f"{label} {value}" for label, value in item.facts if label not in {*UNTOLD, "id", "by"})
        return f"{what} is new" + (f" ({facts})" if facts else "")
    if new is None:
        return f"{what} is gone"
    changes = _differing(old, new)
    if any(label == "id" for label, _, _ in changes):
        changes = tuple(item for item in changes if item[0] != "id")
        again = "is another one" if item.kind == "engine" else "was made again"
        return f"{what} {again}" + (f" ({_listed(changes)})" if changes else "")
    return f"{what}: {_listed(changes)}"


def _listed(changes: Sequence[tuple[str, str, str]]) -> str:
    return ", ".join(f"{label} {before} → {now}" for label, before, now in changes)
