"""`dtnctl show COMMIT`: what the commit changed in the state, in the words of the plan, and which runs applied it. No endpoint is asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import DtnctlError

if TYPE_CHECKING:
    from pathlib import Path

    from dtnctl.model.runs import RunRecord
    from dtnctl.model.site import Site

CommitArgument = Annotated[str, typer.Argument(metavar="[COMMIT]", help="Id, the beginning of one, branch or tag.", show_default=True)]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("show")(show_command)


def show_command(context: typer.Context, commit: CommitArgument = "HEAD", output: opt.ListOutputOption = opt.ListOutput.text) -> None:
    """Show what a commit changed in the state, field by field, and which runs applied it. Asks no endpoint, changes nothing."""
    from dtnctl.planning.commit_changes import commit_changes
    from dtnctl.render.commit import CommitView, commit_document, render_commit
    from dtnctl.render.json import render_json
    from dtnctl.repository.state_at import read_commit, site_at

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    root = repository_root()
    found = read_commit(root, commit)
    after = site_at(root, STATE_FOLDER, found.id)
    before = site_at(root, STATE_FOLDER, found.parent) if found.parent else None
    runs, later = _runs(root, after or before, found.id)
    view = CommitView(found.id, found.author, found.when, found.subject, commit_changes(before, after), runs, later)
    style = list_context(invocation, wide=output is opt.ListOutput.wide)
    sys.stdout.write(render_json(commit_document(view)) if output is opt.ListOutput.json else render_commit(view, style))
    invocation.json = False  # the one document that is owed has been written


def _runs(root: Path, site: Site | None, commit: str) -> tuple[dict[str, RunRecord], bool]:
    """The runs of the commit; where there is none, the first one of a later commit that contains it, and True."""
    from dtnctl.repository.runs import Runs
    from dtnctl.repository.state_at import descendants

    if site is None:
        return {}, False
    read = Runs(root, site.name, site.settings.value.receipts.remote or "").read()
    if read.trouble:
        say(f"note: the record of runs cannot be read: {read.trouble}")
    own = {name: record for name, record in read.records.items() if record.commit == commit}
    if own or not read.records:
        return own, False
    try:
        containing = descendants(root, commit)
    except DtnctlError:
        return {}, False
    later = {name: record for name, record in read.records.items() if record.commit in containing}
    return dict(list(later.items())[-1:]), bool(later)
