"""`dtnctl paths`: paths between sites, as their providers report them, with the bandwidth that interfaces are promised."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.client.paths import seen_paths, with_paths

if TYPE_CHECKING:
    from dtnctl.model.path_rows import PathRow, PromisedBandwidth

PathArgument = Annotated[str, typer.Argument(metavar="PATH", help="Path.", autocompletion=names.paths)]


def paths_list(context: typer.Context, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0) -> int:
    """All paths: provider, state, VLAN, bandwidth, ends; and what interfaces are promised."""
    from dtnctl.render.json import paths_document, render_json
    from dtnctl.render.paths import render_paths

    rows, promised = _look(context, output, timeout)
    if output is opt.ListOutput.json:
        return _print(context, render_json(paths_document(rows, promised)))
    wide = list_context(context.ensure_object(Invocation), show_all=output is opt.ListOutput.wide)
    return _print(context, render_paths(rows, promised, wide))


def paths_show(
    context: typer.Context, name: PathArgument, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0
) -> int:
    """One path in full, with the words of its provider."""
    from dtnctl.cli.look import one_of
    from dtnctl.render.json import paths_document, render_json
    from dtnctl.render.paths import render_path

    rows, promised = _look(context, output, timeout)
    row = one_of("path", name, {row.name: row for row in rows})
    if output is opt.ListOutput.json:
        here = [item for item in promised if f"{item.endpoint} {item.interface}" in row.ends]
        return _print(context, render_json(paths_document([row], here)))
    return _print(context, render_path(row, list_context(context.ensure_object(Invocation))))


def _look(context: typer.Context, output: opt.ListOutput, timeout: float) -> tuple[tuple[PathRow, ...], tuple[PromisedBandwidth, ...]]:
    """Providers and endpoints are asked; one that is silent leaves what it would say unknown."""
    from dtnctl.runtime.observe import observe_all

    context.ensure_object(Invocation).json = output is opt.ListOutput.json
    workplace = open_workplace()
    with observers(workplace, timeout) as clients:
        snapshot = observe_all(clients, {})
    return seen_paths(workplace.site, with_paths(workplace, snapshot, timeout))


def _print(context: typer.Context, text: str) -> int:
    sys.stdout.write(text)
    context.ensure_object(Invocation).json = False  # the one document that is owed has been written
    return 0
