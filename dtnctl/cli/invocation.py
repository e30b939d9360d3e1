"""What the program must know of a command that fails half-way."""

from __future__ import annotations


class Invocation:
    """`json`: stdout is owed one JSON document, also when the command fails."""

    def __init__(self) -> None:
        self.json = False
