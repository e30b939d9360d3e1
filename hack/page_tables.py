"""The part of a page that a program writes, between two lines of it; the rest is written by people."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TablesOf:
    """`what` names the part; the program that writes it is `hack.PROGRAM`."""

    what: str
    program: str

    @property
    def start(self) -> str:
        return f"<!-- {self.what}: made by hack/{self.program}.py -->\n"

    @property
    def end(self) -> str:
        return f"<!-- end of {self.what} -->\n"

    @property
    def command(self) -> str:
        """How it is run, from the clone's folder."""
        return f"python -m hack.{self.program}"

    def placed(self, page: str, text: str) -> str:
        """The page with this text as its part."""
        before, _, rest = page.partition(self.start)
        _, _, after = rest.partition(self.end)
        return f"{before}{self.start}\n{text}\n{self.end}{after}"

    def write(self, file: Path, text: str, arguments: list[str]) -> int:
        """Write the text into the page, or with `--check` report whether it is there: an exit code."""
        page = file.read_text(encoding="utf-8")
        wanted = self.placed(page, text)
        if "--check" not in arguments:
            file.write_text(wanted, encoding="utf-8")
        elif page != wanted:
            sys.stderr.write(f"{file} is stale; run: {self.command}\n")
            return 1
        return 0
