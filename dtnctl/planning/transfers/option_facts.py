"""Decides which options of a transfer a plan shows: those that a reviewer would otherwise not know of. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.transfer_options import TransferOptions

FAST = ("adler32", "crc32c")  # they find what broke on the way, and no intent


def option_facts(options: TransferOptions) -> Iterator[tuple[str, str]]:
    """(name, text) of each, in the order of the plan."""
    yield "verify", f"{options.verify} by {options.algorithm}" if options.algorithm in FAST else options.verify
    if options.expected is not None:
        yield "expected", options.expected
    if options.links == "follow":
        yield "links", "followed"
