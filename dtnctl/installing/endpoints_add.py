"""`dtnctl endpoints add`: an agent on a host that one can log in to, and the endpoint's file here. Running it again is safe.

In this order: look at the host, certificates, install and start there, ask the agent for facts, write the file. What fails leaves what
was done before it, and the next run resumes there.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from dtnctl.errors import EngineError, UsageError
from dtnctl.installing import certificates
from dtnctl.installing.ssh_scripts import Remote
from dtnctl.installing.wheel import agent_requirements, wheel_of_ourselves
from dtnctl.model.agent_addresses import DEFAULT_PORT, AgentAddress, parse_agent
from dtnctl.model.fields import check_name
from dtnctl.model.site import AgentTls, Endpoint
from dtnctl.printable import plural
from dtnctl.repository.edit import Repository, write_endpoint

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

LOOK_SECONDS = 60.0
INSTALL_SECONDS = 900.0  # packages over a slow line, on a slow host
DEFAULT_LISTEN = f"0.0.0.0:{DEFAULT_PORT}"
TLS = AgentTls(ca=certificates.CA, cert=certificates.CLIENT, key=certificates.CLIENT_KEY)
Say = Callable[[str], None]
Ask = Callable[[str, Endpoint], "Host"]


@dataclass(frozen=True, slots=True)
class AddRequest:
    """What was typed. `agent` is where dtnctl will reach the agent, if that is not the host that ssh connects to.

    `group`: who may open the agent's unix socket; empty: as the agent has it.
    """

    name: str
    remote: Remote
    docker: str
    interfaces: Mapping[str, str] = field(default_factory=dict)
    host: str | None = None
    agent: str | None = None
    listen: str = DEFAULT_LISTEN
    group: str = ""
    wheel: Path | None = None
    wheelhouse: Path | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What is there: how one becomes root (empty: not at all), a Python that will do, and the certificate of an agent."""

    root: str
    python: str
    has_systemd: bool
    names: tuple[str, ...]
    certificate: bytes


def add_endpoint(request: AddRequest, repository: Repository, say: Say, ask: Ask) -> str:
    """Do all of it; the name of the written file. Raises UsageError, UnreachableError or EngineError where it cannot go on."""
    endpoint, agent = endpoint_of(request)
    say(f"{request.name}: looking at {request.remote.address}")
    found = check_host(parse_look(request.remote.run("sh look-at-host.sh", _scripts("look-at-host.sh"), LOOK_SECONDS)), request)
    sent = _certificates(request, found, repository, agent, say) if agent.scheme == "https" else {}
    source = "a wheelhouse" if request.wheelhouse else "packages from its index"
    say(f"{request.name}: installing the agent (python {found.python}, {source})")
    sent |= _package(request, agent) | _scripts("install-agent.sh")
    for line in request.remote.run(install_command(found), sent, INSTALL_SECONDS).splitlines():
        say(f"{request.name}: {line}")
    host = ask(request.name, endpoint)
    say(f"{request.name}: the agent answers {where(endpoint, agent)}: {describe(host)}")
    check_interfaces(request, host)
    edit = write_endpoint(repository, request.name, endpoint)
    for sentence in edit.sentences:
        say(sentence)
    return edit.file


def endpoint_of(request: AddRequest) -> tuple[Endpoint, AgentAddress]:
    """The endpoint as its file will say it, and its agent. UsageError if a file may not say that; known before anything is done."""
    try:
        check_name(request.name)
        agent = parse_agent(agent_text(request))
        _check_listen(request, agent)
        fields = {"docker": request.docker, "host": request.host, "agent": agent, "interfaces": dict(request.interfaces)}
        return Endpoint.model_validate(fields | ({"agent_tls": TLS} if agent.scheme == "https" else {})), agent
    except ValidationError as error:
        found = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise UsageError(f"{found}; or write state/endpoints/{request.name}.yaml first, it keeps what it says") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


def agent_text(request: AddRequest) -> str:
    """Where dtnctl reaches the agent: as typed, or the host that ssh connects to and the port that the agent listens on."""
    if request.agent is not None:
        return request.agent.rstrip("/")
    host, port = request.remote.host(), request.listen.rpartition(":")[2]
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def _check_listen(request: AddRequest, agent: AgentAddress) -> None:
    """ValueError if a port is asked for, and there is none, or a group, and there is no socket."""
    if agent.scheme != "https" and request.listen != DEFAULT_LISTEN:
        raise ValueError(f"--listen is for an agent on https://; --agent {agent} needs no port")
    if agent.scheme == "https" and request.group:
        raise ValueError("--group is for an agent on a unix socket; write --agent ssh, too")


def where(endpoint: Endpoint, agent: AgentAddress) -> str:
    """Where the agent answered."""
    match agent.scheme:
        case "https":
            return f"at {agent}"
        case "ssh":
            return f"on {agent.path}, through {endpoint.address}"
        case _:
            return f"on {agent.path}"


# --- the host ---------------------------------------------------------------------------------------------------------


def parse_look(text: str) -> Found:
    """What look-at-host.sh printed. Lines that are none of its own, such as a login's greeting, are passed over."""
    values: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and value.strip():
            values.setdefault(name, []).append(value.strip())

    def one(name: str) -> str:
        return values.get(name, [""])[0]

    names = tuple(dict.fromkeys(values.get("name", [])))
    return Found(one("root"), one("python"), bool(one("systemd")), names, base64.b64decode(one("certificate")))


def check_host(found: Found, request: AddRequest) -> Found:
    """The same, if an agent can be installed there; EngineError names everything that is missing."""
    lacks = []
    if not found.root:
        lacks.append("the login is not root, and `sudo -n` asks for a password; log in as root, or allow sudo without one")
    if not found.python:
        lacks.append("there is no Python from 3.11 on with venv; install one (Debian, Ubuntu: python3-venv)")
    if lacks:
        raise EngineError(f"{request.remote.address}: {'; '.join(lacks)}")
    return found


def install_command(found: Found) -> str:
    """How the script is run there."""
    return f"{'' if found.root == 'root' else 'sudo -n '}sh ./install-agent.sh {shlex.quote(found.python)}"


def _scripts(*names: str) -> dict[str, bytes]:
    return {name: files("dtnctl.installing").joinpath(name).read_bytes() for name in names}


# --- what is sent -----------------------------------------------------------------------------------------------------


def _certificates(request: AddRequest, found: Found, repository: Repository, agent: AgentAddress, say: Say) -> dict[str, bytes]:
    """The client CA, and a new certificate of the host's own unless the one there still serves."""
    site = repository.site().settings.value.name
    authority = certificates.ensure_authority(repository.root, site, repository.now)
    if certificates.ensure_client(repository.root, authority, site, repository.now):
        signed = f"our certificate is {certificates.CLIENT}, signed by {certificates.CA}"
        say(f"{request.name}: {signed}; keep {certificates.FOLDER}/ safe, Git ignores it")
    names = server_names(agent, found)
    if certificates.still_serves(found.certificate, authority, names, repository.now):
        return {"client-ca.pem": authority.certificate_pem}
    say(f"{request.name}: a new certificate for {', '.join(names)}")
    server = certificates.issue_server(authority, names, repository.now)
    return {"client-ca.pem": authority.certificate_pem, "server.pem": server.certificate_pem, "server.key": server.key_pem}


def server_names(agent: AgentAddress, found: Found) -> tuple[str, ...]:
    """Where it is reached, and how it calls itself."""
    return tuple(dict.fromkeys(filter(None, (agent.host, *found.names))))


def _package(request: AddRequest, agent: AgentAddress) -> dict[str, bytes]:
    name, content = (request.wheel.name, _read(request.wheel)) if request.wheel is not None else wheel_of_ourselves()
    sent = {name: content, "requirements.txt": "".join(f"{item}\n" for item in agent_requirements()).encode()}
    if agent.scheme != "https":
        group = f" --group {request.group}" if request.group else ""
        sent["listen"] = f"DTN_AGENT_LISTEN=--socket {agent.path}{group}\n".encode()
    if request.listen != DEFAULT_LISTEN:
        sent["options"] = f"DTN_AGENT_OPTIONS=--listen {request.listen}\n".encode()
    return sent | dict(_wheelhouse(request.wheelhouse))


def _wheelhouse(folder: Path | None) -> Iterator[tuple[str, bytes]]:
    if folder is None:
        return
    wheels = sorted(folder.glob("*.whl"))
    if not wheels:
        raise UsageError(f"there is no wheel in {folder}; fill it: pip download --dest {folder} {' '.join(agent_requirements())}")
    for wheel in wheels:
        yield f"wheelhouse/{wheel.name}", wheel.read_bytes()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


# --- what the agent reports -------------------------------------------------------------------------------------------


def describe(host: Host) -> str:
    """The host in one line, so that one sees whether it is the right one."""
    facts = host.facts
    nodes = len(facts.cpus.numa)
    parts = [
        facts.system.hostname,
        plural(facts.cpus.logical, "CPU") + (f" on {nodes} NUMA nodes" if nodes > 1 else ""),
        f"{facts.memory.total / 2**30:.0f} GiB",
        f"interfaces {', '.join(item.name for item in facts.interfaces if not item.kind) or 'none'}",
    ]
    return ", ".join(parts)


def check_interfaces(request: AddRequest, host: Host) -> None:
    """UsageError if a network was given an interface that the host does not have."""
    there = sorted(item.name for item in host.facts.interfaces)
    for network, interface in sorted(request.interfaces.items()):
        if interface not in there:
            raise UsageError(
                f"--interface {network}={interface}: {request.name} has no such interface; it has {', '.join(there) or 'none'}"
            )


# --- without doing it -------------------------------------------------------------------------------------------------


def render_plan(request: AddRequest, endpoint: Endpoint, agent: AgentAddress, file: str, file_text: str) -> str:
    """What would be done, for a user who wants to do it by hand, or to check first."""
    script = _scripts("install-agent.sh")["install-agent.sh"].decode()
    made = f"make {certificates.CA}, {certificates.CLIENT} and a certificate for {agent.host}, as far as they are missing"
    steps = [
        f"look at {request.remote.address} (how to become root, Python, the agent's certificate)",
        *([made] if agent.scheme == "https" else []),
        f"copy a wheel of dtnctl to the host, with {', '.join(agent_requirements())}, and run this there as root:\n{_indented(script)}",
        f"ask the agent {where(endpoint, agent)} for facts",
        f"write {file}:\n{_indented(file_text)}",
    ]
    return "".join(f"{number}. {step}\n" for number, step in enumerate(steps, start=1))


def _indented(text: str) -> str:
    return "\n".join(f"     {line}" if line else "" for line in text.splitlines())
