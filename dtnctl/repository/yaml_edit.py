"""Sets and removes single fields of a YAML text at any depth. All others stay with their comments; the text gets its standard form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from dtnctl.repository.yaml_text import Block, Item, Order, open_inline, read_blocks, render_scalar, write_blocks

Path: TypeAlias = Sequence[str | int]  # keys, and indices of lists
REMOVED = object()


class NoFieldError(LookupError):
    """There is nothing at that path."""


def set_at(text: str, order: Order, path: Path, value: object) -> str:
    """The text with the value at the path; mappings on the way that do not exist are made. NoFieldError for an index that is not there."""
    return _edited(text, order, path, value)


def remove_at(text: str, order: Order, path: Path) -> str:
    """The text without what is at the path, and without the comments that belong to it. NoFieldError if nothing is there."""
    return _edited(text, order, path, REMOVED)


def render_value(value: object) -> str:
    """The value on one line. TypeError for one that YAML files of ours do not have."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{render_scalar(key)}: {render_value(item)}' for key, item in value.items())}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(render_value(item) for item in value)}]"
    return render_scalar(value)


def _edited(text: str, order: Order, path: Path, value: object) -> str:
    header, block = read_blocks(text, order)
    _edit_block(block, path, value)
    return write_blocks(header, block, order)


def _edit_block(block: Block, path: Path, value: object) -> None:
    key, *below = path
    item = next((item for item in block.items if item.key == str(key)), None)
    if item is None:
        if value is REMOVED or isinstance(key, int):
            raise NoFieldError(key)
        block.items.append(Item(key, f"{render_scalar(key)}:", [], [render_value(_nested(below, value))], ""))
    elif below:
        _edit_below(item, below, value)
    elif value is REMOVED:
        block.items.remove(item)
    else:
        item.value = [render_value(value)]


def _edit_below(item: Item, path: Path, value: object) -> None:
    """What stands on one line gets a line for each item; a comment beside a list's item then stands above it."""
    block = item.value if isinstance(item.value, Block) else open_inline(item.value)
    if block is None:
        raise NoFieldError(path[0])
    if item.beside and item.head == "-" and block is not item.value:
        item.before.append(item.beside)
        item.beside = ""
    _edit_block(block, path, value)
    item.value = block if block.items else ["{}" if isinstance(path[0], str) else "[]"]


def _nested(path: Path, value: object) -> object:
    """The value below keys that do not exist yet."""
    for key in reversed(path):
        if isinstance(key, int):
            raise NoFieldError(key)
        value = {key: value}
    return value
