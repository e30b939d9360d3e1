"""Marks on lines of the state files in the form that was asked for: those of a plan, and those of files that are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli.forge_links import folder_below_top
from dtnctl.client.workplace import STATE_FOLDER

if TYPE_CHECKING:
    from dtnctl.errors import Problem
    from dtnctl.model.plan import Plan
    from dtnctl.render.context import RenderContext


def plan_marks(plan: Plan, view: RenderContext, kind: str) -> str:
    """`kind` is github, sarif or junit."""
    from dtnctl.render import annotations as marks

    if kind == "junit":
        return marks.render_plan_junit(plan, view)
    found = marks.plan_annotations(plan)
    if kind == "sarif":
        return marks.render_annotations_sarif(found, view.version, view.folder)
    return marks.render_annotations_github(found, view.folder)


def problem_marks(problems: Sequence[Problem], root: Path, kind: str) -> str:
    """The same of what is wrong in the files below `root`; without problems all of them are right."""
    from dtnctl import __version__
    from dtnctl.render import annotations as marks

    if kind == "junit":
        files = (str(file.relative_to(root)) for file in (root / STATE_FOLDER).rglob("*.yaml"))
        return marks.render_problems_junit(problems, files)
    found, folder = marks.problem_annotations(problems), folder_below_top(root)
    return marks.render_annotations_sarif(found, __version__, folder) if kind == "sarif" else marks.render_annotations_github(found, folder)
