"""`dtnctl endpoints import`: endpoint files for the hosts that another program manages."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli.workplace import repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import PartialApplyError, UsageError
from dtnctl.printable import plural

if TYPE_CHECKING:
    from dtnctl.installing.portainer_import import Imported, ImportRequest
    from dtnctl.model.environments import Environment
    from dtnctl.model.portainer_fields import Portainer
    from dtnctl.repository.edit import Repository


class Manager(enum.StrEnum):
    """What manages the hosts."""

    portainer = "portainer"


ManagerArgument = Annotated[Manager, typer.Argument(help="What manages them.")]
UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="Its address: https://HOST:PORT.")]
KeyOption = Annotated[
    str, typer.Option("--key", metavar="REFERENCE", help="Its access token (API key): env:NAME, file:PATH or sops:FILE#KEY.PATH.")
]
CaOption = Annotated[
    str, typer.Option("--ca", metavar="FILE", help="CA certificate (PEM), relative to the repository's root; missing: this machine's.")
]
TeamOption = Annotated[str, typer.Option("--team", help="Team whose members see what dtnctl makes; missing: administrators alone.")]
HostOption = Annotated[
    list[str], typer.Option("--host", metavar="NAME=ADDRESS", help="Where the other endpoints reach an endpoint; again for more.")
]
PrintOption = Annotated[bool, typer.Option("--print", help="Show the files, and write nothing.")]


def endpoints_import(
    manager: ManagerArgument,
    url: UrlArgument,
    key: KeyOption = "env:PORTAINER_KEY",
    ca: CaOption = "",
    team: TeamOption = "",
    host: HostOption = [],  # noqa: B006  # typer's way; it is never changed
    show: PrintOption = False,
) -> None:
    """Write an endpoint file for each Docker environment of a Portainer. Overwrites nothing; safe to repeat."""
    from dtnctl.installing.portainer_import import ImportRequest, plan_import, write_import
    from dtnctl.repository.edit import Repository
    from dtnctl.runtime.clock import SystemClock

    del manager
    repository = Repository(repository_root(), STATE_FOLDER, SystemClock().now())
    request = ImportRequest(url, _settings(key, ca, team), dict(_pair(item) for item in host))
    planned = plan_import(request, _environments(request, repository), repository.site().endpoints)
    for line in _shown(planned, repository) if show else write_import(planned, repository):
        typer.echo(line)
    left = sum(item.is_open for item in planned)
    if left:
        raise PartialApplyError(f"{plural(left, 'environment')} {'has' if left == 1 else 'have'} no file: what is missing is said above")


def _settings(key: str, ca: str, team: str) -> Portainer:
    from pydantic import ValidationError

    from dtnctl.model.portainer_fields import Portainer

    try:
        return Portainer.model_validate({"key": {"secret": key}, "ca": ca or None, "team": team or None})
    except ValidationError as error:
        # `from None`: what was typed may be the key itself.
        option = error.errors()[0]["loc"][0]
        raise UsageError(f"--{option}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, address = text.partition("=")
    if not equals or not name or not address:
        raise UsageError(f"--host {text}: expected NAME=ADDRESS, such as starlight-dtn=165.124.33.182")
    return name, address


def _environments(request: ImportRequest, repository: Repository) -> tuple[Environment, ...]:
    import os

    from dtnctl.providers.docker.reach.portainer import all_environments
    from dtnctl.providers.secrets.source import SecretSource
    from dtnctl.providers.timeouts import Timeouts

    secrets = SecretSource(repository.root, os.environ)
    return all_environments(request.address, request.url, request.portainer, repository.root, secrets, Timeouts())


def _shown(planned: tuple[Imported, ...], repository: Repository) -> list[str]:
    from dtnctl.repository.edit import endpoint_file, endpoint_text

    lines = []
    for item in planned:
        if item.endpoint is None:
            lines.append(f"# {item.sentence}")
        else:
            lines += [f"# {endpoint_file(repository, item.name)}", endpoint_text(repository, item.endpoint).rstrip("\n")]
    return lines
