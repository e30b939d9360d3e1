"""How a command of the loop prints a plan: as text, comment or JSON, on stdout and into the file that `--out` names."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli import options as opt
from dtnctl.cli.forge_links import details_address, folder_below_top, source_address
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import render_context, write_out
from dtnctl.client.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Mapping

    import typer

    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope
    from dtnctl.render.context import Command, RenderContext


MOST_KEPT = 5000  # steps; a larger plan would be felt each time that one is shown
MARKS = ("github", "sarif", "junit")
FORMS = {".json": "json", ".md": "markdown", ".sarif": "sarif", ".xml": "junit"}  # by the ending of `--out`


@dataclass(frozen=True, slots=True)
class Printing:
    """How a command should print. `out`: the file of `--out`, or empty."""

    output: opt.PlanOutput
    out: str
    show_all: bool
    brief: bool
    invocation: Invocation

    @property
    def is_for_programs(self) -> bool:
        return self.output in (opt.PlanOutput.json, opt.PlanOutput.jsonl)

    @property
    def is_for_review(self) -> bool:
        return self.output.value in MARKS

    @property
    def is_comment(self) -> bool:
        return self.output is opt.PlanOutput.markdown or self.out.endswith(".md")

    def write(self, text: str) -> None:
        """The result, to stdout. In JSON mode this is the one document that is owed."""
        sys.stdout.write(text)
        sys.stdout.flush()
        self.invocation.json = False


def printing_of(context: typer.Context, output: opt.PlanOutput, *, out: str = "", show_all: bool = False, brief: bool = False) -> Printing:
    """How the running command should print; whoever reports its errors knows from now on whether stdout is owed a JSON document."""
    invocation = context.find_object(Invocation) or Invocation()
    invocation.json = output is opt.PlanOutput.json
    if output is opt.PlanOutput.jsonl and invocation.events is None:  # DTNCTL_OUTPUT asks for it
        from dtnctl.cli.events import Events

        invocation.events = Events()
    return Printing(output, out, show_all, brief, invocation)


def plan_context(workplace: Workplace, command: Command, printing: Printing, scope: Scope) -> RenderContext:
    """The terminal's facts, and the options with which the command makes this plan again."""
    words = [f"-C {shlex.quote(folder)}" for folder in printing.invocation.folders]
    words += [f"--target {shlex.quote(item)}" for item in scope.targets]
    words += [f"--exclude {shlex.quote(item)}" for item in scope.excludes]
    words += [f"--label {shlex.quote(scope.label)}"] if scope.label else []
    words += [f"--replace {shlex.quote(item)}" for item in scope.replace]
    words += [f"--max-prune {scope.prune}"] if scope.prune is not None else []
    words += ["--allow-empty"] if scope.allow_empty else []
    words += [f"--override-freeze {shlex.quote(scope.override_freeze)}"] if scope.override_freeze else []
    words += [f"--interrupt {shlex.quote(item)}" for item in scope.interrupt]
    words += ["--defer-until-idle"] * scope.defer
    view = render_context(
        command,
        workplace.head.result(),
        printing.invocation,
        brief=printing.brief,
        show_all=printing.show_all,
        wide=printing.output is opt.PlanOutput.wide,
        options=" ".join(words),
    )
    view = replace(view, label=scope.label)
    view = replace(view, folder=folder_below_top(workplace.root)) if printing.is_for_review else view
    return _with_links(view, workplace, printing) if printing.is_comment else view


def _with_links(view: RenderContext, workplace: Workplace, printing: Printing) -> RenderContext:
    """A comment links to what it names, where a CI system says where that is."""
    details = Path(printing.out).name if printing.out.endswith(".json") else ""
    return replace(
        view,
        source=source_address(os.environ, view.head.commit, workplace.root),
        details=details,
        details_address=details_address(os.environ) if details else "",
    )


def print_plan(plan: Plan, view: RenderContext, printing: Printing) -> None:
    """To stdout, and into the file of `--out` in the form that its name asks for."""
    if printing.invocation.events is not None and printing.output is opt.PlanOutput.jsonl:
        from dtnctl.render.json import plan_document

        printing.invocation.events.document(plan_document(plan, view))
    else:
        printing.write(_render(plan, view, printing.output.value))
    if printing.out:
        kind = FORMS.get(Path(printing.out).suffix, printing.output.value)
        write_out(printing.out, _render(plan, replace(view, color=False), kind))


def keep_for_expect(plan: Plan, view: RenderContext, environment: Mapping[str, str]) -> None:
    """Keep the plan, so that `apply --expect HASH` can say what has changed since. A machine that keeps nothing shows it all the same."""
    from dtnctl.cli.kept_plans import keep_plan, plans_folder
    from dtnctl.render.json import plan_document, render_json

    if plan.steps and len(plan.steps) <= MOST_KEPT:
        with contextlib.suppress(OSError):
            keep_plan(plans_folder(environment, plan.site), plan.hash, render_json(plan_document(plan, view)))


def _render(plan: Plan, view: RenderContext, kind: str) -> str:
    if kind in ("json", "jsonl"):
        from dtnctl.render.json import plan_document, render_json

        return render_json(plan_document(plan, view))
    if kind == "markdown":
        from dtnctl.render.markdown import render_plan_comment

        return render_plan_comment(plan, view)
    if kind in MARKS:
        from dtnctl.cli.marks import plan_marks

        return plan_marks(plan, view, kind)
    from dtnctl.render.terminal import render_plan

    return render_plan(plan, view)
