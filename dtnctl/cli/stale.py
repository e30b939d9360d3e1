"""Why a plan has changed, in words: what was changed in Git, what the endpoints did, what another run did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtnctl.client.run_record import runs_of
from dtnctl.client.workplace import STATE_FOLDER, Workplace

if TYPE_CHECKING:
    from dtnctl.model.basis import SeenObject
    from dtnctl.model.plan import Plan
    from dtnctl.model.runs import RunChange
    from dtnctl.planning.stale import Moved, OtherRun
    from dtnctl.render.context import RenderContext

NOTHING = "nothing"
LEAVING = ("create", "update", "replace")  # marks of changes after which the object is there
MOST = 30  # lines under one heading; the file of the plan and `-o json` have the rest


def cause_lines(document: Mapping[str, Any], file: Path, plan: Plan, view: RenderContext, workplace: Workplace) -> list[str]:
    """Three headings with what is under each. `document` is the plan that was expected, as JSON, from that file."""
    from dtnctl.model.basis import basis_of

    now = basis_of(plan.snapshot) if plan.snapshot is not None else ()
    moved = _moved(_seen_in(document), now, _runs_since(file, workplace))
    git = _in_git(document, workplace.root)
    lines = [*_under("what you changed in Git", git), *_under("what the endpoints did", moved.host)]
    lines += _under("what another run of dtnctl did", moved.runs)
    return lines + _otherwise(document, view, is_explained=bool(moved.host or moved.runs) or bool(git))


def moved_lines(before: Plan, now: Plan) -> list[str]:
    """The same for two plans of one run, for which the files cannot have changed."""
    from dtnctl.model.basis import basis_of

    if before.snapshot is None or now.snapshot is None:
        return []
    moved = _moved(basis_of(before.snapshot), basis_of(now.snapshot))
    return [*_under("what the endpoints did", moved.host), *_under("what another run of dtnctl did", moved.runs)]


def _under(heading: str, found: Sequence[str]) -> list[str]:
    shown = [f"    {line}" for line in found[:MOST]] + [f"    … and {len(found) - MOST} more"] * (len(found) > MOST)
    return [f"{heading}:", *shown] if found else [f"{heading}: {NOTHING}"]


def _in_git(document: Mapping[str, Any], root: Path) -> list[str]:
    from dtnctl.repository.state_changes import state_changes

    git = document.get("git") or {}
    commit = git.get("commit") or ""
    if not commit:
        return ["not known: the plan was made without a commit"]
    changes = state_changes(root, STATE_FOLDER, commit)
    if changes.trouble:
        return [f"not known: {changes.trouble}"]
    unsaid = f"the plan was made of files that differed from commit {commit[:7]}; this is how they differ from it now:"
    return [*([unsaid] if git.get("dirty") else []), *changes.lines]


def _moved(before: Sequence[SeenObject], now: Sequence[SeenObject], runs: Sequence[OtherRun] = ()) -> Moved:
    from dtnctl.planning.stale import what_moved

    return what_moved(before, now, runs)


def _runs_since(file: Path, workplace: Workplace) -> list[OtherRun]:
    """The runs that ended after the file was written, the newest first, by their record in Git; none where there is no such record.

    Records have whole seconds: a run that ended in the second in which the plan was written is taken to be the one before it.
    """
    from dtnctl.planning.stale import OtherRun

    runs = runs_of(workplace)
    runs.fetch()
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = []
    for record in runs.read().records.values():
        touched = _places(item for item in record.changes if item.result in ("done", "failed", "undone"))
        left_there = _places(item for item in record.changes if item.result == "done" and item.mark in LEAVING and item.kind != "transfer")
        if record.ended > written and touched:
            commit = f" of commit {record.commit[:7]}" if record.commit else ""
            found.append(OtherRun(f"`{record.command}`{commit} by {record.asked.text} at {record.ended}", touched, left_there))
    return found


def _places(changes: Iterable[RunChange]) -> frozenset[tuple[str, str, str]]:
    return frozenset((item.kind, item.name, item.endpoint) for item in changes)


def _seen_in(document: Mapping[str, Any]) -> tuple[SeenObject, ...]:
    """What the plan was made from; nothing in the document of an older dtnctl."""
    from dtnctl.model.basis import SeenObject

    return tuple(
        SeenObject(
            item["endpoint"], item["kind"], item["name"], tuple((fact["label"], fact["value"]) for fact in item["facts"]), item["owner"]
        )
        for item in document.get("seen", ())
    )


def _otherwise(document: Mapping[str, Any], view: RenderContext, *, is_explained: bool) -> list[str]:
    """What else makes another plan: other options, another dtnctl, and the time."""
    lines = []
    asked, options = document.get("reproduce") or "", view.reproduce
    if asked and asked.removesuffix(" --offline") != options:
        lines.append(f"it was made with other options: {asked}")
    if document.get("version") != view.version:
        lines.append(f"it was made by dtnctl {document.get('version')}, this is {view.version}")
    if not lines and not is_explained:
        lines.append("what is left is the time: a session that has expired, a transfer's window, a clock")
    return lines
