"""A cluster that is an environment of a Portainer: its API server below a folder of Portainer's, and Portainer's key as the login.

Portainer passes calls on as the account that it has in the cluster for the key's user. It refuses a key that comes with an
`Authorization`, so that there is none.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dtnctl.errors import UnreachableError
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.portainer_fields import Portainer
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.errors import translated
from dtnctl.providers.docker.reach.portainer import await_tunnel, no_answer, pool_of, trusted_certificates
from dtnctl.providers.docker.reach.portainer_api import PortainerApi, key_headers
from dtnctl.providers.docker.reach.transport import Transport
from dtnctl.providers.kubernetes.login import Login

if TYPE_CHECKING:
    import ssl

    from dtnctl.model.environments import Environment


def login_behind_portainer(access: EndpointAccess) -> Login:
    """Asks Portainer which environment is meant, and waits until an edge agent has opened its tunnel."""
    kubernetes, settings = access.endpoint.kubernetes, access.endpoint.portainer
    assert kubernetes is not None and kubernetes.portainer is not None and settings is not None  # noqa: PT018  # what the model asks for
    address = kubernetes.portainer
    headers = key_headers(settings, kubernetes.text, access.secrets)
    pool = pool_of(address, settings, access.root)
    try:
        with translated(address, Transport(pool)):
            api = PortainerApi(pool, kubernetes.text, address.path, headers, access.timeouts)
            environment = _cluster_of(api, address)
            cluster = f"/api/endpoints/{environment.id}/kubernetes"
            if environment.is_edge:
                await_tunnel(api, environment, f"{cluster}/version", headers)
    finally:
        pool.close()
    host = f"[{address.host}]" if ":" in address.host else address.host
    return Login(
        f"{address.scheme.removeprefix('portainer+')}://{host}:{address.port}{address.path}{cluster}",
        trusted=_trusted(address, settings, access),
        headers=headers,
        unanswered=partial(no_answer, environment),
    )


def _cluster_of(api: PortainerApi, address: EngineAddress) -> Environment:
    assert address.environment is not None
    try:
        found = api.environment(address.environment)
    except LookupError as error:
        raise UnreachableError(f"{api.what}: {error}") from error
    if not found.is_kubernetes:
        raise UnreachableError(f"{api.what}: Portainer's environment {found.name} is no Kubernetes cluster; a Docker engine is `docker:`")
    return found


def _trusted(address: EngineAddress, settings: Portainer, access: EndpointAccess) -> ssl.SSLContext | bool:
    return True if address.scheme == "portainer+http" else trusted_certificates(settings.ca, access.root, str(address))
