"""The placeholders in the command lines of declared tools: a closed list, checked when a file is read. Pure.

A word is one argument of a program and stays one, whatever a path has in it. `{{` and `}}` stand for braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dtnctl.model.nearest import nearest

Needs = Literal["files", "login", "server", "range", ""]
LONGEST_WORD = 4096
OPTIONS = "{options}"  # a word of a client that is replaced by those of the options that apply
VALUE = "value"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`needs`: what a tool must have for it: it copies files, logs in somewhere, has a server, or nothing.

    `range`: it makes the tool one that listens on data ports of the destination without a server of ours.
    """

    meaning: str
    needs: Needs = ""
    in_server: bool = False


_PATHS = {
    "source": Placeholder("the path at the source; that of a folder ends in /", "files"),
    "source_folder": Placeholder("the folder of that path, without / at its end", "files"),
    "source_name": Placeholder("the last part of that path; empty for a folder", "files"),
    "destination": Placeholder("the path at the destination", "files", in_server=True),
    "destination_folder": Placeholder("its folder", "files", in_server=True),
    "destination_name": Placeholder("its last part; empty for a folder", "files", in_server=True),
}
QUOTED = "_quoted"
PLACEHOLDERS: Mapping[str, Placeholder] = {
    **_PATHS,
    **{
        f"{name}{QUOTED}": Placeholder(f"`{{{name}}}` quoted for a POSIX shell that reads it", row.needs, row.in_server)
        for name, row in _PATHS.items()
    },
    "control_host": Placeholder("where the source reaches the destination's control port: a name or an address"),
    "url_control_host": Placeholder("the same for URLs and `HOST:PATH`: an IPv6 address in brackets"),
    "data_host": Placeholder("where the destination receives data"),
    "url_data_host": Placeholder("the same for URLs and `HOST:PATH`"),
    "user": Placeholder("the login name at the destination"),
    "control_port": Placeholder("the port of its sshd"),
    "ssh": Placeholder("`ssh -F CONFIG` as one word, for options such as rsync's `-e`", "login"),
    "ssh_config": Placeholder(
        "a configuration of ssh with the attempt's keys and pinned host keys. It knows the ends by the names `source` and `destination`, "
        "and the destination by `{control_host}`, too",
        "login",
    ),
    "port": Placeholder("the port on which the server has to listen", "server", in_server=True),
    "low_port": Placeholder("the first of the destination's data ports", "range", in_server=True),
    "high_port": Placeholder("the last of them", "range", in_server=True),
    "port_count": Placeholder("how many these are", "range", in_server=True),
    "folder": Placeholder("a folder of the attempt's own in its container, which ends with it", in_server=True),
}
_PARTS = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})


def placeholders_in(word: str) -> tuple[str, ...]:
    """Their names, in order."""
    return tuple(match[1] for match in _PARTS.finditer(word) if match[1])


def fill_word(word: str, values: Mapping[str, str]) -> str:
    """The word with the values of its placeholders. KeyError if one of them has none."""
    return _PARTS.sub(lambda match: values[match[1]] if match[1] else match[0][0], word)


def check_word(word: str) -> str:
    """The word, if it can be an argument of a program; ValueError says why not."""
    if "\0" in word or len(word) > LONGEST_WORD:
        raise ValueError(f"an argument has at most {LONGEST_WORD} characters, and no NUL")
    for name in placeholders_in(word):
        if name not in PLACEHOLDERS and name != VALUE and word != OPTIONS:
            similar = nearest(name, PLACEHOLDERS)
            meant = f"{{{similar}}}, or " if similar else ""
            raise ValueError(f"{{{name}}} is none of the placeholders; write {meant}{{{{{name}}}}} for braces in the argument")
    return word


def words_for_shells(words: tuple[str, ...]) -> Iterator[int]:
    """Which of a command's words a shell reads: the one after its `-c`, and all that follow the name of ssh."""
    is_remote = False
    for index, word in enumerate(words):
        after_c = word != "" and index > 1 and words[index - 1] == "-c" and any(_program(before) in SHELLS for before in words[: index - 1])
        if is_remote or after_c:
            yield index
        is_remote = is_remote or _program(word) == "ssh"


def unquoted_paths(word: str) -> tuple[str, ...]:
    """Its placeholders for paths that a shell would read as its own language."""
    return tuple(name for name in placeholders_in(word) if name in _PATHS)


def _program(word: str) -> str:
    return word.rpartition("/")[2]
