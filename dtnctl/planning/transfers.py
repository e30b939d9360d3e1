"""Decides for each declared transfer whether it starts, is collected, waits, or is done. Pure.

A transfer starts once per generation. The ledger on the source endpoint tells what was claimed and what came out; the job's
container tells the rest. A claim without a result whose container is gone is unknown, and unknown is never run again.
"""

from __future__ import annotations

from dataclasses import dataclass

from dtnctl.model.plan import (
    Cause,
    Change,
    EnsureLedger,
    FinishTransfer,
    JobEnd,
    RemoveContainer,
    StartTransfer,
    Step,
    StopContainer,
    TransferNote,
)
from dtnctl.model.resources import Attempt, ContainerSeen, EndpointSeen, Pairs, ledger_name, transfer_name
from dtnctl.planning.allocate import Allocation
from dtnctl.planning.resolve import Route, Service
from dtnctl.planning.specs import data_address

LEDGER_ROOT = "/var/lib/dtnctl"


@dataclass(frozen=True, slots=True)
class End:
    """A service that carries one end: what it is, what was chosen for it, and the steps after which it is ready.

    `obstacle` says why it cannot carry anything in this plan; empty if it can.
    """

    service: Service
    allocation: Allocation
    ready_after: tuple[str, ...] = ()
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """Either a change with its steps, or a note that says why nothing happens."""

    change: Change | None = None
    steps: tuple[Step, ...] = ()
    note: TransferNote | None = None


def ledger_folder(site: str) -> str:
    """Where the record lives on the endpoint's host: outside of everything that a prune removes."""
    return f"{LEDGER_ROOT}/{site}"


def ledger_step_id(endpoint: str) -> str:
    return f"{endpoint}/ledger/ensure"


def plan_transfer(route: Route, source: End, destination: End, seen: EndpointSeen) -> TransferPlan:
    """What happens with one transfer now."""
    transfer = route.transfer
    attempts = [
        item
        for item in seen.ledger.attempts
        if item.transfer == transfer.name and item.generation == transfer.value.generation and not item.released
    ]
    last = max(attempts, key=lambda item: item.attempt, default=None)
    other = _running_generation(route, seen)
    job = _job(route, last, seen)
    if last is not None and last.verdict is not None:
        if job is not None:
            return _running_or_ended(route, last, job, source, destination)
        return _after_verdict(route, last, source, destination, seen)
    if last is not None and job is None:
        text = (
            f"claimed at {last.claimed_at}, but its container and its result are gone: it may have run; raise `generation` to run it again"
        )
        return _note(route, "unknown", text)
    if job is not None and job.started_at:
        return _running_or_ended(route, last, job, source, destination)
    if other:
        return _note(route, "waiting", f"generation {other} is still running")
    return _start(route, last.attempt if last is not None else 1, source, destination, seen)


def _job(route: Route, claim: Attempt | None, seen: EndpointSeen) -> ContainerSeen | None:
    """The attempt's container: the claimed one, or one that was made before its claim was written."""
    for container in seen.containers:
        if container.kind != "transfer" or container.owner != route.transfer.name:
            continue
        if claim is not None and container.id == claim.container:
            return container
        if claim is None and container.name == _job_name(route, 1):
            return container
    return None


def _job_name(route: Route, attempt: int) -> str:
    return transfer_name(route.site, route.transfer.name, route.transfer.value.generation, attempt)


def _running_generation(route: Route, seen: EndpointSeen) -> int:
    """Another generation of this transfer whose job is still running; 0 if none is."""
    prefix = f"{route.site}.{route.transfer.name}.g"
    for container in seen.containers:
        if container.kind == "transfer" and container.name.startswith(prefix) and container.state == "running":
            generation = int(container.name.removeprefix(prefix).partition("a")[0])
            if generation != route.transfer.value.generation:
                return generation
    return 0


def _after_verdict(route: Route, last: Attempt, source: End, destination: End, seen: EndpointSeen) -> TransferPlan:
    value = route.transfer.value
    if last.verdict == "failed" and last.retryable and last.attempt <= value.retries:
        return _start(route, last.attempt + 1, source, destination, seen)
    if last.verdict == "succeeded":
        evidence = f", {last.verified}" if last.verified else ""
        return _note(route, "succeeded", f"{last.bytes} bytes in {last.seconds:.1f} s{evidence}, receipt of {last.finished_at}")
    text = f"{last.cause or last.verdict}; raise `generation` to run it again"
    return _note(route, last.verdict or "unknown", text)


def _running_or_ended(route: Route, claim: Attempt | None, job: ContainerSeen, source: End, destination: End) -> TransferPlan:
    if job.state in ("running", "paused", "restarting"):
        return _note(route, "running", f"since {job.started_at[:19]}Z; follow it with: dtnctl transfers logs -f {route.transfer.name}")
    attempt = claim.attempt if claim is not None else 1
    transfer = route.transfer
    action = FinishTransfer(
        transfer.name,
        transfer.value.generation,
        attempt,
        transfer.value.tool,
        *_ends(route, source, destination),
        job_options(route),
        wait=False,
    )
    step = Step(f"{route.source_endpoint}/finish/{transfer.name}", route.source_endpoint, action)
    if claim is not None and claim.verdict is not None:
        cause = Cause("it has its receipt, but its container is still there", transfer.file, transfer.mark().line)
        return TransferPlan(_change(route, cause, "clears its container and keys away; starts nothing", (step,), ()), (step,))
    cause = Cause(f"it ended with exit code {job.exit_code} and has no receipt", transfer.file, transfer.mark().line)
    return TransferPlan(_change(route, cause, "judges and records its result; starts nothing", (step,), ()), (step,))


def _start(route: Route, attempt: int, source: End, destination: End, seen: EndpointSeen) -> TransferPlan:
    obstacle = source.obstacle or destination.obstacle
    if obstacle:
        return _note(route, "waiting", obstacle)
    transfer, value = route.transfer, route.transfer.value
    ends = _ends(route, source, destination)
    needs = (*source.ready_after, *destination.ready_after)
    if not seen.ledger.readable:
        needs = (ledger_step_id(route.source_endpoint), *needs)
    start = Step(
        id=f"{route.source_endpoint}/transfer/{transfer.name}",
        endpoint=route.source_endpoint,
        action=StartTransfer(
            transfer.name,
            value.generation,
            attempt,
            value.tool,
            *ends,
            source.service.image,
            source.service.profile.data_port_range,
            job_options(route),
        ),
        needs=needs,
    )
    finish = Step(
        id=f"{route.source_endpoint}/finish/{transfer.name}",
        endpoint=route.source_endpoint,
        action=FinishTransfer(transfer.name, value.generation, attempt, value.tool, *ends, job_options(route), wait=True),
        needs=(start.id,),
    )
    cause = Cause("no record of it", transfer.file, transfer.mark(("generation",)).line, "generation")
    notes: tuple[str, ...] = ()
    if not seen.ledger.readable:
        notes = ("its record cannot be read before the ledger is back; it starts only if there is none",)
    if attempt > 1:
        cause = Cause(f"try {attempt} of {value.retries + 1}", transfer.file, transfer.mark(("retries",)).line, "retries")
    return TransferPlan(_change(route, cause, "starts once", (start, finish), notes), (start, finish))


def _ends(route: Route, source: End, destination: End) -> tuple[JobEnd, JobEnd]:
    """The job runs in the source's network: its own sshd is on loopback, the other one is reached as users reach it."""
    near = source.service.profile.internal_port if source.service.publishes else None
    source_end = JobEnd(
        endpoint=route.source_endpoint,
        container=source.service.container,
        path=route.source_path,
        host="127.0.0.1",
        port=near or source.allocation.ctrl_port,
        user=source.service.profile.user or "",
    )
    host, port = destination.service.ctrl_host, destination.allocation.ctrl_port
    if not destination.service.publishes and not destination.service.is_host_networked:
        host = data_address(destination.service, destination.allocation)
    return source_end, JobEnd(
        endpoint=route.destination_endpoint,
        container=destination.service.container,
        path=route.destination_path,
        host=host,
        port=port,
        user=destination.service.profile.user or "",
    )


def job_options(route: Route) -> Pairs:
    """The transfer's own settings as text, in name order; the mover makes a command line of them."""
    value = route.transfer.value
    names = (
        "parallelism",
        "concurrency",
        "recursive",
        "verify",
        "algorithm",
        "block_size",
        "tcp_buffer",
        "retries",
        "backoff",
        "deadline",
        "stall_timeout",
    )
    return tuple((name, str(getattr(value, name))) for name in sorted(names) if getattr(value, name) is not None)


def _change(route: Route, cause: Cause, summary: str, steps: tuple[Step, ...], notes: tuple[str, ...]) -> Change:
    value = route.transfer.value
    return Change(
        mark="transfer",
        kind="transfer",
        name=route.transfer.name,
        endpoint=route.source_endpoint,
        cause=cause,
        summary=f"generation {value.generation} {summary}: {value.from_} → {value.to} by {value.tool}",
        allocations=(("session", route.session), ("streams", str(value.parallelism)), ("verify", value.verify)),
        notes=notes,
        steps=tuple(step.id for step in steps),
    )


def _note(route: Route, state: str, text: str) -> TransferPlan:
    transfer = route.transfer
    return TransferPlan(note=TransferNote(transfer.name, transfer.value.generation, state, text, transfer.where()))


def plan_ledger(site: str, endpoint: str, transfers: tuple[str, ...]) -> tuple[Change, Step]:
    """Bring back (or make) the hand that reads and writes the endpoint's record."""
    step = Step(ledger_step_id(endpoint), endpoint, EnsureLedger(ledger_folder(site)))
    change = Change(
        mark="create",
        kind="ledger",
        name=ledger_name(site),
        endpoint=endpoint,
        cause=Cause(f"transfers {', '.join(transfers)} keep their record here"),
        summary=f"creates the ledger's container (never started) over {ledger_folder(site)}",
        steps=(step.id,),
    )
    return change, step


def plan_leftover(endpoint: str, seen: ContainerSeen, cause: Cause) -> tuple[Change, tuple[Step, ...]]:
    """A job's container whose transfer no file declares any more: it goes; its record stays in the ledger."""
    running = seen.state in ("running", "paused", "restarting")
    steps = [Step(f"{endpoint}/stop/{seen.name}", endpoint, StopContainer(seen.name, seen.id, 10))] if running else []
    needs = tuple(step.id for step in steps)
    steps.append(Step(f"{endpoint}/remove/{seen.name}", endpoint, RemoveContainer(seen.name, seen.id), needs))
    change = Change(
        mark="destroy",
        kind="transfer",
        name=seen.owner,
        endpoint=endpoint,
        cause=cause,
        summary=f"removes job {seen.name}, {seen.state}",
        steps=tuple(step.id for step in steps),
        interrupts=f"the running transfer {seen.owner} is cut off" if running else "",
    )
    return change, tuple(steps)
