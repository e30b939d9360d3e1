"""`dtnctl report issue`: drift as the one open issue of its repository. No endpoint is asked."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli.forge_places import github_place, gitlab_place
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.runtime.clock import Clock
    from dtnctl.runtime.reporting.issues import Issues


class ForgeName(enum.StrEnum):
    """Where the repository is."""

    github = "github"
    gitlab = "gitlab"


ForgeArgument = Annotated[ForgeName, typer.Argument(metavar="github|gitlab", help="Where the repository is; CI's variables are read.")]
FileArgument = Annotated[Path, typer.Argument(metavar="DRIFT.md", help="What `dtnctl drift -o markdown` printed.")]
CloseOption = Annotated[bool, typer.Option("--close", help="There is no drift: close the issue if one is open.")]


def report_issue(forge: ForgeArgument, drift: FileArgument, close: CloseOption = False) -> int:
    """Keep one open issue about drift up to date. The token is read from GITHUB_TOKEN or GITLAB_TOKEN."""
    from dtnctl.render.markdown import plan_marker
    from dtnctl.render.review import MARKER
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reporting.issues import close_issue, publish_issue

    try:
        body = drift.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"cannot read {drift}: {error.strerror}") from error
    found = MARKER.match(body)
    if found is None:
        raise UsageError(f"{drift}: the first line is no marker; `dtnctl drift -o markdown` prints one")
    clock = SystemClock()
    issues, marker = _issues(forge, clock), plan_marker(found[1])
    done = close_issue(issues, marker, clock) if close else publish_issue(issues, marker, f"dtnctl: drift at {found[1]}", body, clock)
    typer.echo(f"issue: {done}")
    return 0


def _issues(forge: ForgeName, clock: Clock) -> Issues:
    from dtnctl.runtime.reporting.issues import GitHubIssues, GitLabIssues

    if forge is ForgeName.github:
        place = github_place(os.environ, clock)
        return GitHubIssues(place.calls, place.repository, place.author)
    place = gitlab_place(os.environ, clock)
    return GitLabIssues(place.calls, place.repository)
