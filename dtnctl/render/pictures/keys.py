"""Letters and colours that stand for sessions in a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import ascii_uppercase

from dtnctl.render.pictures.style import COLOURS


@dataclass(frozen=True, slots=True)
class Key:
    """`letters` are unique in a picture; `colour` repeats."""

    letters: str
    colour: int


def keys_of(names: Iterable[str]) -> Mapping[str, Key]:
    """A key for each name, in the order in which the names come first."""
    return {name: Key(letters_of(index), index % COLOURS) for index, name in enumerate(dict.fromkeys(names))}


def letters_of(index: int) -> str:
    """A, B … Z, AA, AB …"""
    text = ""
    while index >= 0:
        text = ascii_uppercase[index % 26] + text
        index = index // 26 - 1
    return text
