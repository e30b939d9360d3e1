"""What a command needs before it starts: the site, connections to its endpoints, the terminal's facts."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dtnctl.cli import signals, streams
from dtnctl.cli.messages import say
from dtnctl.client import workplace
from dtnctl.client.workplace import SHOWING, STATE_FOLDER, Workplace
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.cli.invocation import Invocation
    from dtnctl.model.head import Head
    from dtnctl.model.site import Site
    from dtnctl.planning.planner import Scope
    from dtnctl.providers.base import Observer
    from dtnctl.render.context import Command, RenderContext

SIGNS = "✖▶±→↔·…"  # what text has that is not ASCII
PIPE_WIDTH = 120  # of text that goes into a file or a pipe: the same on every machine


def repository_root() -> Path:
    """The root of the repository that we stand in. Names in messages are relative to it, so it is named when it is another folder."""
    from dtnctl.repository.find import find_repository, standing

    here = standing()
    root = find_repository(here, STATE_FOLDER)
    if root != here:
        say(f"dtnctl: in {root}")
    return root


def open_workplace() -> Workplace:
    """Load the site of the repository that we stand in; git is asked meanwhile."""
    return workplace.open_workplace(repository_root(), say)


@contextlib.contextmanager
def observers(opened: Workplace, timeout: float) -> Iterator[Mapping[str, Observer]]:
    """Clients that cannot write, one per endpoint. They hold nothing, and after Ctrl-C no user waits for silent endpoints."""
    with signals.exiting(), workplace.observers(opened, timeout) as clients:
        yield clients


def render_context(
    command: Command, head: Head, invocation: Invocation, *, brief: bool, show_all: bool, wide: bool, options: str = ""
) -> RenderContext:
    """The terminal's facts, and the command that makes this plan again."""
    return replace(
        list_context(invocation),
        command=command,
        head=head,
        show_all=show_all,
        brief=brief,
        wide=wide,
        options=options,
        reproduce=f"{SHOWING[command]} {options}".strip(),
    )


def list_context(invocation: Invocation, *, show_all: bool = False, wide: bool = False) -> RenderContext:
    """The terminal's facts: its width, its colours, and whether it has our signs."""
    from dtnctl import __version__
    from dtnctl.render.context import RenderContext

    is_ascii = invocation.ascii or not streams.can_encode(SIGNS)
    return RenderContext(
        version=__version__, width=terminal_width(), color=wants_color(invocation.color), ascii=is_ascii, show_all=show_all, wide=wide
    )


def terminal_width() -> int:
    """Columns of the terminal, or a fixed width where stdout is none."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if sys.stdout.isatty() else PIPE_WIDTH


def wants_color(choice: str) -> bool:
    """The flag beats the environment: FORCE_COLOR, NO_COLOR, TERM=dumb, and whether stdout is a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("FORCE_COLOR"):
        return True
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def scope_of(
    targets: list[str],
    excludes: list[str],
    replace: list[str],
    max_prune: str,
    *,
    destroy: bool = False,
    allow_empty: bool = False,
    override_freeze: str = "",
) -> Scope:
    """The scope that the flags ask for; `@FILE` and `-` are read here."""
    from dtnctl.planning.planner import Scope

    prune = max_prune or None
    if prune is not None and not prune.removesuffix("%").isdecimal():
        raise UsageError(f"--max-prune {max_prune!r} is not a number or a share such as 25%")
    if override_freeze and not override_freeze.strip():
        raise UsageError("--override-freeze needs a reason that others understand")
    reason = " ".join(override_freeze.split())
    return Scope(expanded(targets), expanded(excludes), expanded(replace), prune, destroy, allow_empty, reason)


def with_transfers(scope: Scope, interrupt: list[str], *, defer: bool) -> Scope:
    """The same with what the flags say about running transfers; `@FILE` and `-` are read here."""
    return replace(scope, interrupt=expanded(interrupt), defer=defer)


def expanded(items: list[str]) -> tuple[str, ...]:
    """What a repeatable option names; `@FILE` and `-` are read here."""
    return tuple(_expand(items))


def _expand(items: list[str]) -> Iterator[str]:
    for item in items:
        if item == "-":
            yield from sys.stdin.read().split()
        elif item.startswith("@"):
            try:
                yield from Path(item[1:]).read_text(encoding="utf-8").split()
            except OSError as error:
                raise UsageError(f"cannot read {item[1:]}: {error.strerror}") from error
            except UnicodeDecodeError as error:
                raise UsageError(f"cannot read {item[1:]}: it is not UTF-8 text") from error
        else:
            yield item


def lock_seconds(wanted: float | None) -> float:
    """How long to wait for a lease: what was asked for, else a minute, and longer in a CI system, where no person waits."""
    if wanted is not None:
        return wanted
    return 600.0 if is_ci() else 60.0


def note_missing_id(site: Site) -> None:
    """Say the line to add where a repository has no id yet: two of them that chose one site name have the same objects."""
    if site.repository:
        return
    from dtnctl.repository.starter import new_identity

    line = f"id: {new_identity()}"
    say(
        f"note: {site.settings.file} has no `id:`, so another repository with the site name {site.name} has the same objects as this one; "
        f"add the line `{line}`, and `adopts: unlabelled` if there are objects of it already"
    )


def is_ci() -> bool:
    """Whether a CI system runs us: no questions, longer waits for leases."""
    return os.environ.get("CI", "").lower() in ("true", "1")


def write_out(path: str, text: str) -> None:
    """`--out`: a file, or - for stdout."""
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
