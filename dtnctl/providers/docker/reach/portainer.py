"""An engine that is an environment of a Portainer, behind Portainer's Docker proxy. What Portainer itself answers is in portainer_api.py.

docs/portainer.md says what users see of it; the facts were read in the source of CE 2.23 and seen on the running server.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.environments import Environment, EnvironmentChoice
from dtnctl.model.portainer_fields import Portainer
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.errors import translated
from dtnctl.providers.docker.reach.pool import DirectReads
from dtnctl.providers.docker.reach.portainer_api import ADMINISTRATOR, PortainerApi, key_headers
from dtnctl.providers.docker.reach.tls import TlsPool
from dtnctl.providers.docker.reach.transport import FollowUp, Transport
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.providers.timeouts import Timeouts

NODE_HEADER = "X-PortainerAgent-Target"
NO_TUNNEL = b"Unable to get the active tunnel"
NO_SOCKET = b"Unable to proxy the request via the Docker socket"
NOT_ALLOWED = b"orbidden to use"  # a security setting of the environment; sent with the same message
CHECK_INS = 3  # times that an edge agent may ask for work before it counts as away
TUNNEL_POLL = 0.2
UNANSWERED = (
    "Portainer got no answer from the engine of its environment {name}: is that up, and, if the key is not an administrator's, "
    "do the environment's security settings allow this?"
)


def reach_portainer(access: EndpointAccess, *, read_only: bool) -> Transport:
    """Asks Portainer which environment is meant, and waits until an edge agent has opened its tunnel."""
    address, settings = access.endpoint.address, access.endpoint.portainer
    assert settings is not None  # the model refuses the address without it
    assert address.environment is not None
    pool = pool_of(address, settings, access.root)
    try:
        with translated(address, Transport(pool)):
            headers = key_headers(settings, address.text, access.secrets)
            api = PortainerApi(pool, address.text, address.path, headers, access.timeouts)
            return _transport(api, address.environment, settings, read_only=read_only)
    except BaseException:
        pool.close()
        raise


def _transport(api: PortainerApi, choice: EnvironmentChoice, settings: Portainer, *, read_only: bool) -> Transport:
    environment = _docker_environment(api, choice)
    user = api.me()
    if user.role != ADMINISTRATOR:
        raise UnreachableError(
            f"{api.what}: the key is of {user.name}, who is no administrator of Portainer: it shows that user only some objects, "
            "and what others hold would count as free; use the key of an administrator"
        )
    docker = f"/api/endpoints/{environment.id}/docker"
    headers = {**api.headers, **({NODE_HEADER: settings.node} if settings.node is not None else {})}
    if environment.is_edge:
        await_tunnel(api, environment, f"{docker}/_ping", headers)
    team = 0 if settings.team is None or read_only else api.team(settings.team)
    return Transport(
        api.pool,
        f"{api.base}{docker}",
        headers,
        streams=environment.streams,
        keeps_records=True,
        node=settings.node or "",
        silent=lambda status, content: no_answer(environment, status, content),
        sifted=lambda path, items: _on_node(f"{api.what}: Portainer's environment {environment.name}", settings.node, path, items),
        made=lambda answer: _shared(api.base, answer, team),
    )


def _docker_environment(api: PortainerApi, choice: EnvironmentChoice) -> Environment:
    try:
        found = api.environment(choice)
    except LookupError as error:
        raise UnreachableError(f"{api.what}: {error}") from error
    if not found.is_docker:
        what = "a Kubernetes cluster" if found.is_kubernetes else "no Docker engine"
        raise UnreachableError(f"{api.what}: Portainer's environment {found.name} is {what}")
    return found


def all_environments(
    address: EngineAddress, what: str, settings: Portainer, root: Path, secrets: SecretSource, timeouts: Timeouts
) -> tuple[Environment, ...]:
    """All that the key is shown at this address; `what` is the address as people wrote it. UnreachableError says what to check."""
    pool = pool_of(address, settings, root)
    try:
        with translated(replace(address, text=what), Transport(pool)):
            return tuple(PortainerApi(pool, what, address.path, key_headers(settings, what, secrets), timeouts).environments())
    finally:
        pool.close()


def pool_of(address: EngineAddress, settings: Portainer, root: Path) -> DirectReads:
    """What asks the Portainer of an address."""
    if address.scheme == "portainer+http":
        return DirectReads(address.host, address.port)
    return TlsPool(address, trusted_certificates(settings.ca, root, str(address)))


def trusted_certificates(ca: str | None, root: Path, what: str) -> ssl.SSLContext:
    """The certificates that Portainer's is checked by, and nothing of the environment. UnreachableError names the file that is wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca is None:
        context.load_default_certs()
        return context
    path = root / ca
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise UnreachableError(f"{what}: `portainer: ca`: {path} holds no certificate (PEM)") from error
    except OSError as error:
        raise UnreachableError(f"{what}: `portainer: ca`: cannot read {path}: {error.strerror}") from error
    return context


# --- what Portainer answers for the engine -------------------------------------------------------------------


def no_answer(environment: Environment, status: int, content: bytes) -> str:
    """Why the engine is not reached, by an answer of Portainer's own; empty if the engine may have answered."""
    if status == 502 and not content.strip():
        return UNANSWERED.format(name=environment.name)
    if NO_TUNNEL in content:
        return f"the edge agent of Portainer's environment {environment.name} has opened no tunnel; is it running?"
    if NO_SOCKET in content and NOT_ALLOWED not in content:
        return f"Portainer does not reach the engine's socket of its environment {environment.name} ({environment.url})"
    return ""


def _on_node(what: str, node: str | None, path: str, items: list[Any]) -> list[Any]:
    """Agents of a Swarm answer lists for all nodes, also if one is named, and leave out nodes that they do not reach.

    Every node has networks, so that one without any is one that was left out. UnreachableError for that, and if no node is named.
    """
    nodes = {_node_of(item) for item in items} - {""}
    shown = ", ".join(sorted(nodes))
    if nodes and node is None:
        raise UnreachableError(f"{what} is a Swarm with an agent on each node; name one by `portainer: node:`: {shown}")
    if nodes and node not in nodes and path == "/networks":
        raise UnreachableError(f"{what} shows nothing of the node {node}, only of {shown}; is the agent there running?")
    return [item for item in items if _node_of(item) in ("", node)]


def _node_of(item: Mapping[str, Any]) -> str:
    return str(((item.get("Portainer") or {}).get("Agent") or {}).get("NodeName") or "")


def await_tunnel(api: PortainerApi, environment: Environment, ping: str, headers: Mapping[str, str]) -> None:
    """An edge agent opens its tunnel when it asks for work the next time; until then Portainer refuses, at once or after some time."""
    patience = CHECK_INS * environment.agents_wait
    end = time.monotonic() + patience + api.timeouts.login
    while True:
        answer = api.read(ping, headers, patience + api.timeouts.answer)
        if answer.status < 500 or NO_TUNNEL not in answer.content:
            return
        if time.monotonic() > end:
            raise UnreachableError(f"{api.what}: {no_answer(environment, answer.status, answer.content)}")
        time.sleep(TUNNEL_POLL)


def _shared(base: str, answer: Mapping[str, Any], team: int) -> FollowUp | None:
    """What opens an object to the team. Whatever its labels say, Portainer has made what is created private to the key's user."""
    control = (answer.get("Portainer") or {}).get("ResourceControl") or {}
    if not team or "Id" not in control:
        return None
    users = [item["UserId"] for item in control.get("UserAccesses") or ()]
    return FollowUp("PUT", f"{base}/api/resource_controls/{control['Id']}", {"Users": users, "Teams": [team]})
