"""What a renderer needs besides the Plan itself. No clock and no terminal is asked: whoever calls passes it in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dtnctl.model.head import NOT_ASKED, Head
from dtnctl.model.policy import PolicyResult

if TYPE_CHECKING:
    from dtnctl.model.inventory import Age

Command = Literal["plan", "apply", "drift", "destroy"]


@dataclass(frozen=True, slots=True)
class Stated:
    """What a plan's document states that cannot be worked out again from what it shows: it was read, not made here."""

    plan_hash: str
    exact_command: str


@dataclass(frozen=True, slots=True)
class RenderContext:
    """Everything about the run and the reader that the text depends on. The default says nothing that differs between two runs.

    `head` is what Git says of the state files. `options` are those that chose this plan ("-C site --target x"):
    they are repeated in the commands that are suggested. `reproduce` is the whole command that makes this plan again.
    `details` says where the whole plan is kept as JSON ("artifact plan.json"), `details_address` is a link to it; `source` is the address
    under which a forge shows the repository's files at this commit, with a slash at its end,
    `folder` the one below the top of the repository in which the state is, likewise. `stated` is there if the plan was read from
    a document. `inventory`: how old what is known of each endpoint is, for a plan that was made offline.
    `policy` is what a policy says of this plan, if one was asked.
    `label` is the selector of the part of the site that the plan is about; empty for all of it.
    `took` is a duration; empty says nothing.
    `width` in character cells. `ascii`: only ASCII comes out. `show_all`: nothing is left out to save room.
    `wide`: tables have all columns, however wide they are.
    """

    command: Command = "plan"
    head: Head = NOT_ASKED
    version: str = ""
    width: int = 80
    color: bool = False
    ascii: bool = False
    show_all: bool = False
    brief: bool = False
    wide: bool = False
    reproduce: str = ""
    options: str = ""
    details: str = ""
    details_address: str = ""
    source: str = ""
    folder: str = ""
    stated: Stated | None = None
    inventory: tuple[Age, ...] = ()
    policy: PolicyResult | None = None
    label: str = ""
    took: str = ""
