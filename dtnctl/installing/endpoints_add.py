"""`dtnctl endpoints add`: an agent on a host that one can log in to, and the endpoint's file here. Every step is said; again is no harm.

In this order: look at the host, certificates, install and start there, ask the agent for facts, write the file. What fails leaves what
was done before it, and the next try goes on from there.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import ValidationError

from dtnctl.errors import EngineError, UsageError
from dtnctl.installing import certificates
from dtnctl.installing.ssh_scripts import Remote
from dtnctl.installing.wheel import agent_requirements, wheel_of_ourselves
from dtnctl.model.fields import check_name
from dtnctl.model.site import AgentTls, Endpoint
from dtnctl.printable import plural
from dtnctl.repository.edit import Repository, write_endpoint
from dtnctl.values import dataclass

if TYPE_CHECKING:
    from dtn_agent.protocol import Host

LOOK_SECONDS = 60.0
INSTALL_SECONDS = 900.0  # packages over a slow line, on a slow host
DEFAULT_PORT = 5050
DEFAULT_LISTEN = f"0.0.0.0:{DEFAULT_PORT}"
TLS = AgentTls(ca=certificates.CA, cert=certificates.CLIENT, key=certificates.CLIENT_KEY)
Say = Callable[[str], None]
Ask = Callable[[str, Endpoint], "Host"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed. `url` is where dtnctl will reach the agent, if that is not the host that ssh connects to."""

    name: str
    remote: Remote
    docker: str
    interfaces: Mapping[str, str] = field(default_factory=dict)
    host: str | None = None
    url: str | None = None
    listen: str = DEFAULT_LISTEN
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


def add_endpoint(wish: Wish, repository: Repository, say: Say, ask: Ask) -> str:
    """Do all of it; the name of the written file. Raises UsageError, UnreachableError or EngineError where it cannot go on."""
    site = repository.site().settings.value.name
    url = agent_url(wish)
    endpoint = endpoint_of(wish, url)
    say(f"{wish.name}: looking at {wish.remote.address}")
    found = check_host(parse_look(wish.remote.run("sh look-at-host.sh", _scripts("look-at-host.sh"), LOOK_SECONDS)), wish)
    certificates = _certificates(wish, found, repository, site, url, say)
    say(f"{wish.name}: installing the agent (python {found.python}, {'a wheelhouse' if wish.wheelhouse else 'packages from its index'})")
    said = wish.remote.run(install_command(found), {**certificates, **_package(wish), **_scripts("install-agent.sh")}, INSTALL_SECONDS)
    for line in said.splitlines():
        say(f"{wish.name}: {line}")
    host = ask(wish.name, endpoint)
    say(f"{wish.name}: the agent answers at {url}: {describe(host)}")
    check_interfaces(wish, host)
    edit = write_endpoint(repository, wish.name, endpoint)
    for sentence in edit.sentences:
        say(sentence)
    return edit.file


def agent_url(wish: Wish) -> str:
    """Where dtnctl reaches the agent: as typed, or the host that ssh connects to and the port that the agent listens on."""
    if wish.url is not None:
        return wish.url.rstrip("/")
    host, port = wish.remote.host(), wish.listen.rpartition(":")[2]
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


def endpoint_of(wish: Wish, url: str) -> Endpoint:
    """The endpoint as its file will say it. UsageError if a file may not say that; known before anything is done."""
    try:
        check_name(wish.name)
        return Endpoint.model_validate(
            {"docker": wish.docker, "host": wish.host, "agent": url, "agent_tls": TLS, "interfaces": dict(wish.interfaces)}
        )
    except ValidationError as error:
        found = "; ".join(item["msg"].removeprefix("Value error, ") for item in error.errors())
        raise UsageError(f"{found}; or write state/endpoints/{wish.name}.yaml first, it keeps what it says") from error
    except ValueError as error:
        raise UsageError(str(error)) from error


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


def check_host(found: Found, wish: Wish) -> Found:
    """The same, if an agent can be installed there; EngineError says everything that is missing."""
    lacks = []
    if not found.root:
        lacks.append("the login is not root, and `sudo -n` asks for a password; log in as root, or allow sudo without one")
    if not found.python:
        lacks.append("there is no Python from 3.11 on with venv; install one (Debian, Ubuntu: python3-venv)")
    if lacks:
        raise EngineError(f"{wish.remote.address}: {'; '.join(lacks)}")
    return found


def install_command(found: Found) -> str:
    """How the script is run there."""
    return f"{'' if found.root == 'root' else 'sudo -n '}sh ./install-agent.sh {shlex.quote(found.python)}"


def _scripts(*names: str) -> dict[str, bytes]:
    return {name: files("dtnctl.installing").joinpath(name).read_bytes() for name in names}


# --- what is sent -----------------------------------------------------------------------------------------------------


def _certificates(wish: Wish, found: Found, repository: Repository, site: str, url: str, say: Say) -> dict[str, bytes]:
    """The client CA, and a new certificate of the host's own unless the one there still serves."""
    authority = certificates.ensure_authority(repository.root, site, repository.now)
    if certificates.ensure_client(repository.root, authority, site, repository.now):
        signed = f"our certificate is {certificates.CLIENT}, signed by {certificates.CA}"
        say(f"{wish.name}: {signed}; keep {certificates.FOLDER}/ safe, Git ignores it")
    names = server_names(url, found)
    if certificates.still_serves(found.certificate, authority, names, repository.now):
        return {"client-ca.pem": authority.certificate_pem}
    say(f"{wish.name}: a new certificate for {', '.join(names)}")
    server = certificates.issue_server(authority, names, repository.now)
    return {"client-ca.pem": authority.certificate_pem, "server.pem": server.certificate_pem, "server.key": server.key_pem}


def server_names(url: str, found: Found) -> tuple[str, ...]:
    """Where it is reached, and how it calls itself."""
    return tuple(dict.fromkeys(filter(None, (urlsplit(url).hostname, *found.names))))


def _package(wish: Wish) -> dict[str, bytes]:
    name, content = (wish.wheel.name, _read(wish.wheel)) if wish.wheel is not None else wheel_of_ourselves()
    sent = {name: content, "requirements.txt": "".join(f"{item}\n" for item in agent_requirements()).encode()}
    if wish.listen != DEFAULT_LISTEN:
        sent["options"] = f"DTN_AGENT_OPTIONS=--listen {wish.listen}\n".encode()
    return sent | dict(_wheelhouse(wish.wheelhouse))


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


# --- what the agent tells ---------------------------------------------------------------------------------------------


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


def check_interfaces(wish: Wish, host: Host) -> None:
    """UsageError if a network was given an interface that the host does not have."""
    there = sorted(item.name for item in host.facts.interfaces)
    for network, interface in sorted(wish.interfaces.items()):
        if interface not in there:
            raise UsageError(f"--interface {network}={interface}: {wish.name} has no such interface; it has {', '.join(there) or 'none'}")


# --- without doing it -------------------------------------------------------------------------------------------------


def render_plan(wish: Wish, url: str, file: str, file_text: str) -> str:
    """What would be done, for somebody who wants to do it by hand, or to know first."""
    script = _scripts("install-agent.sh")["install-agent.sh"].decode()
    steps = [
        f"1. look at {wish.remote.address} (how to become root, Python, the agent's certificate)",
        f"2. make {certificates.CA}, {certificates.CLIENT} and a certificate for {urlsplit(url).hostname}, as far as they are missing",
        f"3. copy a wheel of dtnctl to the host, with {', '.join(agent_requirements())}, and run this there as root:",
        *(f"     {line}" if line else "" for line in script.splitlines()),
        f"4. ask {url} for facts",
        f"5. write {file}:",
        *(f"     {line}" for line in file_text.splitlines()),
    ]
    return "\n".join(steps) + "\n"
