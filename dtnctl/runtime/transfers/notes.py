"""What a job's container says about itself: which copy it is, and what was at both ends before it started.

It is written with the job's other files and read back when the job is judged, by whoever does that: maybe another run, hours later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from dtnctl.errors import NotFoundError
from dtnctl.model.actions import JobEnd
from dtnctl.model.declared_tools import read_own_options, row_of
from dtnctl.model.ledger import Attempt
from dtnctl.model.resources import ContainerSeen
from dtnctl.model.tools import Side
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import NOTHING, WORK, JobRequest, Listing, ProgressReader
from dtnctl.movers.listing import read_lines
from dtnctl.movers.one_by_one import mover_for
from dtnctl.movers.renaming import by_source_names
from dtnctl.movers.selection import selected
from dtnctl.providers.base import Engine, Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.keys import Account

COPY, SOURCE, DESTINATION, COUNTED = (f"{WORK}/{name}" for name in ("copy.json", "source.list", "destination.list", "counters.json"))
SIDES: tuple[Side, Side] = ("source", "destination")


@dataclass(frozen=True, slots=True)
class Notes:
    """`accounts` are those of the ends that it copies files at; `before` and `old` is what was at them before the start.

    `counters` is what the interfaces of both ends had counted by then, of a transfer over a path.
    """

    tool: str
    source: JobEnd
    destination: JobEnd
    options: TransferOptions
    accounts: Mapping[Side, Account]
    before: Listing
    old: Listing
    counters: Mapping[Side, str] = field(default_factory=dict)

    @property
    def total(self) -> int | None:
        """Bytes that are to be copied; None for a measurement."""
        return self.before.bytes if row_of(self.tool, self.options.own).moves == "files" else None

    def reader(self) -> ProgressReader:
        """Follows the job's output from its start."""
        return mover_for(self.tool, self.options).reader(JobRequest(self.source, self.destination, self.options), self.before.files)

    def task(self, claim: Attempt, site: str, engines: Mapping[str, Engine], clock: Clock) -> Task:
        """The attempt that the job is, for whoever has no step of a plan about it."""
        return Task(
            site=site,
            transfer=claim.transfer,
            generation=claim.generation,
            attempt=claim.attempt,
            tool=self.tool,
            source=self.source,
            destination=self.destination,
            options=self.options,
            here=engines[self.source.endpoint],
            there=engines[self.destination.endpoint],
            clock=clock,
        )


@dataclass(frozen=True, slots=True)
class Begun:
    """What this process has started: the job's container, its claim, and what its notes say. Who started it need not read them back."""

    container: str
    claim: Attempt
    notes: Notes | None


def as_started(task: Task, notes: Notes | None) -> Task:
    """The attempt with the tool that it was started by, whose definition in Git may have changed since."""
    if notes is None:
        return task
    return replace(task, tool=notes.tool, options=replace(task.options, own=notes.options.own))


def write_notes(
    task: Task, accounts: Mapping[Side, Account], source: bytes, destination: bytes, counters: Mapping[Side, str]
) -> Mapping[str, bytes]:
    """The files by path. `source` and `destination` are what the listing commands wrote."""
    copy = {
        "tool": task.tool,
        "source": asdict(task.source),
        "destination": asdict(task.destination),
        "options": asdict(task.options),
        "accounts": {side: asdict(account) for side, account in accounts.items()},
    }
    written = {COPY: json.dumps(copy, indent=1, sort_keys=True).encode(), SOURCE: source, DESTINATION: destination}
    return written | ({COUNTED: json.dumps(dict(counters)).encode()} if counters else {})


def read_notes(observer: Observer, job: ContainerSeen) -> Notes | None:
    """The notes in a job's container; None if it has none that can be read."""
    try:
        return decode_notes(observer.read_files(job.id, WORK))
    except NotFoundError:
        return None


def decode_notes(files: Mapping[str, bytes]) -> Notes | None:
    """What `write_notes` wrote; None if it cannot be read."""
    try:
        copy: dict[str, Any] = json.loads(files[COPY])
        options = read_options(copy["options"], copy["tool"])
        copies_files = row_of(copy["tool"], options.own).moves == "files"
        before = selected(read_lines(files[SOURCE], tree=options.recursive), options) if copies_files else NOTHING
        old = read_lines(files[DESTINATION], tree=lists_old_tree(options)) if copies_files else NOTHING
        return Notes(
            tool=copy["tool"],
            source=_job_end(copy["source"]),
            destination=_job_end(copy["destination"]),
            options=options,
            accounts=_accounts(copy["accounts"]),
            before=before,
            old=by_source_names(old, before.files, options.items),
            counters=_counters(json.loads(files.get(COUNTED, b"{}"))),
        )
    except (KeyError, TypeError, ValueError):
        return None


def lists_old_tree(options: TransferOptions) -> bool:
    """Whether the notes have all that was below the destination's folder: it may be much, so only where it decides something."""
    return options.recursive and options.sync_level is not None


def read_options(values: Mapping[str, Any], tool: str) -> TransferOptions:
    """The options as they were; an older dtnctl wrote each as text and left out what was not declared."""
    shared = _options_reader().validate_python({**values, "own": None})
    return replace(shared, own=read_own_options(tool, values.get("own")))


@cache
def _options_reader() -> TypeAdapter[TransferOptions]:
    return TypeAdapter(TransferOptions)


def _accounts(values: Any) -> Mapping[Side, Account]:
    """By end; an older dtnctl wrote the two of them in order."""
    named = values if isinstance(values, dict) else dict(zip(("source", "destination"), values, strict=True))
    return {side: Account(**named[side]) for side in SIDES if side in named}


def _counters(values: Mapping[str, str]) -> Mapping[Side, str]:
    return {side: values[side] for side in SIDES if side in values}


def _job_end(values: Mapping[str, Any]) -> JobEnd:
    """The end as it was; JSON has no tuples, and notes of an older dtnctl have no data ports."""
    ports = values.get("data_ports")
    return JobEnd(**{**values, "data_ports": None if ports is None else (ports[0], ports[1]), "listens": tuple(values.get("listens", ()))})
