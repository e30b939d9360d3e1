"""R3: every interleaving of clients that all want to start and finish one transfer, with deaths at every call, and one that is stopped.

The clients run dtnctl's own code of leases, ledger, claim, start and receipt. What is tried against it are engines as values
(small_engines.py). A client that dies does so before any of its calls, which is as good as after the one before. A client that is stopped
for longer than its lease goes on with the call that it was about to make: no engine can refuse that one, so writes of this kind are counted
and not judged, but what comes of them is.
"""

from __future__ import annotations

from tests.faults import one_thread

one_thread.install()  # before anything of dtnctl is imported

import json  # noqa: E402  # after the stand-ins
import threading  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from functools import cache  # noqa: E402
from random import Random  # noqa: E402
from typing import cast  # noqa: E402

from dtnctl.model.actions import EnsureLedger, FinishTransfer, JobEnd, StartTransfer  # noqa: E402
from dtnctl.model.plan import Plan, Step  # noqa: E402
from dtnctl.model.site import Site  # noqa: E402
from dtnctl.model.tools import Iperf3Options  # noqa: E402
from dtnctl.model.transfer_options import TransferOptions  # noqa: E402
from dtnctl.providers.base import Engine  # noqa: E402
from dtnctl.runtime.lease import Holder, hold_leases  # noqa: E402
from dtnctl.runtime.leased_engine import leased_engines  # noqa: E402
from dtnctl.runtime.reconcile import Reports, Terms, carry_out  # noqa: E402
from dtnctl.runtime.transfers.transfer import record_transfer  # noqa: E402
from tests.faults.measured import Measured, Task  # noqa: E402
from tests.faults.scheduler import Bounds, Client, Explored, Run, explore  # noqa: E402
from tests.faults.small_engines import HERE, IMAGE, JOB, LEASE, SERVER, SERVICE, SITE, THERE, TRANSFER, Shared, SmallEngine  # noqa: E402
from tests.planning.building import site  # noqa: E402

FOLDER = "/var/lib/dtnctl/lab"
RECORD = f"/ledger/records/{TRANSFER}.g1a1.json"
SOURCE = JobEnd(HERE, SERVICE, "", "10.0.0.1", 22, "dtn")
DESTINATION = JobEnd(THERE, SERVICE, "", "10.0.0.2", 22, "dtn", listens=(5201,))
OPTIONS = TransferOptions(own=Iperf3Options())
START = StartTransfer(TRANSFER, 1, 1, "iperf3", SOURCE, DESTINATION, IMAGE, OPTIONS)
FINISH = FinishTransfer(TRANSFER, 1, 1, "iperf3", SOURCE, DESTINATION, OPTIONS, wait=True)
STEPS = (Step("ledger", HERE, EnsureLedger(FOLDER)), Step("start", HERE, START, needs=("ledger",)))
PLAN = Plan(SITE, (), STEPS, ())
FOR_EVER = 1e9
CALLS = 60  # more than one client makes; one that takes over makes more, for it waits first
FURTHER = 90


@cache
def declared() -> Site:
    return site("# site\nname: lab\n")


def apply(client: Client) -> None:
    """What the steps of one apply do with the transfer: start it under the leases, wait for its end, record that under the leases."""
    engines = {name: cast("Engine", SmallEngine(client.shared, name, client)) for name in (HERE, THERE)}
    holder = Holder(client.name, "another machine", client.number, 1.0)
    terms = Terms(holder, client, parallel=4, lock_timeout=FOR_EVER)
    reports = Reports(lambda text: None, lambda outcome, step: None, lambda progress: None)

    def leased():  # type: ignore[no-untyped-def]  # a context manager of contextlib's own type
        return hold_leases(
            engines, site=SITE, holder=holder, clock=client, timeout=FOR_EVER, report=lambda text: None, stop=threading.Event()
        )

    with leased() as leases:
        outcomes = carry_out(declared(), engines, PLAN, leases, terms, reports)
    if any(outcome.result != "done" for outcome in outcomes):
        client.ended_with = "; ".join(outcome.reason for outcome in outcomes if outcome.reason)
        return
    client.wait_for("the end of the job", lambda: client.shared.running_job() is None)
    with leased() as leases:
        for endpoint in (HERE, THERE):
            leases.check(endpoint)
        record_transfer(FINISH, leased_engines(engines, leases.check), SITE, client)


def make_run(count: int, bounds: Bounds, *, is_reversed: bool) -> Run:
    shared = Shared()
    return Run(shared, [Client(number, shared, apply, is_reversed=is_reversed) for number in range(count)], bounds)


def finish(run: Run) -> Iterator[str]:
    """What is wrong at the end, after one more client that nothing happens to."""
    if run.taken and run.taken[-1][0] == "seen before":
        return
    stuck = [client.pending for client in run.clients if not client.has_ended]
    if stuck:
        yield f"stuck at {stuck}"
        return
    last = Client(len(run.clients), run.shared, apply, is_reversed=False)
    run.clients.append(last)
    run.bounds = Bounds(0, 0)
    last.thread.start()
    last.step()
    while choices := run.choices():
        run.take(choices[0])
    if not last.has_ended:
        yield f"the next run is stuck at {last.pending}"
    record = json.loads(run.shared.folders[HERE].get(RECORD, b"{}"))
    if record.get("verdict") not in (("succeeded",) if run.shared.runs else ("unknown",)):
        says = f"{record.get('verdict')!r} ({record.get('cause')})"
        yield f"the copy ran {run.shared.runs} times, and its record says {says}; last: {last.ended_with}"
    left = {name for found in run.shared.boxes.values() for name in found} & {LEASE, JOB, SERVER}
    if left:
        yield f"{sorted(left)} are left; last: {last.ended_with}"


def stopped_run(call: int, further: int) -> Run | None:
    """Client 0 is stopped before this call, client 1 goes on for so many steps, then client 0 does; None if it is not stopped so.

    It can only be stopped while it has a lease for which client 1 waits.
    """
    run = make_run(2, Bounds(0, 1), is_reversed=False)
    run.begin()
    first, second = run.clients
    for _ in range(call):
        _advance(run, first)
    while not second.has_ended and second.may_go():
        run.take(("go", second.number))
    if ("stop", first.number) not in run.choices():
        run.end()
        return None
    run.take(("stop", first.number))
    for _ in range(further):
        _advance(run, second)
    while _advance(run, first) or _advance(run, second):
        pass
    return run


def _advance(run: Run, client: Client) -> bool:
    """A step of this client, or the end of the job that it waits for; whether there was one."""
    choices = run.choices()
    for choice in (("go", client.number), ("job ends", 0), ("time passes", 0)):
        if choice in choices and not client.has_ended:
            run.take(choice)
            return True
    return False


def measure_stopped(task: Task) -> Measured:
    """A client is stopped before each of its calls, and goes on after each of the steps of another one, which takes its leases over."""
    ends: dict[tuple[str, str], tuple[int, int]] = {}
    failures, runs = [], 0
    pairs = [(call, further) for call in range(CALLS) for further in range(FURTHER)]
    for call, further in task.chosen(pairs):
        run = stopped_run(call, further)
        if run is None:
            continue
        runs += 1
        wrong = "; ".join(dict.fromkeys((*run.shared.wrong, *finish(run))))
        if len(run.shared.unfenced) > 1:
            wrong = f"{wrong}; it wrote {len(run.shared.unfenced)} times after its lease was gone"
            failures.append(f"stopped before call {call}, went on after {further} steps of the other: {wrong}: {run.shared.unfenced}")
        elif run.shared.unfenced:
            ends.setdefault((run.shared.unfenced[0], wrong), (call, further))
        elif wrong:
            failures.append(f"stopped before call {call}, went on after {further} steps of the other: {wrong}")
        run.end()
    late = {written for written, _ in ends}
    bad = sorted({f"{written.partition(': ')[2]}: {wrong}" for written, wrong in ends if wrong})
    note = f"{len(late)} calls can be late, no more than one in a run; with another end: {' | '.join(bad) or 'none'}"
    return Measured(runs, tuple(failures), note)


def measure_two(task: Task) -> Measured:
    """2 clients, with up to 2 deaths and a stop."""
    return _measure(task, 2, deaths=2, stops=1)


def measure_three(task: Task) -> Measured:
    """3 clients, with a death and a stop."""
    return _measure(task, 3, deaths=1, stops=1)


def _measure(task: Task, count: int, *, deaths: int, stops: int) -> Measured:
    result, states = Measured(0), 0
    late: dict[tuple[str, str], str] = {}
    for is_reversed in (False, True)[task.part :: task.parts]:
        found = explore(
            lambda is_reversed=is_reversed: make_run(count, Bounds(deaths, stops), is_reversed=is_reversed),  # type: ignore[misc]
            finish,
            max(1, task.size // 2),
            task.rng("interleavings", is_reversed),
        )
        states += found.states
        late |= found.late
        result += Measured(found.runs, tuple(found.failures), "" if found.is_whole else "not all of them")
    bad = sum(bool(wrong) for _, wrong in late)
    note = f"{states} states; {len(late)} kinds of one late call by a client that was stopped longer than its lease, {bad} with another end"
    return result + Measured(0, note=note)


def main() -> None:
    """For a look at it: what two clients come to, and what a stopped one writes."""
    found: Explored = explore(lambda: make_run(2, Bounds(1, 1), is_reversed=False), finish, 3000, Random(1))
    print(found.runs, found.states, len(found.failures), found.is_whole)
    print(*found.failures[:5], sep="\n")
    for (written, wrong), taken in found.late.items():
        print(written, "|", wrong, "|", taken)


if __name__ == "__main__":
    main()
