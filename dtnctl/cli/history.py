"""`dtnctl history`: who ran which commit, and what came of it; and which commit made what stands on the endpoints now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.client.run_record import runs_of
from dtnctl.client.workplace import Workplace, refuse_ssh_mistakes
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.model.resources import Snapshot
    from dtnctl.repository.runs import Read

SessionArgument = Annotated[
    str, typer.Argument(metavar="[SESSION]", help="Only what was done about it; all if none is named.", autocompletion=names.sessions)
]
LimitOption = Annotated[int, typer.Option("--limit", min=0, help="Newest runs that are shown; 0 is all.")]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Ask no endpoint: the record in Git alone.")]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("history")(history_command)


def history_command(
    context: typer.Context,
    session: SessionArgument = "",
    limit: LimitOption = 20,
    offline: OfflineOption = False,
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> None:
    """Show who ran which commit and what came of it, and which commit made what stands now. Changes nothing."""
    from dtnctl.model.history import History, history_of, standing_in
    from dtnctl.render.history import history_document, render_history
    from dtnctl.render.json import render_json

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    workplace = open_workplace()
    read = read_runs(workplace)
    runs, more = history_of(read.records, session, limit)
    snapshot = None if offline else _seen(workplace, timeout)
    standing = () if snapshot is None else standing_in(snapshot, session)
    if session and not (runs or standing or session in workplace.site.sessions):
        raise UsageError(f"no session named {session} is declared, was in a recorded run, or runs; try `dtnctl history`")
    silent = () if snapshot is None else tuple((seen.name, seen.silence) for seen in snapshot.endpoints.values() if seen.is_silent)
    found = History(session, runs, more, standing, silent, read.unreadable)
    style = list_context(invocation, wide=output is opt.ListOutput.wide)
    sys.stdout.write(render_json(history_document(found)) if output is opt.ListOutput.json else render_history(found, style))
    invocation.json = False  # the one document that is owed has been written


def read_runs(workplace: Workplace) -> Read:
    """The recorded runs, fetched first where the site names a remote. UsageError where there is no repository that could have some."""
    runs = runs_of(workplace)
    trouble = runs.fetch() if runs.remote else ""
    if trouble:
        say(f"note: runs cannot be fetched from {runs.remote}: {trouble}; those that this clone has are shown")
    read = runs.read()
    if read.trouble:
        raise UsageError(f"the record of runs cannot be read: {read.trouble}")
    return read


def _seen(workplace: Workplace, timeout: float) -> Snapshot:
    from dtnctl.planning.resolve import wanted_by_endpoint
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.observe import observe_all

    with observers(workplace, timeout) as clients:
        snapshot = observe_all(clients, wanted_by_endpoint(workplace.site, SystemClock().now()))
    refuse_ssh_mistakes(workplace, snapshot)
    return snapshot
