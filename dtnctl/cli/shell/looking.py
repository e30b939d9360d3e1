"""Looks for the tree: files always, endpoints and providers of paths as far as a path needs them. Nothing here can write on an endpoint."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtnctl.cli.shell.kept_numbers import keep_numbers, numbers_file, shell_folder
from dtnctl.cli.shell.kinds import asks, tree
from dtnctl.cli.shell.numbers import NUMBERED, Numbers
from dtnctl.cli.shell.seen import Seen
from dtnctl.cli.shell.tree import Folder, Parts, find
from dtnctl.client import looking
from dtnctl.client.workplace import STATE_FOLDER, Workplace
from dtnctl.errors import UsageError
from dtnctl.model.resources import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtnctl.repository.first_commits import FirstCommit

SESSIONS = ("active", "sessions")


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers of sessions and transfers, and what the history says of their files.

    `without`: of each kind the names that have none, since numbers cannot be kept and the history has no commit of them.
    """

    numbers: Mapping[str, Numbers]
    history: Mapping[str, tuple[FirstCommit, ...]]
    without: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def session(self, word: str) -> str:
        """The session that a name or a number means; the word itself where it is neither."""
        return self._named("sessions", word)

    def transfer(self, word: str) -> str:
        """The same of a transfer."""
        return self._named("transfers", word)

    def _named(self, kind: str, word: str) -> str:
        numbers = self.numbers[kind]
        meant = numbers.name(int(word)) if word.isdecimal() and word.isascii() else None
        if meant is not None and word in numbers.by_name and meant != word:
            raise UsageError(f"{word} is the name of one of the {kind} and the number of {meant}; try {meant}, or another number")
        without = self.without.get(kind, frozenset())
        if meant is None and word.isdecimal() and without and word not in without:
            raise UsageError(
                f"{word} is no number of one of the {kind}: numbers cannot be kept in {shell_folder(os.environ)}, "
                f"so what is not committed has none; use names: {', '.join(sorted(without))}"
            )
        return meant or word


def numbering(workplace: Workplace) -> Numbering:
    """From the history of the repository and what is kept of this user."""
    from dtnctl.repository.first_commits import first_commits

    site = workplace.site
    history = first_commits(workplace.root, STATE_FOLDER, NUMBERED)
    present = {"sessions": site.sessions, "transfers": site.transfers}
    numbers = keep_numbers(numbers_file(os.environ, site, workplace.root), history, present)
    return Numbering(numbers, history, {kind: frozenset(names) - {*numbers[kind].by_name} for kind, names in present.items()})


def look(workplace: Workplace, parts: Parts, timeout: float) -> Folder:
    """The tree as it is now, as far as the path needs it. UsageError where the path names nothing."""
    from dtnctl.runtime.clock import SystemClock

    found, needed = numbering(workplace), asks(parts)
    snapshot, now = Snapshot({}), SystemClock().now()
    if needed != "nothing":
        inside_of = found.session(parts[1]) if len(parts) > 1 and parts[0] in SESSIONS else ""
        view = looking.look(workplace, timeout, inside_of=inside_of, asks_paths=needed == "paths")
        snapshot, now = view.snapshot, view.now
    authors = {item.name: item.author for item in found.history["sessions"]}
    root = tree(Seen(workplace.site, now, snapshot, found.numbers["sessions"], found.numbers["transfers"], authors), parts)
    find(root, parts)
    return root
