"""What a job's container says about itself: which copy it is, and what was at both ends before it started.

It is written with the job's other files and read back when the job is judged, by whoever does that: maybe another run, hours later.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dtnctl.errors import NotFoundError
from dtnctl.model.ledger import Attempt
from dtnctl.model.plan import JobEnd
from dtnctl.model.resources import ContainerSeen, Pairs
from dtnctl.movers.base import WORK, Listing, Settings, settings_of
from dtnctl.movers.listing import read_lines
from dtnctl.providers.base import Engine, Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.transfers.attempt import Task
from dtnctl.runtime.transfers.keys import Account
from dtnctl.values import dataclass

COPY, SOURCE, DESTINATION = (f"{WORK}/{name}" for name in ("copy.json", "source.list", "destination.list"))


@dataclass(frozen=True, slots=True)
class Notes:
    """`accounts` are those of the source and the destination; `before` and `old` is what was at them before the start."""

    tool: str
    source: JobEnd
    destination: JobEnd
    options: Pairs
    accounts: tuple[Account, Account]
    before: Listing
    old: Listing

    @property
    def settings(self) -> Settings:
        return settings_of(self.options)

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


def write_notes(task: Task, accounts: tuple[Account, Account], source: bytes, destination: bytes) -> Mapping[str, bytes]:
    """The files by path. `source` and `destination` are what the listing commands wrote."""
    copy = {
        "tool": task.tool,
        "source": asdict(task.source),
        "destination": asdict(task.destination),
        "options": dict(task.options),
        "accounts": [asdict(account) for account in accounts],
    }
    return {COPY: json.dumps(copy, indent=1, sort_keys=True).encode(), SOURCE: source, DESTINATION: destination}


def read_notes(observer: Observer, job: ContainerSeen) -> Notes | None:
    """The notes in a job's container; None if it has none that can be read."""
    try:
        files = observer.read_files(job.id, WORK)
        copy: dict[str, Any] = json.loads(files[COPY])
        options = tuple(sorted(copy["options"].items()))
        near, far = copy["accounts"]
        return Notes(
            tool=copy["tool"],
            source=_job_end(copy["source"]),
            destination=_job_end(copy["destination"]),
            options=options,
            accounts=(Account(**near), Account(**far)),
            before=read_lines(files[SOURCE], tree=settings_of(options).recursive),
            old=read_lines(files[DESTINATION], tree=False),
        )
    except (NotFoundError, KeyError, TypeError, ValueError):
        return None


def _job_end(values: Mapping[str, Any]) -> JobEnd:
    """The end as it was; JSON has no tuples, and notes of an older dtnctl have no data ports."""
    ports = values.get("data_ports")
    return JobEnd(**{**values, "data_ports": None if ports is None else (ports[0], ports[1])})
