"""Looks at the ends of a transfer: the commands that show what is there, and what their output means. Pure.

`stat` shows one file (GNU and busybox have it), `find` of a tree (only GNU's prints what is needed). Links are followed,
because movers follow them.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import datetime

from dtnctl.model.tools import Side
from dtnctl.model.transfer_items import Item
from dtnctl.movers.base import Entry, Listing
from dtnctl.movers.below import clean_name, find_below

NO_SUCH_COMMAND = (126, 127)
UNIQUE_INODES = 2**32  # file systems that count beyond give no number twice (Lustre, whose times are whole seconds)


def list_command(path: str, *, tree: bool, follow: bool = True, items: Sequence[Item] = (), side: Side = "source") -> tuple[str, ...]:
    """Prints what is at `path`: the thing itself, or with `tree` also everything below it, or the `items` alone at this side.

    `follow`: a link is what it leads to.
    """
    if tree:
        return find_below(path, items, side, "-L" if follow else "-H", ("-printf", r"%y %s %T@,%C@ %D %i %P\0"))
    return ("stat", "-L", "-c", "%f %s %Y %d %i %z", "--", path)


def read_listing(output: bytes, errors: bytes, exit_code: int, *, tree: bool) -> Listing:
    """What `list_command` printed. Names are decoded so that every byte survives."""
    if exit_code in NO_SUCH_COMMAND:
        name = "find (GNU)" if tree else "stat"
        return Listing("unknown", problem=f"its image has no {name}, which shows what is there")
    if exit_code != 0:
        text = errors.decode("utf-8", "replace").strip().split("\n")[0]
        if text.endswith("No such file or directory") and not output:
            return Listing("missing")
        return Listing("unknown", problem=text or f"exit code {exit_code}")
    try:
        return _tree(output) if tree else _single(output)
    except ValueError:
        return Listing("unknown", problem=f"{'find' if tree else 'stat'} wrote something that is no listing")


def _single(output: bytes) -> Listing:
    mode, size, modified, device, inode, *changed = output.decode("ascii").split()
    kind = int(mode, 16)
    root = Entry(int(size), modified, stat.S_ISDIR(kind), f"{device} {inode}", _trace(inode, size, _nanoseconds(changed)))
    if stat.S_ISREG(kind):
        return Listing("file", {"": root}, root=root)
    return Listing("folder" if root.is_folder else "other", root=root)


def _nanoseconds(words: Sequence[str]) -> int:
    """Of `2026-11-29 03:09:49.123456789 +0000`; 0 if it is no such time (a notebook of an older dtnctl has none)."""
    try:
        day, time, zone = words
        whole, _, part = time.partition(".")
        seconds = int(datetime.strptime(f"{day} {whole} {zone}", "%Y-%m-%d %H:%M:%S %z").timestamp())
        return seconds * 10**9 + int(part[:9].ljust(9, "0"))
    except ValueError:
        return 0


def _trace(inode: str, size: str, changed: int) -> str:
    """What one file has on every host. A change at a whole second is no such mark, unless the file system numbers its files uniquely."""
    is_particular = changed % 10**9 != 0 or (changed and int(inode) > UNIQUE_INODES)
    return f"{inode} {size} {changed}" if is_particular else ""


def _tree(output: bytes) -> Listing:
    entries: dict[str, Entry] = {}
    others = 0
    root: Entry | None = None
    for line in output.split(b"\0")[:-1]:
        kind, size, times, device, inode, path = line.decode("utf-8", "surrogateescape").split(" ", 5)
        name = clean_name(path)
        modified, _, changed = times.partition(",")
        seconds, _, part = changed.partition(".")
        trace = _trace(inode, size, int(seconds or 0) * 10**9 + int(part[:9].ljust(9, "0")))
        entry = Entry(int(size) if kind == "f" else 0, modified, kind == "d", f"{device} {inode}", trace)
        root = root if name else entry
        if kind in ("d", "f"):
            entries[name] = entry
        else:
            others += 1
    if "" not in entries:
        return Listing("other" if others else "missing")
    return Listing("folder" if entries[""].is_folder else "file", entries, others, root)


def read_lines(output: bytes, *, tree: bool) -> Listing:
    """A listing from what `list_command` once wrote; nothing written means that nothing was there."""
    return read_listing(output, b"", 0, tree=tree) if output else Listing("missing")
