"""How a command of the loop prints a plan: as text, comment or JSON, on stdout and into the file that `--out` names."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import Workplace, render_context, write_out

if TYPE_CHECKING:
    import typer

    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope
    from dtnctl.render.context import Command, RenderContext


@dataclass(frozen=True, slots=True)
class Printing:
    """How a command should print. `out`: the file of `--out`, or empty."""

    output: opt.Output
    out: str
    show_all: bool
    brief: bool
    invocation: Invocation

    @property
    def is_for_programs(self) -> bool:
        return self.output in (opt.Output.json, opt.Output.jsonl)

    def write(self, text: str) -> None:
        """The result, to stdout. In JSON mode this is the one document that is owed."""
        sys.stdout.write(text)
        sys.stdout.flush()
        self.invocation.json = False


def printing_of(context: typer.Context, output: opt.Output, *, out: str = "", show_all: bool = False, brief: bool = False) -> Printing:
    """How the running command should print; whoever reports its errors knows from now on whether stdout is owed a JSON document."""
    invocation = context.find_object(Invocation) or Invocation()
    invocation.json = output is opt.Output.json
    if output is opt.Output.jsonl and invocation.events is None:  # DTNCTL_OUTPUT asks for it
        from dtnctl.cli.events import Events

        invocation.events = Events()
    return Printing(output, out, show_all, brief, invocation)


def plan_context(workplace: Workplace, command: Command, printing: Printing, scope: Scope) -> RenderContext:
    """The terminal's facts, and the options with which the command makes this plan again."""
    words = [f"-C {shlex.quote(folder)}" for folder in printing.invocation.folders]
    words += [f"--target {shlex.quote(item)}" for item in scope.targets]
    words += [f"--exclude {shlex.quote(item)}" for item in scope.excludes]
    words += [f"--replace {shlex.quote(item)}" for item in scope.replace]
    words += [f"--max-prune {scope.prune}"] if scope.prune is not None else []
    return render_context(
        command,
        workplace.head.result(),
        printing.invocation,
        brief=printing.brief,
        show_all=printing.show_all,
        wide=printing.output is opt.Output.wide,
        options=" ".join(words),
    )


def print_plan(plan: Plan, view: RenderContext, printing: Printing) -> None:
    """To stdout, and into the file of `--out` in the form that its name asks for."""
    if printing.invocation.events is not None and printing.output is opt.Output.jsonl:
        from dtnctl.render.json import plan_document

        printing.invocation.events.document(plan_document(plan, view))
    else:
        printing.write(_render(plan, view, printing.output.value))
    if printing.out:
        kind = {".json": "json", ".md": "markdown"}.get(Path(printing.out).suffix, printing.output.value)
        write_out(printing.out, _render(plan, replace(view, color=False), kind))


def _render(plan: Plan, view: RenderContext, kind: str) -> str:
    if kind in ("json", "jsonl"):
        from dtnctl.render.json import plan_document, render_json

        return render_json(plan_document(plan, view))
    if kind == "markdown":
        from dtnctl.render.markdown import render_plan_comment

        return render_plan_comment(plan, view)
    from dtnctl.render.terminal import render_plan

    return render_plan(plan, view)
