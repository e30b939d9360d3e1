"""Looks below a folder with `find`: at all of it, or at the items of a transfer and the folders above them alone. Pure.

Only GNU's find prints what is needed.
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterable
from typing import Literal

from dtnctl.model.tools import Side
from dtnctl.model.transfer_items import Item

# Arguments: the folder, names below it that start with ./ ; of those that end in / also what is below them. Names that are not there are
# passed over.
SCRIPT = """\
[ -e "$1" ] || {{ printf "find: '%s': No such file or directory\\n" "$1" >&2; exit 1; }}
cd -- "$1" && shift || exit
all=$# code=0
for name; do if [ -e "$name" ] || [ -L "${{name%/}}" ]; then set -- "$@" "$name"; fi; done
shift "$all"
find {links} . "$@" -maxdepth 0 {rest} || code=$?
all=$#
for name; do case $name in */) set -- "$@" "$name" ;; esac; done
shift "$all"
[ "$#" = 0 ] || find {links} "$@" -mindepth 1 {rest} || code=$?
exit "$code"
"""


def find_below(path: str, items: Iterable[Item], side: Side, links: Literal["-L", "-H"], rest: tuple[str, ...]) -> tuple[str, ...]:
    """`find` with these options. Of names it prints %p; `clean_name` makes of that the name below the folder.

    With items a link is not followed unless all are: who names a folder may mean what it leads to, the links in it are another matter.
    """
    starts = _starts(items, side)
    if not starts:
        return ("find", links, path, *rest)
    script = SCRIPT.format(links="-L" if links == "-L" else "-P", rest=shlex.join(rest).replace("%P", "%p"))
    return ("/bin/sh", "-c", script, "below", path, *(f"./{name}" for name in starts))


def clean_name(name: str) -> str:
    """The name below the folder of what `find` printed; empty for the folder itself."""
    return "" if name == "." else name.removeprefix("./").removesuffix("/")


def _starts(items: Iterable[Item], side: Side) -> tuple[str, ...]:
    """What is looked at, with the folders above it."""
    names: dict[str, None] = {}
    for item in items:
        name = item.source if side == "source" else item.target
        above = name.removesuffix("/")
        while above := posixpath.dirname(above):
            names[above] = None
        names[name] = None
    return tuple(names)
