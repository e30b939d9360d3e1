"""The containers of transfers: which attempt each is, which services it goes through, and which ones are no longer needed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dtnctl.model.actions import RecordCancel, RecordEnd, RemoveContainer, StopContainer
from dtnctl.model.impact import Cut, Progress
from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import generation_and_attempt
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.model.receipts import merged
from dtnctl.model.resources import ContainerSeen, EndpointSeen, ledger_name
from dtnctl.model.site import Site
from dtnctl.planning.choices.holdings import ACTIVE_STATES
from dtnctl.planning.containers.describe import cut_off, state_text
from dtnctl.planning.resolve import Key, ResolvedTransfer
from dtnctl.planning.step_ids import remove_id, stop_id

STOP_TIMEOUT = 10  # seconds; a job has nothing to save


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt's container."""

    seen: ContainerSeen
    generation: int
    attempt: int

    @property
    def is_active(self) -> bool:
        return self.seen.state in ACTIVE_STATES


Place = tuple[str, str]  # (endpoint, transfer)
NOWHERE = ""


@dataclass(frozen=True, slots=True)
class History:
    """What is known of transfers: containers on endpoints that answer, records there and in the mirror, oldest first.

    Records of the mirror that name no declared endpoint are at the empty one: the endpoint may have had another name.
    """

    containers: Mapping[Place, tuple[Job, ...]]
    records: Mapping[Place, tuple[Attempt, ...]]
    servers: Mapping[Place, tuple[Job, ...]]
    mirrored: Mapping[Place, tuple[Attempt, ...]] = field(default_factory=dict)
    endpoints: Mapping[str, tuple[str, ...]] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """`endpoints` are those where something of a transfer is known, by its name."""
        found: dict[str, set[str]] = {}
        for endpoint, transfer in (*self.containers, *self.records, *self.mirrored):
            found.setdefault(transfer, set()).add(endpoint)
        object.__setattr__(self, "endpoints", {transfer: tuple(sorted(names)) for transfer, names in found.items()})

    def jobs(self, endpoint: str, transfer: str) -> tuple[Job, ...]:
        """Every container of the transfer on the endpoint, in the order of generations and attempts."""
        return self.containers.get((endpoint, transfer), ())

    def is_running(self, transfer: str) -> bool:
        """Whether a job of it runs on an endpoint that answers."""
        return any(job.is_active for endpoint in self.endpoints.get(transfer, ()) for job in self.jobs(endpoint, transfer))

    def attempts(self, endpoint: str, resolved: ResolvedTransfer) -> tuple[Attempt, ...]:
        """The records of the declared generation, in order, released claims included."""
        name, generation = resolved.transfer.name, resolved.transfer.value.generation
        return self.records_of(endpoint, name, generation, is_source=endpoint == resolved.source_endpoint)

    def records_of(self, endpoint: str, transfer: str, generation: int, *, is_source: bool) -> tuple[Attempt, ...]:
        """The records of a generation there, with what the mirror knows; `is_source`: the transfer now starts from this endpoint."""
        renamed = self.mirrored.get((NOWHERE, transfer), ()) if is_source else ()
        found = merged(self.records.get((endpoint, transfer), ()), (*self.mirrored.get((endpoint, transfer), ()), *renamed))
        return tuple(item for item in found if item.generation == generation)

    def started_elsewhere(self, resolved: ResolvedTransfer, endpoints: Container[str]) -> str:
        """The endpoint that the declared generation was started on before `from` named another one; empty if there is none."""
        for name in self.endpoints.get(resolved.transfer.name, ()):
            if name == resolved.source_endpoint or name not in endpoints:
                continue
            is_claimed = any(not item.released for item in self.attempts(name, resolved))
            if is_claimed or any(job.is_active for job in self.jobs(name, resolved.transfer.name)):
                return name
        return ""


def read_history(answering: Mapping[str, EndpointSeen], receipts: Iterable[Attempt] = (), declared: Container[str] = ()) -> History:
    """`receipts` are those of the mirror, `declared` the names of all endpoints that are declared."""
    jobs: dict[Place, list[Job]] = {}
    servers: dict[Place, list[Job]] = {}
    records: dict[Place, list[Attempt]] = {}
    for endpoint, seen in answering.items():
        for container in seen.containers:
            job = job_of(container)
            if job is not None:
                found = jobs if container.kind == "transfer" else servers
                found.setdefault((endpoint, container.owner), []).append(job)
        for item in seen.ledger.attempts:
            records.setdefault((endpoint, item.transfer), []).append(item)
    mirrored: dict[Place, list[Attempt]] = {}
    for item in receipts:
        mirrored.setdefault((item.endpoint if item.endpoint in declared else NOWHERE, item.transfer), []).append(item)
    return History(
        _in_order(jobs),
        {place: tuple(sorted(found, key=lambda item: (item.generation, item.attempt))) for place, found in records.items()},
        _in_order(servers),
        {place: tuple(found) for place, found in mirrored.items()},
    )


def _in_order(jobs: Mapping[Place, list[Job]]) -> Mapping[Place, tuple[Job, ...]]:
    return {place: tuple(sorted(found, key=lambda job: (job.generation, job.attempt))) for place, found in sorted(jobs.items())}


def job_of(seen: ContainerSeen) -> Job | None:
    """The attempt that the container is. None for one that does not say which: somebody copied our labels onto it, and it is left alone."""
    found = generation_and_attempt(seen.labels, seen.name) if seen.kind in ("transfer", "server") else None
    return None if found is None else Job(seen, *found)


def running_jobs(resolved_transfers: Iterable[ResolvedTransfer], answering: Mapping[str, EndpointSeen]) -> Mapping[Key, tuple[str, ...]]:
    """Names of running transfers by the service (endpoint, session) that they go through, as far as that is known.

    A job names the container whose network it uses; where its data goes only the declared resolved says.
    """
    ends = {resolved.transfer.name: resolved.keys for resolved in resolved_transfers}
    used: dict[Key, set[str]] = {}
    for endpoint, seen in answering.items():
        owners = {f"container:{item.id}": item.owner for item in seen.containers if item.kind == "service"}
        for item in seen.containers:
            if item.kind in ("transfer", "server") and item.state in ACTIVE_STATES:
                near = {(endpoint, owners[item.spec.network])} if item.spec.network in owners else set()
                for key in near | set(ends.get(item.owner, ())):
                    used.setdefault(key, set()).add(item.owner)
    return {key: tuple(sorted(names)) for key, names in used.items()}


def leftovers(resolved: ResolvedTransfer | None, history: History, endpoint: str, transfer: str) -> Iterator[Job]:
    """Job containers that nothing waits for. `resolved` None: the transfer is no longer declared, so that all are.

    Otherwise those of other generations, of earlier attempts and of another source, once they have ended.
    """
    for job in history.jobs(endpoint, transfer):
        if resolved is None or not (job.is_active or _is_awaited(resolved, history, endpoint, job)):
            yield job


def leftover_servers(
    resolved: ResolvedTransfer | None, history: History, endpoint: str, transfer: str, answering: Collection[str]
) -> Iterator[Job]:
    """Servers on a destination that no attempt needs: those whose job is gone, unless that is not known yet."""
    for server in history.servers.get((endpoint, transfer), ()):
        if resolved is None or (resolved.source_endpoint in answering and not _is_needed(resolved, history, server)):
            yield server


def _is_needed(resolved: ResolvedTransfer, history: History, server: Job) -> bool:
    """Whether its job is there, or was claimed and has no result: whoever ends that attempt ends its server, too."""
    this = (server.generation, server.attempt)
    jobs = history.jobs(resolved.source_endpoint, resolved.transfer.name)
    records = history.records.get((resolved.source_endpoint, resolved.transfer.name), ())
    claimed = ((item.generation, item.attempt) for item in records if item.verdict is None and not item.released)
    return this in claimed or any((job.generation, job.attempt) == this for job in jobs)


def _is_awaited(resolved: ResolvedTransfer, history: History, endpoint: str, job: Job) -> bool:
    records = history.attempts(endpoint, resolved)
    is_newest = not records or job.attempt >= records[-1].attempt
    return endpoint == resolved.source_endpoint and job.generation == resolved.transfer.value.generation and is_newest


def why_left(site: Site, transfer: str, resolved: ResolvedTransfer | None, job: Job, *, destroy: bool) -> Cause:
    document = site.transfers.get(transfer)
    if destroy:
        return Cause("destroy was asked for")
    if document is None:
        return Cause(f"no file state/transfers/{transfer}.yaml any more")
    if resolved is None:
        return Cause("the session that carries it has expired", document.file, document.mark().line)
    mark = document.mark(("generation",))
    return Cause(f"it was try {job.attempt} of generation {job.generation}", document.file, mark.line, "generation")


def plan_leftover(endpoint: str, seen: ContainerSeen, cause: Cause, progress: Progress | None) -> tuple[Change, tuple[Step, ...]]:
    """A job's container goes; its record stays in the ledger. `progress` is how far it is, if it still runs."""
    cut = Cut(seen.owner, endpoint, is_resumable=False, progress=progress)
    is_active, noun = seen.state in ACTIVE_STATES, "job" if seen.kind == "transfer" else "server"
    steps = [Step(stop_id(endpoint, seen.name), endpoint, StopContainer(seen.name, seen.id, STOP_TIMEOUT))] if is_active else []
    needs = tuple(step.id for step in steps)
    steps.append(Step(remove_id(endpoint, seen.name), endpoint, RemoveContainer(seen.name, seen.id), needs))
    change = Change(
        mark="destroy",
        kind="transfer",
        name=seen.owner,
        endpoint=endpoint,
        cause=cause,
        summary=f"removes {noun} {seen.name}, {state_text(seen)}",
        steps=tuple(step.id for step in steps),
        interrupts="".join(cut_off((cut,))) if is_active else "",
        cuts=(cut,) if is_active else (),
    )
    return change, tuple(steps)


def plan_ledger_removal(site: str, endpoint: str, seen: ContainerSeen, planned: Iterable[Step]) -> tuple[Change, tuple[Step, ...]]:
    """The placeholder of the ledger is removed, after what is `planned` to be written through it; the record itself stays on the host."""
    writing = tuple(step.id for step in planned if step.endpoint == endpoint and isinstance(step.action, (RecordCancel, RecordEnd)))
    step = Step(remove_id(endpoint, seen.name), endpoint, RemoveContainer(seen.name, seen.id), writing)
    change = Change(
        mark="destroy",
        kind="ledger",
        name=ledger_name(site),
        endpoint=endpoint,
        cause=Cause("destroy was asked for"),
        summary=f"removes container {seen.name}; the record of transfers stays on the host",
        steps=(step.id,),
    )
    return change, (step,)
