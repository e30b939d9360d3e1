"""Decides for each declared transfer whether it starts, is collected, waits, or is done. Pure.

A transfer starts once per generation. The ledger on the source endpoint shows what was claimed and what came out; the job's
container shows the rest. A claim without a result whose container is gone is unknown, and unknown is never run again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from dtnctl.model.actions import EnsureLedger, FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.backends import Backend
from dtnctl.model.hosts import is_loopback, same_host
from dtnctl.model.ledger import Attempt
from dtnctl.model.notification import DUE
from dtnctl.model.plan import Cause, Change, Step, TransferNote
from dtnctl.model.resources import EndpointSeen, ledger_name
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.clocks import refuse_expired_keys
from dtnctl.planning.containers.specs import own_address
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import ResolvedTransfer, Service
from dtnctl.planning.step_ids import finish_transfer_id, ledger_id, start_transfer_id
from dtnctl.planning.transfers.jobs import History, Job
from dtnctl.planning.transfers.option_facts import option_facts, rate_facts
from dtnctl.planning.transfers.over_path import on_path, refuse_around_path
from dtnctl.planning.transfers.ports import choose_ports
from dtnctl.planning.transfers.reception import refuse_unreached, refuse_versions
from dtnctl.planning.transfers.verification import last_cost

LEDGER_ROOT = "/var/lib/dtnctl"


@dataclass(frozen=True, slots=True)
class End:
    """A service that carries one end: what it is, what was chosen for it, and the steps after which it is ready.

    `seen` is its endpoint, None if that does not answer; `promised` are ports there that servers of other transfers get by this plan.
    `obstacle` says why nothing can be started through it in this plan; empty if it can. `clock_ahead` is that of its engine.
    """

    service: Service
    allocation: Allocation
    seen: EndpointSeen | None
    promised: Collection[int] = frozenset()
    ready_after: tuple[str, ...] = ()
    obstacle: str = ""
    clock_ahead: int | None = None

    @property
    def answers(self) -> bool:
        return self.seen is not None


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """A change with its steps (none if it is blocked), a note that says why the transfer does not run, or both."""

    change: Change | None = None
    steps: tuple[Step, ...] = ()
    note: TransferNote | None = None

    @property
    def starts(self) -> bool:
        return any(isinstance(step.action, StartTransfer) for step in self.steps)


def ledger_folder(site: str) -> str:
    """Where the record lives on the endpoint's host: outside of everything that a prune removes."""
    return f"{LEDGER_ROOT}/{site}"


def plan_transfer(
    resolved: ResolvedTransfer, source: End, destination: End, seen: EndpointSeen, history: History, started_on: str
) -> TransferPlan:
    """What happens with one transfer now. `seen` is the source endpoint, which answers.

    `started_on` is the endpoint that it was started on before it was declared here; empty if it was not.
    """
    records, jobs = history.attempts(seen.name, resolved), history.jobs(seen.name, resolved.transfer.name)
    claims = [item for item in records if not item.released]
    claim = claims[-1] if claims else None
    job = _newest(resolved, claim, jobs)
    if job is not None and job.is_active:
        text = f"since {job.seen.started_at[:19]}Z; follow it with: dtnctl transfers logs -f {resolved.transfer.name}"
        return _note(resolved, "running", text)
    if seen.ledger.trouble:
        return _note(resolved, "unknown", f"its record on {seen.name} cannot be read: {seen.ledger.trouble}")
    if job is not None and job.seen.started_at:
        return _finish(resolved, claim, job, source, destination, seen)
    if claim is not None and claim.verdict is None and (job is None or job.seen.id != claim.container):
        return _unknown(resolved, claim, job, source, destination, seen)
    retries = resolved.transfer.value.retries
    if claim is not None and claim.verdict is not None and not claim.may_be_repeated(len(claims), retries):
        own = history.records.get((seen.name, resolved.transfer.name), ())
        is_due = any(item.key == claim.key and item.notified == DUE for item in own)
        return _settled(resolved, claim, source, destination, seen, is_due=is_due)
    if started_on:
        return _note(resolved, "waiting", f"it was started on {started_on} before `from` changed; raise `generation` to run it from here")
    running = [other.generation for other in jobs if other.is_active]
    if running:
        return _note(resolved, "waiting", f"generation {running[0]} is still running")
    if claim is not None and claim.verdict is None:
        return _with_cost(_start(resolved, claim.attempt, len(claims), (source, destination), seen), history)
    last = max((item.attempt for item in records), default=0)
    return _with_cost(_start(resolved, last + 1, len(claims) + 1, (source, destination), seen), history)


def _with_cost(plan: TransferPlan, history: History) -> TransferPlan:
    """The plan of a start that says what the comparison of its data cost before."""
    change = plan.change
    cost = last_cost(history.records.get((change.endpoint, change.name), ())) if change is not None else ""
    if change is None or not cost:
        return plan
    facts = tuple((name, f"{text}; {cost}" if name == "verify" else text) for name, text in change.allocations)
    return replace(plan, change=replace(change, allocations=facts))


def _newest(resolved: ResolvedTransfer, claim: Attempt | None, jobs: tuple[Job, ...]) -> Job | None:
    """The container of the newest attempt: the claimed one, or one that was made before its claim was written."""
    for job in reversed([job for job in jobs if job.generation == resolved.transfer.value.generation]):
        if claim is None or job.attempt > claim.attempt or job.seen.id == claim.container:
            return job
    return None


def _settled(resolved: ResolvedTransfer, last: Attempt, source: End, destination: End, seen: EndpointSeen, *, is_due: bool) -> TransferPlan:
    """Nothing is to be done but to report its end, if the run that recorded it was cut off before that: then `is_due`."""
    plan = TransferPlan(note=_ended(resolved, last))
    if not is_due or not destination.answers or resolved.transfer.value.notify is None:
        return plan
    needs = _needs(resolved, source, destination, seen)
    step = _finish_step(resolved, last.attempt, _ends(resolved, source, destination), wait=False, needs=needs)
    mark = resolved.transfer.mark(("notify",))
    cause = Cause("its end was recorded, and not reported yet", resolved.transfer.file, mark.line, "notify")
    return replace(plan, change=_change(resolved, cause, "sends its notification; starts nothing", (step,), ()), steps=(step,))


def _ended(resolved: ResolvedTransfer, last: Attempt) -> TransferNote:
    if last.resolution:
        because = f": {last.reason}" if last.reason else ""
        return _said(resolved, str(last.verdict), f"as {last.resolved_by} decided at {last.resolved_at}{because}")
    if last.verdict == "unknown":
        return _said(resolved, "unknown", f"{last.cause or last.verdict}; {_way_on(resolved)}")
    if last.verdict == "succeeded":
        evidence = f", {last.verified}" if last.verified else ""
        return _said(resolved, "succeeded", f"{last.bytes} bytes in {last.seconds:.1f} s{evidence}, receipt of {last.finished_at}")
    return _said(resolved, str(last.verdict), f"{last.cause or last.verdict}; raise `generation` to run it again")


def _finish(resolved: ResolvedTransfer, claim: Attempt | None, job: Job, source: End, destination: End, seen: EndpointSeen) -> TransferPlan:
    """A job has ended: judge it if that was not done, and clean up. What comes after that, the next plan says."""
    transfer = resolved.transfer
    if not destination.answers:
        text = f"it ended with exit code {job.seen.exit_code}, but {resolved.destination_endpoint} does not answer"
        return _note(resolved, "waiting", text)
    step = _finish_step(
        resolved, job.attempt, _ends(resolved, source, destination), wait=False, needs=_needs(resolved, source, destination, seen)
    )
    is_judged = claim is not None and claim.attempt == job.attempt and claim.verdict is not None
    text = "it has its receipt, but its container is still there"
    if not is_judged:
        text = f"it ended with exit code {job.seen.exit_code} and has no receipt"
    summary = "clears its container and keys away; starts nothing" if is_judged else "judges and records its result; starts nothing"
    cause = Cause(text, transfer.file, transfer.mark().line)
    return TransferPlan(_change(resolved, cause, summary, (step,), ()), (step,))


def _way_on(resolved: ResolvedTransfer) -> str:
    """What ends an unknown result."""
    return f"decide with `dtnctl transfers resolve {resolved.transfer.name}`, or raise `generation` to run it again"


def _unknown(
    resolved: ResolvedTransfer, claim: Attempt, job: Job | None, source: End, destination: End, seen: EndpointSeen
) -> TransferPlan:
    """A claim without container and result: once both ends answer its keys are removed and that it is unknown is recorded."""
    text = f"claimed at {claim.claimed_at}, but its container and its result are gone: it may have run"
    plan = _note(resolved, "unknown", f"{text}; {_way_on(resolved)}")
    if job is not None or not destination.answers:
        return plan
    step = _finish_step(
        resolved, claim.attempt, _ends(resolved, source, destination), wait=False, needs=_needs(resolved, source, destination, seen)
    )
    cause = Cause("its container and its result are gone", resolved.transfer.file, resolved.transfer.mark().line)
    summary = "takes its keys away and records that its result is unknown; starts nothing"
    return replace(plan, change=_change(resolved, cause, summary, (step,), ()), steps=(step,))


def _start(resolved: ResolvedTransfer, attempt: int, tries: int, ends: tuple[End, End], seen: EndpointSeen) -> TransferPlan:
    source, destination = ends
    if obstacle := source.obstacle or destination.obstacle:
        return _note(resolved, "waiting", obstacle)
    if (refusal := _refusal(resolved, source, destination)) is not None:
        return TransferPlan(_blocked(resolved, refusal))
    transfer, value = resolved.transfer, resolved.transfer.value
    listens = _server_ports(resolved, destination, attempt)
    if listens is None:
        text = f"{destination.service} has no data port left for its server: others have all of its `data_port_range`"
        return _note(resolved, "waiting", text)
    job_ends = _ends(resolved, source, destination, listens)
    if (around := refuse_around_path(resolved, job_ends[1])) is not None:
        return TransferPlan(_blocked(resolved, around))
    start = Step(
        id=start_transfer_id(resolved.source_endpoint, transfer.name),
        endpoint=resolved.source_endpoint,
        action=StartTransfer(
            transfer.name,
            value.generation,
            attempt,
            value.tool,
            *job_ends,
            source.service.image,
            value.settings,
        ),
        needs=_needs(resolved, source, destination, seen),
    )
    finish = _finish_step(resolved, attempt, job_ends, wait=True, needs=(start.id,))
    cause = Cause("no record of it", transfer.file, transfer.mark(("generation",)).line, "generation")
    if tries > 1:
        cause = Cause(f"try {tries} of {value.retries + 1}", transfer.file, transfer.mark(("retries",)).line, "retries")
    unread = "its record cannot be read before the ledger is back; it starts only if there is none"
    notes = (unread,) if not seen.ledger.readable else ()
    change = _change(resolved, cause, "starts once", (start, finish), notes, listens)
    return TransferPlan(change, (start, finish))


def _server_ports(resolved: ResolvedTransfer, destination: End, attempt: int) -> tuple[int, ...] | None:
    """Where its server listens: nothing for a tool without one; None if too few ports are left."""
    value = resolved.transfer.value
    if not value.tool_row.has_server:
        return ()
    this = (resolved.transfer.name, value.generation, attempt)
    return choose_ports(destination.service, destination.seen, this, destination.promised, value.tool_row.count_ports(value.parallelism))


def needs_hand(seen: EndpointSeen) -> bool:
    """Whether the endpoint's placeholder container must be made, or made with the repository's id, before a record is written."""
    return not seen.ledger.readable or seen.ledger.is_unsigned


def _needs(resolved: ResolvedTransfer, source: End, destination: End, seen: EndpointSeen) -> tuple[str, ...]:
    ledger = (ledger_id(resolved.source_endpoint),) if needs_hand(seen) else ()
    return (*ledger, *source.ready_after, *destination.ready_after)


def _finish_step(resolved: ResolvedTransfer, attempt: int, ends: tuple[JobEnd, JobEnd], *, wait: bool, needs: tuple[str, ...]) -> Step:
    transfer, value = resolved.transfer, resolved.transfer.value
    action = FinishTransfer(transfer.name, value.generation, attempt, value.tool, *ends, value.settings, wait=wait)
    return Step(finish_transfer_id(resolved.source_endpoint, transfer.name), resolved.source_endpoint, action, needs)


def _ends(resolved: ResolvedTransfer, source: End, destination: End, listens: tuple[int, ...] = ()) -> tuple[JobEnd, JobEnd]:
    """The job runs in the source's network: its own sshd is on loopback, the other one is reached as users reach it."""
    near = JobEnd(
        endpoint=resolved.source_endpoint,
        container=source.service.container,
        path=resolved.source_path,
        host="127.0.0.1",
        port=_listening_port(source),
        user=source.service.profile.user or "",
    )
    host, port = _reached_at(destination)
    far = JobEnd(
        endpoint=resolved.destination_endpoint,
        container=destination.service.container,
        path=resolved.written_path,
        host=host,
        port=port,
        user=destination.service.profile.user or "",
        data_host=own_address(destination.service, destination.allocation) or destination.service.ctrl_host,
        data_ports=destination.service.profile.data_port_range,
        listens=listens,
    )
    return on_path((source.service, destination.service), (source.allocation.attachments, destination.allocation.attachments), (near, far))


def _listening_port(end: End) -> int:
    """Where sshd listens in the container."""
    return end.service.profile.internal_port or end.allocation.ctrl_port


def _reached_at(end: End) -> tuple[str, int]:
    """Where others reach its sshd: a published port of the endpoint, or the container's own address."""
    service = end.service
    if service.publishes:
        return service.ctrl_host, end.allocation.ctrl_port
    host = service.ctrl_host if service.is_host_networked else own_address(service, end.allocation)
    return host, _listening_port(end)


def _refusal(resolved: ResolvedTransfer, source: End, destination: End) -> Refusal | None:
    needs_ports = resolved.transfer.value.tool_row.ports != "none"
    unreached = refuse_unreached(destination.service) if needs_ports else None
    unreached = unreached or _refuse_one_place(resolved, source, destination)
    clocks = {resolved.source_endpoint: source.clock_ahead, resolved.destination_endpoint: destination.clock_ahead}
    place = Cause("", resolved.transfer.file, resolved.transfer.mark().line)
    return unreached or refuse_versions(source.service, destination.service) or refuse_expired_keys(place, clocks)


def _refuse_one_place(resolved: ResolvedTransfer, source: End, destination: End) -> Refusal | None:
    """Why the two ends are one place as far as it is known here: writing to the destination would empty the source."""
    here, there, transfer = resolved.source_endpoint, resolved.destination_endpoint, resolved.transfer
    mark = transfer.mark(("to",))
    host, port = _reached_at(destination)
    own_host, own_port = _reached_at(source)
    is_own = same_host(host, own_host) and port == own_port
    if not is_own and not _is_own_loopback(host, port, source, destination):
        return None
    cause = Cause(f"both ends are one place: {there} is reached at {host}:{port}, which is {here} itself", transfer.file, mark.line, "to")
    return Refusal("E0490", cause, f"`host:` of {there} with the name or address at which {here} reaches it")


def _is_own_loopback(host: str, port: int, source: End, destination: End) -> bool:
    """Whether the destination would be looked for in the source's own container; two host networks may be of one machine."""
    are_of_hosts = source.service.is_host_networked and destination.service.is_host_networked
    return is_loopback(host) and not (are_of_hosts and port != _listening_port(source))


def _blocked(resolved: ResolvedTransfer, refusal: Refusal) -> Change:
    return Change(
        mark="blocked",
        kind="transfer",
        name=resolved.transfer.name,
        endpoint=resolved.source_endpoint,
        cause=refusal.cause,
        summary=refusal.cause.text,
        code=refusal.code,
        fix=refusal.fix,
    )


def _change(
    resolved: ResolvedTransfer, cause: Cause, summary: str, steps: tuple[Step, ...], notes: tuple[str, ...], listens: tuple[int, ...] = ()
) -> Change:
    value = resolved.transfer.value
    return Change(
        mark="transfer",
        kind="transfer",
        name=resolved.transfer.name,
        endpoint=resolved.source_endpoint,
        cause=cause,
        summary=f"generation {value.generation} {summary}: {value.from_} → {value.to} by {value.tool}",
        allocations=tuple(_facts(resolved, listens)),
        notes=notes,
        steps=tuple(step.id for step in steps),
    )


def _facts(resolved: ResolvedTransfer, listens: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    value, row = resolved.transfer.value, resolved.transfer.value.tool_row
    if resolved.written_path != resolved.destination_path:
        yield "writes", f"{resolved.destination_endpoint}:{resolved.written_path}"
    yield "session", resolved.session
    if row.takes("parallelism"):
        yield "streams", str(value.parallelism)
    if listens:
        ports = f"port {listens[0]}" if len(listens) == 1 else f"ports {listens[0]}-{listens[-1]}"
        yield "server", f"{resolved.destination_endpoint}, {ports}"
    if row.moves == "files":
        yield from option_facts(value.settings)
    yield from rate_facts(value.settings)


def silent_source(resolved: ResolvedTransfer, history: History) -> TransferNote:
    """What can be said of a transfer whose record is on an endpoint that does not answer: how it ended, if the mirror has that."""
    claims = [item for item in history.attempts(resolved.source_endpoint, resolved) if not item.released]
    if claims and claims[-1].verdict is not None and not claims[-1].may_be_repeated(len(claims), resolved.transfer.value.retries):
        return _ended(resolved, claims[-1])
    text = f"{resolved.source_endpoint}, which keeps its record, does not answer"
    return replace(_said(resolved, "unknown", text), is_unseen=True)


def _note(resolved: ResolvedTransfer, state: str, text: str) -> TransferPlan:
    return TransferPlan(note=_said(resolved, state, text))


def _said(resolved: ResolvedTransfer, state: str, text: str) -> TransferNote:
    transfer = resolved.transfer
    return TransferNote(transfer.name, transfer.value.generation, state, text, transfer.where())


def plan_ledger(site: str, endpoint: str, backend: Backend, transfers: tuple[str, ...]) -> tuple[Change, Step]:
    """Recreate (or create) what holds the endpoint's record."""
    step = Step(ledger_id(endpoint), endpoint, EnsureLedger(ledger_folder(site)))
    change = Change(
        mark="create",
        kind="ledger",
        name=ledger_name(site),
        endpoint=endpoint,
        cause=Cause(f"transfers {', '.join(transfers)} keep their record here"),
        summary=f"creates {backend.ledger.format(folder=ledger_folder(site))}",
        steps=(step.id,),
    )
    return change, step
