"""What a renderer must be told besides the Plan itself. No clock and no terminal is asked: whoever calls passes it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Command = Literal["plan", "apply", "drift", "destroy"]


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Everything about the run and the reader that the text depends on. The default says nothing that differs between two runs.

    `commit` as the reader should see it ("4f2c1e9 (clean)"). `options` are those that chose this plan ("-C site --target x"):
    they are repeated in the commands that are suggested. `reproduce` is the whole command that makes this plan again.
    `details` says where the whole plan is kept as JSON ("artifact plan.json"). `took` is a duration; empty says nothing.
    `width` in character cells. `ascii`: only ASCII comes out. `show_all`: nothing is left out to save room.
    """

    command: Command = "plan"
    commit: str = ""
    version: str = ""
    width: int = 80
    color: bool = False
    ascii: bool = False
    show_all: bool = False
    brief: bool = False
    reproduce: str = ""
    options: str = ""
    details: str = ""
    took: str = ""
