"""`dtnctl apply` and `dtnctl destroy`: print the plan, ask, carry it out, report; the exit code is that of the worst."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.chosen import matching_names
from dtnctl.cli.expected import changed_lines, expected_hash, stale_lines
from dtnctl.cli.messages import say
from dtnctl.cli.plan import make_plan, plan_exit_code, preview
from dtnctl.cli.plan_output import Printing, keep_for_expect, plan_context, print_plan, printing_of
from dtnctl.cli.policy import judged, refuse_denied
from dtnctl.cli.reached import reached_lines
from dtnctl.cli.reviewed import agree_with_review
from dtnctl.cli.workplace import expanded, is_ci, lock_seconds, open_workplace, scope_of, with_transfers, write_out
from dtnctl.client.applying import Clients, Conditions, carry_out, writing
from dtnctl.client.ending import Ending, raise_for_worst
from dtnctl.client.labels import selected, with_label
from dtnctl.client.missing import missing_logins, missing_secrets
from dtnctl.client.paths import refuse_lost_providers
from dtnctl.client.receipts import mirroring, with_receipts
from dtnctl.client.run_record import Recording, recorded
from dtnctl.client.workplace import Workplace, refuse_ssh_mistakes
from dtnctl.errors import ConfigError, HealthTimeoutError, LockError, StalePlanError, StoppedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope
    from dtnctl.render.context import Command, RenderContext
    from dtnctl.runtime.reconcile import Applied


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("apply")(apply_command)
    app.command("destroy")(destroy_command)


def unchanged(workplace: Workplace) -> Workplace:
    """The same workplace."""
    return workplace


@dataclass(frozen=True, slots=True)
class Consent:
    """How a writing command may run. `typed`: the word that a person must type; empty asks for yes.

    `allow_failed`: patterns of transfers that may have failed earlier. `reviewed`: the file of the plan that was reviewed.
    `policy`: the command that judges the plan. `agreed` is called when all agree, before anything is changed.
    """

    yes: bool
    no_input: bool
    expect: str
    lock_timeout: float
    wait: bool
    parallel: int
    typed: str = ""
    allow_failed: tuple[str, ...] = ()
    reviewed: str = ""
    policy: str = ""
    agreed: Callable[[Workplace], Workplace] = unchanged


def apply_command(
    context: typer.Context,
    output: opt.PlanOutputOption = opt.PlanOutput.text,
    out: opt.OutOption = "",
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    label: opt.LabelOption = "",
    replace_: opt.ReplaceOption = [],  # noqa: B006  # same
    max_prune: opt.MaxPruneOption = "",
    allow_empty: opt.AllowEmptyOption = False,
    override_freeze: opt.OverrideFreezeOption = "",
    interrupt: opt.InterruptOption = [],  # noqa: B006  # same
    defer_until_idle: opt.DeferOption = False,
    policy: opt.PolicyOption = "",
    yes: opt.YesOption = False,
    no_input: opt.NoInputOption = False,
    expect: opt.ExpectOption = "",
    reviewed: opt.ReviewedOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    wait: opt.WaitOption = True,
    allow_failed: opt.AllowFailedOption = [],  # noqa: B006  # same
    parallel: opt.ParallelOption = 0,
    dry_run: opt.DryRunOption = False,
    brief: opt.BriefOption = False,
    all_: opt.AllOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Make the endpoints as declared. Says the plan first and asks, unless --yes."""
    printing = printing_of(context, output, out=out, show_all=all_, brief=brief)
    scope = scope_of(target, exclude, replace_, max_prune, allow_empty=allow_empty, override_freeze=override_freeze)
    scope = with_label(with_transfers(scope, interrupt, defer=defer_until_idle), label)
    if dry_run:
        return preview(printing, scope, timeout, policy)
    seconds = lock_seconds(lock_timeout)
    consent = Consent(yes, no_input, expect, seconds, wait, parallel, allow_failed=expanded(allow_failed), reviewed=reviewed, policy=policy)
    return run_apply("apply", printing, scope, timeout, consent)


def destroy_command(
    context: typer.Context,
    output: opt.PlanOutputOption = opt.PlanOutput.text,
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    label: opt.LabelOption = "",
    override_freeze: opt.OverrideFreezeOption = "",
    policy: opt.PolicyOption = "",
    yes: opt.YesOption = False,
    confirm: Annotated[str, typer.Option("--confirm", metavar="SITE", help="The site's name, typed: instead of being asked.")] = "",
    expect: opt.ExpectOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    parallel: opt.ParallelOption = 0,
    dry_run: opt.DryRunOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Remove everything that is ours from the endpoints. Records of transfers and named volumes stay."""
    printing = printing_of(context, output)
    scope = with_label(scope_of(target, exclude, [], "", destroy=True, override_freeze=override_freeze), label)
    if dry_run:
        workplace = open_workplace()
        plan = make_plan(workplace, scope, timeout)
        view = judged(plan, plan_context(workplace, "destroy", printing, scope), policy)
        print_plan(plan, view, printing)
        keep_for_expect(plan, view, os.environ)
        refuse_denied(view)
        return plan_exit_code(plan, detailed=False)
    site = open_workplace().site.name
    if yes and not target and confirm != site:
        raise UsageError(f"destroy removes the whole site; pass --confirm={site} with --yes, or name what goes with --target")
    consent = Consent(yes, False, expect, lock_seconds(lock_timeout), True, parallel, typed=site, policy=policy)
    return run_apply("destroy", printing, scope, timeout, consent)


def run_apply(command: Command, printing: Printing, scope: Scope, timeout: float, consent: Consent) -> int:
    """Show the plan, ask, carry it out and report; the run is recorded, however it ends."""
    if printing.is_for_review:
        raise UsageError(f"-o {printing.output.value} marks lines of a plan; try `dtnctl plan -o {printing.output.value}`")
    with recorded(command, scope) as run:
        return _carry_out(run, printing, scope, timeout, consent)


def _carry_out(run: Recording, printing: Printing, scope: Scope, timeout: float, consent: Consent) -> int:
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import clear_dead_leases
    from dtnctl.runtime.looking import look_with_progress
    from dtnctl.runtime.reconcile import ChangedPlanError

    command = run.command
    workplace, scope = selected(with_receipts(open_workplace()), scope)
    expected = expected_hash(consent.expect, command)
    allowed = matching_names("transfer", consent.allow_failed, workplace.site.transfers)
    with writing(workplace, timeout) as clients:
        plan, snapshot = look_with_progress(workplace.site, clients.engines, SystemClock().now(), scope, clients.paths)
        run.planned(workplace, plan)
        refuse_ssh_mistakes(workplace, snapshot)
        refuse_lost_providers(workplace, snapshot)
        view = judged(plan, plan_context(workplace, command, printing, scope), consent.policy)
        if expected and plan.hash != expected:
            raise StalePlanError(*stale_lines(consent.expect, plan, view, workplace))
        if printing.output is not opt.PlanOutput.json:
            print_plan(plan, view, replace(printing, out=""))
        if problems := missing_secrets(workplace, scope):
            raise ConfigError(problems)
        if not plan.steps:
            clear_dead_leases(clients.engines, snapshot, say)
            mirroring(workplace, clients.engines).end(snapshot)
            _nothing_to_do(plan, view, printing, Ending(command, plan, changed=False, allowed=allowed, deferring=scope.defer))
            consent.agreed(workplace)
            return 0
        expected = _agreed(plan, view, workplace, consent) or expected
        run.planned(workplace := consent.agreed(workplace), plan)
        clear_dead_leases(clients.engines, snapshot, say)
        try:
            applied, signal_number, unshown = _run(workplace, clients, plan, scope, consent, expected, printing)
            run.applied(applied)
        except ChangedPlanError as error:
            raise StalePlanError(*error.lines, *changed_lines(plan, error.current, view)) from None
        _refuse_unshown(unshown)
    _say_reached(workplace, applied)
    what = (command, applied.plan, applied.outcomes, applied.remaining, signal_number, consent.wait)
    return _report(applied, Ending(*what, allowed=allowed, deferring=scope.defer), view, printing)


def _refuse_unshown(error: Exception | None) -> None:
    if error is not None:
        raise error


def _say_reached(workplace: Workplace, applied: Applied) -> None:
    from dtnctl.runtime.clock import SystemClock

    for line in reached_lines(workplace.site, applied.plan, applied.outcomes, applied.seen, SystemClock().now()):
        say(line)


def _agreed(plan: Plan, view: RenderContext, workplace: Workplace, consent: Consent) -> str:
    """Logins, policy, review and the person agree, or it raises. Returns the hash of the one plan that may run; empty for any."""
    if problems := missing_logins(workplace, plan):
        raise ConfigError(problems)
    refuse_denied(view)
    judged_hash = plan.hash if view.policy is not None else ""
    reviewed_hash = agree_with_review(consent.reviewed, plan, workplace, view)
    _ask(plan, consent)
    return reviewed_hash or judged_hash


def _run(
    workplace: Workplace,
    clients: Clients,
    plan: Plan,
    scope: Scope,
    consent: Consent,
    expected: str,
    printing: Printing,
) -> tuple[Applied, int, Exception | None]:
    """What was done, the signal that stopped it or 0, and why it could not be shown."""
    from dtnctl.cli.progress import interruptible, watching

    with interruptible() as stop, watching(plan, stop, printing.invocation.events) as watched:
        confirmed = "" if consent.yes else plan.hash
        conditions = Conditions(consent.lock_timeout, consent.parallel, expected, confirmed, consent.wait, stop)
        try:
            applied = carry_out(workplace, clients, plan, scope, conditions, watched.reports())
        except LockError:
            if stop.signal_number:
                raise StoppedError(stop.signal_number) from None
            raise
        return applied, stop.signal_number, watched.failure


def _nothing_to_do(plan: Plan, view: RenderContext, printing: Printing, ending: Ending) -> None:
    if printing.out:
        from dtnctl.render.json import outcomes_document, render_json

        write_out(printing.out, render_json(outcomes_document(plan, ())))
    if printing.output is opt.PlanOutput.json:
        print_plan(plan, view, replace(printing, out=""))
    raise_for_worst(ending)


def _ask(plan: Plan, consent: Consent) -> None:
    if consent.yes or consent.expect:
        return
    if consent.no_input or is_ci() or not sys.stdin.isatty():
        yes = f"--yes --confirm={consent.typed}" if consent.typed else "--yes"
        raise UsageError(f"no terminal to ask on; pass {yes}, or --expect {plan.hash} to run exactly this plan")
    wanted = consent.typed or "yes"
    sys.stderr.write(f"\nType {wanted!r} to carry this out: ")
    sys.stderr.flush()
    answer = sys.stdin.readline()  # empty at its end (Ctrl-D); input() would ask on stdout, which carries the result only
    if answer.strip() != wanted:
        raise UsageError("not confirmed; nothing was changed")


def _report(applied: Applied, ending: Ending, view: RenderContext, printing: Printing) -> int:
    """Print what became of it; the exit code is that of the worst."""
    from dtnctl.render.json import outcomes_document, render_json
    from dtnctl.render.outcomes import render_outcomes

    document = outcomes_document(applied.plan, applied.outcomes, applied.remaining)
    if printing.invocation.events is not None:
        printing.invocation.events.document(document)
    elif printing.output is opt.PlanOutput.json:
        printing.write(render_json(document))
    else:
        printing.write(render_outcomes(applied.plan, applied.outcomes, view, applied.remaining))
    if printing.out:
        write_out(printing.out, render_json(document))
    _keep_failures(applied)
    raise_for_worst(ending)
    return 0


def _keep_failures(applied: Applied) -> None:
    """For `sessions logs --failed`. A machine on which nothing can be kept has shown it all the same."""
    if any(outcome.error == HealthTimeoutError.exit_name for outcome in applied.outcomes):
        from dtnctl.cli.failures import failures_folder, keep_failures
        from dtnctl.runtime.clock import SystemClock

        folder = failures_folder(os.environ, applied.plan.site)
        try:
            keep_failures(folder, applied.plan, applied.outcomes, SystemClock().now())
        except OSError as error:
            say(f"what failed containers wrote could not be kept in {folder}: {error.strerror}")
