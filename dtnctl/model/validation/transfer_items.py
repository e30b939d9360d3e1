"""Checks the items of a transfer: names below its two folders, no two of one name; and `on_file_error` of tools that copy one by one."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.site import Document
from dtnctl.model.transfer import Transfer
from dtnctl.model.transfer_items import LONGEST_ITEMS, Item
from dtnctl.model.validation.known import Known


def check_items(known: Known, document: Document[Transfer]) -> None:
    """Reports each problem at its item."""
    transfer = document.value
    for field in ("include", "exclude") if transfer.items else ():
        if getattr(transfer, field):
            known.report((document, (field,)), "E0337", f"`{field}` and `items` both choose what is copied", "`items` with a pattern")
    size = sum(len(item.from_) + len(item.to or "") for item in transfer.items)
    if size > LONGEST_ITEMS:
        what = f"these names are {size} characters, and {LONGEST_ITEMS} fit into a command"
        known.report((document, ("items",)), "E0337", what, "folders and patterns instead of single files, or two transfers")
    seen: dict[tuple[str, str], int] = {}
    for index in range(len(transfer.items)):
        item = transfer.read_item(index)
        if isinstance(item, str):
            known.report((document, ("items", index)), "E0338", item, "names below the folders of the transfer")
            continue
        for field, what in _taken(item, seen):
            known.report((document, ("items", index, field)), "E0338", what, "one item of them")
        seen |= dict.fromkeys(_keys(item), index)
    if transfer.on_file_error == "skip" and transfer.tool_row.one_by_one and not transfer.items:
        what = f"{transfer.tool} goes on after a file that fails only where its files are `items`"
        known.report((document, ("on_file_error",)), "E0337", what, "to remove it, or `tool: gridftp`")


def _keys(item: Item) -> Iterator[tuple[str, str]]:
    yield "from", str(item)
    if not item.is_folder:
        yield "to", item.target


def _taken(item: Item, seen: dict[tuple[str, str], int]) -> Iterator[tuple[str, str]]:
    for field, name in _keys(item):
        if (field, name) in seen:
            yield field, f"`{name}` is the `{field}` of item {seen[field, name] + 1}, too"
