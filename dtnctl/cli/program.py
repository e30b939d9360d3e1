"""The command line: commands are registered here, and every error becomes its exit code here."""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any

import typer

from dtnctl import __version__
from dtnctl.cli import streams
from dtnctl.cli.commands import LazyGroup
from dtnctl.cli.common import add_to
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import be_quiet
from dtnctl.client.crash import Crash
from dtnctl.errors import ConfigError, DtnctlError, OutputError, UsageError

READER_IS_GONE = 128 + 13  # as shells report SIGPIPE
DEFECT = 1  # as Python itself ends with a traceback

app = typer.Typer(
    name="dtnctl",
    cls=LazyGroup,
    help="Data Transfer Nodes the GitOps way: what should run is YAML in Git; plan shows the difference, apply makes it so.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich costs more at start-up than the whole of `dtnctl --help`
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dtnctl {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    del version  # its callback has printed it


@functools.cache
def program() -> Any:
    """The whole command line, as click's objects."""
    return add_to(typer.main.get_command(app), is_root=True)


def main(arguments: list[str], called: Callable[[str], str] = str) -> int:
    """Parse, carry out, and return the contract's exit code. Signals are the caller's. `called` is what sentences call a session."""
    # At its end Python looks at every object once more for garbage: 15 % of a short command, and it frees nothing that matters.
    atexit.register(gc.freeze)
    invocation = Invocation(json=_asks_for(arguments, "json"), called=called)
    if _asks_for(arguments, "jsonl"):
        from dtnctl.cli.events import Events

        invocation.events = Events()
    be_quiet(False)
    try:
        code = _carry_out(arguments, invocation)
        sys.stdout.flush()
    except DtnctlError as error:
        code = report_error(error, invocation)
    except BrokenPipeError:
        streams.discard_result()
        code = READER_IS_GONE
    except typer.Exit as done:
        code = done.exit_code
    except Exception as error:  # noqa: BLE001  # usage errors of typer's own click have no public class; all else is raised again
        code = _usage(error, invocation)
    finally:
        for end in invocation.at_end:
            end()
    _end_events(invocation, code)
    return code


def _end_events(invocation: Invocation, code: int) -> None:
    """The last line of JSON lines; a reader that is gone needs none."""
    if invocation.events is not None:
        with contextlib.suppress(OutputError, BrokenPipeError):
            invocation.events.end(code)


def _asks_for(arguments: list[str], output: str) -> bool:
    """Also where the rest of the line is not understood: a document, or the last line, is owed."""
    after_option = {f"{before} {word}" for before, word in pairwise(arguments)}
    return bool({f"-o {output}", f"--output {output}"} & after_option or {f"-o{output}", f"--output={output}"} & set(arguments))


def _carry_out(arguments: list[str], invocation: Invocation) -> int:
    """Not by `app()`: that turns signals, the end of input and closed pipes into codes of its own."""
    command = program()
    with command.make_context("dtnctl", list(arguments), obj=invocation) as context:
        code = command.invoke(context)
    return code if isinstance(code, int) else 0


def report_error(error: DtnctlError, invocation: Invocation) -> int:
    """Print what is owed of an error, with its name and exit code, which is returned."""
    if isinstance(error, OutputError):
        streams.discard_result()
    else:
        _print_error(error, invocation)
    for line in error.lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.write(f"dtnctl: {error.exit_name} ({error.exit_code})\n")
    return error.exit_code


def _print_error(error: DtnctlError, invocation: Invocation) -> None:
    """What programs are owed on stdout."""
    if invocation.events is not None:
        invocation.events.error(error)
    elif invocation.json:
        _print_document(error)


def _print_document(error: DtnctlError) -> None:
    from dtnctl.render.json import error_document, problems_document, render_json

    document = problems_document(error.problems) if isinstance(error, ConfigError) else error_document(error)
    try:
        sys.stdout.write(render_json(document))
        sys.stdout.flush()
    except (OutputError, BrokenPipeError):
        streams.discard_result()  # the error that was to be printed matters more


def _usage(error: Exception, invocation: Invocation) -> int:
    """Click's own usage errors have their message and our code; everything else is a defect and keeps its traceback."""
    if isinstance(error, Crash):
        sys.stderr.write(str(error))
        return DEFECT
    show = getattr(error, "show", None)
    if show is None:
        raise error
    _print_error(UsageError(str(getattr(error, "message", "") or error)), invocation)
    show()
    sys.stderr.write(f"dtnctl: {UsageError.exit_name} ({UsageError.exit_code})\n")
    return UsageError.exit_code
