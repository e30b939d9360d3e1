"""The kinds of objects that a plan changes, a row each. Whoever lists kinds reads the table; nothing else names them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ChangeKind = Literal["session", "network", "transfer", "path", "ledger", "vfs", "vlan", "volume", "tuning", "protection"]


@dataclass(frozen=True, slots=True)
class PlanKind:
    """`noun` is what sentences call one of it. The word of the kind itself is that of plans, `--target KIND/NAME` and JSON.

    `counted`: how the summary counts what changes: an object that is on several endpoints `once`, or on `each`; `not` at all.
    `folder`: that of the state files whose stems are the objects' names; empty where names come from inside a file or from a host.
    `label`: what the label `dtnctl.kind` says on a container of it. `is_suggested`: whether a mistyped name may be meant for one.
    `is_hosts`: the object is the host's own, so that destroying ours restores it and removes nothing.
    """

    noun: str
    counted: Literal["once", "each", "not"]
    folder: str = ""
    label: str = ""
    is_suggested: bool = True
    is_hosts: bool = False

    @property
    def plural(self) -> str:
        return f"{self.noun}s"


# In the order of sentences. Changes of one mark on one endpoint are in the order of the words.
PLAN_KINDS: Mapping[ChangeKind, PlanKind] = {
    "session": PlanKind("session", "once", folder="sessions", label="service"),
    "transfer": PlanKind("transfer", "not", folder="transfers", label="transfer"),
    "network": PlanKind("network", "once", folder="networks"),
    "path": PlanKind("path", "once", folder="paths"),  # on its provider
    "vfs": PlanKind("interface", "each", is_hosts=True),  # named by the interface whose virtual functions they are
    "vlan": PlanKind("VLAN", "each"),  # named by its interface, PARENT.ID
    "volume": PlanKind("volume", "each", folder="volumes"),  # at its target and wherever it is mounted
    "tuning": PlanKind("setting", "each", is_hosts=True),  # named by the endpoint
    "ledger": PlanKind("ledger", "not", is_suggested=False),
    "protection": PlanKind("protection", "not", is_suggested=False),  # named by the session whose `protect:` is recorded
}
KIND_OF_LABEL: Mapping[str, ChangeKind] = {row.label: kind for kind, row in PLAN_KINDS.items() if row.label}
