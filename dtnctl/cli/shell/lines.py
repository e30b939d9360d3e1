"""What a typed line means: a command of the shell itself, or one of dtnctl, with numbers turned into names. Pure."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dtnctl.cli.shell.tree import Parts, parts_of, path_text
from dtnctl.errors import UsageError

PROGRAM = "dtnctl"
OWN = ("cd", "ls", "pwd", "watch", "diff", "undo", "commit", "help", "exit", "quit")
ENDS = {"src": "--source", "source": "--source", "dst": "--destination", "dest": "--destination", "destination": "--destination"}
LISTS = {
    "sessions": "/active",
    **{name: f"/{name}" for name in ("transfers", "endpoints", "networks", "profiles", "paths", "volumes", "tools")},
}
WRITING = ("rollback", "fmt", "convert")
ADDING = ("add", "import")  # of endpoints
EDITS = ("create", "start", "stop", "delete")
SHOWS = ("list", "show")
OF_SESSIONS = ("start", "stop", "delete", "show", "logs", "compare")
OF_TRANSFERS = ("show", "logs", "plot", "cancel", "resolve")
TARGET = re.compile(r"(session|transfer)/(\d+)")
Valued = Callable[[Sequence[str]], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Names:
    """What a word means that may be a number: the session, the transfer."""

    session: Callable[[str], str]
    transfer: Callable[[str], str]


def words_of(line: str) -> list[str]:
    """The words of a line, quoted as in a shell; none of an empty line or a comment. A `dtnctl` at the beginning counts for nothing."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise UsageError(f"{line.strip()}: {str(error).lower()}; close the quotes") from error
    return list(itertools.dropwhile(PROGRAM.__eq__, words))


def meant(words: Sequence[str]) -> list[str]:
    """The words of the talk's client as this shell's and dtnctl's; all others as they are."""
    match list(words):
        case ["show", noun] if noun in LISTS:
            return ["ls", LISTS[noun]]
        case ["show", ("transfer" | "transfers"), ("log" | "logs"), name, *ends]:
            return ["transfers", "logs", name, *_ends(ends)]
        case ["show", noun, name, *rest] if noun.removesuffix("s") + "s" in LISTS:
            return [noun, "show", name, *rest]
        case ["ls", *rest] if any(word.startswith("-") for word in rest):
            return [PROGRAM, "ls", *rest]
        case other:
            return other


def _ends(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        yield ENDS.get(word, word)


def writes(words: Sequence[str]) -> bool:
    """Whether the command may change state files, so that `undo` can take it back."""
    if _is_edit(words) or words[0] in WRITING:
        return True
    return len(words) > 1 and _kind_of(words) == "endpoint" and words[1] in ADDING


def is_edit(words: Sequence[str]) -> bool:
    """Whether it writes state files and does nothing else: then it runs inside of the shell."""
    return _is_edit(words) and not {"--apply", "--help", "-h"} & set(words)


def _is_edit(words: Sequence[str]) -> bool:
    if len(words) < 2:
        return False
    verb, kind = words[1], _kind_of(words)
    return (kind == "session" and verb in EDITS) or (kind == "transfer" and (verb == "create" or any(":" in word for word in words[1:])))


def _kind_of(words: Sequence[str]) -> str:
    """The noun, in the singular."""
    return words[0].removesuffix("s")


def with_names(words: Sequence[str], names: Names, valued: Valued) -> list[str]:
    """The words with names in the places of numbers. `valued` are the options of the command that have a value after them."""
    kind = _kind(words)
    options = valued(words) if kind is not None else frozenset()
    found = list(words)
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        if target := TARGET.fullmatch(word):
            turn = names.session if target[1] == "session" else names.transfer
            found[place] = f"{target[1]}/{turn(target[2])}"
        elif before == "--session":
            found[place] = names.session(word)
        elif kind is not None and place > 1 and word.isdecimal() and before not in options:
            found[place] = (names.session if kind == "session" else names.transfer)(word)
    return found


def from_place(words: Sequence[str], here: Parts, valued: Valued) -> list[str]:
    """`ls` of dtnctl with the path from where the shell stands. `valued` as above."""
    options = valued(words)
    places = (place for place, word in enumerate(words) if place and not word.startswith("-") and words[place - 1] not in options)
    place = next(places, None)
    if place is None:
        return [words[0], path_text(here), *words[1:]]
    return [*words[:place], path_text(parts_of(here, words[place])), *words[place + 1 :]]


def _kind(words: Sequence[str]) -> str | None:
    """Of which kind names follow the first two words."""
    noun, verb = (_kind_of(words), words[1]) if len(words) > 1 else ("", "")
    if noun == "session" and verb in OF_SESSIONS:
        return "session"
    return "transfer" if noun == "transfer" and verb in OF_TRANSFERS else None


def lists(words: Sequence[str]) -> bool:
    """Whether it shows objects of a kind, or one of them, and does nothing else."""
    return len(words) > 1 and words[1] in SHOWS and f"{_kind_of(words)}s" in LISTS


def numbers_in(words: Sequence[str]) -> bool:
    """Whether a word could be a number of a session or transfer."""
    return any(word.isdecimal() or TARGET.fullmatch(word) for word in words)
