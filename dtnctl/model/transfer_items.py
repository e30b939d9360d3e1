"""Items of a transfer: which files, folders and patterns below its `from` are copied, and to which names below its `to`. Pure.

The first item that covers a file counts, so that one file of a folder can be renamed and the others keep their names.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from dtnctl.model.fields import OrShort
from dtnctl.model.written import Written

MOST_ITEMS = 1000
LONGEST_ITEMS = 65_536  # characters of all names: they are arguments of one command
MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Item:
    """Names below the folders of a transfer. A `source` that ends in / is a folder: what matches `pattern` below it, all if that is empty.

    Then `target` ends in /, too, or is empty: the destination's folder itself.
    """

    source: str
    target: str
    pattern: str = ""

    @property
    def is_folder(self) -> bool:
        return self.source.endswith("/") or bool(self.pattern)

    def covers(self, name: str) -> bool:
        """Whether the file, by its name below the transfer's source, is one of this item's."""
        if not self.is_folder:
            return name == self.source
        below = name.removeprefix(self.source)
        return name.startswith(self.source) and (not self.pattern or matches(self.pattern.split("/"), below.split("/")))

    def target_of(self, name: str) -> str:
        """The name below the transfer's destination."""
        return self.target + name.removeprefix(self.source) if self.is_folder else self.target

    def __str__(self) -> str:
        return self.source + self.pattern


def matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the pattern matches the parts of a name, or the first of them: a folder above."""
    places = {0}  # how many parts what was looked at of the pattern may stand for
    for word in pattern:
        if word == "**":
            places = set(range(min(places), len(parts) + 1)) if places else places
        else:
            places = {place + 1 for place in places if place < len(parts) and fnmatchcase(parts[place], word)}
    return bool(places)


def item_of(name: str, items: Iterable[Item]) -> Item | None:
    """The item that the file is copied by; None if it is not copied."""
    return next((item for item in items if item.covers(name)), None)


def targets_of(names: Iterable[str], items: Sequence[Item]) -> Mapping[str, str]:
    """The destination's name of each file that is copied. Without items a file keeps its name."""
    found = {name: item_of(name, items) for name in names} if items else {}
    return {name: item.target_of(name) for name, item in found.items() if item is not None} if items else {name: name for name in names}


# --- as people write them -----------------------------------------------------------------------------------


class TransferItem(Written):
    """One file, folder or pattern of a transfer. The text alone is its `from`."""

    from_: str = Field(
        alias="from",
        min_length=1,
        description="A name below the transfer's `from`, or a path in it. One that ends in / is a folder with all below it; with `*`, `?` "
        "or `[` it is a pattern, as in `include`.",
    )
    to: str | None = Field(
        None,
        min_length=1,
        description="Its name below the transfer's `to`, or a path in it; one that ends in / is the folder that it goes into. "
        "Missing: the same name.",
    )


def _from_text(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


ItemForm = Annotated[TransferItem, BeforeValidator(_from_text), OrShort({"type": "string"})]
Items = Annotated[tuple[ItemForm, ...], Field(strict=False, max_length=MOST_ITEMS)]


def read_item(written: TransferItem, source: str, destination: str) -> Item:
    """The item as plans have it; `source` and `destination` are the folders of its transfer. ValueError says what is wrong."""
    name = _below(written.from_, source, "from")
    folder, pattern = _split(name)
    is_many = bool(pattern) or name.endswith("/")
    if written.to is None:
        return Item(folder if is_many else name, folder if is_many else name, pattern)
    target = _below(written.to, destination, "to")
    if is_many and target and not target.endswith("/"):
        raise ValueError(f"`{written.from_[:60]}` are files of a folder, so its `to` is a folder: `{written.to[:60]}/`")
    if is_many:
        return Item(folder, target, pattern)
    return Item(name, target + posixpath.basename(name) if not target or target.endswith("/") else target)


def _split(name: str) -> tuple[str, str]:
    """The folder before the first part that is a pattern, and the pattern below it; no pattern for a name without one."""
    parts = name.split("/")
    first = next((index for index, part in enumerate(parts) if MAGIC & set(part)), None)
    if first is None:
        return name, ""
    return "".join(f"{part}/" for part in parts[:first]), "/".join(part for part in parts[first:] if part)


def _below(text: str, folder: str, field: str) -> str:
    """The name below the folder; empty for the folder itself as `to`."""
    if text.startswith("/") and not text.startswith(folder):
        raise ValueError(f"`{text[:60]}` is not below {folder}, the `{field}` of the transfer")
    name = text.removeprefix(folder) if text.startswith("/") else text
    if not name and field == "to":
        return ""
    if {"", ".", ".."} & set(name.removesuffix("/").split("/")):
        raise ValueError(f"`{text[:60]}` is no name below {folder}; write it from there on, such as `2026/a.nc`")
    return name
