"""The command line: commands are registered here, and every error becomes its exit code here."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Annotated

import typer

from dtnctl import __version__
from dtnctl.cli.commands import LazyGroup
from dtnctl.cli.invocation import Invocation
from dtnctl.errors import ConfigError, DtnctlError, UsageError

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
    chdir: Annotated[
        str, typer.Option("-C", "--chdir", metavar="DIR", envvar="DTNCTL_CHDIR", help="Work in this folder (the repository's root).")
    ] = "",
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    del version  # its callback has printed it
    if chdir:
        try:
            os.chdir(chdir)
        except OSError as error:
            raise UsageError(f"cannot work in {chdir}: {error.strerror}") from error


def run() -> None:
    """The program: parse, carry out, exit with the contract's code."""
    # At its end Python looks at every object once more for garbage: 15 % of a short command, and it frees nothing that matters.
    atexit.register(gc.freeze)
    invocation = Invocation()
    try:
        code = app(standalone_mode=False, obj=invocation)
    except DtnctlError as error:
        code = _report(error, invocation)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # the reader of our pipe is gone; nothing may be written at exit
        code = 141
    except Exception as error:  # noqa: BLE001  # usage errors of typer's own click have no public class; all else is raised again
        code = _usage(error)
    sys.stdout.flush()
    sys.exit(code if isinstance(code, int) else 0)


def _report(error: DtnctlError, invocation: Invocation) -> int:
    if invocation.json:
        from dtnctl.render.json import error_document, problems_document, render_json

        document = problems_document(error.problems) if isinstance(error, ConfigError) else error_document(error)
        sys.stdout.write(render_json(document))
    for line in error.lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.write(f"dtnctl: {error.exit_name} ({error.exit_code})\n")
    return error.exit_code


def _usage(error: Exception) -> int:
    """Click's own usage errors have their message and our code; everything else is a defect and keeps its traceback."""
    show = getattr(error, "show", None)
    if show is None:
        raise error
    show()
    sys.stderr.write(f"dtnctl: {UsageError.exit_name} ({UsageError.exit_code})\n")
    return UsageError.exit_code
