"""One attempt of a transfer with all that carrying it out needs: its ends, its settings, its engines, its container."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dtnctl.errors import NotFoundError, TransferError
from dtnctl.model.ledger import Attempt
from dtnctl.model.origin import stranger_text
from dtnctl.model.ownership import spec_digest, transfer_labels
from dtnctl.model.plan import FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.resources import ContainerSeen, ContainerSpec, Pairs, transfer_name
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers import gridftp
from dtnctl.movers.base import Mover
from dtnctl.providers.base import Engine, Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.transfers.keys import Account
from dtnctl.runtime.transfers.record import read_record

MOVERS: Mapping[str, Mover] = {"gridftp": gridftp}


@dataclass(frozen=True, slots=True)
class Task:
    """`options` are those that the plan carries."""

    site: str
    transfer: str
    generation: int
    attempt: int
    tool: str
    source: JobEnd
    destination: JobEnd
    options: TransferOptions
    here: Engine
    there: Engine
    clock: Clock

    @property
    def mover(self) -> Mover:
        return MOVERS[self.tool]

    @property
    def job_name(self) -> str:
        return transfer_name(self.site, self.transfer, self.generation, self.attempt)

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.transfer} (generation {self.generation}, try {self.attempt})"

    @property
    def ends(self) -> tuple[tuple[Engine, JobEnd], tuple[Engine, JobEnd]]:
        """The source and the destination, with their engines."""
        return (self.here, self.source), (self.there, self.destination)

    def next_try(self) -> Task:
        return replace(self, attempt=self.attempt + 1)


def task_of(action: StartTransfer | FinishTransfer, engines: Mapping[str, Engine], site: str, clock: Clock) -> Task:
    """The attempt that the action is about."""
    if action.tool not in MOVERS:
        raise TransferError(f"{action.transfer}: no mover is called {action.tool!r}; there are {', '.join(sorted(MOVERS))}")
    return Task(
        site=site,
        transfer=action.transfer,
        generation=action.generation,
        attempt=action.attempt,
        tool=action.tool,
        source=action.source,
        destination=action.destination,
        options=action.options,
        here=engines[action.source.endpoint],
        there=engines[action.destination.endpoint],
        clock=clock,
    )


def accounts_by_place(task: Task, accounts: tuple[Account, Account]) -> tuple[tuple[Engine, JobEnd, Account], ...]:
    """Where keys are let in: both ends, or the one service that is both."""
    places = tuple((engine, end, account) for (engine, end), account in zip(task.ends, accounts, strict=True))
    is_one = (task.source.endpoint, task.source.container) == (task.destination.endpoint, task.destination.container)
    return places[:1] if is_one else places


# --- its container ------------------------------------------------------------------------------------------


def find_job(observer: Observer, name: str) -> ContainerSeen | None:
    """The attempt's container, None if there is none; TransferError if somebody else has its name."""
    try:
        seen = observer.inspect(name)
    except NotFoundError:
        return None
    if not observer.owns(seen.labels, name):
        whose = stranger_text(seen.labels, observer.repository)
        raise TransferError(f"the name {name} on {observer.endpoint} is taken by a container {whose}; remove or rename it")
    return seen


def is_running(job: ContainerSeen) -> bool:
    return job.state in ("running", "paused", "restarting")


def job_spec(task: Task, image: str, service_id: str, time_left: float | None) -> ContainerSpec:
    """The job's container: in the source service's network, with an init that passes signals on, never restarted."""
    return ContainerSpec(
        image=image,
        entrypoint=("/bin/sh",),
        command=task.mover.job_command(task.source, task.destination, task.options, time_left),
        init=True,
        stop_signal="SIGTERM",
        restart="no",
        network=f"container:{service_id}",
    )


def job_labels(task: Task, spec: ContainerSpec) -> Pairs:
    return transfer_labels(task.site, task.here.endpoint, task.transfer, task.generation, task.attempt, spec_digest(spec))


# --- times --------------------------------------------------------------------------------------------------


def time_text(moment: datetime) -> str:
    """As records write it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_between(start: str, end: str) -> float:
    """Between two times as engines or records write them; 0 if one of them is none."""
    try:
        return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def time_left(task: Task, claim: Attempt | None) -> float | None:
    """Seconds until the deadline of all tries together, which the first try's claim began; None without one. `claim` is this try's."""
    deadline = task.options.deadline
    if deadline is None:
        return None
    first = claim if task.attempt == 1 else read_record(task.here, task.site, task.transfer, task.generation, 1)
    began = first or claim
    if began is None:
        return deadline
    return deadline - seconds_between(began.claimed_at, time_text(task.clock.now()))
