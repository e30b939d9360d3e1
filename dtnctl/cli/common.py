"""The options that stand before or after every command, with one meaning everywhere."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from dtnctl.cli.invocation import Invocation
from dtnctl.cli.options import Color
from dtnctl.errors import UsageError

EVERYWHERE = "Everywhere: -C DIR, -q, -v, --debug, --color WHEN, --no-color, --ascii, -h; `dtnctl --help` explains them."


def _invocation(context: typer.Context) -> Invocation:
    return context.ensure_object(Invocation)


def _chdir(context: typer.Context, value: str | None) -> None:
    if not value:
        return
    source = context.get_parameter_source("chdir")
    if source is not None and source.name == "COMMANDLINE":
        _invocation(context).folders.append(value)  # commands that are suggested need it too; the environment's stays
    try:
        os.chdir(value)
    except OSError as error:
        raise UsageError(f"cannot work in {value}: {error.strerror}") from error


def _quiet(value: bool) -> None:
    if value:
        from dtnctl.cli.messages import be_quiet

        be_quiet(True)


def _verbose(context: typer.Context, value: bool) -> None:
    if value and not context.resilient_parsing:
        from dtnctl.cli.calls import count_calls

        _invocation(context).at_end.append(count_calls())


def _debug(context: typer.Context, value: bool) -> None:
    if value and not context.resilient_parsing:
        from dtnctl.cli.calls import print_calls

        _invocation(context).at_end.append(print_calls())


def _color(context: typer.Context, value: Color | None) -> None:
    if value is not None:
        _invocation(context).color = value.value


def _no_color(context: typer.Context, value: bool) -> None:
    if value:
        _invocation(context).color = Color.never.value


def _ascii(context: typer.Context, value: bool) -> None:
    invocation = _invocation(context)
    if value and not invocation.ascii and not context.resilient_parsing:
        from dtnctl.cli.streams import only_ascii

        invocation.ascii = True
        invocation.at_end.append(only_ascii())


def _declared(
    chdir: Annotated[
        str | None,
        typer.Option("-C", "--chdir", metavar="DIR", help="Work in this folder; the repository is found from there.", callback=_chdir),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="No progress on stderr; errors and questions stay.", callback=_quiet)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Say on stderr how many calls each endpoint answered, and how fast.", callback=_verbose)
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Say on stderr each call of an engine or agent with its time. Never a secret.", callback=_debug)
    ] = False,
    color: Annotated[
        Color | None, typer.Option("--color", help="Colour on stdout; auto: on a terminal.", callback=_color, show_default=False)
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="Same as --color never.", callback=_no_color)] = False,
    ascii_: Annotated[bool, typer.Option("--ascii", help="Nothing but ASCII, on stdout and stderr.", callback=_ascii)] = False,
) -> None:
    """Never called: its parameters are what every command gets."""


ENVIRONMENT = {name: f"DTNCTL_{name.upper()}" for name in ("chdir", "quiet", "verbose", "debug", "color", "no_color", "ascii_")}


def everywhere() -> list[tuple[str, str]]:
    """The common options with what they mean."""
    return [(name, str(parameter.help)) for parameter in _parameters() for name in parameter.opts]


def _parameters() -> list[Any]:
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(_declared)
    return list(typer.main.get_command(app).params)


def add_to(command: Any, *, is_root: bool = False) -> Any:
    """The command, and all below it, with the common options. Only the root reads their environment variables, and lists them."""
    parameters = _parameters()
    for parameter in parameters:
        parameter.expose_value = False
        parameter.envvar = ENVIRONMENT[str(parameter.name)].rstrip("_") if is_root else None
        parameter.hidden = not is_root
    _append(command, parameters)
    return command


def _append(command: Any, parameters: list[Any]) -> None:
    """They hold nothing of a command, so all of a group share them."""
    command.params.extend(parameters)
    for below in getattr(command, "commands", {}).values():
        _append(below, parameters)
