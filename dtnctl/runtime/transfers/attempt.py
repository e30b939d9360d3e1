"""One attempt of a transfer with all that carrying it out needs: its ends, its settings, its engines, its container."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from dtnctl.errors import TransferError
from dtnctl.model.actions import FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.declared_tools import DeclaredTool, row_of
from dtnctl.model.ledger import Attempt, Requester
from dtnctl.model.ownership import server_labels, server_name, spec_digest, transfer_labels
from dtnctl.model.resources import LABEL_DEADLINE, ContainerSeen, ContainerSpec, Pairs, transfer_name
from dtnctl.model.tools import TOOLS, Side, Tool
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import WORK, JobRequest, Mover
from dtnctl.movers.one_by_one import mover_for
from dtnctl.movers.scripts import RunAs, client_command, server_command
from dtnctl.providers.base import Engine, Observer
from dtnctl.runtime.clock import Clock
from dtnctl.runtime.observe import observe_ours
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.keys import Account
from dtnctl.runtime.transfers.record import read_record

NOT_SAID = Requester()
USER_FOLDER = "/dtnctl"  # of the attempt's own files in a container whose program runs as the service's user


@dataclass(frozen=True, slots=True)
class Task:
    """`options` are those that the plan carries, `requester` is on whose account it runs, `calls` are those of its run."""

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
    requester: Requester = NOT_SAID
    calls: JointCalls = field(default_factory=JointCalls)

    @property
    def row(self) -> Tool:
        return row_of(self.tool, self.options.own)

    @property
    def mover(self) -> Mover:
        return mover_for(self.tool, self.options)

    @property
    def copies_files(self) -> bool:
        return self.row.moves == "files"

    def request(self, time_left: float | None = None) -> JobRequest:
        """What its mover is asked for. A program that sees the service's data runs as its user, who can look into that folder alone."""
        sees_data = self.copies_files and (self.row.reads_source or self.row.has_server)
        folder = USER_FOLDER if sees_data else WORK
        return JobRequest(self.source, self.destination, self.options, folder, time_left, is_retry=self.attempt > 1)

    @property
    def job_name(self) -> str:
        return transfer_name(self.site, self.transfer, self.generation, self.attempt)

    @property
    def server_name(self) -> str:
        return server_name(self.site, self.transfer, self.generation, self.attempt)

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"{self.transfer} (generation {self.generation}, try {self.attempt})"

    @property
    def ends(self) -> tuple[tuple[Engine, JobEnd], tuple[Engine, JobEnd]]:
        """The source and the destination, with their engines."""
        return (self.here, self.source), (self.there, self.destination)

    @property
    def logins(self) -> tuple[tuple[Side, Engine, JobEnd], ...]:
        """The ends that it logs in to."""
        sides: tuple[Side, Side] = ("source", "destination")
        return tuple((side, *end) for side, end in zip(sides, self.ends, strict=True) if side in self.row.logs_in_at)

    @property
    def stall_timeout(self) -> float:
        """Seconds without progress after which the attempt is ended; a tool that shows none is never ended for that."""
        return self.options.stall_timeout if self.row.takes("stall_timeout") else math.inf

    def next_try(self) -> Task:
        return replace(self, attempt=self.attempt + 1)


def task_of(
    action: StartTransfer | FinishTransfer,
    engines: Mapping[str, Engine],
    site: str,
    clock: Clock,
    requester: Requester = NOT_SAID,
    calls: JointCalls | None = None,
) -> Task:
    """The attempt that the action is about. `calls` are those of the run that it is one of."""
    if action.tool not in TOOLS and not isinstance(action.options.own, DeclaredTool):
        raise TransferError(f"{action.transfer}: no mover is called {action.tool!r}; there are {', '.join(sorted(TOOLS))}")
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
        requester=requester,
        calls=calls or JointCalls(),
    )


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A service whose account lets keys of the attempt in: those of the ends that it is."""

    engine: Engine
    end: JobEnd
    account: Account
    sides: tuple[Side, ...]


def key_places(task: Task, accounts: Mapping[Side, Account]) -> Iterator[KeyPlace]:
    """Where keys are let in: the ends that the tool logs in to, or the one service that is both."""
    logins = [(side, engine, end) for side, engine, end in task.logins if side in accounts]
    is_one = len({(end.endpoint, end.container) for _, _, end in logins}) == 1
    if is_one:
        side, engine, end = logins[0]
        yield KeyPlace(engine, end, accounts[side], tuple(side for side, _, _ in logins))
        return
    for side, engine, end in logins:
        yield KeyPlace(engine, end, accounts[side], (side,))


# --- its container ------------------------------------------------------------------------------------------


def find_job(observer: Observer, name: str) -> ContainerSeen | None:
    """The attempt's container, None if there is none; TransferError if somebody else has its name."""
    taken = f"the name {name} on {observer.endpoint} is taken by a container"
    return observe_ours(observer, name, lambda whose: TransferError(f"{taken} {whose}; remove or rename it"))


def is_running(job: ContainerSeen) -> bool:
    return job.state in ("running", "paused", "restarting")


def job_spec(task: Task, image: str, service: ContainerSeen, account: Account | None, left: float | None) -> ContainerSpec:
    """The attempt's container: in the source service's network, with an init that passes signals on, never restarted."""
    request, sees_data = task.request(left), task.copies_files and task.row.reads_source
    user = _run_as(account) if sees_data else None
    command = client_command(task.mover.client(request), folder=request.folder, time_left=left, user=user)
    return _beside(service, image, command, with_volumes=sees_data, with_powers=sees_data or not task.copies_files)


def server_spec(task: Task, service: ContainerSeen, account: Account | None) -> ContainerSpec:
    """The container of the attempt's server: in the destination service's network, from the same image."""
    request = task.request()
    user = _run_as(account) if task.copies_files else None
    program = task.mover.server(request)
    connected, idle = task.mover.connected(request), task.options.stall_timeout
    command = server_command(program, folder=request.folder, connected=connected, idle=idle, user=user)
    return _beside(service, service.spec.image, command, with_volumes=task.copies_files, with_powers=True)


def _beside(service: ContainerSeen, image: str, command: tuple[str, ...], *, with_volumes: bool, with_powers: bool) -> ContainerSpec:
    """A container beside a service. With its powers it has the same devices, limits and CPUs; a tmpfs is the service's alone."""
    spec = ContainerSpec(
        image=image,
        entrypoint=("/bin/sh",),
        command=command,
        init=True,
        stop_signal="SIGTERM",
        restart="no",
        network=f"container:{service.id}",
    )
    there = service.spec
    if with_volumes:
        spec = replace(spec, mounts=tuple(mount for mount in there.mounts if mount.kind != "tmpfs"))
    if with_powers:
        spec = replace(spec, devices=there.devices, ulimits=there.ulimits, cap_add=there.cap_add, privileged=there.privileged)
        spec = replace(spec, cpus=there.cpus, cpu_set=there.cpu_set, memory_nodes=there.memory_nodes, memory=there.memory)
    return spec


def _run_as(account: Account | None) -> RunAs | None:
    return None if account is None else RunAs(account.uid, account.gid)


def job_labels(task: Task, spec: ContainerSpec, time_left: float | None) -> Pairs:
    pairs = transfer_labels(task.site, task.here.endpoint, task.transfer, task.generation, task.attempt, spec_digest(spec))
    return _with_deadline(pairs, time_left)


def labels_of_server(task: Task, spec: ContainerSpec) -> Pairs:
    ports = task.destination.listens
    pairs = server_labels(task.site, task.there.endpoint, task.transfer, task.generation, task.attempt, ports, spec_digest(spec))
    return _with_deadline(pairs, task.options.deadline)


def _with_deadline(pairs: Pairs, seconds: float | None) -> Pairs:
    """Programs keep the deadline themselves; a backend that can end a container in its time reads it here."""
    return pairs if seconds is None else tuple(sorted((*pairs, (LABEL_DEADLINE, str(max(1, math.ceil(seconds)))))))


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
