"""Decides which options of a transfer a plan shows: those that a reviewer would otherwise not know of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dtnctl.model.fields import show_rate
from dtnctl.model.transfer_items import Item
from dtnctl.model.transfer_options import SyncLevel, TransferOptions

LEFT: Mapping[SyncLevel, str] = {
    "exists": "exists: what is there is left as it is",
    "size": "size: what is there with the source's size is left as it is",
    "mtime": "mtime: what is there with the source's size and is no older is left as it is",
    "checksum": "checksum: what is there with the source's size and checksum is left as it is",
}
SHOWN = 3  # as many items are named
SAID: Mapping[str, str] = {
    "auto": "md5, from 1 GiB on by crc32c or adler32 if both images have it",
    "measured": "md5, from 1 GiB on by sha256 where both ends compute that faster",
}


def option_facts(options: TransferOptions) -> Iterator[tuple[str, str]]:
    """(name, text) of each, in the order of the plan."""
    algorithm = SAID.get(options.algorithm, options.algorithm)
    yield "verify", f"checksum by {algorithm}" if options.verify == "checksum" else options.verify
    if options.expected is not None:
        yield "expected", options.expected
    if options.links != "refuse":
        yield "links", {"follow": "followed", "omit": "left out"}[options.links]
    yield from _choice(options)
    if options.sync_level is not None:
        yield "sync level", LEFT[options.sync_level]
    if options.preserve_times:
        yield "times", "those of the source"
    if options.on_file_error == "skip":
        yield "file errors", "the file is skipped, the others are copied"
    if options.restarts:
        yield "restarts", f"up to {options.restarts} within a try"
    if options.pipelining:
        yield "pipelining", "on"


def _choice(options: TransferOptions) -> Iterator[tuple[str, str]]:
    """What of the folder is copied."""
    if options.items:
        yield "items", _items_text(options.items)
    if options.include:
        yield "include", ", ".join(options.include)
    if options.exclude:
        yield "exclude", ", ".join(options.exclude)


def _items_text(items: Sequence[Item]) -> str:
    shown = ", ".join(str(item) if item.source == item.target else f"{item} → {item.target or './'}" for item in items[:SHOWN])
    return f"{shown} and {len(items) - SHOWN} more" if len(items) > SHOWN else shown


def rate_facts(options: TransferOptions) -> Iterator[tuple[str, str]]:
    """The same of every transfer, also of one that copies nothing."""
    if options.require_path:
        yield "path", "required"
    if options.max_rate is not None:
        yield "max rate", show_rate(options.max_rate)
    if options.scitag is not None:
        tag = options.scitag
        yield "scitag", f"experiment {tag.experiment}, activity {tag.activity}, fireflies to {tag.collector} port {tag.port}"
