"""Options that several commands share, with one meaning everywhere."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from dtnctl.cli import names
from dtnctl.errors import UsageError


class Output(enum.StrEnum):
    """What stdout carries. `wide` is text with all columns of its tables, however wide. `jsonl`: one object a line, as things happen."""

    text = "text"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"
    markdown = "markdown"


class PlanOutput(enum.StrEnum):
    """The same for a plan. The last three are marks on lines of the state files, for code review."""

    text = "text"
    wide = "wide"
    json = "json"
    jsonl = "jsonl"
    markdown = "markdown"
    github = "github"
    sarif = "sarif"
    junit = "junit"


class ListOutput(enum.StrEnum):
    """What stdout carries, for lists. `wide` is text with all columns, however wide."""

    text = "text"
    wide = "wide"
    json = "json"


class CheckOutput(enum.StrEnum):
    """What stdout carries, for a check of files. `wide` is text."""

    text = "text"
    wide = "wide"
    json = "json"
    github = "github"
    sarif = "sarif"
    junit = "junit"


class Color(enum.StrEnum):
    """When text has colour."""

    auto = "auto"
    always = "always"
    never = "never"


def waiting(text: str | float) -> float:
    """Seconds of `30s`, `10m`, `500ms`, or of a plain number; 0 is not to wait. UsageError says what is expected."""
    from dtnctl.model.fields import parse_duration

    try:
        return parse_duration(float(text) if str(text).replace(".", "", 1).isdecimal() else str(text))
    except ValueError as error:
        raise UsageError(f"{text}: {error}") from error


def seconds(text: str | float) -> float:
    """As `waiting`, but more than none."""
    found = waiting(text)
    if found <= 0:
        raise UsageError(f"{text}: a time must be more than none, such as 30s")
    return found


def written_time(text: str) -> str:
    """A time as state files have it, for a plain number in seconds. UsageError says what is expected."""
    seconds(text)
    return text if text[-1].isalpha() else f"{text}s"


OutputOption = Annotated[Output, typer.Option("-o", "--output", help="What stdout carries.", envvar="DTNCTL_OUTPUT")]
PlanOutputOption = Annotated[PlanOutput, typer.Option("-o", "--output", help="What stdout carries.", envvar="DTNCTL_OUTPUT")]
CheckOutputOption = Annotated[CheckOutput, typer.Option("-o", "--output", help="What stdout carries.", envvar="DTNCTL_OUTPUT")]
ListOutputOption = Annotated[ListOutput, typer.Option("-o", "--output", help="What stdout carries.", envvar="DTNCTL_OUTPUT")]
OutOption = Annotated[
    str,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write the result there too (by its ending .json, .md, .sarif, .xml, else text); - is stdout.",
        envvar="DTNCTL_OUT",
        autocompletion=names.files,
    ),
]
TargetOption = Annotated[
    list[str],
    typer.Option(
        "--target",
        metavar="[KIND/]NAME",
        help="Only these; * matches; @FILE and - read a list.",
        envvar="DTNCTL_TARGET",
        autocompletion=names.targets,
    ),
]
LabelOption = Annotated[
    str,
    typer.Option(
        "-l",
        "--label",
        metavar="SELECTOR",
        help="Only endpoints and sessions with these labels, others are not asked: region=eu, region in (eu,us), tier!=test; with commas.",
        envvar="DTNCTL_LABEL",
    ),
]
ExcludeOption = Annotated[
    list[str], typer.Option("--exclude", metavar="[KIND/]NAME", help="Not these.", envvar="DTNCTL_EXCLUDE", autocompletion=names.targets)
]
ReplaceOption = Annotated[
    list[str],
    typer.Option(
        "--replace",
        metavar="NAME",
        help="Recreate the containers of these sessions.",
        envvar="DTNCTL_REPLACE",
        autocompletion=names.sessions,
    ),
]
DetailedOption = Annotated[
    bool, typer.Option("--detailed-exitcode", help="Exit with 2 if there are changes.", envvar="DTNCTL_DETAILED_EXITCODE")
]
AllOption = Annotated[bool, typer.Option("--all", help="List what is unchanged too.", envvar="DTNCTL_ALL")]
BriefOption = Annotated[bool, typer.Option("--brief", help="Verdict and table only.", envvar="DTNCTL_BRIEF")]
AllowFailedOption = Annotated[
    list[str],
    typer.Option(
        "--allow-failed",
        metavar="NAME",
        help="Transfers that failed earlier and may stay so: no exit code 9 for them in this run; * matches, @FILE and - read a list.",
        envvar="DTNCTL_ALLOW_FAILED",
        autocompletion=names.transfers,
    ),
]
MaxPruneOption = Annotated[
    str, typer.Option("--max-prune", metavar="N|P%", help="Most sessions that may be removed.", envvar="DTNCTL_MAX_PRUNE")
]
# Without variables of the environment: a job that has them set for good would have no such guard rail.
AllowEmptyOption = Annotated[bool, typer.Option("--allow-empty", help="Remove everything where the state declares no session any more.")]
OverrideFreezeOption = Annotated[
    str,
    typer.Option("--override-freeze", metavar="REASON", help="Change what `freeze:` holds back; the plan shows the reason."),
]
ParallelOption = Annotated[
    int, typer.Option("--parallel", min=0, max=64, help="Steps at once; 0 is the site's limit.", envvar="DTNCTL_PARALLEL")
]
OfflineOption = Annotated[bool, typer.Option("--offline", help="Ask no endpoint: plan from .dtnctl/inventory, and say what is not known.")]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--timeout",
        parser=seconds,
        show_default="10s",
        metavar="TIME",
        help="Until an endpoint counts as silent: 30s, 500ms, 2m; a number is seconds.",
        envvar="DTNCTL_TIMEOUT",
    ),
]
YesOption = Annotated[bool, typer.Option("-y", "--yes", "--auto-approve", help="Do not ask.", envvar="DTNCTL_YES")]
NoInputOption = Annotated[bool, typer.Option("--no-input", help="Never ask; fail where a question would come.", envvar="DTNCTL_NO_INPUT")]
LockTimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--lock-timeout",
        parser=waiting,
        show_default=False,
        metavar="TIME",
        help="How long to wait for a lease: 30s, 10m; a number is seconds. Default 1m, in CI 10m.",
        envvar="DTNCTL_LOCK_TIMEOUT",
    ),
]
ExpectOption = Annotated[
    str,
    typer.Option(
        "--expect", metavar="HASH|PLAN.json", help="Run this very plan or refuse.", envvar="DTNCTL_EXPECT", autocompletion=names.files
    ),
]
ReviewedOption = Annotated[
    str,
    typer.Option(
        "--reviewed",
        metavar="PLAN.json",
        help="The plan that was reviewed for these files (plan --out). Where it has changed since, or there is none, "
        "`review:` of site.yaml decides.",
        envvar="DTNCTL_REVIEWED",
        autocompletion=names.files,
    ),
]
InterruptOption = Annotated[
    list[str],
    typer.Option(
        "--interrupt",
        metavar="NAME",
        help="Running transfers that this run may cut off; * matches, @FILE and - read a list.",
        envvar="DTNCTL_INTERRUPT",
        autocompletion=names.transfers,
    ),
]
DeferOption = Annotated[
    bool,
    typer.Option(
        "--defer-until-idle",
        help="Hold back what would cut off a running transfer, whatever the site says, and do not fail for it.",
        envvar="DTNCTL_DEFER_UNTIL_IDLE",
    ),
]
PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy",
        metavar="COMMAND",
        help="A command that gets the plan's JSON and judges it: exit code 0 is yes, 1 is no with a reason in each line.",
        envvar="DTNCTL_POLICY",
    ),
]
WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for transfers to end.", envvar="DTNCTL_WAIT")]
DryRunOption = Annotated[bool, typer.Option("-n", "--dry-run", help="Show the plan only.", envvar="DTNCTL_DRY_RUN")]
