"""Which module has which command. A module is imported when one of its commands runs: `dtnctl --help` needs none of them."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

# name -> (module with `register`, first line of the command's help)
COMMANDS = {
    "init": ("state", "Write a starter repository."),
    "validate": ("state", "Check the state files; changes nothing and asks no endpoint."),
    "fmt": ("state", "Bring state files into their standard form, comments kept."),
    "schema": ("state", "Print JSON Schemas of the state files, for editors."),
    "plan": ("loop", "Show what apply would do, and why. Changes nothing."),
    "apply": ("loop", "Make the endpoints as declared. Says the plan first and asks, unless --yes."),
    "drift": ("loop", "Show how the endpoints have moved away from what was applied. Changes nothing."),
    "destroy": ("loop", "Remove everything that is ours from the endpoints. Records of transfers and named volumes stay."),
    "unlock": ("loop", "Remove the lease of endpoints whose holder is surely dead."),
    "status": ("look", "Everything on one screen: sessions with their services, transfers, endpoints."),
    "sessions": ("look", "Sessions: list, show, logs."),
    "transfers": ("look", "Transfers: list, show, logs, cancel."),
    "endpoints": ("look", "Endpoints: list, show, doctor, add."),
    "session": ("edit", "Edit session files: create, start, stop, delete."),
    "transfer": ("edit", "Declare a transfer: FROM TO TOOL."),
    "version": ("look", "Print the version."),
}


class LazyGroup(TyperGroup):
    """The commands of the table above, imported when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or None if there is none of that name."""
        del ctx
        return load_command(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in `--help`, without loading a command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def load_command(name: str) -> Any:
    """The click command of that name from its module, or None."""
    if name not in COMMANDS:
        return None
    module = importlib.import_module(f"dtnctl.cli.{COMMANDS[name][0]}")
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.callback()(lambda: None)  # with a callback it stays a group, also with one command
    module.register(app)
    return get_command(app).commands[name]  # type: ignore[attr-defined]  # a Typer with a callback is a group
