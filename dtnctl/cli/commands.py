"""Which module has which command. A module is imported when one of its commands runs: `dtnctl --help` needs none of them."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from dtnctl.cli.common import add_to
from dtnctl.errors import UsageError

# name -> (module with `register`, first line of the command's help)
COMMANDS = {
    "init": ("state", "Write a starter repository."),
    "validate": ("state", "Check the state files; changes nothing and asks no endpoint."),
    "fmt": ("state", "Bring state files into their standard form, comments kept."),
    "schema": ("state", "Print JSON Schemas of the state files, for editors."),
    "convert": ("convert", "Write state files for what Janus or docker compose runs: janus, compose."),
    "check": ("check", "Find what open branches and pull requests claim twice; changes nothing and asks no endpoint."),
    "doctor": ("audit", "Examine a host that no file declares, over ssh; nothing is installed or left there."),
    "plan": ("plan", "Show what apply would do, and why. Changes nothing."),
    "apply": ("apply", "Make the endpoints as declared. Shows the plan first and asks, unless --yes."),
    "drift": ("plan", "Show how the endpoints have moved away from what was applied. Changes nothing."),
    "reconcile": ("reconcile", "Follow a branch of a repository: apply its newest good commit, again and again."),
    "inventory": ("inventory", "What endpoints have, in the repository, for offline plans: refresh, show."),
    "report": ("report", "Report a plan to a forge or a webhook: github, gitlab, webhook."),
    "destroy": ("apply", "Remove everything that is ours from the endpoints. Records of transfers and named volumes stay."),
    "history": ("history", "Who ran which commit and what came of it, and which commit made what stands now."),
    "show": ("show", "What a commit changed in the state, field by field, and which runs applied it."),
    "rollback": ("rollback", "Show the plan of a session as an earlier commit has it; write and commit its file when asked."),
    "unlock": ("unlock", "Remove the lease of endpoints whose holder is surely dead."),
    "status": ("look", "Everything on one screen: sessions with their services, transfers, endpoints."),
    "top": ("top.command", "A live view of endpoints, rates of interfaces, sessions and transfers, in a terminal."),
    "graph": ("graph", "Pictures as SVG, dot or mermaid: networks, host, transfer."),
    "ls": ("shell.listed", "List a part of the tree that the shell shows: active/8/services, transfers, endpoints/dtn1."),
    "shell": ("shell.entry", "A shell with the site as a tree and all commands; from a pipe it runs lines of a script."),
    "sessions": ("nouns", "Sessions: list, show, compare, logs; create, start, stop, delete edit their files."),
    "transfers": ("nouns", "Transfers: list, show, logs, cancel; `transfer FROM TO TOOL` declares one."),
    "endpoints": ("nouns", "Endpoints: list, show, doctor, add, import."),
    "networks": ("nouns", "Networks as declared: list, show."),
    "profiles": ("nouns", "Profiles as declared: list, show."),
    "paths": ("nouns", "Paths between sites, as their providers report them, and what they carry: list, show, check."),
    "volumes": ("nouns", "Volumes over NVMe-oF, as the agents of both ends report them: list, show."),
    "tools": ("nouns", "Tools of transfers, built in and declared: list, show."),
    "web": ("web", "Pages in the browser: endpoints, sessions, transfers, plans, history; they change nothing."),
    "bench": ("bench", "Measure networks and volumes of endpoints, in containers made for it: network, storage."),
    "completion": ("completion", "Print the completion script of a shell: bash, zsh or fish."),
    "help": ("help_pages", "Show a page of the documentation, without a network; alone, the list of pages."),
    "version": ("look", "Print the version."),
}
SINGULAR = {
    name.removesuffix("s"): name for name in ("sessions", "transfers", "endpoints", "networks", "profiles", "paths", "volumes", "tools")
}


ASK = "__complete"  # what completion scripts ask; hidden


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

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command; for a word of another program, the command of ours that does it is named."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            from dtnctl.cli.foreign import command_hint

            raise UsageError(f"there is no command `{args[0]}`; try {command_hint(args, list(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in `--help`, without loading a command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@functools.cache
def load_command(name: str) -> Any:
    """The click command of that name from its module, or None. Nouns may be singular. Made once: click asks for it twice."""
    name = SINGULAR.get(name, name)
    if name not in COMMANDS and name != ASK:
        return None
    from dtnctl.cli.examples import add_examples

    module = importlib.import_module(f"dtnctl.cli.{COMMANDS[name][0] if name in COMMANDS else 'completion'}")
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.callback()(lambda: None)  # with a callback it stays a group, also with one command
    module.register(app)
    command = get_command(app).commands[name]  # type: ignore[attr-defined]  # a Typer with a callback is a group
    return add_to(add_examples(command, name))
