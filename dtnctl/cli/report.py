"""`dtnctl report`: what a plan's document says, as a pull request's comment and its commit's statuses. No endpoint is asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dtnctl.cli.forge_links import details_address, needed, source_template
from dtnctl.cli.forge_places import github_place, gitlab_place
from dtnctl.cli.messages import say
from dtnctl.cli.report_issue import report_issue
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from dtnctl.render.review import Review
    from dtnctl.runtime.clock import Clock
    from dtnctl.runtime.reporting.forge import Forge

PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN.json", help="What `dtnctl plan -o json` printed; - reads it from stdin.")]
PullRequestOption = Annotated[
    int, typer.Option("--pull-request", metavar="NUMBER", help="The pull or merge request; else as CI says.", show_default=False)
]
CommitOption = Annotated[str, typer.Option("--commit", metavar="SHA", help="The commit that gets the statuses; else as CI says.")]
PartOption = Annotated[
    str,
    typer.Option("-l", "--label", metavar="SELECTOR", help="The part of the site, for a document that has no plan.", envvar="DTNCTL_LABEL"),
]
SiteOption = Annotated[str, typer.Option("--site", help="The site's name, for a document that has no plan.", envvar="DTNCTL_SITE")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(
        help="Report a plan to a forge or a webhook: github, gitlab, webhook; drift as an issue.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    below.command("github")(report_github)
    below.command("gitlab")(report_gitlab)
    below.command("webhook")(report_webhook)
    below.command("issue")(report_issue)
    app.add_typer(below, name="report")


def report_github(
    plan: PlanArgument, pull_request: PullRequestOption = 0, commit: CommitOption = "", site: SiteOption = "", label: PartOption = ""
) -> int:
    """Keep one comment of a pull request up to date, and set a status for each endpoint. The token is read from GITHUB_TOKEN."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reporting.github import GitHub

    environment = os.environ
    review, clock = _review(plan, site, label, environment), SystemClock()
    event = _github_event(environment)
    number = pull_request or event.get("number", 0)
    place = github_place(environment, clock)
    forge = GitHub(place.calls, place.repository, number, place.author)
    return _report(forge, review, number, commit or event.get("commit", "") or environment.get("GITHUB_SHA", ""), clock)


def report_gitlab(
    plan: PlanArgument, pull_request: PullRequestOption = 0, commit: CommitOption = "", site: SiteOption = "", label: PartOption = ""
) -> int:
    """Keep one note of a merge request up to date, and set a status for each endpoint. The token is read from GITLAB_TOKEN."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reporting.gitlab import GitLab

    environment = os.environ
    review, clock = _review(plan, site, label, environment), SystemClock()
    number = pull_request or _number(environment.get("CI_MERGE_REQUEST_IID", ""), "CI_MERGE_REQUEST_IID")
    place = gitlab_place(environment, clock)
    page = f"{environment.get('CI_MERGE_REQUEST_PROJECT_URL') or environment.get('CI_PROJECT_URL', '')}/-/merge_requests/{number}"
    forge = GitLab(place.calls, place.repository, number, page)
    source = environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA", "")
    return _report(forge, review, number, commit or source, clock)


def report_webhook(
    plan: PlanArgument, pull_request: PullRequestOption = 0, commit: CommitOption = "", site: SiteOption = "", label: PartOption = ""
) -> int:
    """Post it to the address in DTNCTL_REPORT_URL, signed if DTNCTL_REPORT_SECRET is set."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.reporting.calls import checked_base
    from dtnctl.runtime.reporting.webhook import post_review, review_document

    environment = os.environ
    review = _review(plan, site, label, environment)
    address = checked_base(needed(environment, "DTNCTL_REPORT_URL")["DTNCTL_REPORT_URL"], "DTNCTL_REPORT_URL")
    event = _github_event(environment)
    number = pull_request or event.get("number", 0) or _number(environment.get("CI_MERGE_REQUEST_IID", ""), "CI_MERGE_REQUEST_IID")
    sha = commit or event.get("commit", "") or environment.get("GITHUB_SHA") or environment.get("CI_COMMIT_SHA", "")
    post_review(address, review_document(review, number, sha), environment.get("DTNCTL_REPORT_SECRET", ""), SystemClock())
    typer.echo("webhook: accepted")
    return 0


def _report(forge: Forge, review: Review, number: int, commit: str, clock: Clock) -> int:
    """The comment where there is a pull request, the statuses where the commit is known; an error if neither is."""
    from dtnctl.runtime.reporting.forge import publish_comment, publish_statuses

    if not number and not commit:
        raise UsageError("neither a pull request nor a commit is known; try --pull-request NUMBER and --commit SHA")
    if number:
        typer.echo(f"comment: {publish_comment(forge, review.comment, clock)}")
    else:
        say("note: no pull request is known, so there is no comment; --pull-request NUMBER names one")
    if commit:
        publish_statuses(forge, commit, review.statuses, details_address(os.environ), clock)
        typer.echo(f"statuses: {len(review.statuses)} of {commit[:12]}")
    return 0


# --- what is reported, and where ----------------------------------------------------------------------------


def _review(path: Path, site: str, label: str, environment: Mapping[str, str]) -> Review:
    """What to report of the document; UsageError if it is none."""
    from dtnctl.render.from_json import NotADocumentError
    from dtnctl.render.review import Links, review_of

    document = _document(path)
    details = "" if str(path) == "-" else path.name
    links = Links(source_template(environment, Path.cwd()), details, details_address(environment) if details else "")
    try:
        return review_of(document, links, f"{site} {label}" if site and label else site)
    except NotADocumentError as error:
        hint = "; try --site NAME" if document.get("kind") in ("problems", "error") and not site else ""
        raise UsageError(f"{path}: {error}{hint}") from error


def _document(path: Path) -> Mapping[str, Any]:
    import json
    import sys

    try:
        document = json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON document; `dtnctl plan -o json` prints one") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is no JSON object; `dtnctl plan -o json` prints one")
    return document


def _number(text: str, name: str) -> int:
    if text and not text.isdecimal():
        raise UsageError(f"{name} is no number")
    return int(text or 0)


def _github_event(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """The number of the pull request and the newest commit of its branch, of the event that started the job: what is checked out is a
    merge commit, which no page shows."""
    import json

    number = _number(environment.get("PULL_REQUEST", ""), "PULL_REQUEST")
    try:
        event = json.loads(Path(environment.get("GITHUB_EVENT_PATH", "")).read_text(encoding="utf-8"))["pull_request"]
        return {"number": number or int(event["number"]), "commit": str(event["head"]["sha"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"number": number}
