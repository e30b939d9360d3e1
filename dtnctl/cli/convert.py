"""`dtnctl convert`: state files made of the files of Janus or docker compose. Every line that will be different is reported."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dtnctl.cli import names
from dtnctl.cli.commands import COMMANDS
from dtnctl.cli.invocation import Invocation
from dtnctl.cli.messages import say
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import PartialApplyError
from dtnctl.printable import plural, printable_text

if TYPE_CHECKING:
    from dtnctl.repository.converting.conversion import Conversion


class JanusVersion(enum.StrEnum):
    """Which Janus read the files."""

    v0_2 = "v0.2"
    v1_0 = "v1.0"


class ConvertOutput(enum.StrEnum):
    """What stdout carries. `wide` is text, which has no tables here."""

    text = "text"
    wide = "wide"
    json = "json"


ERAS: dict[JanusVersion, Literal["v0.2", "v1.0"]] = {JanusVersion.v0_2: "v0.2", JanusVersion.v1_0: "v1.0"}
FolderArgument = Annotated[str, typer.Argument(metavar="DIR", help="Folder with Janus' profiles.yaml, networks.yaml …")]
FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="Compose file.", autocompletion=names.files)]
FromOption = Annotated[
    JanusVersion | None, typer.Option("--from", show_default=False, help="Which Janus read them. Missing: guessed by their keys.")
]
ActiveOption = Annotated[
    str,
    typer.Option(
        "--active",
        metavar="FILE",
        show_default=False,
        help="Live sessions: the reply of GET /active, or Janus' database file. Their ports and addresses become fixed ones.",
        autocompletion=names.files,
    ),
]
EndpointOption = Annotated[str, typer.Option("--endpoint", metavar="NAME", help="The endpoint that it runs on.")]
DockerOption = Annotated[str, typer.Option("--docker", metavar="URL", help="How that endpoint's engine is reached.")]
OutFolderOption = Annotated[str, typer.Option("--out", metavar="DIR", help="Write state/ below this folder. Overwrites nothing.")]
OutputOption = Annotated[ConvertOutput, typer.Option("-o", "--output", help="What stdout carries.", envvar="DTNCTL_OUTPUT")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    below = typer.Typer(help=COMMANDS["convert"][1], no_args_is_help=True, rich_markup_mode=None)
    below.command("janus")(convert_janus_command)
    below.command("compose")(convert_compose_command)
    app.add_typer(below, name="convert")


def convert_janus_command(
    context: typer.Context,
    folder: FolderArgument,
    version: FromOption = None,
    active: ActiveOption = "",
    out: OutFolderOption = ".",
    output: OutputOption = ConvertOutput.text,
) -> None:
    """Write state files for a profile folder of Janus, and with --active for its sessions; report every line that is dropped or changed."""
    from dtnctl.repository.converting.janus import convert_janus

    live = (Path(active), active) if active else None
    era = None if version is None else ERAS[version]
    _finish(context, convert_janus(Path(folder), folder.rstrip("/"), era, live), out, output)


def convert_compose_command(
    context: typer.Context,
    file: FileArgument,
    endpoint: EndpointOption = "dtn1",
    docker: DockerOption = "unix:///run/docker.sock",
    out: OutFolderOption = ".",
    output: OutputOption = ConvertOutput.text,
) -> None:
    """Write state files for a compose file: a profile and a session for each service; report every line that is dropped or changed."""
    from dtnctl.repository.converting.compose import convert_compose

    _finish(context, convert_compose(Path(file), file, endpoint, docker), out, output)


def _finish(context: typer.Context, conversion: Conversion, out: str, output: ConvertOutput) -> None:
    """Write the files, validate them, and print the notes. Exit code 3 if a person must decide something."""
    from dtnctl.render.conversion import conversion_document, render_conversion
    from dtnctl.render.json import render_json
    from dtnctl.repository.converting.conversion import write_conversion

    invocation = context.ensure_object(Invocation)
    invocation.json = output is ConvertOutput.json
    notes = [(note.where, note.effect, note.text) for note in conversion.notes]
    files = write_conversion(conversion, Path(out), STATE_FOLDER)
    problems = _problems(Path(out))
    if output is ConvertOutput.json:
        sys.stdout.write(render_json(conversion_document(files, notes, problems)))
    else:
        sys.stdout.write(render_conversion(files, notes, problems))
    invocation.json = False  # the one document that is owed has been written
    refused = sum(1 for _, effect, _ in notes if effect == "refused")
    if refused or problems:
        raise PartialApplyError(
            f"{plural(refused + len(problems), 'line')} need a decision: those that are refused, and what validate finds"
        )
    say("next: read the notes, git diff, and dtnctl plan")


def _problems(root: Path) -> list[str]:
    from dtnctl.errors import ConfigError
    from dtnctl.repository.load import validate_state

    try:
        validate_state(root, STATE_FOLDER)
    except ConfigError as error:
        return [printable_text(str(problem)) for problem in error.problems]
    return []
