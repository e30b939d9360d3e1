"""The whole lines of an output that comes in pieces. Pure."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_LINE = 65536  # bytes of a line that has not ended; of a longer one the end is kept


@dataclass(slots=True)
class Lines:
    """A line that is not whole waits for the piece that ends it. Progress lines end in carriage returns, too."""

    _rest: str = ""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that this piece ends, in order."""
        *whole, rest = (self._rest + chunk.decode("utf-8", "replace").replace("\r", "\n")).split("\n")
        self._rest = rest[-LONGEST_LINE:]
        return whole
