"""The commands that look: status, sessions, transfers, endpoints, and the logs. Nothing here can write."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dtnctl.cli import names, signals
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.log_output import print_logs
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.client import looking
from dtnctl.client.looking import View
from dtnctl.client.paths import seen_paths
from dtnctl.client.workplace import Workplace
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dtnctl.planning.resolve import ResolvedTransfer
    from dtnctl.providers.base import Observer
    from dtnctl.render.context import RenderContext

SessionArgument = Annotated[str, typer.Argument(metavar="SESSION", help="Session.", autocompletion=names.sessions)]
TransferArgument = Annotated[str, typer.Argument(metavar="TRANSFER", help="Transfer.", autocompletion=names.transfers)]
EndpointArgument = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Endpoint.", autocompletion=names.endpoints)]
FollowOption = Annotated[bool, typer.Option("-f", "--follow", help="Continue until it ends, or Ctrl-C; of all endpoints at once.")]
OneEndpointOption = Annotated[
    str,
    typer.Option(
        "--endpoint", help="Service on this endpoint; missing: all, with the endpoint before each line.", autocompletion=names.endpoints
    ),
]
TailOption = Annotated[int, typer.Option("--tail", min=0, help="Last lines only; 0 is all.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module; those of nouns are added by nouns.py."""
    app.command("status")(status_command)
    app.command("version")(version_command)


@dataclass(frozen=True, slots=True)
class ListView(View):
    """What was seen, and how a command is to print it."""

    output: opt.ListOutput
    invocation: Invocation


def _look(
    context: typer.Context, output: opt.ListOutput, timeout: float, *, inside_of: str = "", label: str = "", asks_paths: bool = False
) -> ListView:
    """Look at all endpoints; the agents of those of the session `inside_of` are also asked what containers see of the network.

    With `label`, at those that it asks for: the view then has nothing of the others.
    """
    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    with signals.exiting():  # nothing is held, and after Ctrl-C no user waits for silent endpoints
        view = looking.look(open_workplace(), timeout, inside_of=inside_of, label=label, asks_paths=asks_paths)
    return ListView(view.workplace, view.site, view.snapshot, view.now, view.selection, output, invocation)


def _print(view: ListView, document: Callable[[], dict[str, Any]], text: Callable[[RenderContext], str]) -> int:
    from dtnctl.render.json import render_json

    if view.output is opt.ListOutput.json:
        sys.stdout.write(render_json(document()))
        view.invocation.json = False
    else:
        sys.stdout.write(text(list_context(view.invocation, show_all=view.output is opt.ListOutput.wide)))
    return 0


def one_of(kind: str, name: str, rows: Mapping[str, Any]) -> Any:
    if name not in rows:
        from dtnctl.model.nearest import suggestion

        listing = kind.partition(" ")[0]
        raise UsageError(f"no {kind} named {name}; try {suggestion(name, rows, f'`dtnctl {listing}s list`')}")
    return rows[name]


def status_command(
    context: typer.Context,
    label: opt.LabelOption = "",
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Everything on one screen: sessions with their services, transfers, endpoints, paths, volumes."""
    from dtnctl.planning.choices.volume_rows import volume_rows
    from dtnctl.render import paths as path_tables
    from dtnctl.render import volumes as volume_tables
    from dtnctl.render.json import status_document
    from dtnctl.render.tables import render_status

    view = _look(context, output, timeout, label=label, asks_paths=True)
    paths = seen_paths(view.site, view.snapshot)
    rows = (
        view.sessions(),
        view.services(),
        view.transfers(),
        view.endpoints(),
    )
    volumes = volume_rows(view.site, view.snapshot, view.now)

    def text(look: RenderContext) -> str:
        return render_status(*rows, look) + path_tables.below_status(*paths, look) + volume_tables.below_status(volumes, look)

    return _print(view, lambda: status_document(*rows, *paths, volumes), text)


def version_command() -> int:
    """Print the version."""
    from dtnctl import __version__

    sys.stdout.write(f"dtnctl {__version__}\n")
    return 0


def sessions_list(
    context: typer.Context,
    label: opt.LabelOption = "",
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """All sessions: name, state, endpoints, image."""
    from dtnctl.render.json import sessions_document
    from dtnctl.render.tables import render_sessions

    view = _look(context, output, timeout, label=label)
    rows = view.sessions()
    return _print(view, lambda: sessions_document(rows), lambda look: render_sessions(rows, look))


def sessions_show(
    context: typer.Context, name: SessionArgument, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0
) -> int:
    """One session with all fields of its services."""
    from dtnctl.planning.report import service_rows, session_rows
    from dtnctl.render.json import session_document
    from dtnctl.render.tables import render_session

    view = _look(context, output, timeout, inside_of=name)
    row = one_of("session", name, {row.name: row for row in session_rows(view.site, view.snapshot, view.now)})
    services = tuple(item for item in service_rows(view.site, view.snapshot, view.now) if item.session == name)
    return _print(view, lambda: session_document(row, services), lambda look: render_session(row, services, look))


def sessions_logs(
    name: SessionArgument,
    endpoint: OneEndpointOption = "",
    follow: FollowOption = False,
    tail: TailOption = 100,
    failed: Annotated[bool, typer.Option("--failed", help="What the container wrote that did not become ready last.")] = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """What a session's services wrote."""
    from dtnctl.model.resources import service_name

    workplace = open_workplace()
    session = one_of("session", name, workplace.site.sessions)
    if failed:
        return _print_failures(workplace.site.name, name, endpoint)
    chosen = [one_of("endpoint of this session", endpoint, dict.fromkeys(session.value.endpoints, endpoint))] if endpoint else []
    container = service_name(workplace.site.name, name)
    with observers(workplace, timeout) as clients:
        sources = {
            item: opened_log(clients[item], container, follow=follow, tail=tail or None) for item in chosen or session.value.endpoints
        }
        print_logs(sources)
    return 0


def opened_log(client: Observer, container: str, *, follow: bool, tail: int | None) -> Iterator[bytes]:
    """The log, asked for when it is read: one endpoint that is silent keeps no other one waiting."""
    yield from client.logs(container, follow=follow, tail=tail)


def _print_failures(site: str, session: str, endpoint: str) -> int:
    """What apply kept on this machine."""
    import os

    from dtnctl.cli.failures import failures_folder, kept_failures
    from dtnctl.render.text import printable_text

    folder = failures_folder(os.environ, site)
    found = [item for item in kept_failures(folder, session) if endpoint in ("", item.endpoint)]
    if not found:
        raise UsageError(f"no failure of session {session} is kept in {folder}; `dtnctl sessions logs {session}` shows what is there")
    for item in found:
        say(printable_text(f"--- {session} on {item.endpoint}, {item.at}: {item.reason}", ascii_only=False))
        for line in (*item.check_output, *item.log):
            sys.stdout.write(printable_text(line, ascii_only=False) + "\n")
    return 0


def transfers_list(
    context: typer.Context,
    label: opt.LabelOption = "",
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """All transfers: state, size, when they started, how long they took, rate."""
    from dtnctl.render.json import transfers_document
    from dtnctl.render.tables import render_transfers

    view = _look(context, output, timeout, label=label)
    rows = view.transfers()
    return _print(view, lambda: transfers_document(rows), lambda look: render_transfers(rows, look))


def transfers_show(
    context: typer.Context, name: TransferArgument, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0
) -> int:
    """One transfer: when it started, how long it took, its rate and its receipt."""
    from dtnctl.render.json import transfer_document
    from dtnctl.render.tables import render_transfer
    from dtnctl.runtime.transfers.transfer import with_live_progress

    view = _look(context, output, timeout)
    row = one_of("transfer", name, {row.name: row for row in view.transfers()})
    if row.state == "running":
        with observers(view.workplace, timeout) as clients:
            row = with_live_progress(row, clients[row.source.partition(":")[0]], view.site.name)
    return _print(view, lambda: transfer_document(row), lambda look: render_transfer(row, look))


def resolved_transfer(workplace: Workplace, name: str) -> ResolvedTransfer:
    """The declared transfer with its ends. UsageError if there is none, or no session carries it."""
    from dtnctl.planning.resolve import resolve_transfers
    from dtnctl.runtime.clock import SystemClock

    one_of("transfer", name, workplace.site.transfers)
    resolved_transfers = {resolved.transfer.name: resolved for resolved in resolve_transfers(workplace.site, SystemClock().now())}
    if name not in resolved_transfers:
        raise UsageError(f"no session that lives carries transfer {name}")
    return resolved_transfers[name]


def as_it_ran_last(resolved: ResolvedTransfer, observer: Observer, site: str) -> ResolvedTransfer:
    """With a schedule, the transfer at the newest firing that was claimed."""
    from dtnctl.model.schedule import firing_of

    if firing_of(resolved.transfer.value.generation) is None:
        return resolved
    from dtnctl.planning.transfers.in_time import as_it_ran
    from dtnctl.runtime.transfers.record import read_ledger

    return as_it_ran(resolved, read_ledger(observer, site).attempts)


def endpoints_list(
    context: typer.Context,
    label: opt.LabelOption = "",
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """All endpoints: whether they answer, engine, sessions, lock."""
    from dtnctl.render.json import endpoints_document
    from dtnctl.render.tables import render_endpoints

    view = _look(context, output, timeout, label=label)
    rows = view.endpoints()
    return _print(view, lambda: endpoints_document(rows), lambda look: render_endpoints(rows, look))


def endpoints_show(
    context: typer.Context, name: EndpointArgument, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0
) -> int:
    """One endpoint; with an agent also its hardware: NUMA nodes, interfaces, virtual functions, RDMA, disks."""
    from dtnctl.render.host import render_host
    from dtnctl.render.json import endpoint_document
    from dtnctl.render.tables import render_endpoint

    view = _look(context, output, timeout)
    row = one_of("endpoint", name, {row.name: row for row in view.endpoints()})
    host = view.snapshot.endpoints[name].host

    def text(look: RenderContext) -> str:
        return render_endpoint(row, look) + (f"\n{render_host(host, look)}" if host is not None else "")

    return _print(view, lambda: endpoint_document(row, host.model_dump(mode="json") if host is not None else None), text)
