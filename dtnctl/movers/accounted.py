"""Decides what became of each file: left as it was, not arrived, or to be compared. Pure.

`sync_level` leaves files as they are; its levels are those of Globus and of globus-url-copy's -sync-level: a file is copied if it is
missing (exists), also if its size differs (size), also if it is older than the source's (mtime), or if its size or its checksum differs
(checksum). With `on_file_error: skip` a file that did not arrive does not end the copy of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Entry, Evidence, Listing


@dataclass(frozen=True, slots=True)
class Accounted:
    """`compared` is the evidence on the files that are to be compared: what is in `kept` or `missing` is taken out of it."""

    compared: Evidence
    kept: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()


def account_for(evidence: Evidence, options: TransferOptions) -> Accounted:
    """What became of each of the source's files, and of its folders where they may be missing."""
    kept = _kept(evidence, options)
    missing = _missing(evidence) - kept if options.on_file_error == "skip" else frozenset[str]()
    out = kept | missing
    if not out:
        return Accounted(evidence)
    sums = evidence.sums
    if sums is not None:
        here, there = ({name: value for name, value in part.items() if name not in out} for part in sums)
        sums = here, there
    before, source = _without(evidence.before, out), _without(evidence.source, out)
    return Accounted(replace(evidence, before=before, source=source, sums=sums), kept, missing)


def _without(listing: Listing | None, names: frozenset[str]) -> Listing | None:
    return None if listing is None else replace(listing, entries={name: it for name, it in listing.entries.items() if name not in names})


def _kept(evidence: Evidence, options: TransferOptions) -> frozenset[str]:
    """Files that are at the destination as they were, and that the level does not ask to copy. What is expected is compared anyway."""
    source, old, now = evidence.source or evidence.before, evidence.old, evidence.destination
    if options.sync_level is None or options.expected is not None or source is None or old is None or now is None:
        return frozenset()
    untouched = {name: entry for name, entry in now.entries.items() if name in old.entries and _is_untouched(old.entries[name], entry)}
    return frozenset(name for name in source.files if name in untouched and _may_stay(source.entries[name], untouched[name], options))


def _is_untouched(before: Entry, after: Entry) -> bool:
    """A trace has the time of change, which every writing sets and nothing sets back."""
    return before == after and before.trace == after.trace


def _may_stay(source: Entry, there: Entry, options: TransferOptions) -> bool:
    match options.sync_level:
        case "exists":
            return True
        case "mtime":
            return source.size == there.size and _seconds(there) >= _seconds(source)
        case _:
            return source.size == there.size


def _seconds(entry: Entry) -> int:
    """GridFTP servers report whole seconds."""
    return int(float(entry.modified))


def _missing(evidence: Evidence) -> frozenset[str]:
    """What is not at the destination as it was at the source before the start."""
    source, there = evidence.source, evidence.destination
    if source is None or there is None or "unknown" in (source.kind, there.kind):
        return frozenset()
    before = evidence.before or source
    arrived = {name for name, size in before.files.items() if source.files.get(name) == size == there.files.get(name)}
    if evidence.sums is not None:
        arrived -= {name for name, value in evidence.sums[0].items() if evidence.sums[1].get(name) != value}
    files = (before.files.keys() | source.files.keys()) - arrived
    return frozenset(files | (source.folders - there.folders))
