"""What a person asked to look at, as patterns. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase

from dtnctl.model.kinds import PLAN_KINDS
from dtnctl.model.nearest import suggestion
from dtnctl.model.site import Site
from dtnctl.planning.selection import Selection, select

SUGGESTED = frozenset(kind for kind, row in PLAN_KINDS.items() if row.is_suggested)


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns are NAME or KIND/NAME (a kind of the plan, or `endpoint`), `*` matches.

    `prune` None: the site's limit. `destroy`: everything that is ours goes, declared or not. `allow_empty`: all sessions may go at once.
    `override_freeze` is why windows of `freeze:` are passed over; empty: they are not. `sees_suspended`: as if nothing were suspended.
    `interrupt` are patterns of running transfers that may be cut off; `defer`: changes wait for all others, whatever the site says.
    `label` is a selector, and `selection` is what it means in the site, once that is known (with_selection).
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    prune: int | str | None = None
    destroy: bool = False
    allow_empty: bool = False
    override_freeze: str = ""
    sees_suspended: bool = False
    interrupt: tuple[str, ...] = ()
    defer: bool = False
    label: str = ""
    selection: Selection | None = None

    @property
    def patterns(self) -> tuple[str, ...]:
        """All that names something."""
        return (*self.targets, *self.excludes, *self.replace, *self.interrupt)

    def covers(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether the object is meant: selected by its labels, named by a target (or there is none), and not excluded."""
        is_named = not self.targets or self._names(self.targets, kind, name, endpoint)
        return is_named and not self.leaves(kind, name, endpoint)

    def selects(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether its labels put it into this run, whatever patterns say; without selectors all are in it."""
        return self.selection is None or self.selection.covers(kind, name, endpoint)

    def asks(self, endpoint: str) -> bool:
        """Whether this run looks at the endpoint."""
        return self.selection is None or endpoint in self.selection.asked

    def leaves(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether this run leaves it as it is, whatever else is to be done: excluded, or not selected."""
        return self.excluded(kind, name, endpoint) or not self.selects(kind, name, endpoint)

    def excluded(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether it is to be left as it is, whatever else is to be done."""
        return self._names(self.excludes, kind, name, endpoint)

    def asks_for(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether a target names it; without targets nothing is named."""
        return bool(self.targets) and self.covers(kind, name, endpoint)

    def replaces(self, session: str, endpoint: str) -> bool:
        """Whether a new container is wanted although the old one may be fine."""
        return self._names(self.replace, "session", session, endpoint)

    def interrupts(self, transfer: str) -> bool:
        """Whether a running transfer may be cut off."""
        return self._names(self.interrupt, "transfer", transfer, "")

    def unmatched(self, objects: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
        """Patterns that name none of these (kind, name, endpoint): mistyped, most likely."""
        known = tuple(objects)
        sessions = tuple(item for item in known if item[0] == "session")
        transfers = tuple(item for item in known if item[0] == "transfer")
        wanted = [(pattern, known) for pattern in (*self.targets, *self.excludes)] + [(pattern, sessions) for pattern in self.replace]
        wanted += [(pattern, transfers) for pattern in self.interrupt if pattern != "*"]
        return tuple(pattern for pattern, among in wanted if not any(_matches(pattern, *item) for item in among))

    def mistyped(self, objects: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
        """A line for each pattern that names none of these, with the nearest name that people know."""
        known = tuple(item for item in objects if item[0] in SUGGESTED)
        kinds = dict.fromkeys(self.interrupt, "transfer") | dict.fromkeys(self.replace, "session")
        return tuple(
            f"nothing is named {pattern}; try {_meant(pattern, tuple(item for item in known if kinds.get(pattern, item[0]) == item[0]))}"
            for pattern in self.unmatched(objects)
        )

    def beside(self, objects: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
        """A line for each target that names nothing but what its labels leave out: to do nothing of it would look like success."""
        if (part := self.selection) is None:
            return ()
        inside = tuple(item for item in objects if part.may_have(*item))
        others = (pattern for pattern in self.targets if not any(_matches(pattern, *item) for item in inside))
        return tuple(f"--label {part.text} selects nothing of {pattern}" for pattern in others)

    @staticmethod
    def _names(patterns: tuple[str, ...], kind: str, name: str, endpoint: str) -> bool:
        return any(_matches(pattern, kind, name, endpoint) for pattern in patterns)


def with_selection(scope: Scope, site: Site, now: datetime) -> Scope:
    """The scope with what its `label` means in the site. SelectorError if it is no selector."""
    if not scope.label or scope.selection is not None:
        return scope
    return replace(scope, selection=select(site, scope.label, now))


def _meant(pattern: str, known: tuple[tuple[str, str, str], ...]) -> str:
    """The nearest name, in the form that was typed: with a kind or without."""
    endpoints = {f"endpoint/{endpoint}" for _, _, endpoint in known if endpoint}
    if f"endpoint/{pattern}" in endpoints:
        return f"`endpoint/{pattern}`"
    names = {f"{kind}/{name}" for kind, name, _ in known} | endpoints if "/" in pattern else {name for _, name, _ in known}
    return suggestion(pattern, names, "`dtnctl status`, which shows all names")


def _matches(pattern: str, kind: str, name: str, endpoint: str) -> bool:
    pattern_kind, slash, pattern_name = pattern.rpartition("/")
    if pattern_kind == "endpoint":
        return fnmatchcase(endpoint, pattern_name)
    return fnmatchcase(name, pattern_name) and (not slash or pattern_kind == kind)
