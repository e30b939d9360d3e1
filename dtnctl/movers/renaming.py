"""Brings the names at both ends of a transfer with items together: all that is compared has the source's names. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dtnctl.model.transfer_items import Item, item_of, targets_of
from dtnctl.movers.base import Listing
from dtnctl.printable import plural


def by_source_names(there: Listing, names: Iterable[str], items: Sequence[Item]) -> Listing:
    """The destination's listing with its files under their names at the source; `names` are those. As it is without items."""
    if not items or there.kind != "folder":
        return there
    files = {name: there.entries[target] for name, target in targets_of(names, items).items() if target in there.entries}
    root = {"": there.entries[""]} if "" in there.entries else {}
    return replace(there, entries={**root, **files})


def by_target_names(source: Listing, items: Sequence[Item]) -> Listing:
    """What is copied, under its names at the destination."""
    if not items:
        return source
    targets = targets_of(source.files, items)
    return replace(source, entries={targets.get(name, name): entry for name, entry in source.entries.items()})


def refuse_items(source: Listing, items: Sequence[Item], where: str) -> str:
    """Why the items cannot be copied as they are, as a sentence; empty if they can. `source` is what they choose, `where` its folder."""
    found = {item_of(name, items) for name in source.files}
    idle = [item for item in items if item not in found]
    if idle:
        more = f" (and {plural(len(idle) - 1, 'more item')})" if len(idle) > 1 else ""
        return f"`items`: `{idle[0]}`{more} chooses no file below {where} that no item before it has; a folder ends in /"
    writers: dict[str, str] = {}
    for name, target in targets_of(sorted(source.files), items).items():
        if target in writers:
            return f"`items`: {writers[target]!r} and {name!r} would both be written to {target!r}"
        writers[target] = name
    for target in writers:
        above = target
        while above := posixpath.dirname(above):
            if above in writers:
                return f"`items`: {writers[above]!r} would be written to {above!r}, which is a folder for {writers[target]!r}"
    return ""
