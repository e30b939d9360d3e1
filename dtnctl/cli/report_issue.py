"""`dtnctl report issue`: drift as the one open issue of its repository. No endpoint is asked."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli.forge_links import GITHUB_API, GITHUB_AUTHOR, needed
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
    from dtnctl.runtime.reporting.calls import Calls, checked_base
    from dtnctl.runtime.reporting.github import github_headers
    from dtnctl.runtime.reporting.gitlab import gitlab_headers
    from dtnctl.runtime.reporting.issues import GitHubIssues, GitLabIssues

    environment = os.environ
    if forge is ForgeName.github:
        held = needed(environment, "GITHUB_TOKEN", "GITHUB_REPOSITORY")
        base = checked_base(environment.get("GITHUB_API_URL") or GITHUB_API, "GITHUB_API_URL")
        calls = Calls(base, github_headers(held["GITHUB_TOKEN"]), clock)
        return GitHubIssues(calls, held["GITHUB_REPOSITORY"], environment.get("COMMENT_AUTHOR") or GITHUB_AUTHOR)
    held = needed(environment, "GITLAB_TOKEN", "CI_API_V4_URL", "CI_PROJECT_ID")
    calls = Calls(checked_base(held["CI_API_V4_URL"], "CI_API_V4_URL"), gitlab_headers(held["GITLAB_TOKEN"]), clock)
    return GitLabIssues(calls, held["CI_PROJECT_ID"])
