"""What transfers of one run do together: commands in one service, and files into one ledger, go in one call where they come together.

A command in a container, or a file into one, costs its engine as much as a third of a container's start. Each transfer finds its own
answers, and does for itself what was refused to all: one may be refused for what another one asked.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

from dtnctl.errors import EngineError
from dtnctl.providers.base import Engine, FileEntry, Store
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.runtime.gathering import Gathering
from dtnctl.runtime.transfers.joined import Answers, Command, ask_together
from dtnctl.runtime.transfers.keys import editing

Files = tuple[FileEntry, ...]


LookUp: TypeAlias = Callable[[str], str]


def no_secret(reference: str) -> str:
    """Of a run that has none."""
    raise SecretError(f"{reference} is not looked up here")


@dataclass(frozen=True, slots=True)
class _Asked:
    """Commands of one transfer; `edits`: some of them change the keys of the container's users."""

    commands: tuple[Command, ...]
    edits: bool


@dataclass(frozen=True, slots=True)
class JointCalls:
    """Those of one run. A transfer that is alone calls as if it had none. `look_up` is how the run gets a secret by its reference.

    `answered` are the logins that were seen to be possible, by the services and their starts: they are not tried for each transfer.
    """

    answered: set[Hashable] = field(default_factory=set)
    look_up: LookUp = no_secret
    _questions: Gathering[_Asked, Answers] = field(default_factory=Gathering)
    _files: Gathering[Files, bool] = field(default_factory=Gathering)

    def expect(self, transfers: int) -> None:
        """How many transfers are carried out now: several wait for each other, for a moment."""
        self._questions.expects = self._files.expects = transfers > 1

    def ask(self, engine: Engine, container: str, commands: Sequence[Command], user: str, *, edits: bool = False) -> Answers:
        """As ask_together. The commands must be short ones: others wait for them."""
        asked = _Asked(tuple(commands), edits)
        return self._questions.call((engine.endpoint, container, user), asked, lambda all_asked: _ask(engine, container, user, all_asked))

    def write(self, engine: Engine, holder: str, entries: Files) -> None:
        """As the `write` of the engine's store; returns when they are written."""
        key = (engine.endpoint, holder)
        if not self._files.call(key, entries, lambda all_entries: _write(engine.store, holder, all_entries)):
            engine.store.write(holder, entries)


def _ask(engine: Engine, container: str, user: str, asked: Sequence[_Asked]) -> Sequence[Answers]:
    commands = tuple(command for each in asked for command in each.commands)
    with editing(engine, container) if any(each.edits for each in asked) else nullcontext():
        answers = ask_together(engine, container, commands, user)
    return [{command: answers[command] for command in each.commands if command in answers} for each in asked]


def _write(store: Store, holder: str, files: Sequence[Files]) -> Sequence[bool]:
    """Whether they are written; alone, it raises what the engine says."""
    try:
        store.write(holder, tuple(entry for entries in files for entry in entries))
    except EngineError:
        if len(files) == 1:
            raise
        return [False] * len(files)
    return [True] * len(files)
