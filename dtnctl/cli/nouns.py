"""The nouns and their verbs: sessions, transfers, endpoints, networks and others. Singular or plural, it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from dtnctl.cli import declared, edit, look, paths, paths_check, tools, volumes
from dtnctl.cli.add import endpoints_add
from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.compare import sessions_compare
from dtnctl.cli.doctor import endpoints_doctor
from dtnctl.cli.imports import endpoints_import
from dtnctl.cli.plot import transfers_plot
from dtnctl.cli.transfer_ends import transfers_cancel, transfers_resolve
from dtnctl.cli.transfer_logs import transfers_logs
from dtnctl.errors import UsageError

Verbs = Mapping[str, Callable[..., Any]]

SESSIONS: Verbs = {
    "list": look.sessions_list,
    "show": look.sessions_show,
    "compare": sessions_compare,
    "logs": look.sessions_logs,
    "create": edit.session_create,
    "start": edit.session_start,
    "stop": edit.session_stop,
    "delete": edit.session_delete,
}
TRANSFERS: Verbs = {
    "list": look.transfers_list,
    "show": look.transfers_show,
    "logs": transfers_logs,
    "plot": transfers_plot,
    "cancel": transfers_cancel,
    "resolve": transfers_resolve,
    "create": edit.transfer_command,
}
ENDPOINTS: Verbs = {
    "list": look.endpoints_list,
    "show": look.endpoints_show,
    "doctor": endpoints_doctor,
    "add": endpoints_add,
    "import": endpoints_import,
}
NETWORKS: Verbs = {"list": declared.networks_list, "show": declared.networks_show}
PROFILES: Verbs = {"list": declared.profiles_list, "show": declared.profiles_show}
PATHS: Verbs = {"list": paths.paths_list, "show": paths.paths_show, "check": paths_check.paths_check}
VOLUMES: Verbs = {"list": volumes.volumes_list, "show": volumes.volumes_show}
TOOLS: Verbs = {"list": tools.tools_list, "show": tools.tools_show}


class Noun(TyperGroup):
    """A group of verbs; for a verb of another program, the one of ours is named."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb's command."""
        if args[0] not in self.commands and not ctx.resilient_parsing and not args[0].startswith("-"):
            from dtnctl.cli.foreign import verb_hint

            noun = ctx.info_name
            raise UsageError(f"there is no command `{noun} {args[0]}`; try {verb_hint(noun, args, list(self.commands))}")
        return super().resolve_command(ctx, args)


class Transfers(Noun):
    """`transfer FROM TO TOOL` is short for `transfers create FROM TO TOOL`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """With the verb that may be omitted: what comes first is no verb, and an end of a transfer is among the words."""
        if args and args[0] not in self.commands and any(_is_end(word) for word in args):
            args = ["create", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Verbs, and the first end of a transfer that is to be declared."""
        found = super().shell_complete(ctx, incomplete)
        create = self.commands["create"].params[0]
        return [*found, *create.shell_complete(ctx, incomplete)]


def _is_end(word: str) -> bool:
    """ENDPOINT:PATH."""
    endpoint, colon, _ = word.partition(":")
    return bool(colon) and bool(endpoint) and "/" not in endpoint and not endpoint.startswith("-")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    _add(app, "sessions", SESSIONS, Noun)
    _add(app, "transfers", TRANSFERS, Transfers)
    _add(app, "endpoints", ENDPOINTS, Noun)
    _add(app, "networks", NETWORKS, Noun)
    _add(app, "profiles", PROFILES, Noun)
    _add(app, "paths", PATHS, Noun)
    _add(app, "volumes", VOLUMES, Noun)
    _add(app, "tools", TOOLS, Noun)


def _add(app: typer.Typer, noun: str, verbs: Verbs, group: type[Noun]) -> None:
    below = typer.Typer(cls=group, help=COMMANDS[noun][1], no_args_is_help=True, rich_markup_mode=None)
    for verb, command in verbs.items():
        below.command(verb)(command)
    app.add_typer(below, name=noun)
