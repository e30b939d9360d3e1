"""What one YAML file says, before it means anything: plain values, the place of each, and what is wrong so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dtnctl.errors import Problem
from dtnctl.model.site import Location, Mark

MAX_PROBLEMS = 100


@dataclass(slots=True)
class Source:
    """Filled by reading. `marks` has a place for every field: a scalar's own, a collection's key; `keys` the keys' own."""

    file: str
    value: Any = None
    marks: dict[Location, Mark] = field(default_factory=lambda: {(): Mark(1, 1)})
    keys: dict[Location, Mark] = field(default_factory=dict)
    words: dict[Location, str] = field(default_factory=dict)  # as written, where a number, truth value or null was read
    problems: list[Problem] = field(default_factory=list)
    reported: set[Location] = field(default_factory=set)  # fields whose problem is known; a second one would only repeat it

    def report(self, mark: Mark, code: str, message: str, hint: str = "") -> None:
        """Adds a problem, up to a hundred for one file."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.file, mark.line, mark.column, code, message, hint))
        elif len(self.problems) == MAX_PROBLEMS:
            more = f"more than {MAX_PROBLEMS} problems; the others are not listed"
            self.problems.append(Problem(self.file, mark.line, mark.column, "E0124", more))

    def refuse(self, location: Location, mark: Mark, code: str, message: str, hint: str = "") -> None:
        """Reports a field whose value cannot be used, so that the schema says nothing more about it."""
        self.reported.add(location)
        self.report(mark, code, message, hint)
