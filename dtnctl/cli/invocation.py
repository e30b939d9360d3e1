"""How this run of the program was asked to speak, and what it owes if it fails half-way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtnctl.cli.events import Events


@dataclass(slots=True)
class Invocation:
    """`json`: stdout is owed one JSON document, also when the command fails. `events`: it carries lines of JSON. `folders` are those of -C.

    `at_end` is done after the command, in any case. `called`: what sentences call a session; the shell has numbers for them.
    """

    json: bool = False
    events: Events | None = None
    color: str = "auto"
    ascii: bool = False
    folders: list[str] = field(default_factory=list)
    at_end: list[Callable[[], None]] = field(default_factory=list)
    called: Callable[[str], str] = str
