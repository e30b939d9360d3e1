"""`dtnctl plan` and `dtnctl drift`: observe, plan, print. Nothing is changed."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from dtnctl.cli import options as opt
from dtnctl.cli import signals
from dtnctl.cli.messages import say
from dtnctl.cli.plan_output import Printing, keep_for_expect, plan_context, print_plan, printing_of
from dtnctl.cli.policy import judged, refuse_denied
from dtnctl.cli.workplace import note_missing_id, open_workplace, scope_of, with_transfers
from dtnctl.client import looking
from dtnctl.client.labels import selected, with_label
from dtnctl.client.missing import missing_logins, missing_secrets
from dtnctl.client.receipts import with_receipts
from dtnctl.client.workplace import STATE_FOLDER, Workplace
from dtnctl.errors import ConfigError, UnreachableError

if TYPE_CHECKING:
    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope

CHANGES_PENDING = 2


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("plan")(plan_command)
    app.command("drift")(drift_command)


def plan_command(
    context: typer.Context,
    output: opt.PlanOutputOption = opt.PlanOutput.text,
    out: opt.OutOption = "",
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default, it never reaches a caller
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    label: opt.LabelOption = "",
    replace_: opt.ReplaceOption = [],  # noqa: B006  # same
    max_prune: opt.MaxPruneOption = "",
    allow_empty: opt.AllowEmptyOption = False,
    override_freeze: opt.OverrideFreezeOption = "",
    interrupt: opt.InterruptOption = [],  # noqa: B006  # same
    defer_until_idle: opt.DeferOption = False,
    policy: opt.PolicyOption = "",
    detailed_exitcode: opt.DetailedOption = False,
    brief: opt.BriefOption = False,
    all_: opt.AllOption = False,
    offline: opt.OfflineOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Show what apply would do, and why. Changes nothing."""
    printing = printing_of(context, output, out=out, show_all=all_, brief=brief)
    scope = scope_of(target, exclude, replace_, max_prune, allow_empty=allow_empty, override_freeze=override_freeze)
    scope = with_label(with_transfers(scope, interrupt, defer=defer_until_idle), label)
    if offline:
        return _preview_offline(printing, scope, policy, detailed=detailed_exitcode)
    return preview(printing, scope, timeout, policy, detailed=detailed_exitcode)


def drift_command(
    context: typer.Context,
    output: opt.PlanOutputOption = opt.PlanOutput.text,
    out: opt.OutOption = "",
    target: opt.TargetOption = [],  # noqa: B006  # typer reads the default
    exclude: opt.ExcludeOption = [],  # noqa: B006  # same
    label: opt.LabelOption = "",
    detailed_exitcode: opt.DetailedOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Show how the endpoints have moved away from what was applied. Changes nothing."""
    from dtnctl.planning.drift import drifted

    printing = printing_of(context, output, out=out)
    scope = replace(
        with_label(scope_of(target, exclude, [], ""), label), sees_suspended=True
    )  # nothing is changed here, and drift is drift
    workplace = open_marked(printing)
    plan = drifted(make_plan(workplace, scope, timeout))
    print_plan(plan, plan_context(workplace, "drift", printing, scope), printing)
    return plan_exit_code(plan, detailed=detailed_exitcode)


def preview(printing: Printing, scope: Scope, timeout: float, policy: str = "", *, detailed: bool = False) -> int:
    """Print what apply would do, and what this machine lacks for it."""
    workplace = open_marked(printing)
    plan = make_plan(workplace, scope, timeout)
    view = judged(plan, plan_context(workplace, "plan", printing, scope), policy)
    print_plan(plan, view, printing)
    keep_for_expect(plan, view, os.environ)
    note_missing_id(workplace.site)
    for problem in (*missing_logins(workplace, plan), *missing_secrets(workplace, scope)):
        say(f"note: {problem}")
    refuse_denied(view)
    return plan_exit_code(plan, detailed=detailed)


def _preview_offline(printing: Printing, scope: Scope, policy: str, *, detailed: bool) -> int:
    """Print what apply would do if the endpoints are as their inventory says."""
    from dtnctl.cli.inventory import plan_offline

    workplace, scope = selected(with_receipts(open_marked(printing)), scope)
    plan, ages = plan_offline(workplace, scope)
    view = plan_context(workplace, "plan", printing, scope)
    view = judged(plan, replace(view, inventory=ages, reproduce=f"{view.reproduce} --offline"), policy)
    print_plan(plan, view, printing)
    note_missing_id(workplace.site)
    refuse_denied(view)
    return plan_exit_code(plan, detailed=detailed)


def open_marked(printing: Printing) -> Workplace:
    """Load the site; what is wrong in its files is marked where marks are asked for, and raised."""
    try:
        return open_workplace()
    except ConfigError as error:
        if printing.is_for_review:
            from dtnctl.cli.marks import problem_marks
            from dtnctl.repository.find import find_repository, standing

            printing.write(problem_marks(error.problems, find_repository(standing(), STATE_FOLDER), printing.output.value))
        raise


def make_plan(workplace: Workplace, scope: Scope, timeout: float) -> Plan:
    """What apply would do. Nothing is held meanwhile, and after Ctrl-C no user waits for silent endpoints."""
    with signals.exiting():
        return looking.make_plan(workplace, scope, timeout)


def plan_exit_code(plan: Plan, *, detailed: bool) -> int:
    """0, or with `detailed` 2 if there are changes. UnreachableError where nothing is known; with `detailed` also where not all is."""
    if (plan.unanswered and detailed) or (plan.silent and len(plan.silent) == len(plan.endpoints)):
        raise UnreachableError(f"no answer from {', '.join(plan.unanswered)}: what is there is unknown")
    return CHANGES_PENDING if detailed and not plan.is_empty else 0
