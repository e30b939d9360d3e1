"""`--expect`: the plan that was reviewed, as its hash or in the file that `plan --out` wrote, and how today's plan differs from it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtnctl.cli.kept_plans import kept_plan, plans_folder
from dtnctl.cli.stale import cause_lines, moved_lines
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.client.workplace import Workplace
    from dtnctl.model.plan import Plan
    from dtnctl.render.context import Command, RenderContext


def expected_hash(expect: str, command: Command) -> str:
    """`--expect` is a hash, or a plan that `plan --out PLAN.json` wrote."""
    if not expect or re.fullmatch(r"[0-9a-f]{16}", expect):
        return expect
    document = plan_in_file(expect, "--expect")
    verb = "destroy" if command == "destroy" else "plan"
    wanted = ("destroy",) if command == "destroy" else ("plan", "apply")
    if document["command"] not in wanted:
        raise UsageError(f"{expect} is what `dtnctl {document['command']}` shows; {command} expects that of `dtnctl {verb}`")
    return str(document["plan_hash"])


def plan_in_file(path: str, option: str) -> dict[str, Any]:
    """The plan in the file, as a JSON document; `option` names it."""
    if not Path(path).exists():
        raise UsageError(f"{option} {path}: neither the hash of a plan (16 digits of 0-9a-f) nor a file")
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document["kind"] != "plan":
            raise KeyError("kind")
        return {"command": document["command"], "plan_hash": document["plan_hash"], **document}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is not a plan written by `dtnctl plan --out {path}`") from error


def stale_lines(expect: str, plan: Plan, view: RenderContext, workplace: Workplace) -> list[str]:
    """The refusal: what differs and why, as far as the expected plan is known, else the plan as it is now; how to run that."""
    from dtnctl.render.differences import plan_differences
    from dtnctl.render.json import plan_document
    from dtnctl.render.summary import exact_command
    from dtnctl.render.terminal import render_plan

    view = replace(view, color=False, command="plan" if view.command == "apply" else view.command)
    head = f"the expected plan is not the one that would run now ({plan.hash}); nothing was changed"
    known = Path(expect) if Path(expect).is_file() else kept_plan(plans_folder(os.environ, plan.site), expect)
    if known is None:
        unknown = f"no plan {expect} was shown on this machine; with its file (`plan --out PLAN.json`) --expect says what has changed"
        return [f"{head}; {unknown}; the plan now:", *render_plan(plan, view).split("\n")]
    document = plan_in_file(str(known), "--expect")
    found = plan_differences(document, plan_document(plan, view))
    now = exact_command(plan, view)
    way_on = f"if it is right: {now}" if now else "there is nothing to do any more"
    return [f"{head}; what differs:", *found, *cause_lines(document, known, plan, view, workplace), way_on]


def changed_lines(before: Plan, now: Plan, view: RenderContext) -> list[str]:
    """What of a plan is not what it was a moment ago, and why."""
    from dtnctl.render.differences import plan_differences
    from dtnctl.render.json import plan_document

    return ["what differs:", *plan_differences(plan_document(before, view), plan_document(now, view)), *moved_lines(before, now)]
