"""`--policy`: a command of whoever runs dtnctl judges the plan. It never comes from the state files, which a pull request can change."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from dtnctl.errors import BlockedError

if TYPE_CHECKING:
    from dtnctl.model.plan import Plan
    from dtnctl.render.context import RenderContext


def judged(plan: Plan, view: RenderContext, command: str) -> RenderContext:
    """The view with the policy's verdict, and the option in the commands that are suggested. Nothing is asked about an empty plan."""
    if not command:
        return view
    option = f"--policy {shlex.quote(command)}"
    view = replace(view, options=f"{view.options} {option}".strip(), reproduce=f"{view.reproduce} {option}".strip())
    if plan.is_empty:
        return view
    from dtnctl.render.json import plan_document, render_json
    from dtnctl.runtime.policy import ask_policy

    return replace(view, policy=ask_policy(command, render_json(plan_document(plan, view)), os.environ))


def refuse_denied(view: RenderContext) -> None:
    """BlockedError if the policy says no, or says nothing."""
    found = view.policy
    if found is not None and found.refuses:
        from dtnctl.render.summary import named

        says = "denies this plan" if found.verdict == "denied" else "gave no verdict"
        raise BlockedError(f"the policy {says}: {named(found.reasons)}; nothing was changed")
