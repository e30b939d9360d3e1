"""`dtnctl bench`: measures endpoints in containers that it makes for it and removes."""

from __future__ import annotations

import typer

from dtnctl.cli.bench_network import bench_network
from dtnctl.cli.bench_storage import bench_storage
from dtnctl.cli.commands import COMMANDS


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(help=COMMANDS["bench"][1], no_args_is_help=True, rich_markup_mode=None)
    below.command("network")(bench_network)
    below.command("storage")(bench_storage)
    app.add_typer(below, name="bench")
