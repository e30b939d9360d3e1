"""Labels of endpoints and sessions, and selectors of them as kubectl has them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from dtnctl.model.transfer_about import FreePairs

_VALUE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")


def _check_values(pairs: dict[str, str]) -> dict[str, str]:
    for name, value in pairs.items():
        if not _VALUE.fullmatch(value):
            raise ValueError(
                f"`{name}: {value}` cannot be selected; write letters, digits and . _ -, at most 63, a letter or digit first, in the value"
            )
    return pairs


Labels: TypeAlias = Annotated[FreePairs, AfterValidator(_check_values)]

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
_AMONG = rf"\s+(?P<among>in|notin)\s*\(\s*(?P<values>{_WORD}(?:\s*,\s*{_WORD})*)\s*\)"
_EQUALS = rf"\s*(?P<equals>!=|==?)\s*(?P<value>{_WORD})"
_CONDITION = re.compile(rf"\s*(?P<name>{_NAME})(?:{_AMONG}|{_EQUALS})\s*(?:$|,(?=.))")
EXPECTED = "`region=eu`, `region!=eu`, `region in (eu,us)` or `region notin (eu,us)`, several with a comma between them"


class SelectorError(ValueError):
    """A selector that is none, with what was expected."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition: the label has one of the values; with `negated` it has none of them, or is missing."""

    name: str
    values: frozenset[str]
    negated: bool = False

    def is_met_by(self, labels: Mapping[str, str]) -> bool:
        return (labels.get(self.name) in self.values) != self.negated


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """All conditions of the text, which all have to be met. SelectorError if it is no selector."""
    found: list[Requirement] = []
    place = 0
    while match := _CONDITION.match(text, place):
        values = frozenset(re.split(r"\s*,\s*", match["values"] or match["value"]))
        found.append(Requirement(match["name"], values, match["equals"] == "!=" or match["among"] == "notin"))
        place = match.end()
        if place == len(text):
            return tuple(found)
    raise SelectorError(f"{text!r} selects no labels; write {EXPECTED}")
