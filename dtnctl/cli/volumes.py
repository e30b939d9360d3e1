"""`dtnctl volumes`: volumes over NVMe-oF, as the agents at both ends report them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import list_context, observers, open_workplace

if TYPE_CHECKING:
    from dtnctl.model.volume_rows import VolumeRow

VolumeArgument = Annotated[str, typer.Argument(metavar="VOLUME", help="Volume.", autocompletion=names.volumes)]


def volumes_list(context: typer.Context, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0) -> int:
    """Both ends of all volumes over NVMe-oF: state, transport, portal, mode, sessions, and where they are."""
    from dtnctl.render.json import render_json, volumes_document
    from dtnctl.render.volumes import render_volumes

    rows = _look(context, output, timeout)
    if output is opt.ListOutput.json:
        return _print(context, render_json(volumes_document(rows)))
    wide = list_context(context.ensure_object(Invocation), show_all=output is opt.ListOutput.wide)
    return _print(context, render_volumes(rows, wide))


def volumes_show(
    context: typer.Context, name: VolumeArgument, output: opt.ListOutputOption = opt.ListOutput.text, timeout: opt.TimeoutOption = 10.0
) -> int:
    """Both ends of one volume in full."""
    from dtnctl.cli.look import one_of
    from dtnctl.render.json import render_json, volumes_document
    from dtnctl.render.volumes import render_volume

    rows = _look(context, output, timeout)
    here = one_of("volume", name, {row.name: [item for item in rows if item.name == row.name] for row in rows})
    if output is opt.ListOutput.json:
        return _print(context, render_json(volumes_document(here)))
    return _print(context, render_volume(here, list_context(context.ensure_object(Invocation))))


def _look(context: typer.Context, output: opt.ListOutput, timeout: float) -> tuple[VolumeRow, ...]:
    """Endpoints and their agents are asked; of one that is silent its volumes are unknown."""
    from dtnctl.planning.choices.volume_rows import volume_rows
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.observe import observe_all

    context.ensure_object(Invocation).json = output is opt.ListOutput.json
    workplace = open_workplace()
    with observers(workplace, timeout) as clients:
        snapshot = observe_all(clients, {})
    return volume_rows(workplace.site, snapshot, SystemClock().now())


def _print(context: typer.Context, text: str) -> int:
    sys.stdout.write(text)
    context.ensure_object(Invocation).json = False  # the one document that is owed has been written
    return 0
