"""`dtnctl ls`: a part of the noun tree, as the shell shows it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dtnctl.cli import names, signals
from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation

PlaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="[PATH]",
        help="active/8/services, transfers, endpoints/dtn1 …; missing: the folders that there are.",
        autocompletion=names.places,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("ls")(ls_command)


def ls_command(
    context: typer.Context,
    path: PlaceArgument = "/",
    output: opt.ListOutputOption = opt.ListOutput.text,
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """List a part of the tree: `ls active` numbers the sessions, `ls active/8/services/dtn1` has the fields of a service."""
    from dtnctl.cli.shell.listing import listing_document, listing_text
    from dtnctl.cli.shell.looking import look
    from dtnctl.cli.shell.tree import find, parts_of
    from dtnctl.cli.workplace import list_context, open_workplace
    from dtnctl.render.json import render_json

    invocation = context.ensure_object(Invocation)
    invocation.json = output is opt.ListOutput.json
    parts = parts_of((), path)
    with signals.exiting():  # a look holds nothing
        node = find(look(open_workplace(), parts, timeout), parts)
    sys.stdout.write(render_json(listing_document(parts, node)) if invocation.json else listing_text(node, list_context(invocation)))
    invocation.json = False  # the one document that is owed has been written
    return 0
