"""`dtnctl top`: looks again and again and shows it. Nothing here can write to an endpoint."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli import signals
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.workplace import list_context, observers, open_workplace
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.cli.top.looking import Looker
    from dtnctl.cli.top.tables import Frame
    from dtnctl.client.workplace import Workplace

HOW_TO_INSTALL = "the screen needs Textual, which is not installed: pip install 'dtnctl[top]'; `dtnctl top --once` needs nothing more"
OnceOption = Annotated[bool, typer.Option("--once", help="Print one picture as plain text and end.")]
EveryOption = Annotated[
    float, typer.Option("--every", parser=opt.seconds, show_default="2s", metavar="TIME", help="Between the end of a look and the next.")
]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        parser=opt.seconds,
        show_default="5s",
        metavar="TIME",
        help="Until an endpoint counts as silent; it is then asked again after 30 s.",
        envvar="DTNCTL_TIMEOUT",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("top")(top_command)


def top_command(
    context: typer.Context, once: OnceOption = False, every: EveryOption = 2.0, label: opt.LabelOption = "", timeout: PatienceOption = 5.0
) -> int:
    """A live view of endpoints, rates of interfaces, sessions and running transfers. Changes nothing."""
    from dtnctl.cli.top.looking import Looker
    from dtnctl.client.workplace import refuse_ssh_mistakes
    from dtnctl.runtime.clock import SystemClock

    workplace = _opened(label)
    if not once:
        _refuse_without_a_screen()
    with observers(workplace, timeout) as clients:
        looker = Looker(workplace, clients, SystemClock())
        if once:
            frame = looker.look()
            refuse_ssh_mistakes(workplace, looker.snapshot)
            _print(context, _with_rates(looker, frame, lambda: looker.clock.sleep(every)))
        else:
            _show(looker, every)
    return 0


def _opened(label: str) -> Workplace:
    """The part of the site that is asked for, as the files are now."""
    from dataclasses import replace

    from dtnctl.client.labels import checked, selection_of
    from dtnctl.client.receipts import with_receipts

    workplace = with_receipts(open_workplace())
    selection = selection_of(workplace, checked(label))
    return workplace if selection is None else replace(workplace, near=selection.within(workplace.site))


def _with_rates(looker: Looker, frame: Frame, wait: Callable[[], None]) -> Frame:
    """A rate needs two looks."""
    if not looker.knows_rates():
        return frame
    wait()
    return looker.look()


def _print(context: typer.Context, frame: Frame) -> None:
    from dtnctl.cli.top.text import render_frame

    sys.stdout.write(render_frame(frame, list_context(context.ensure_object(Invocation))))


# --- the screen -----------------------------------------------------------------------------------------------------


def _refuse_without_a_screen() -> None:
    from importlib.util import find_spec

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the screen needs a terminal; `dtnctl top --once` prints one picture as plain text")
    if find_spec("textual") is None:
        raise UsageError(HOW_TO_INSTALL)


def _show(looker: Looker, every: float) -> None:
    """Until the user or a signal ends it. A look that is under way then holds nothing: no user waits for silent endpoints."""
    from dtnctl.cli.top.screen import Top

    screen = Top(looker.look, every)
    with signals.handling(screen.end):
        screen.run()
    if screen.defect is not None:
        raise screen.defect
    if screen.ended_by:
        raise signals.Interrupted(screen.ended_by)
    if screen.is_looking:
        sys.stdout.flush()
        os._exit(0)
