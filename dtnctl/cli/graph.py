"""`dtnctl graph`: pictures of networks, of a host and of a transfer, for documents and pull requests. Nothing here changes an endpoint."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.look import EndpointArgument, TransferArgument, one_of, resolved_transfer
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, observers, open_workplace, write_out
from dtnctl.client.workplace import Workplace, refuse_ssh_mistakes
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from dtnctl.model.resources import Snapshot
    from dtnctl.planning.resolve import ResolvedTransfer
    from dtnctl.render.pictures.graph import Graph
    from dtnctl.render.pictures.rate import Limit
    from dtnctl.render.pictures.svg import Picture


class GraphOutput(enum.StrEnum):
    """What is drawn: a picture, or text for a program that draws one."""

    svg = "svg"
    dot = "dot"
    mermaid = "mermaid"


ENDINGS = {".svg": GraphOutput.svg, ".dot": GraphOutput.dot, ".gv": GraphOutput.dot, ".mmd": GraphOutput.mermaid}
OutputOption = Annotated[
    GraphOutput | None,
    typer.Option("-o", "--output", help="What is written; missing: by the ending of --out, else svg.", show_default=False),
]
FileOption = Annotated[
    str,
    typer.Option("--out", metavar="FILE", help="Write it into this file (.svg, .dot, .mmd), not to stdout.", autocompletion=names.files),
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Ask no endpoint: draw what is declared and what .dtnctl/inventory has.")]


class Kinds(TyperGroup):
    """`dtnctl graph` alone draws the networks."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """With the word that may be omitted."""
        is_omitted = not args or (args[0].startswith("-") and not set(args) & {"--help", "-h"})
        if is_omitted and not ctx.resilient_parsing:
            args = ["networks", *args]
        return super().parse_args(ctx, args)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(cls=Kinds, help="Pictures as SVG, dot or mermaid: networks, host, transfer.", rich_markup_mode=None)
    below.command("networks")(graph_networks)
    below.command("host")(graph_host)
    below.command("transfer")(graph_transfer)
    app.add_typer(below, name="graph")


def graph_networks(
    context: typer.Context,
    output: OutputOption = None,
    out: FileOption = "",
    offline: OfflineOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """The networks between endpoints: interfaces, networks, paths, and the sessions across them."""
    from dtnctl.planning.maps.networks import network_map
    from dtnctl.render.pictures.network_graph import networks_graph
    from dtnctl.render.pictures.networks import networks_picture
    from dtnctl.runtime.clock import SystemClock

    form = _form(output, out)
    workplace = open_workplace()
    now = SystemClock().now()
    snapshot = _inventory(workplace, now) if offline else _look(workplace, timeout, set(workplace.site.endpoints), asks_paths=True)
    found = network_map(workplace.site, snapshot, now)
    _write(context, form, out, _drawn(form, lambda: networks_picture(found), lambda: networks_graph(found)))
    return 0


def graph_host(
    context: typer.Context,
    name: EndpointArgument,
    output: OutputOption = None,
    out: FileOption = "",
    offline: OfflineOption = False,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """The host of an endpoint: NUMA nodes, CPUs, cards, virtual functions, disks, and which session has what."""
    from dtnctl.planning.maps.host import host_map
    from dtnctl.render.pictures.host import host_picture
    from dtnctl.render.pictures.host_graph import host_graph
    from dtnctl.runtime.clock import SystemClock

    form = _form(output, out)
    workplace = open_workplace()
    one_of("endpoint", name, workplace.site.endpoints)
    now = SystemClock().now()
    snapshot = _inventory(workplace, now) if offline else _look(workplace, timeout, {name})
    found = host_map(workplace.site, snapshot, name, now)
    _write(context, form, out, _drawn(form, lambda: host_picture(found), lambda: host_graph(found)))
    return 0


def graph_transfer(
    context: typer.Context, name: TransferArgument, output: OutputOption = None, out: FileOption = "", timeout: opt.TimeoutOption = 10.0
) -> int:
    """The rate of a transfer over time, with what bounds it; of the running job, or from the record. SVG only."""
    from dtnctl.render.pictures.rate import rate_picture
    from dtnctl.render.pictures.svg import standalone
    from dtnctl.runtime.transfers.samples import samples_of

    form = _form(output, out)
    if form is not GraphOutput.svg:
        raise UsageError(f"a rate over time is no graph of nodes, so there is none as {form.value}; try -o svg")
    workplace = open_workplace()
    resolved = resolved_transfer(workplace, name)
    with observers(workplace, timeout) as clients:
        attempt, samples = samples_of(clients[resolved.source_endpoint], workplace.site.name, name, resolved.transfer.value.generation)
    limit = _limit(workplace, _look(workplace, timeout, {resolved.source_endpoint, resolved.destination_endpoint}), resolved)
    title = f"{name} (generation {attempt.generation}, try {attempt.attempt})"
    _write(context, form, out, standalone(rate_picture(title, samples, limit)))
    return 0


# --- what is known --------------------------------------------------------------------------------------------------


def _look(workplace: Workplace, timeout: float, asked: set[str], *, asks_paths: bool = False) -> Snapshot:
    """One look at these endpoints, by clients that cannot write; the others are unknown."""
    from dataclasses import replace

    from dtnctl.client.paths import with_paths
    from dtnctl.model.resources import EndpointSeen, Wanted
    from dtnctl.runtime.observe import observe_all

    with observers(workplace, timeout) as clients:
        seen = observe_all({name: client for name, client in clients.items() if name in asked}, dict.fromkeys(asked, Wanted()))
    refuse_ssh_mistakes(workplace, seen)
    for name, item in seen.endpoints.items():
        if item.is_silent:
            say(f"note: {name} does not answer, what is there is unknown: {item.silence}")
    known = {name: seen.endpoints.get(name) or EndpointSeen(name, silence="it was not asked") for name in sorted(workplace.site.endpoints)}
    snapshot = replace(seen, endpoints=known)
    return with_paths(workplace, snapshot, timeout) if asks_paths else snapshot


def _inventory(workplace: Workplace, now: datetime) -> Snapshot:
    """What was seen when the inventory was taken; how old that is."""
    from dtnctl.cli.inventory import ages_of
    from dtnctl.planning.offline import age_text
    from dtnctl.repository.inventory import read_inventory

    inventory = read_inventory(workplace.root, workplace.site)
    for age in ages_of(inventory, now):
        say(f"note: the inventory of {age.endpoint} is {age_text(age.seconds)} old")
    return inventory.snapshot(workplace.site)


def _limit(workplace: Workplace, snapshot: Snapshot, resolved: ResolvedTransfer) -> Limit | None:
    from dtnctl.planning.doctor.bounds import lowest_bounds
    from dtnctl.render.pictures.rate import Limit
    from dtnctl.runtime.clock import SystemClock

    bound = lowest_bounds(workplace.site, snapshot, (resolved,), SystemClock().now()).get(resolved.transfer.name)
    return Limit(bound.what, bound.rate) if bound is not None else None


# --- where it goes --------------------------------------------------------------------------------------------------


def _form(output: GraphOutput | None, out: str) -> GraphOutput:
    """What is asked for, before any endpoint is: by its name, else by the file's ending."""
    ending = Path(out).suffix.lower()
    if output is None and out not in ("", "-") and ending not in ENDINGS:
        raise UsageError(f"the ending of {out} does not say what to write; try .svg, .dot or .mmd, or -o svg")
    return output or ENDINGS.get(ending, GraphOutput.svg)


def _drawn(form: GraphOutput, picture: Callable[[], Picture], graph: Callable[[], Graph]) -> str:
    from dtnctl.render.pictures.dot import render_dot
    from dtnctl.render.pictures.mermaid import render_mermaid
    from dtnctl.render.pictures.svg import standalone

    match form:
        case GraphOutput.svg:
            return standalone(picture())
        case GraphOutput.dot:
            return render_dot(graph())
        case GraphOutput.mermaid:
            return render_mermaid(graph())


def _write(context: typer.Context, form: GraphOutput, out: str, text: str) -> None:
    """Into the file, or to stdout; in ASCII alone where that is asked for, or where stdout takes no more."""
    from dtnctl.render.pictures.ascii import coded_in_ascii

    if list_context(context.ensure_object(Invocation)).ascii:
        text = coded_in_ascii(text, is_mermaid=form is GraphOutput.mermaid)
    if out:
        write_out(out, text)
    else:
        sys.stdout.write(text)
