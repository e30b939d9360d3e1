"""The Plan: a value that can be printed, compared and hashed. What is not in it does not happen. No I/O.

A Plan has Changes (what a person reads: one object of one session on one endpoint, with its cause) and Steps (what is
done: one effect each, with the steps that it needs). Renderers read Changes, the executor reads Steps.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

from dtnctl.model.actions import Action, FinishTransfer, HostRequest, StartTransfer, Undo
from dtnctl.model.endpoint_summary import EndpointSummary as EndpointSummary
from dtnctl.model.endpoint_summary import Usage as Usage
from dtnctl.model.impact import Cut
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.path_rows import PathRow, PromisedBandwidth
from dtnctl.model.resources import Pairs, Snapshot
from dtnctl.model.transfer_note import TransferNote as TransferNote  # part of a plan: whoever reads one finds it here

# --- steps and changes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One idempotent effect on one endpoint, or at the provider of a path, whose name `endpoint` is then.

    `needs` are ids of steps that must have succeeded before, `follows` of those that must have ended, whatever came of them.

    `undo` is carried out instead of what follows when this step fails, or when it was the last one of its `group` that was begun and
    another one is held back.
    """

    id: str
    endpoint: str
    action: Action
    needs: tuple[str, ...] = ()
    group: str = ""
    undo: Undo | None = None
    follows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cause:
    """Why: the place in Git, or what was seen. `text` is a short sentence; `field` the declared field, if one field decides."""

    text: str
    file: str = ""
    line: int = 0
    field: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.file else ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs: live value and wanted value as short text. `forces_replace`: the engine cannot change it in place."""

    field: str
    before: str
    after: str
    forces_replace: bool
    cause: Cause


@dataclass(frozen=True, slots=True)
class Power:
    """Something that a container is given and a plain one has not. `is_over_host`: it gives power over the host, or reaches it."""

    label: str
    value: str
    is_over_host: bool


Mark = Literal["blocked", "destroy", "replace", "transfer", "update", "create"]
MARKS: tuple[Mark, ...] = ("blocked", "destroy", "replace", "transfer", "update", "create")  # by danger


@dataclass(frozen=True, slots=True)
class Change:
    """One object that differs, for a reader.

    `kind` and `name` are the state's words (session, network, transfer). `is_drift`: Git did not change, the endpoint did.
    `may_be_drift`: it is not recorded which of them did.
    `allocations` are concrete choices ("port 30000", …) as (label, value); `kept` those of a replacement that stay.
    `interrupts` says what stops working meanwhile, and which running transfers are cut off; empty if nothing does.
    `fix` says what to do about a blocked one. One object that is blocked for several reasons has a change for each.
    `powers` are what the container is given, the host's first: renderers never leave them out.
    `cuts` are the running transfers that it cuts off; `held` is the mark that it would have, of a change that waits for them instead.
    """

    mark: Mark
    kind: ChangeKind
    name: str
    endpoint: str
    cause: Cause
    summary: str
    fields: tuple[FieldChange, ...] = ()
    allocations: Pairs = ()
    kept: Pairs = ()
    notes: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    is_drift: bool = False
    may_be_drift: bool = False
    interrupts: str = ""
    code: str = ""
    fix: str = ""
    powers: tuple[Power, ...] = ()
    cuts: tuple[Cut, ...] = ()
    held: Mark | None = None

    @property
    def gets_power(self) -> bool:
        """Whether its container gets power over the host, or reaches it."""
        return any(power.is_over_host for power in self.powers)

    @property
    def sort_key(self) -> tuple[int, str, str, str]:
        return (MARKS.index(self.mark), self.endpoint, self.kind, self.name)


AGENT_NEEDED = "E0470"  # the code of what cannot be without the endpoint's agent


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that apply would do. Equal inputs give equal bytes.

    `failing` are services that are as declared and do not work, a sentence each: nothing can be done for them here.
    `paths` are those between sites, `promised` the bandwidth that they have on interfaces; `silent_providers` gave no answer about theirs.
    `snapshot` is what it was made from; it is no part of the plan's value. `known` has the hash once it was asked for: of a large plan
    it costs as much as the plan.
    """

    site: str
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    endpoints: tuple[EndpointSummary, ...]
    transfers: tuple[TransferNote, ...] = ()
    notes: tuple[str, ...] = ()
    owned: int = 0
    unchanged: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    paths: tuple[PathRow, ...] = ()
    promised: tuple[PromisedBandwidth, ...] = ()
    silent_providers: tuple[str, ...] = ()
    snapshot: Snapshot | None = field(default=None, compare=False, repr=False)
    known: list[str] = field(default_factory=list, compare=False, repr=False)

    def __post_init__(self) -> None:
        """A plan that was made of another one has its own hash."""
        object.__setattr__(self, "known", [])

    @property
    def is_empty(self) -> bool:
        return not self.changes

    @property
    def blocked(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.mark == "blocked")

    @property
    def silent(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.endpoints if row.silence)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """All that gave no answer: endpoints, agents of endpoints whose engine did, providers of paths. What they have is unknown."""
        agents = (f"the agent of {row.name}" for row in self.endpoints if row.agent_silence)
        return (*self.silent, *agents, *(f"path provider {name}" for name in self.silent_providers))

    @property
    def unsettled(self) -> tuple[TransferNote, ...]:
        """Transfers whose declared generation failed for good, arrived in part, or is unknown."""
        return tuple(note for note in self.transfers if note.is_unsettled)

    @property
    def waiting(self) -> tuple[Change, ...]:
        """What is blocked only until an agent answers."""
        unheard = {row.name for row in self.endpoints if row.agent_silence}
        return tuple(change for change in self.blocked if change.code == AGENT_NEEDED and change.endpoint in unheard)

    def count(self, mark: Mark) -> int:
        """How many objects have it."""
        return len({(change.kind, change.name, change.endpoint) for change in self.changes if change.mark == mark})

    @property
    def hash(self) -> str:
        """Digest of what would be done, and on which engines: steps and what is blocked.

        Wording, notes, locks and fields at their defaults do not count.
        """
        if not self.known:
            self.known.append(self._digest())
        return self.known[0]

    def _digest(self) -> str:
        blocked = [(change.name, change.endpoint, change.code) for change in self.blocked]
        known = [sorted(self.engines.items())] if self.engines else []
        text = json.dumps([as_data(self.steps, with_defaults=False), blocked, *known], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def engines(self) -> dict[str, str]:
        """The identity of each engine that the plan changes or has a transfer with, by endpoint, as far as it is known."""
        changed = {name for step in self.steps for name in _endpoints_of(step)}
        return {row.name: row.identity for row in self.endpoints if row.identity and row.name in changed}


def _endpoints_of(step: Step) -> tuple[str, ...]:
    match step.action:
        case StartTransfer() | FinishTransfer():
            return (step.action.source.endpoint, step.action.destination.endpoint)
        case _:
            return (step.endpoint,)


def action_type(action: Action) -> str:
    """The name of an action for programs; that of its request for what an agent does."""
    return type(action.request if isinstance(action, HostRequest) else action).__name__


def as_data(value: Any, *, with_defaults: bool = True) -> Any:
    """Plain lists, dicts and scalars of any value of the model; actions and other dataclasses carry their type's name."""
    if value is None or isinstance(value, (str, int, float)):  # first, since most are: a plan of a fleet has a million
        return value
    if isinstance(value, (list, tuple)):
        return [as_data(item, with_defaults=with_defaults) for item in value]
    if isinstance(value, dict):
        return {key: as_data(item, with_defaults=with_defaults) for key, item in value.items()}
    if isinstance(value, HostRequest):
        secrets = {"secrets": as_data(value.secrets, with_defaults=with_defaults)} if value.secrets else {}
        return (
            {"type": action_type(value)} | as_data(value.request.model_dump(exclude={"do", "site"}), with_defaults=with_defaults) | secrets
        )
    if is_dataclass(value) and not isinstance(value, type):
        return {"type": type(value).__name__} | {
            name: as_data(held, with_defaults=with_defaults)
            for name, default in _fields_of(type(value))
            if (held := getattr(value, name)) != default or with_defaults
        }
    return value


@functools.cache
def _fields_of(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    """Names and defaults; dataclasses look their own fields up at every call."""
    return tuple((item.name, item.default) for item in fields(kind))
