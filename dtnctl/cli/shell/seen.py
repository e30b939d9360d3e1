"""What the tree is made from: files, a look at the endpoints, and numbers. A frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dtnctl.cli.shell.numbers import Numbers
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site

NOT_COMMITTED = "not committed"


@dataclass(frozen=True, slots=True)
class Seen:
    """`snapshot` has no endpoint where none was asked. `authors`: by session, who committed its file first."""

    site: Site
    now: datetime
    snapshot: Snapshot
    sessions: Numbers = field(default_factory=Numbers)
    transfers: Numbers = field(default_factory=Numbers)
    authors: Mapping[str, str] = field(default_factory=dict)

    def author(self, session: str) -> str:
        """Who asked for the session."""
        return self.authors.get(session, NOT_COMMITTED)
