"""`dtnctl shell`: a shell on a terminal, or lines of a script from a pipe."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli import signals
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import announce
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.cli.shell.session import Shell

EchoOption = Annotated[
    bool, typer.Option("--echo", help="Of a script, print each line before what it does, as it would stand on a terminal.")
]
PROMPT = "dtnctl> "


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("shell")(shell_command)


def shell_command(context: typer.Context, echo: EchoOption = False, timeout: opt.TimeoutOption = 10.0) -> int:
    """A shell with the site as a tree, and all commands without `dtnctl`. From a pipe it runs lines, and stops at the first that fails."""
    from dtnctl.cli.shell.session import Shell
    from dtnctl.cli.workplace import open_workplace

    invocation = context.ensure_object(Invocation)
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    root = open_workplace().root
    os.chdir(root)  # messages name files from there
    shell = Shell(root, invocation, timeout, is_terminal, _environment(invocation))
    with signals.handling(_end if not is_terminal else _leave_or_end):
        return _on_terminal(shell) if is_terminal else run_script(shell, sys.stdin, echo=echo)


def _environment(invocation: Invocation) -> Mapping[str, str]:
    """How the shell was asked to speak, for its commands; folders were left for the root of the repository."""
    chosen = {"DTNCTL_COLOR": invocation.color if invocation.color != "auto" else "", "DTNCTL_ASCII": "1" * invocation.ascii}
    return {**{name: value for name, value in chosen.items() if value}, "DTNCTL_CHDIR": ""}


def _end(number: int) -> None:
    raise signals.Interrupted(number)


def _leave_or_end(number: int) -> None:
    """Ctrl-C leaves what runs, all else ends the shell."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise signals.Interrupted(number)


def run_script(shell: Shell, lines: Iterator[str], *, echo: bool) -> int:
    """Line by line until one fails: what follows was written for its success. The exit code of that one, else 0."""
    from dtnctl.cli.shell.session import Exit

    for number, line in enumerate(_read(lines), 1):
        if echo:
            sys.stdout.write(f"{PROMPT}{line.rstrip()}\n")
            sys.stdout.flush()
        try:
            code = shell.run(line)
        except Exit:
            return 0
        if code != 0:
            announce(f"dtnctl: line {number} of the script failed, the rest was not run: {_shown(line.strip())}")
            return code
    return 0


def _shown(line: str) -> str:
    """The line, unless it may hold a secret: this is kept in the logs of CI systems."""
    from dtnctl.cli.shell.history import is_worth_keeping

    return line if is_worth_keeping(line) else "(not shown)"


def _read(lines: Iterator[str]) -> Iterator[str]:
    try:
        yield from lines
    except OSError as error:
        raise UsageError(f"cannot read the script from standard input: {error.strerror or 'it is closed'}") from error


def _on_terminal(shell: Shell) -> int:
    try:
        from dtnctl.cli.shell.terminal import reading
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "prompt_toolkit":
            raise
        announce("completion, history and colours need prompt_toolkit: pip install 'dtnctl[shell]'")
        return _converse(shell, _plain)
    return _converse(shell, reading(shell))


def _plain() -> str:
    """A line without anything that helps to type it. EOFError at the end."""
    return input(PROMPT)


def _converse(shell: Shell, read: Callable[[], str]) -> int:
    """Until `exit` or Ctrl-D."""
    from dtnctl.cli.shell.session import Exit

    while True:
        try:
            shell.run(read())
        except signals.Interrupted:
            raise
        except KeyboardInterrupt:
            sys.stdout.write("\n")  # the line, or what it did, is left
        except (EOFError, Exit):
            if left := shell.changes.uncommitted(shell.root):
                announce(f"not committed: {', '.join(left)}")
            return 0
