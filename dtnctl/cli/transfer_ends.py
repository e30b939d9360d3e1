"""The commands by which a person ends a transfer: `dtnctl transfers cancel`, and `resolve` where its result is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.look import TransferArgument, as_it_ran_last, resolved_transfer
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import lock_seconds, open_workplace
from dtnctl.client.receipts import mirroring, with_receipts
from dtnctl.client.workplace import Workplace, engines
from dtnctl.errors import BlockedError, UnreachableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from dtnctl.model.ledger import Attempt, Resolution
    from dtnctl.planning.resolve import ResolvedTransfer
    from dtnctl.planning.transfers.resolution import Decision
    from dtnctl.providers.base import Engine
    from dtnctl.runtime.lease import Leases

SucceededOption = Annotated[bool, typer.Option("--succeeded", help="It arrived: the destination was looked at.")]
FailedOption = Annotated[bool, typer.Option("--failed", help="It did not arrive, and is not to run again in this generation.")]
RunAgainOption = Annotated[bool, typer.Option("--run-again", help="This try counts as not made: the next apply starts another one.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept in the record, with who decided.")]


def transfers_cancel(name: TransferArgument, timeout: opt.TimeoutOption = 10.0, lock_timeout: opt.LockTimeoutOption = None) -> int:
    """Stop a running transfer and record that it was cancelled. What it copied so far stays at the destination."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.transfers.joint_calls import JointCalls
    from dtnctl.runtime.transfers.transfer import cancel_transfer

    workplace = open_workplace()
    resolved = resolved_transfer(workplace, name)
    with engines(workplace, timeout) as clients:
        with _leases_of_ends(workplace, clients, resolved, lock_timeout):
            resolved = as_it_ran_last(resolved, clients[resolved.source_endpoint], workplace.site.name)
            say(cancel_transfer(resolved, clients, workplace.site.name, SystemClock(), JointCalls(look_up=workplace.secrets.line)))
        mirror = mirroring(workplace, clients)
        mirror.note(resolved.source_endpoint, (name, resolved.transfer.value.generation, 1))
        mirror.end(None)
    return 0


def transfers_resolve(
    name: TransferArgument,
    succeeded: SucceededOption = False,
    failed: FailedOption = False,
    run_again: RunAgainOption = False,
    reason: ReasonOption = "",
    timeout: opt.TimeoutOption = 10.0,
    lock_timeout: opt.LockTimeoutOption = None,
) -> int:
    """Decide what a transfer whose result is unknown counts as. Refused while its job runs, and of any other state."""
    from dtnctl.planning.transfers.resolution import Decision
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import operator
    from dtnctl.runtime.transfers.attempt import time_text

    if succeeded + failed + run_again != 1:
        raise UsageError("say what it counts as: exactly one of --succeeded, --failed and --run-again")
    resolution: Resolution = "succeeded" if succeeded else "failed" if failed else "run-again"
    decision = Decision(resolution, operator(), time_text(SystemClock().now()), reason)
    workplace = with_receipts(open_workplace())
    resolved = resolved_transfer(workplace, name)
    with engines(workplace, timeout) as clients:
        with _leases_of_ends(workplace, clients, resolved, lock_timeout) as leases:
            record = _decide(workplace, clients, resolved, decision, leases)
        mirror = mirroring(workplace, clients)
        mirror.note(resolved.source_endpoint, record.key)
        mirror.end(None)
    outcome = "counts as not run; the next apply starts another try" if run_again else f"is recorded as {record.verdict}"
    say(f"{name} (generation {record.generation}, try {record.attempt}) {outcome}, as {record.resolved_by} decided")
    return 0


def _leases_of_ends(
    workplace: Workplace, clients: Mapping[str, Engine], resolved: ResolvedTransfer, lock_timeout: float | None
) -> AbstractContextManager[Leases]:
    """The leases of the endpoints between which it runs."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import hold_leases, this_process

    return hold_leases(
        {end: clients[end] for end in {resolved.source_endpoint, resolved.destination_endpoint}},
        site=workplace.site.name,
        holder=this_process(),
        clock=SystemClock(),
        timeout=lock_seconds(lock_timeout),
        report=say,
    )


def _decide(workplace: Workplace, clients: Mapping[str, Engine], resolved: ResolvedTransfer, decision: Decision, leases: Leases) -> Attempt:
    """Look under the leases, and record the decision if the result is unknown now. BlockedError says why it is not."""
    from dtnctl.model.actions import FinishTransfer
    from dtnctl.planning.planner import Scope
    from dtnctl.planning.transfers.in_time import as_it_ran
    from dtnctl.planning.transfers.jobs import read_history
    from dtnctl.planning.transfers.resolution import newest_claim, refuse_resolution
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reconcile import look_and_plan
    from dtnctl.runtime.transfers.resolve import record_decision

    site, source = workplace.site, resolved.source_endpoint
    plan, snapshot = look_and_plan(site, clients, SystemClock().now(), Scope())
    seen = snapshot.endpoints[source]
    if seen.is_silent:
        raise UnreachableError(f"{source} does not answer ({seen.silence}): whether a job runs there is unknown")
    leases.check(source)
    resolved = as_it_ran(resolved, (*seen.ledger.attempts, *site.receipts))
    history = read_history(snapshot.endpoints, site.receipts, site.endpoints)
    claim, refusal = newest_claim(resolved, history), refuse_resolution(resolved, seen, history)
    if refusal or claim is None:
        raise BlockedError(refusal)
    actions = (step.action for step in plan.steps if isinstance(step.action, FinishTransfer))
    closing = next((action for action in actions if (action.transfer, action.generation, action.attempt) == claim.key), None)
    if closing is not None:
        leases.check(resolved.destination_endpoint)
    return record_decision(claim, decision, source, clients, site.name, closing)
