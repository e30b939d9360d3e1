"""Decides which of a folder's files a transfer is about: `include`, `exclude`, and links that are left out. Pure.

A pattern is about names below the folder, part by part: `*`, `?` and `[a-z]` match within one part, `**` any number of parts. What
matches a folder is about all below it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dtnctl.model.transfer_items import item_of, matches
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Listing


def is_selective(options: TransferOptions) -> bool:
    """Whether not all below the folder is copied, so that the mover has to be given the names."""
    return bool(options.include or options.exclude or options.items) or options.links == "omit"


def is_selected(name: str, options: TransferOptions) -> bool:
    """Whether the file, by its name below the folder, is copied."""
    if options.items:
        return item_of(name, options.items) is not None
    parts = name.split("/")
    wanted = not options.include or _any_matches(options.include, parts)
    return wanted and not _any_matches(options.exclude, parts)


def _any_matches(patterns: Iterable[str], parts: Sequence[str]) -> bool:
    return any(matches(pattern.strip("/").split("/"), parts) for pattern in patterns)


def selected(listing: Listing, options: TransferOptions) -> Listing:
    """What of a listing is copied: files, and the folders that hold some of them."""
    if not is_selective(options) or listing.kind != "folder":
        return listing
    files = {name: entry for name, entry in listing.entries.items() if not entry.is_folder and is_selected(name, options)}
    return replace(listing, entries={**_folders_of(() if options.items else files, listing.entries), **files})


def _folders_of(files: Iterable[str], entries: Mapping[str, Entry]) -> Mapping[str, Entry]:
    names = {""}
    for name in files:
        while name := posixpath.dirname(name):
            names.add(name)
    return {name: entry for name, entry in entries.items() if name in names}
