"""What Git says of the state files that were read: for the plan's head and its JSON. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Absence = Literal["", "no_git", "no_repository", "no_commit", "unreadable"]
ABSENT: dict[Absence, str] = {
    "": "",
    "no_git": "git is not installed",
    "no_repository": "no Git repository",
    "no_commit": "no Git commit yet",
    "unreadable": "Git cannot read this repository",
}


@dataclass(frozen=True, slots=True)
class Head:
    """`commit` is the whole id; `branch` is empty where HEAD is detached. `is_dirty`: files of the state differ from the commit.

    `absence` says why there is no commit; it is empty if there is one, or nothing was asked.
    """

    commit: str = ""
    branch: str = ""
    is_dirty: bool = False
    absence: Absence = ""

    @property
    def text(self) -> str:
        """`HEAD 4f2c1e9 on main (clean)`, `HEAD 4f2c1e9 detached (uncommitted changes)`, `no Git repository`; empty: not asked."""
        if not self.commit:
            return ABSENT[self.absence]
        where = f"on {self.branch}" if self.branch else "detached"
        return f"HEAD {self.commit[:7]} {where} ({'uncommitted changes' if self.is_dirty else 'clean'})"


NOT_ASKED = Head()
