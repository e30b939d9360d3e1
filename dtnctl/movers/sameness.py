"""Decides whether what is copied and where it goes are one thing: writing there would empty what is to be read. Pure.

On one host a file is known by device and inode, by any name, link or mount. Two hosts may share a file system, whose device they number
differently: there a file is known by its inode, its size and the nanosecond of its last change, which no one can set. Two disks can only
agree on all three if one is a copy of the other and the file was not touched since; then there is nothing to copy either.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from dtnctl.model.transfer_items import Item
from dtnctl.movers.base import Entry, Listing


def one_thing(source: Listing, destination: Listing, *, one_host: bool) -> str:
    """Why a copy would damage what it reads, as the end of a sentence about the destination; empty if it would not."""
    own = _marks(source.root, one_host)
    there = _marks(destination.root, one_host)
    if own & there:
        return "is what is copied itself"
    if there & _all_marks(source, one_host, folders=True):
        return "is inside of what is copied"
    if own & _all_marks(destination, one_host, folders=True):
        return "contains what is copied"
    files = _all_marks(source, one_host, folders=False)
    for name in sorted(source.files):
        entry = destination.entries.get(name)
        if name and entry is not None and _marks(entry, one_host) & files:
            return f"has {name!r}, which is a file of what is copied itself"
    return ""


def into_itself(source: Listing, destination: Listing, items: Iterable[Item], *, one_host: bool) -> str:
    """As `one_thing`, for folders among items: one that is copied into itself grows until the disk is full. `source` has all that is
    below the items, also folders.
    """
    items = tuple(items)
    whole = tuple(item.source for item in items if item.is_folder and not item.pattern)
    folders = (entry for name, entry in source.entries.items() if entry.is_folder and f"{name}/".startswith(whole))
    copied = {mark for entry in folders for mark in _marks(entry, one_host)}
    for item in items if copied else ():
        target = item.target.removesuffix("/") if item.is_folder else posixpath.dirname(item.target)
        parts = target.split("/")
        for name in ("", *("/".join(parts[:count]) for count in range(1, len(parts) + 1))):
            if copied & _marks(destination.entries.get(name), one_host):
                return f"has {name!r}, which is a folder that is copied" if name else "is inside of a folder that is copied"
    return ""


def _all_marks(listing: Listing, one_host: bool, *, folders: bool) -> set[str]:
    entries: Iterable[Entry] = (entry for name, entry in listing.entries.items() if name and entry.is_folder == folders)
    return {mark for entry in entries for mark in _marks(entry, one_host)}


def _marks(entry: Entry | None, one_host: bool) -> set[str]:
    if entry is None:
        return set()
    return {mark for mark in (entry.identity if one_host else "", entry.trace) if mark}
