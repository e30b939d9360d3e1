"""`dtnctl endpoints add`: the one command that installs something on a host, its agent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from dtnctl.cli.messages import say
from dtnctl.cli.workplace import repository_root
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from dtn_agent.protocol import Host

    from dtnctl.installing.endpoints_add import AddRequest
    from dtnctl.model.site import Endpoint
    from dtnctl.repository.edit import Repository

NameArgument = Annotated[str, typer.Argument(help="The endpoint's name.")]
SshOption = Annotated[str, typer.Option("--ssh", metavar="USER@HOST", help="Login with root's rights, by itself or with sudo -n.")]
DockerOption = Annotated[str, typer.Option("--docker", metavar="URL", help="The engine; missing: the same login, ssh://USER@HOST.")]
InterfaceOption = Annotated[
    list[str], typer.Option("--interface", metavar="NETWORK=NIC", help="Which interface carries which network there; again for more.")
]
HostOption = Annotated[str, typer.Option("--host", help="Where control ports are reached; missing: taken from --docker.")]
AgentOption = Annotated[
    str,
    typer.Option(
        "--agent", metavar="URL", help="Where dtnctl reaches the agent: https://HOST:5050, or `ssh`: through --docker's login, on a socket."
    ),
]
GroupOption = Annotated[str, typer.Option("--group", metavar="NAME", help="With --agent ssh: who may open the socket; missing: docker.")]
ListenOption = Annotated[str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Where the agent listens.")]
WheelOption = Annotated[str, typer.Option("--wheel", metavar="FILE", help="Wheel of dtnctl; missing: made of the one that runs.")]
WheelhouseOption = Annotated[
    str, typer.Option("--wheelhouse", metavar="DIR", help="Folder with the wheels that the agent needs, for hosts without a package index.")
]
PrintOption = Annotated[bool, typer.Option("--print", help="Show what would be done, and do nothing.")]


def endpoints_add(
    name: NameArgument,
    ssh: SshOption,
    docker: DockerOption = "",
    interface: InterfaceOption = [],  # noqa: B006  # typer's way; it is never changed
    host: HostOption = "",
    agent: AgentOption = "",
    group: GroupOption = "",
    listen: ListenOption = "0.0.0.0:5050",  # the agent refuses callers without a certificate
    wheel: WheelOption = "",
    wheelhouse: WheelhouseOption = "",
    show: PrintOption = False,
) -> None:
    """Install an agent on a host over ssh, with certificates, and write the endpoint's file. Safe to repeat: only what differs is done."""
    from pathlib import Path

    from dtnctl.installing.endpoints_add import AddRequest, add_endpoint
    from dtnctl.installing.ssh_scripts import remote_of
    from dtnctl.repository.edit import Repository
    from dtnctl.runtime.clock import SystemClock

    remote = remote_of(ssh)
    request = AddRequest(
        name,
        remote,
        docker or remote.address.text,
        dict(_pair(item) for item in interface),
        host or None,
        agent or None,
        listen,
        group,
        Path(wheel) if wheel else None,
        Path(wheelhouse) if wheelhouse else None,
    )
    repository = Repository(repository_root(), STATE_FOLDER, SystemClock().now())
    if show:
        _print_plan(request, repository)
    else:
        add_endpoint(request, repository, say, partial(_ask, repository.root))


def _pair(text: str) -> tuple[str, str]:
    network, equals, interface = text.partition("=")
    if not equals or not network or not interface:
        raise UsageError(f"--interface {text}: expected NETWORK=NIC, such as data=ens1f0")
    return network, interface


def _print_plan(request: AddRequest, repository: Repository) -> None:
    from dtnctl.installing.endpoints_add import endpoint_of, render_plan
    from dtnctl.repository.edit import endpoint_file, endpoint_text

    endpoint, agent = endpoint_of(request)
    file = endpoint_file(repository, request.name)
    typer.echo(render_plan(request, endpoint, agent, file, endpoint_text(repository, endpoint)), nl=False)


def _ask(root: Path, name: str, endpoint: Endpoint) -> Host:
    from dtnctl.providers.agent.client import connect_agent
    from dtnctl.providers.timeouts import Timeouts

    observer = connect_agent(name, endpoint, read_only=True, root=root, timeouts=Timeouts())
    try:
        return observer.host()
    finally:
        observer.close()
