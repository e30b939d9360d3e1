"""The loop's commands: plan, apply, drift, destroy, unlock. Each parses, calls reconcile, prints, and returns an exit code."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.exit_code import Ending, raise_for_worst
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import (
    Workplace,
    engines,
    is_ci,
    lock_seconds,
    note_missing_id,
    observers,
    open_workplace,
    refuse_ssh_mistakes,
    render_context,
    scope_of,
    write_out,
)
from dtnctl.errors import (
    BlockedError,
    ConfigError,
    HealthTimeoutError,
    LockError,
    Problem,
    StalePlanError,
    StoppedError,
    UnreachableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope
    from dtnctl.providers.base import Engine
    from dtnctl.render.context import Command, RenderContext
    from dtnctl.runtime.reconcile import Applied

CHANGES_PENDING = 2


@dataclass(frozen=True, slots=True)
class Look:
    """How a command should print."""

    output: opt.Output
    out: str
    show_all: bool
    brief: bool
    invocation: Invocation

    def write(self, text: str) -> None:
        """The result, to stdout. In JSON mode this is the one document that is owed."""
        sys.stdout.write(text)
        sys.stdout.flush()
        self.invocation.json = False


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("plan")(plan_command)
    app.command("apply")(apply_command)
    app.command("drift")(drift_command)
    app.command("destroy")(destroy_command)
    app.command("unlock")(unlock_command)


def plan_command(
    context: typer.Context,
    output: opt.OutputOption = opt.Output.text,
    out: opt.OutOption = "",
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default, it never reaches a caller
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    replace_: opt.ReplaceOption = [],  # noqa: B006  # same
    max_prune: opt.MaxPruneOption = "",
    detailed_exitcode: opt.DetailedOption = False,
    brief: opt.BriefOption = False,
    all_: opt.AllOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Show what apply would do, and why. Changes nothing."""
    look = Look(output, out, all_, brief, _invocation(context, output))
    return _show("plan", look, scope_of(target, exclude, replace_, max_prune), timeout, detailed_exitcode)


def drift_command(
    context: typer.Context,
    output: opt.OutputOption = opt.Output.text,
    out: opt.OutOption = "",
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    detailed_exitcode: opt.DetailedOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Show how the endpoints have moved away from what was applied. Changes nothing."""
    look = Look(output, out, False, False, _invocation(context, output))
    return _show("drift", look, scope_of(target, exclude, [], ""), timeout, detailed_exitcode)


def _show(command: Command, look: Look, scope: Scope, timeout: float, detailed: bool) -> int:
    workplace = open_workplace()
    plan = _plan(workplace, scope, timeout)
    if command == "drift":
        plan = _moved_away(plan)
    _print_plan(plan, _context(workplace, command, look, scope), look)
    if command == "plan":
        note_missing_id(workplace.site)
        for problem in _missing_logins(workplace, plan):
            say(f"note: {problem}")
    if (plan.unanswered and detailed) or (plan.silent and len(plan.silent) == len(plan.endpoints)):
        raise UnreachableError(f"no answer from {', '.join(plan.unanswered)}: what is there is unknown")
    return CHANGES_PENDING if detailed and not plan.is_empty else 0


UNRECORDED = "the container was changed in place since it was made: whether Git or the endpoint has changed now is not recorded"


def _moved_away(plan: Plan) -> Plan:
    """What has moved away from what was applied, or may have: of what is declared and not there it is not recorded whether it ever was."""
    moved = [change for change in plan.changes if change.is_drift or change.may_be_drift or change.mark in ("create", "blocked")]
    noted = tuple(replace(change, notes=(*change.notes, UNRECORDED)) if change.may_be_drift else change for change in moved)
    return replace(plan, changes=noted, steps=(), transfers=())


def _plan(workplace: Workplace, scope: Scope, timeout: float) -> Plan:
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reconcile import look_and_plan

    with observers(workplace, timeout) as clients:
        plan, snapshot = look_and_plan(workplace.site, clients, SystemClock().now(), scope)
        refuse_ssh_mistakes(workplace, snapshot)
        return plan


def apply_command(
    context: typer.Context,
    output: opt.OutputOption = opt.Output.text,
    out: opt.OutOption = "",
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    replace_: opt.ReplaceOption = [],  # noqa: B006  # same
    max_prune: opt.MaxPruneOption = "",
    yes: opt.YesOption = False,
    no_input: opt.NoInputOption = False,
    expect: opt.ExpectOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    wait: opt.WaitOption = True,
    parallel: opt.ParallelOption = 0,
    dry_run: opt.DryRunOption = False,
    brief: opt.BriefOption = False,
    all_: opt.AllOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Make the endpoints as declared. Says the plan first and asks, unless --yes."""
    look = Look(output, out, all_, brief, _invocation(context, output))
    scope = scope_of(target, exclude, replace_, max_prune)
    if dry_run:
        return _show("plan", look, scope, timeout, False)
    consent = Consent(yes, no_input, expect, lock_seconds(lock_timeout), wait, parallel)
    return _apply("apply", look, scope, timeout, consent)


def destroy_command(
    context: typer.Context,
    output: opt.OutputOption = opt.Output.text,
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    yes: opt.YesOption = False,
    confirm: Annotated[str, typer.Option("--confirm", metavar="SITE", help="The site's name, typed: instead of being asked.")] = "",
    expect: opt.ExpectOption = "",
    lock_timeout: opt.LockTimeoutOption = None,
    parallel: opt.ParallelOption = 0,
    dry_run: opt.DryRunOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Remove everything that is ours from the endpoints. Records of transfers and named volumes stay."""
    look = Look(output, "", False, False, _invocation(context, output))
    scope = scope_of(target, exclude, [], "", destroy=True)
    if dry_run:
        return _show("destroy", look, scope, timeout, False)
    site = open_workplace().site.name
    if yes and not target and confirm != site:
        raise UsageError(f"destroy removes the whole site; pass --confirm={site} with --yes, or name what goes with --target")
    consent = Consent(yes, False, expect, lock_seconds(lock_timeout), True, parallel, typed=site)
    return _apply("destroy", look, scope, timeout, consent)


@dataclass(frozen=True, slots=True)
class Consent:
    """How a writing command may run. `typed`: the word that a person must type; empty asks for yes."""

    yes: bool
    no_input: bool
    expect: str
    lock_timeout: float
    wait: bool
    parallel: int
    typed: str = ""


def _apply(command: Command, look: Look, scope: Scope, timeout: float, consent: Consent) -> int:
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import clear_dead_leases
    from dtnctl.runtime.reconcile import look_and_plan

    workplace = open_workplace()
    expected = _expected_hash(consent.expect, command)
    with engines(workplace, timeout) as clients:
        now = SystemClock().now()
        plan, snapshot = look_and_plan(workplace.site, clients, now, scope)
        refuse_ssh_mistakes(workplace, snapshot)
        view = _context(workplace, command, look, scope)
        if expected and plan.hash != expected:
            raise StalePlanError(*_stale_lines(consent.expect, plan, view))
        if look.output is not opt.Output.json:
            _print_plan(plan, view, replace(look, out=""))
        if not plan.steps:
            clear_dead_leases(clients, snapshot, say)
            return _nothing_to_do(plan, view, look)
        if problems := _missing_logins(workplace, plan):
            raise ConfigError(problems)
        _ask(plan, consent)
        clear_dead_leases(clients, snapshot, say)
        applied, signal_number = _run(workplace, clients, plan, scope, consent, expected)
    return _report(applied, signal_number, view, look, waited=consent.wait)


def _missing_logins(workplace: Workplace, plan: Plan) -> list[Problem]:
    """Logins that images which will be pulled need and this machine does not have."""
    from dtnctl.model.plan import PullImage
    from dtnctl.providers.local.files import find_login_problems

    images = frozenset(step.action.image for step in plan.steps if isinstance(step.action, PullImage))
    return find_login_problems(workplace.site, images, workplace.root)


def _run(
    workplace: Workplace, clients: Mapping[str, Engine], plan: Plan, scope: Scope, consent: Consent, expected: str
) -> tuple[Applied, int]:
    from dtnctl.cli.progress import interruptible, reports_for
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.lease import this_process
    from dtnctl.runtime.reconcile import Terms, apply_plan

    with interruptible() as stop:
        terms = Terms(
            holder=this_process(),
            clock=SystemClock(),
            parallel=consent.parallel or workplace.site.settings.value.limits.parallel,
            lock_timeout=consent.lock_timeout,
            expect=expected,
            confirmed="" if consent.yes else plan.hash,
            wait=consent.wait,
            stop=stop,
        )
        try:
            applied = apply_plan(
                workplace.site, clients, plan, now=SystemClock().now(), scope=scope, terms=terms, reports=reports_for(plan)
            )
        except LockError:
            if stop.signal_number:
                raise StoppedError(stop.signal_number) from None
            raise
        return applied, stop.signal_number


def _expected_hash(expect: str, command: Command) -> str:
    """`--expect` is a hash, or a plan that `plan --out PLAN.json` wrote."""
    if not expect or re.fullmatch(r"[0-9a-f]{16}", expect):
        return expect
    document = _expected_plan(expect)
    verb = "destroy" if command == "destroy" else "plan"
    wanted = ("destroy",) if command == "destroy" else ("plan", "apply")
    if document["command"] not in wanted:
        raise UsageError(f"{expect} is what `dtnctl {document['command']}` shows; {command} expects that of `dtnctl {verb}`")
    return str(document["plan_hash"])


def _expected_plan(path: str) -> dict[str, Any]:
    """The plan in the file, as a JSON document."""
    if not Path(path).exists():
        raise UsageError(f"--expect {path}: neither the hash of a plan (16 digits of 0-9a-f) nor a file")
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document["kind"] != "plan":
            raise KeyError("kind")
        return {"command": document["command"], "plan_hash": document["plan_hash"], **document}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a plan written by `dtnctl plan --out {path}`") from error


def _stale_lines(expect: str, plan: Plan, view: RenderContext) -> list[str]:
    """The refusal, with what differs where the expected plan is at hand, else with the plan as it is now; and how to run that one."""
    from dtnctl.render.differences import plan_differences
    from dtnctl.render.json import plan_document
    from dtnctl.render.summary import exact_command
    from dtnctl.render.terminal import render_plan

    view = replace(view, color=False, command="plan" if view.command == "apply" else view.command)
    head = f"the expected plan is not the one that would run now ({plan.hash}); nothing was changed"
    if not Path(expect).is_file():
        return [f"{head}; the plan now:", *render_plan(plan, view).split("\n")]
    found = plan_differences(_expected_plan(expect), json.loads(json.dumps(plan_document(plan, view))))
    now = exact_command(plan, view)
    return [f"{head}; what differs:", *found, f"if it is right: {now}" if now else "there is nothing to do any more"]


def _nothing_to_do(plan: Plan, view: RenderContext, look: Look) -> int:
    if look.out:
        from dtnctl.render.json import outcomes_document, render_json

        write_out(look.out, render_json(outcomes_document(plan, ())))
    if look.output is opt.Output.json:
        _print_plan(plan, view, replace(look, out=""))
    raise_for_worst(Ending(view.command, plan, changed=False))
    return 0


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


def _report(applied: Applied, signal_number: int, view: RenderContext, look: Look, *, waited: bool) -> int:
    """Print what became of it; the exit code is that of the worst."""
    from dtnctl.render.json import outcomes_document, render_json
    from dtnctl.render.outcomes import render_outcomes

    if look.output is opt.Output.json:
        look.write(render_json(outcomes_document(applied.plan, applied.outcomes, applied.remaining)))
    else:
        look.write(render_outcomes(applied.plan, applied.outcomes, view, applied.remaining))
    if look.out:
        write_out(look.out, render_json(outcomes_document(applied.plan, applied.outcomes, applied.remaining)))
    _keep_failures(applied)
    raise_for_worst(Ending(view.command, applied.plan, applied.outcomes, applied.remaining, signal_number, waited))
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


def unlock_command(
    endpoints: Annotated[list[str], typer.Argument(help="Endpoints whose lease is removed.", autocompletion=names.endpoints)],
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Remove the lease of endpoints whose holder is surely dead."""
    from dtnctl.errors import NotFoundError
    from dtnctl.model.nearest import suggestion
    from dtnctl.model.origin import stranger_text
    from dtnctl.model.resources import describe_holder, lease_name
    from dtnctl.runtime.lease import LABEL_HOLDER

    workplace, listing = open_workplace(), "`dtnctl endpoints list`"
    unknown = [name for name in endpoints if name not in workplace.site.endpoints]
    if unknown:
        raise UsageError(*(f"no endpoint named {name}; try {suggestion(name, workplace.site.endpoints, listing)}" for name in unknown))
    held = lease_name(workplace.site.name)
    with engines(workplace, timeout) as clients:
        for name in endpoints:
            try:
                seen = clients[name].inspect(held)
            except NotFoundError:
                say(f"{name}: nobody holds its lease")
                continue
            if not clients[name].owns(seen.labels, held):
                whose = stranger_text(seen.labels, workplace.site.repository)
                raise BlockedError(f"{name} has a container named {held} {whose}; it was not removed")
            clients[name].remove(seen.id)
            say(f"{name}: removed the lease of {describe_holder(seen.labels.get(LABEL_HOLDER, ''))}")
    return 0


# --- printing -----------------------------------------------------------------------------------------------


def _invocation(context: typer.Context, output: opt.Output) -> Invocation:
    """The running command, told whether stdout is owed a JSON document."""
    invocation = context.find_object(Invocation) or Invocation()
    invocation.json = output is opt.Output.json
    return invocation


def _context(workplace: Workplace, command: Command, look: Look, scope: Scope) -> RenderContext:
    words = [f"-C {shlex.quote(folder)}" for folder in look.invocation.folders]
    words += [f"--target {shlex.quote(item)}" for item in scope.targets]
    words += [f"--exclude {shlex.quote(item)}" for item in scope.excludes]
    words += [f"--replace {shlex.quote(item)}" for item in scope.replace]
    words += [f"--max-prune {scope.prune}"] if scope.prune is not None else []
    return render_context(
        command,
        workplace.head.result(),
        look.invocation,
        brief=look.brief,
        show_all=look.show_all,
        wide=look.output is opt.Output.wide,
        options=" ".join(words),
    )


def _print_plan(plan: Plan, view: RenderContext, look: Look) -> None:
    look.write(_render(plan, view, look.output.value))
    if look.out:
        kind = {".json": "json", ".md": "markdown"}.get(Path(look.out).suffix, look.output.value)
        write_out(look.out, _render(plan, replace(view, color=False), kind))


def _render(plan: Plan, view: RenderContext, kind: str) -> str:
    if kind == "json":
        from dtnctl.render.json import plan_document, render_json

        return render_json(plan_document(plan, view))
    if kind == "markdown":
        from dtnctl.render.markdown import render_plan_comment

        return render_plan_comment(plan, view)
    from dtnctl.render.terminal import render_plan

    return render_plan(plan, view)
