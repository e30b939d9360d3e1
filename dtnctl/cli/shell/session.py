"""One shell: where it stands in the tree, what it has changed, and what a line does."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli.commands import COMMANDS, SINGULAR
from dtnctl.cli.messages import announce
from dtnctl.cli.shell import changes as changing
from dtnctl.cli.shell.background import in_background
from dtnctl.cli.shell.changes import Changes
from dtnctl.cli.shell.help import help_text
from dtnctl.cli.shell.history import is_worth_keeping
from dtnctl.cli.shell.lines import OWN, PROGRAM, Names, from_place, is_edit, meant, numbers_in, with_names, words_of, writes
from dtnctl.cli.shell.listing import listing_text
from dtnctl.cli.shell.looking import Numbering, look, numbering
from dtnctl.cli.shell.programs import run_program
from dtnctl.cli.shell.tree import Field, Folder, Parts, find, parts_of, path_text
from dtnctl.cli.shell.valued import valued_options
from dtnctl.cli.workplace import list_context, open_workplace
from dtnctl.errors import DtnctlError, UsageError

if TYPE_CHECKING:
    from dtnctl.cli.invocation import Invocation

UNCHANGED = (5, 64, 65)  # exit codes of a run that was refused before it changed an endpoint
LOCK = 6  # of one that somebody else's lease refused, or ended
RUNS = ("apply", "destroy")


class Exit(Exception):  # noqa: N818  # it is no error
    """The shell is to end."""


@dataclass(slots=True)
class Shell:
    """`asks`: commands have a terminal to ask on. `environment`: what they get beside ours. `seen`: the tree as it was last looked at."""

    root: Path
    invocation: Invocation
    timeout: float
    asks: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    here: Parts = ()
    changes: Changes = field(default_factory=Changes)
    seen: dict[str, Folder] = field(default_factory=dict)

    def run(self, line: str) -> int:
        """Carry out one line; its exit code. Exit at the end; errors are reported here."""
        from dtnctl.cli.program import report_error

        try:
            words = meant(words_of(line))
            return self._run(words) if words else 0
        except DtnctlError as error:
            if not self.asks:
                return report_error(error, self.invocation)
            announce("\n".join(error.lines))  # a person needs no exit code
            return error.exit_code

    def _run(self, words: Sequence[str]) -> int:
        if words[0] in OWN:
            return self._own(words[0])(words[1:])
        words = list(words[1:] if words[0] == PROGRAM else words)
        if words[:1] == ["ls"]:
            words = from_place(words, self.here, valued_options)
        if numbers_in(words):
            found = self.numbering()
            words = with_names(words, Names(found.session, found.transfer), valued_options)
        code, has_changed = self._noted(words)
        if _has_run(words, code):
            self.changes.note_broken_off() if code == LOCK else self.changes.note_apply()
        elif has_changed:
            self._plan()
        return code

    def _noted(self, words: Sequence[str]) -> tuple[int, bool]:
        """Run the command; its exit code, and whether it has changed state files."""
        if not writes(words):
            return run_program(words, self.environment, asks=self.asks), False
        before = len(self.changes.made)
        with changing.noted(self.root, _called_in_commits(words), self.changes):
            code = self._edit(words) if is_edit(words) else run_program(words, self.environment, asks=self.asks)
        return code, len(self.changes.made) > before

    def _edit(self, words: Sequence[str]) -> int:
        from dtnctl.cli.program import main

        return main(list(words), self._called)

    def _called(self, session: str) -> str:
        """Its number; one that was just created has one by now."""
        return self.numbering().numbers["sessions"].called(session)

    def _plan(self) -> None:
        """What `apply` would do now. That it cannot be made is said, and does not make the change a failure."""
        run_program(["plan"], self.environment, asks=self.asks)

    def numbering(self) -> Numbering:
        """The numbers as they are now."""
        return numbering(open_workplace())

    # --- commands of the shell itself ---

    def _own(self, name: str) -> Callable[[Sequence[str]], int]:
        own: Mapping[str, Callable[[Sequence[str]], int]] = {
            "cd": self._cd,
            "ls": self._ls,
            "pwd": self._pwd,
            "watch": self._watch,
            "diff": self._diff,
            "undo": self._undo,
            "commit": self._commit,
            "help": self._help,
            "exit": self._exit,
            "quit": self._exit,
        }
        return own[name]

    def look(self, parts: Parts) -> Folder:
        """The tree now, as far as the path needs it."""
        root = in_background(lambda: look(open_workplace(), parts, self.timeout))
        if parts:
            self.seen[parts[0]] = root
        return root

    def _cd(self, words: Sequence[str]) -> int:
        parts = parts_of(self.here, _one(words, "cd [PATH]", "/"))
        if isinstance(self._found(parts), Field):
            raise UsageError(f"{path_text(parts)} is a field; try `ls {path_text(parts)}`")
        self.here = parts
        return 0

    def _found(self, parts: Parts) -> Folder | Field:
        """What the path names, by the last look if that has it."""
        if parts and parts[0] in self.seen:
            try:
                return find(self.seen[parts[0]], parts)
            except UsageError:
                pass  # it may be new
        return find(self.look(parts), parts)

    def _ls(self, words: Sequence[str]) -> int:
        self._write(self.listing(_one(words, "ls [PATH]", "")))
        return 0

    def listing(self, typed: str) -> str:
        """What is at the path now."""
        parts = parts_of(self.here, typed)
        return listing_text(find(self.look(parts), parts), list_context(self.invocation))

    def _pwd(self, words: Sequence[str]) -> int:
        _none(words, "pwd")
        self._write(f"{path_text(self.here)}\n")
        return 0

    def _watch(self, words: Sequence[str]) -> int:
        from dtnctl.cli.shell.watching import watch

        return watch(self, words)

    def _diff(self, words: Sequence[str]) -> int:
        last = _one(words, "diff [last]", "")
        if last not in ("", "last"):
            raise UsageError(f"diff {last} is not understood; try `diff`, or `diff last`")
        lines = changing.lines_of_last(self.changes) if last else changing.lines_since_commit(self.root)
        self._write("".join(f"{line}\n" for line in lines))
        return 0

    def _undo(self, words: Sequence[str]) -> int:
        _none(words, "undo")
        self._write(f"{self.changes.undo(self.root)}\n")
        self._plan()
        return 0

    def _commit(self, words: Sequence[str]) -> int:
        match list(words):
            case []:
                message = None
            case ["-m" | "--message", text]:
                message = text
            case _:
                raise UsageError("commit [-m MESSAGE]: put quotes around a message of several words")
        self._write(f"{self.changes.commit(self.root, message)}\n")
        return 0

    def _help(self, words: Sequence[str]) -> int:
        if not words:
            self._write(help_text())
            return 0
        is_command = words[0] in COMMANDS or words[0] in SINGULAR
        return run_program([*words, "--help"] if is_command else ["help", *words], self.environment, asks=self.asks)

    def _exit(self, words: Sequence[str]) -> int:
        _none(words, "exit")
        raise Exit

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _called_in_commits(words: Sequence[str]) -> str:
    """The command as messages of commits name it: without words that may hold a secret."""
    line = shlex.join(words)
    return line if is_worth_keeping(line) else " ".join(words[:2])


def _has_run(words: Sequence[str], code: int) -> bool:
    """Whether what is declared may have been applied."""
    runs = words[0] in RUNS or "--apply" in words
    return runs and code not in UNCHANGED and not {"-n", "--dry-run"} & set(words)


def _one(words: Sequence[str], usage: str, missing: str) -> str:
    """The one word that may follow."""
    if len(words) > 1:
        raise UsageError(f"{usage} takes one word; {' '.join(words)} are {len(words)}")
    return words[0] if words else missing


def _none(words: Sequence[str], usage: str) -> None:
    if words:
        raise UsageError(f"{usage} takes no words; {' '.join(words)} is too much")
