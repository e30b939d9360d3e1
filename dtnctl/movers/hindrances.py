"""Finds what of a tree would not arrive, or could not be written, before a copy begins: links, special files, missing permissions. Pure.

`find` looks as the user that the copy will be, so what the kernel refuses to it is refused to the copy as well.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dtnctl.model.transfer_items import Item
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Listing
from dtnctl.movers.below import clean_name, find_below
from dtnctl.movers.selection import is_selected, is_selective

NAMES_SHOWN = 3
SPECIAL = {"p": "pipe", "s": "socket", "b": "block device", "c": "character device", "D": "door"}


@dataclass(frozen=True, slots=True)
class Hindrances:
    """Names below a path, sorted; the path itself is the empty name. `special` has the kind of each."""

    links: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    special: tuple[tuple[str, str], ...] = ()


def source_command(path: str, *, tree: bool, follow: bool, items: Sequence[Item] = ()) -> tuple[str, ...]:
    """Prints what cannot be read at `path`, and what is neither file nor folder; with `tree` also below it.

    With `follow` only links that lead nowhere count. A folder that cannot be listed or entered is not descended into.
    """
    closed_folder = ("-type", "d", "(", "!", "-readable", "-o", "!", "-executable", ")", "-prune")
    odd_file = ("!", "-type", "d", "(", "!", "-type", "f", "-o", "!", "-readable", ")")
    rest = (*_depth(tree), *closed_folder, "-printf", r"%y %P\0", "-o", *odd_file, "-printf", r"%y %P\0")
    return find_below(path, items, "source", "-L" if follow else "-H", rest)


def destination_command(path: str, *, tree: bool, items: Sequence[Item] = ()) -> tuple[str, ...]:
    """Prints what is at `path` already and cannot be written; with `tree` also below it."""
    closed_folder = ("-type", "d", "(", "!", "-writable", "-o", "!", "-executable", ")")
    closed_file = ("-type", "f", "!", "-writable")
    rest = (*_depth(tree), *closed_folder, "-printf", r"%y %P\0", "-o", *closed_file, "-printf", r"%y %P\0")
    return find_below(path, items, "destination", "-L", rest)


def _depth(tree: bool) -> tuple[str, ...]:
    return () if tree else ("-maxdepth", "0")


def read_hindrances(output: bytes) -> Hindrances:
    """What one of the commands printed. Lines that it cannot have printed are passed over: the listing says what is wrong then."""
    lines = [line.decode("utf-8", "surrogateescape").partition(" ") for line in output.split(b"\0")[:-1]]
    found = {(kind, clean_name(name)) for kind, _, name in lines}
    return Hindrances(
        links=tuple(sorted(name for kind, name in found if kind in ("l", "L", "N"))),
        closed=tuple(sorted(name for kind, name in found if kind in ("d", "f"))),
        special=tuple(sorted((name, SPECIAL[kind]) for kind, name in found if kind in SPECIAL)),
    )


def of_selected(found: Hindrances, options: TransferOptions) -> Hindrances:
    """What is in the way of what is copied. Links that are to be left out are in no one's way: they count as special."""
    if not is_selective(options):
        return found
    links, closed = (tuple(name for name in names if _concerns(name, options)) for names in (found.links, found.closed))
    special = tuple((name, kind) for name, kind in found.special if is_selected(name, options))
    if options.links == "omit":
        return Hindrances((), closed, tuple(sorted((*special, *((name, "link") for name in links)))))
    return Hindrances(links, closed, special)


def _concerns(name: str, options: TransferOptions) -> bool:
    """Whether it is copied, or a folder above what an item names."""
    return is_selected(name, options) or any(item.source.startswith(f"{name}/") for item in options.items)


def source_refusal(found: Hindrances, listing: Listing, options: TransferOptions) -> str:
    """Why what is at the source would not arrive whole, as the end of a sentence about its path; empty if it would, or if it need not."""
    if found.closed and options.on_file_error == "fail":
        return f"has what its user may not read: {_names(found.closed)}"
    links = tuple(name for name in found.links if name)
    if links and options.links == "follow":
        return f"has links that lead nowhere: {_names(links)}"
    if links:
        return (
            f"has links: {_names(links)}; write `links: follow` to copy what they lead to, `links: omit` to leave them out, or remove them"
        )
    if twice := _folders_of_two_names(listing):
        first, second = twice
        return f"has one folder under two names, {first!r} and {second!r}, and GridFTP copies it under one of them alone"
    return ""


def _folders_of_two_names(listing: Listing) -> tuple[str, str] | None:
    """globus-url-copy enters a folder that it has seen already, by device and inode, no second time."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, entry in sorted(listing.entries.items()):
        if entry.is_folder and entry.identity:
            names[entry.identity].append(name)
    return next(((same[0], same[1]) for same in names.values() if len(same) > 1), None)


def destination_refusal(closed: Hindrances, there: Listing, source: Listing) -> str:
    """Why a file could not be written at the destination, as the end of a sentence about its path; empty if it could be."""
    files = [name for name in source.files if name in closed.closed]
    folders = {posixpath.dirname(name) for name in source.entries if name and name not in there.entries}
    blocked = sorted({*files, *(folder for folder in folders if folder in closed.closed)})
    return f"has what its user may not write: {_names(blocked)}" if blocked else ""


def left_out(found: Hindrances) -> str:
    """What is no file and no folder, by name; empty if there is none."""
    if not found.special:
        return ""
    kinds = sorted({kind for _, kind in found.special})
    return f"leaves out what is no file: {_names([name for name, _ in found.special])} ({', '.join(kinds)})"


def _names(names: tuple[str, ...] | list[str]) -> str:
    """The first names and how many more; the path itself is the empty name."""
    shown = ", ".join(repr(name) if name else "itself" for name in names[:NAMES_SHOWN])
    rest = len(names) - NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
