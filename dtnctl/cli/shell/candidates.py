"""What the last word of a line may become: commands, names, paths of the tree, and paths on endpoints. Pure but for what it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TypeAlias

from dtnctl.cli.commands import COMMANDS, SINGULAR
from dtnctl.cli.shell.help import OWN_HELP
from dtnctl.cli.shell.lines import ENDS, LISTS, OWN, PROGRAM
from dtnctl.cli.shell.tree import Folder, Parts, find, parts_of
from dtnctl.errors import UsageError

Candidate: TypeAlias = tuple[str, str]  # the word, and what it means
FILES = ":files"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where candidates come from: trees that were looked at, file names, the command line's own completion, endpoints."""

    here: Parts
    seen: Mapping[str, Folder]
    places: Callable[[str], Sequence[str]]
    of_program: Callable[[list[str], str], Sequence[Candidate]]
    remote: Callable[[str, str], Sequence[str]]


def candidates(line: str, sources: Sources) -> tuple[str, list[Candidate]]:
    """(the word that is completed, what it may become)."""
    words = line.split()
    last = "" if not words or line[-1:].isspace() else words.pop()
    words = words[1:] if words[:1] == [PROGRAM] else words
    return last, _found(words, last, sources)


def _found(words: list[str], last: str, sources: Sources) -> list[Candidate]:
    match words:
        case []:
            return _first(last)
        case [("cd" | "ls")]:
            return [(word, "") for word in _places(last, sources)]
        case ["diff"]:
            return _starting(last, {"last": "what the last change wrote"})
        case ["show", *after] if found := _of_show(after, last, sources):
            return found
        case [("watch" | "help"), *after]:
            return _found(after, last, sources)
        case [first, *_] if first in OWN:
            return []
    return _of_program(words, last, sources)


def _of_show(after: list[str], last: str, sources: Sources) -> list[Candidate]:
    """The talk's `show transfers log 2 src`; nothing for `show COMMIT`, which is dtnctl's."""
    match after:
        case []:
            return _starting(last, dict.fromkeys(LISTS, "list them"))
        case [("transfer" | "transfers")]:
            return _starting(last, {"log": "what one of them wrote"})
        case [("transfer" | "transfers"), ("log" | "logs")]:
            return list(sources.of_program(["transfers", "logs"], last))
        case [_, ("log" | "logs"), _]:
            return _starting(last, dict.fromkeys(sorted(ENDS), "the service there"))
        case _:
            return []


def _of_program(words: list[str], last: str, sources: Sources) -> list[Candidate]:
    """As on the command line; of the end of a transfer the paths that are there."""
    endpoint, colon, path = last.partition(":")
    if words[0] in ("transfer", "transfers") and colon and path.startswith("/"):
        return [(quote(f"{endpoint}:{found}"), "") for found in sources.remote(endpoint, path)]
    return [item for item in sources.of_program(words, last) if item[0] != FILES]


def _first(last: str) -> list[Candidate]:
    """Commands: the shell's own, then dtnctl's, nouns also in the singular."""
    helps = {usage.split()[0]: text for usage, text in reversed(OWN_HELP)}
    known = {name: helps.get(name, "end the shell") for name in OWN}
    known |= {name: text for name, (_, text) in COMMANDS.items() if name not in (*OWN, "shell")}
    known |= {name: COMMANDS[plural][1] for name, plural in SINGULAR.items()}
    return _starting(last, known)


def _starting(last: str, known: Mapping[str, str]) -> list[Candidate]:
    return [(word, meaning) for word, meaning in known.items() if word.startswith(last)]


def _places(last: str, sources: Sources) -> list[str]:
    """Paths: by the last look, which knows numbers and fields; else as files say them."""
    typed, slash, beginning = last.rpartition("/")
    parts = parts_of(sources.here, typed + slash)
    if parts and parts[0] in sources.seen:
        try:
            node = find(sources.seen[parts[0]], parts)
        except UsageError:
            return []
        entries = node.entries if isinstance(node, Folder) else ()
        return [
            f"{typed}{slash}{word}{'/' * isinstance(item.node, Folder)}"
            for item in entries
            for word in dict.fromkeys((str(item.number or item.name), item.name))
            if word.startswith(beginning)
        ]
    absolute = "/".join((*parts, beginning))
    return [f"{typed}{slash}{found[len(absolute) - len(beginning) :]}" for found in sources.places(absolute)]
