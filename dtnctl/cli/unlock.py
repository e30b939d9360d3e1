"""`dtnctl unlock`: remove the lease of endpoints whose holder is surely dead."""

from __future__ import annotations

from typing import Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import open_workplace
from dtnctl.client.workplace import engines
from dtnctl.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("unlock")(unlock_command)


def unlock_command(
    endpoints: Annotated[list[str], typer.Argument(help="Endpoints whose lease is removed.", autocompletion=names.endpoints)],
    timeout: opt.TimeoutOption = 10.0,
) -> int:
    """Remove the lease of endpoints whose holder is surely dead."""
    from dtnctl.model.nearest import suggestion
    from dtnctl.runtime.lease import remove_lease

    workplace, listing = open_workplace(), "`dtnctl endpoints list`"
    unknown = [name for name in endpoints if name not in workplace.site.endpoints]
    if unknown:
        raise UsageError(*(f"no endpoint named {name}; try {suggestion(name, workplace.site.endpoints, listing)}" for name in unknown))
    with engines(workplace, timeout) as clients:
        for name in endpoints:
            holder = remove_lease(clients[name], workplace.site.name)
            say(f"{name}: removed the lease of {holder}" if holder else f"{name}: its lease is not held")
    return 0
