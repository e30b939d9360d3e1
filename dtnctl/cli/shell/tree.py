"""The noun tree: folders, fields, and what a path in it names. Values; nothing here asks anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from dtnctl.errors import UsageError
from dtnctl.model.nearest import suggestion

ROOT = "/"
Parts: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A value as text; empty: there is none."""

    value: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """What is below it, in the order in which it is listed."""

    entries: tuple[Entry, ...] = ()

    def entry(self, word: str) -> Entry | None:
        """That of the name, or of the number. UsageError where a name is the number of another entry."""
        named = next((item for item in self.entries if item.name == word), None)
        numbered = next((item for item in self.entries if item.number and str(item.number) == word), None)
        if named is not None and numbered is not None and named is not numbered:
            raise UsageError(f"{word} is the name of one entry and the number of {numbered.name}; try {numbered.name}, or another number")
        return named or numbered

    @property
    def words(self) -> tuple[str, ...]:
        """What names an entry, as it is listed."""
        return tuple(str(item.number or item.name) for item in self.entries)


Node: TypeAlias = Field | Folder


@dataclass(frozen=True, slots=True)
class Entry:
    """`number` is 0 where it has none. `line` is what a list says beside the number: the talk's client names no session there."""

    name: str
    node: Node
    number: int = 0
    line: str = ""


def parts_of(here: Parts, typed: str) -> Parts:
    """The path that is meant, from the root: `..` leads up, a slash at its beginning to the root."""
    parts = [] if typed.startswith(ROOT) else list(here)
    for word in typed.split("/"):
        if word == "..":
            parts = parts[:-1]
        elif word not in ("", "."):
            parts.append(word)
    return tuple(parts)


def path_text(parts: Parts) -> str:
    """The path as `pwd` shows it."""
    return ROOT + "/".join(parts)


def find(root: Folder, parts: Parts) -> Node:
    """What the path names. UsageError that names the nearest word if there is nothing."""
    node: Node = root
    for depth, word in enumerate(parts):
        above = path_text(parts[:depth])
        if isinstance(node, Field):
            raise UsageError(f"{above} is a field and has nothing below it; try `ls {above}`")
        found = node.entry(word)
        if found is None:
            raise UsageError(f"there is no {word} in {above}; try {suggestion(word, node.words, f'`ls {above}`')}")
        node = found.node
    return node


def grown(value: Any) -> Node:
    """A plain value as a part of the tree: mappings and lists of mappings are folders, all else is a field."""
    match value:
        case Mapping():
            return Folder(tuple(Entry(str(key), grown(item)) for key, item in value.items()))
        case list() | tuple() if any(isinstance(item, Mapping) for item in value):
            return Folder(tuple(Entry(_name_of(item, number), grown(item)) for number, item in enumerate(value, 1)))
        case list() | tuple():
            return Field(", ".join(_text(item) for item in value))
        case _:
            return Field(_text(value))


def _name_of(item: Any, number: int) -> str:
    """Of an entry of a list: what it is called, or its place."""
    called = item.get("name") if isinstance(item, Mapping) else None
    return called if isinstance(called, str) and called and "/" not in called else str(number)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list() | tuple():
            return ", ".join(map(_text, value))
        case _:
            return str(value)
