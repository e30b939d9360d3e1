"""`dtnctl transfers plot`: the rate of a transfer over time, drawn on the terminal and as a PNG."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.look import TransferArgument, resolved_transfer
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.model.samples import Sample

PictureOption = Annotated[
    str, typer.Option("--out", metavar="FILE.png", help="Draw it into this file too (needs matplotlib).", autocompletion=names.files)
]


def transfers_plot(
    context: typer.Context,
    name: TransferArgument,
    output: opt.ListOutputOption = opt.ListOutput.text,
    out: PictureOption = "",
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Rate over time, of the running job or from the record; with -o json the samples."""
    from dtnctl.render.json import render_json, samples_document
    from dtnctl.render.plot import render_rate_plot
    from dtnctl.runtime.transfers.samples import samples_of

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    workplace = open_workplace()
    resolved = resolved_transfer(workplace, name)
    with observers(workplace, timeout) as clients:
        attempt, samples = samples_of(clients[resolved.source_endpoint], workplace.site.name, name, resolved.transfer.value.generation)
    title = f"{name} (generation {attempt.generation}, try {attempt.attempt})"
    if out:
        _draw(out, title, samples)
    if output is opt.ListOutput.json:
        sys.stdout.write(render_json(samples_document(attempt, samples)))
        invocation.json = False
    else:
        sys.stdout.write(render_rate_plot(title, samples, list_context(invocation)))
    return 0


def _draw(out: str, title: str, samples: tuple[Sample, ...]) -> None:
    """Write the picture; UsageError says why it cannot be drawn or written."""
    from dtnctl.measuring.rate_chart import draw_rate

    if not samples:
        raise UsageError(f"{title}: there are no samples to draw")
    picture = draw_rate(title, samples)
    try:
        Path(out).write_bytes(picture)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from error
