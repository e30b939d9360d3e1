"""How this run of the program was asked to speak, and what it owes if it fails half-way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Invocation:
    """`json`: stdout is owed one JSON document, also when the command fails. `folders` are those of -C.

    `at_end` is done after the command, in any case.
    """

    json: bool = False
    color: str = "auto"
    ascii: bool = False
    folders: list[str] = field(default_factory=list)
    at_end: list[Callable[[], None]] = field(default_factory=list)
