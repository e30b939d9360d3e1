"""`dtnctl endpoints import portainer`: an endpoint file for each Docker environment of a Portainer. What is there is never overwritten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from pydantic import ValidationError

from dtnctl.errors import UsageError
from dtnctl.model.engine_addresses import EngineAddress, parse_engine
from dtnctl.model.environments import Environment, fits
from dtnctl.model.hosts import is_loopback, parse_host
from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.site import Document, Endpoint
from dtnctl.printable import printable_text
from dtnctl.repository.edit import LONGEST_NAME, Repository, free_name, write_endpoint

UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
KUBERNETES = (
    "is a Kubernetes cluster, which is not imported: an endpoint is one of its nodes; write `kubernetes: {portainer: …, node: …}` "
    "(docs/portainer.md)"
)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What was typed. `url` is Portainer's; `hosts`: by the endpoint's name, where the other endpoints reach it."""

    url: str
    portainer: Portainer
    hosts: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> EngineAddress:
        """Portainer's own, as that of any environment. UsageError if it is none."""
        try:
            return parse_engine(f"{self._start}/#1")
        except ValueError as error:
            raise UsageError(f"this is not the address of a Portainer; write https://HOST:PORT ({error})") from error

    @property
    def _start(self) -> str:
        return f"portainer+{self.url.rstrip('/')}"

    def address_of(self, environment: Environment) -> str:
        return f"{self._start}/{quote(environment.name, safe='')}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What becomes of an environment: a file for `endpoint`, or the `reason` why there is none. `is_open`: a person has to do something."""

    environment: Environment
    name: str = ""
    endpoint: Endpoint | None = None
    reason: str = ""
    is_open: bool = False

    @property
    def sentence(self) -> str:
        """Why it gets no file. An environment's name may hold anything, also what a terminal obeys."""
        return printable_text(f"{self.environment.name}: {self.reason}")


def plan_import(request: ImportRequest, found: Iterable[Environment], known: Mapping[str, Document[Endpoint]]) -> tuple[Imported, ...]:
    """What becomes of each, in the order of their names. Nothing is written. UsageError for what was typed wrong."""
    portainer, planned = request.address, list[Imported]()
    for environment in sorted(found, key=lambda item: (item.name, item.id)):
        taken = {item.name: item for item in planned if item.name}
        planned.append(_planned(request, portainer, environment, known, free_name(_valid(environment), taken)))
    unused = sorted(set(request.hosts) - {item.name for item in planned})
    if unused:
        raise UsageError(f"--host {unused[0]}=…: no environment becomes an endpoint of that name")
    return tuple(planned)


def write_import(planned: Iterable[Imported], repository: Repository) -> Iterator[str]:
    """Write the files, one after the other; a line for each environment."""
    for item in planned:
        if item.endpoint is None:
            yield item.sentence
        else:
            yield from write_endpoint(repository, item.name, item.endpoint).sentences


def _planned(
    request: ImportRequest, portainer: EngineAddress, environment: Environment, known: Mapping[str, Document[Endpoint]], name: str
) -> Imported:
    if environment.is_kubernetes:
        return Imported(environment, reason=KUBERNETES)
    if not environment.is_docker:
        return Imported(environment, reason="is no Docker engine")
    same = next((document for document in known.values() if _is_same(portainer, environment, document.value)), None)
    if same is not None:
        return Imported(environment, same.name, reason=f"is endpoint {same.name} already ({same.file})")
    if name in known:
        return Imported(environment, name, reason=f"there is an endpoint {name} already, another one ({known[name].file})", is_open=True)
    host = request.hosts.get(name) or _host(portainer, environment)
    if not host:
        return Imported(
            environment, name, reason=f"where the other endpoints reach it is not known; add --host {name}=ADDRESS", is_open=True
        )
    return Imported(environment, name, _endpoint(request, environment, host))


def _endpoint(request: ImportRequest, environment: Environment, host: str) -> Endpoint:
    try:
        return Endpoint(docker=parse_engine(request.address_of(environment)), portainer=request.portainer, host=host)
    except ValidationError as error:
        raise UsageError(f"--host {host}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def _valid(environment: Environment) -> str:
    """The environment's name with nothing in it but what names of endpoints may have."""
    text = UNFIT.sub("-", environment.name).strip("-_")[:LONGEST_NAME].rstrip("-_")
    return text or f"environment-{environment.id}"


def _is_same(portainer: EngineAddress, environment: Environment, endpoint: Endpoint) -> bool:
    """Whether the endpoint is this environment, by whatever its address says."""
    address = endpoint.address
    choice = address.environment
    if choice is None or (address.host.lower(), address.port, address.path) != (portainer.host.lower(), portainer.port, portainer.path):
        return False
    return fits(choice, environment)


def _host(portainer: EngineAddress, environment: Environment) -> str:
    """Its public address, that of its engine or agent, Portainer's own for an engine beside it; empty if other hosts reach none of them."""
    candidates = [environment.public_url]
    if not environment.streams:
        candidates.append(portainer.host)
    elif not environment.is_edge:  # the address of an edge agent is Portainer's own, as the agent sees it
        candidates.append(environment.url)
    return next((host for text in candidates if (host := _usable(text))), "")


def _usable(text: str) -> str:
    """The host of an address or of a URL; empty if other hosts cannot reach anything there."""
    try:
        host = parse_host(urlsplit(text if "://" in text else f"//{text}").hostname or "")
    except ValueError:
        return ""
    return "" if is_loopback(host) else host
