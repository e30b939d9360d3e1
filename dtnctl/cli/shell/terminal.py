"""The shell on a terminal: completion, history, colours and a line of hints, by prompt_toolkit. Imported by nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from dtnctl.cli import completion, names
from dtnctl.cli.commands import COMMANDS, SINGULAR
from dtnctl.cli.shell.candidates import Sources, candidates
from dtnctl.cli.shell.help import OWN_HELP
from dtnctl.cli.shell.history import append_history, is_worth_keeping, read_history
from dtnctl.cli.shell.kept_numbers import shell_folder
from dtnctl.cli.shell.remote_paths import RemotePaths
from dtnctl.cli.shell.session import Shell
from dtnctl.cli.shell.tree import path_text
from dtnctl.cli.workplace import wants_color
from dtnctl.errors import DtnctlError

COLOURS = {"prompt": "ansicyan bold", "path": "ansigreen", "bottom-toolbar": "noreverse ansibrightblack"}


class KeptHistory(History):
    """Lines of earlier shells, without those that may hold a secret: these are not even remembered while it runs."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def load_history_strings(self) -> Iterable[str]:
        """The newest first."""
        return reversed(read_history(self.file))

    def append_string(self, string: str) -> None:
        """Remember the line, if it may be."""
        if is_worth_keeping(string):
            super().append_string(string)

    def store_string(self, string: str) -> None:
        """For later shells."""
        append_history(self.file, string)


class ShellCompleter(Completer):
    """Candidates of the last word."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.remote = RemotePaths()

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What the word before the cursor may become. Endpoints are asked only when TAB asks for it, not while somebody types."""
        remote = self.remote.completed if complete_event.completion_requested else lambda *_: []
        sources = Sources(self.shell.here, dict(self.shell.seen), names.places, completion.candidates, remote)
        try:
            last, found = candidates(document.text_before_cursor, sources)
        except DtnctlError:
            return
        for word, meaning in found:
            yield Completion(word, start_position=-len(last), display_meta=meaning)


def reading(shell: Shell, keys: Input | None = None, screen: Output | None = None) -> Callable[[], str]:
    """What reads a line. `keys` and `screen` are those of the terminal if none are given."""
    is_coloured = wants_color(shell.invocation.color)
    session: PromptSession[str] = PromptSession(
        history=KeptHistory(shell_folder(os.environ) / "history"),
        completer=ShellCompleter(shell),
        complete_in_thread=True,
        complete_while_typing=False,
        auto_suggest=AutoSuggestFromHistory(),
        style=Style.from_dict(COLOURS if is_coloured else {"bottom-toolbar": "noreverse"}),
        include_default_pygments_style=False,
        input=keys,
        output=screen,
    )

    def prompt() -> StyleAndTextTuples:
        place = "" if not shell.here else f":{path_text(shell.here)}"
        return [("class:prompt", "dtnctl"), ("class:path", place), ("class:prompt", "> ")]

    def read() -> str:
        changed = len(shell.changes.uncommitted(shell.root))  # asked once a line, and not for each key
        return session.prompt(prompt, bottom_toolbar=lambda: f" {hint_of(session.default_buffer.text, changed)}")

    return read


def hint_of(line: str, changed: int) -> str:
    """What the command that is typed does; of an empty line how many files this shell has changed that are not committed."""
    words = line.split()
    if not words:
        return f"{changed} changed here and not committed: diff, undo, apply, commit" if changed else "TAB completes, `help` lists commands"
    own = {usage.split()[0]: f"{usage}: {text}" for usage, text in reversed(OWN_HELP)}
    name = SINGULAR.get(words[0], words[0])
    return own.get(words[0]) or (COMMANDS[name][1] if name in COMMANDS else "TAB completes, `help` lists commands")
