"""The commands about state files as files: init, validate, fmt, schema. No endpoint is asked."""

from __future__ import annotations

import enum
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.options import CheckOutput, CheckOutputOption
from dtnctl.cli.workplace import note_missing_id, repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import ConfigError, UsageError
from dtnctl.printable import plural

FolderArgument = Annotated[str, typer.Argument(metavar="[DIR]", help="The new repository's folder.")]


class Ci(enum.StrEnum):
    """Whose CI a repository has."""

    github = "github"
    gitlab = "gitlab"


CiOption = Annotated[
    Ci | None, typer.Option("--ci", help="Also write its workflows: plan of a request, apply of a push, drift on a schedule.")
]
CheckOption = Annotated[bool, typer.Option("--check", help="Change nothing; name the files that would change and exit with 1.")]
NAMED_IF_ANY = ("paths", "tools", "volumes")
PathsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PATHS]...", help="Files or folders; all of state/ if none is named.", autocompletion=names.files),
]
KindArgument = Annotated[
    str, typer.Argument(metavar="[KIND]", help="site, endpoint, network, profile, session or transfer; all if none is named.")
]
SchemaOutOption = Annotated[str, typer.Option("--out", metavar="DIR", help="Write KIND.json files into this folder instead of printing.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("init")(init_command)
    app.command("validate")(validate_command)
    app.command("fmt")(fmt_command)
    app.command("schema")(schema_command)


def init_command(folder: FolderArgument = ".", ci: CiOption = None) -> None:
    """Write a starter repository: a small site that validates, and schemas for editors. Overwrites nothing.

    With --ci also workflows, .gitignore and a README; in a folder that has a state already, these alone.
    """
    from dtnctl.repository.starter import new_identity, write_starter

    place = Path(folder)
    has_state = ci is not None and (place / STATE_FOLDER / "site.yaml").exists()
    written = [] if has_state else write_starter(place, new_identity(), _ci_files(place, ci))
    for name in written or _add_ci(place, ci):
        typer.echo(name)
    typer.echo(f"next: edit {'README.md' if has_state else 'state/'}, then dtnctl validate and dtnctl plan", err=True)


def _ci_files(folder: Path, ci: Ci | None) -> dict[str, str]:
    if ci is None:
        return {}
    from dtnctl.ci.files import OPTIONAL, ci_files, wheel_digest

    texts = ci_files(ci.value, folder.resolve().name, wheel_digest())
    for name, missing in OPTIONAL.items():
        if (folder / name).exists():
            del texts[name]
            typer.echo(f"note: {name} is there already and stays{missing}", err=True)
    return texts


def _add_ci(folder: Path, ci: Ci | None) -> list[str]:
    from dtnctl.repository.starter import write_new

    return write_new(folder, _ci_files(folder, ci))


def validate_command(context: typer.Context, output: CheckOutputOption = CheckOutput.text) -> None:
    """Check the state files; changes nothing and asks no endpoint. All problems are shown, each as file:line:column."""
    from datetime import UTC, datetime

    from dtnctl.model.site import KINDS
    from dtnctl.planning.rails.expiry import long_expired
    from dtnctl.providers.local.files import find_local_problems
    from dtnctl.repository.load import validate_state

    root = repository_root()
    is_text = output in (CheckOutput.text, CheckOutput.wide)
    context.ensure_object(Invocation).json = output is CheckOutput.json
    try:
        site = validate_state(root, STATE_FOLDER)
    except ConfigError as error:
        if is_text:
            raise
        _print_problems(error, root, output)
        typer.echo(f"dtnctl: {error.exit_name} ({error.exit_code})", err=True)
        raise typer.Exit(error.exit_code) from None
    if not is_text:
        _print_problems(ConfigError(()), root, output)
        return
    counts = {kind: len(getattr(site, kind)) for kind in KINDS}
    parts = (plural(count, kind.removesuffix("s")) for kind, count in counts.items() if count or kind not in NAMED_IF_ANY)
    note_missing_id(site)
    for text in long_expired(site, datetime.now(UTC)):
        typer.echo(f"note: {text}", err=True)
    for problem in find_local_problems(site, root, os.environ):  # the machine that validates need not be the one that applies
        typer.echo(f"note: {problem}", err=True)
    typer.echo(f"ok: {plural(1 + sum(counts.values()), 'file')}; site {site.name}: {', '.join(parts)}")


def _print_problems(error: ConfigError, root: Path, output: CheckOutput) -> None:
    from dtnctl.render.json import problems_document, render_json

    if output is CheckOutput.json:
        sys.stdout.write(render_json({**problems_document(error.problems), "valid": not error.problems}))
    else:
        from dtnctl.cli.marks import problem_marks

        sys.stdout.write(problem_marks(error.problems, root, output.value))


def fmt_command(paths: PathsArgument = None, check: CheckOption = False) -> None:
    """Bring state files into their standard form: order of keys, two spaces. Comments are kept, values never change."""
    from dtnctl.repository.find import standing
    from dtnctl.repository.formatting import format_files

    here = standing()
    changed = format_files(repository_root(), STATE_FOLDER, [str(here / path) for path in paths or []], write=not check)
    for name in changed:
        typer.echo(name)
    if check and changed:
        typer.echo(f"dtnctl: {len(changed)} {'files are' if len(changed) > 1 else 'file is'} not formatted; try dtnctl fmt", err=True)
        raise typer.Exit(1)


def schema_command(context: typer.Context, kind: KindArgument = "", out: SchemaOutOption = "") -> None:
    """Print JSON Schemas (draft-07) of the state files, for editors: one kind, or a mapping of all kinds."""
    import json

    from dtnctl.model.schema import SCHEMA_KINDS, schema_of
    from dtnctl.repository.starter import write_schemas

    if kind and kind not in SCHEMA_KINDS:
        raise UsageError(f"there is no kind {kind}; try one of {', '.join(SCHEMA_KINDS)}")
    kinds = [kind] if kind else list(SCHEMA_KINDS)
    if out:
        for path in write_schemas(Path(out), kinds):
            typer.echo(path)
    else:
        schemas = schema_of(kind) if kind else {name: schema_of(name) for name in kinds}
        is_ascii = context.ensure_object(Invocation).ascii  # the same values, their characters as escapes
        sys.stdout.write(json.dumps(schemas, indent=2, ensure_ascii=is_ascii) + "\n")
