"""`dtnctl check`: what open branches and pull requests claim, against each other and the base. No endpoint is asked."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli import options as opt
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.cli.workplace import list_context, repository_root, write_out
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import BlockedError, UsageError
from dtnctl.printable import plural

if TYPE_CHECKING:
    from dtnctl.model.branches import ClaimsReport
    from dtnctl.model.owners import OwnersReport
    from dtnctl.render.context import RenderContext

AllRefsOption = Annotated[bool, typer.Option("--all-refs", help="Compare all branches and pull requests that have been fetched.")]
BaseOption = Annotated[
    str,
    typer.Option(
        "--base",
        metavar="REF",
        show_default=False,
        help="What branches are merged into. Missing: the target that CI names, else origin's main branch.",
        envvar="DTNCTL_BASE",
    ),
]
OwnersOption = Annotated[
    str,
    typer.Option(
        "--owners",
        metavar="BASE..HEAD",
        help="Compare who wrote these commits with `owners:` of the base's site.yaml.",
        envvar="DTNCTL_OWNERS",
    ),
]
MaxAgeOption = Annotated[
    float,
    typer.Option(
        "--max-age",
        parser=opt.seconds,
        metavar="TIME",
        show_default="90d",
        help="Branches without a commit for longer are left out.",
        envvar="DTNCTL_MAX_AGE",
    ),
]


class CheckOutput(enum.StrEnum):
    """What stdout carries. `wide` is text with all columns, however wide."""

    text = "text"
    wide = "wide"
    json = "json"
    markdown = "markdown"


CheckOutputOption = Annotated[CheckOutput, typer.Option("-o", "--output", help="What stdout carries.", envvar="DTNCTL_OUTPUT")]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("check")(check_command)


def check_command(
    context: typer.Context,
    all_refs: AllRefsOption = False,
    owners: OwnersOption = "",
    base: BaseOption = "",
    max_age: MaxAgeOption = 90 * 86400.0,
    output: CheckOutputOption = CheckOutput.text,
    out: opt.OutOption = "",
) -> None:
    """Find ports, addresses, virtual functions and CPUs that open branches claim twice. Nothing is fetched, no endpoint is asked.

    Of two branches that want the same thing the later one is blocked (exit code 4), and so is one that wants what the base has. On the base
    itself every branch is looked at. With --owners: files that others than their owners changed are blocked.
    """
    invocation = context.ensure_object(Invocation)
    invocation.json = output is CheckOutput.json
    if all_refs == bool(owners):
        hint = "one state by itself is checked by `dtnctl validate`"
        raise UsageError(f"say what to compare: `dtnctl check --all-refs`, or `dtnctl check --owners BASE..HEAD`; {hint}")
    if owners:
        _check_owners(owners, output, out, invocation)
        return
    report = _report(base, max_age)
    style = list_context(invocation, wide=output is CheckOutput.wide)
    sys.stdout.write(_text(report, output, style))
    invocation.json = False  # the one document that is owed has been written
    if out:
        write_out(out, _text(report, _by_ending(out), style))
    if report.blocking:
        names = sorted({item.claim.session for item in report.blocking})
        raise BlockedError(f"{plural(len(report.blocking), 'collision')}, of {', '.join(f'session {name}' for name in names)}")


def _check_owners(span: str, output: CheckOutput, out: str, invocation: Invocation) -> None:
    from dtnctl.repository.owners import check_owners

    report = check_owners(repository_root(), STATE_FOLDER, span)
    style = list_context(invocation, wide=output is CheckOutput.wide)
    sys.stdout.write(_owners_text(report, output, style))
    invocation.json = False
    if out:
        write_out(out, _owners_text(report, _by_ending(out), style))
    if report.trespasses:
        raise BlockedError(f"{plural(len(report.trespasses), 'change')} of files by others than their owners")


def _owners_text(report: OwnersReport, output: CheckOutput, style: RenderContext) -> str:
    from dtnctl.render.json import render_json
    from dtnctl.render.owners import owners_document, render_owners, render_owners_comment

    match output:
        case CheckOutput.json:
            return render_json(owners_document(report))
        case CheckOutput.markdown:
            return render_owners_comment(report)
        case _:
            return render_owners(report, style)


def _by_ending(path: str) -> CheckOutput:
    return {".json": CheckOutput.json, ".md": CheckOutput.markdown}.get(Path(path).suffix, CheckOutput.text)


def _text(report: ClaimsReport, output: CheckOutput, style: RenderContext) -> str:
    from dtnctl.render.claims import claims_document, render_claims, render_claims_comment
    from dtnctl.render.json import render_json

    match output:
        case CheckOutput.json:
            return render_json(claims_document(report))
        case CheckOutput.markdown:
            return render_claims_comment(report)
        case _:
            return render_claims(report, style)


def _report(base: str, max_age: float) -> ClaimsReport:
    from datetime import UTC, datetime

    from dtnctl.planning.branches.collisions import find_collisions
    from dtnctl.repository.branches import compare, find_base
    from dtnctl.repository.git import read_head
    from dtnctl.repository.source_cache import user_cache

    root, now = repository_root(), datetime.now(UTC)
    base_ref = find_base(root, base, os.environ)
    if read_head(root, STATE_FOLDER).is_dirty:
        say("note: changes that are not committed are not looked at")
    found = compare(root, STATE_FOLDER, base_ref, now, max_age, os.environ, user_cache(os.environ))
    return find_collisions(found.base, found.declared, found.branches, found.subject, now)
