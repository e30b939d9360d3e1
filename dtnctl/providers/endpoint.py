"""The provider of an endpoint: its backend alone, or backend and agent together. Does no I/O, and imports what the endpoint needs alone."""

from __future__ import annotations

from dtnctl.providers.base import EndpointAccess, Engine, Observer
from dtnctl.providers.docker.engine import DockerEngine, DockerObserver


def observer_of(access: EndpointAccess) -> Observer:
    """A client that cannot write."""
    observer = _backend_observer(access)
    if access.endpoint.agent is None:
        return observer
    from dtnctl.providers.agent.client import connect_agent
    from dtnctl.providers.with_agent import ObserverWithAgent

    agent = connect_agent(access.name, access.endpoint, read_only=True, root=access.root, timeouts=access.timeouts, secrets=access.secrets)
    return ObserverWithAgent(observer, agent, access)


def engine_of(access: EndpointAccess) -> Engine:
    """A client that can."""
    engine = _backend_engine(access)
    if access.endpoint.agent is None:
        return engine
    from dtnctl.providers.agent.client import connect_agent
    from dtnctl.providers.with_agent import EngineWithAgent

    agent = connect_agent(access.name, access.endpoint, read_only=False, root=access.root, timeouts=access.timeouts, secrets=access.secrets)
    return EngineWithAgent(engine, agent, access)


def _backend_observer(access: EndpointAccess) -> Observer:
    if access.endpoint.kubernetes is None:
        return DockerObserver(access)
    from dtnctl.providers.kubernetes.engine import KubernetesObserver

    return KubernetesObserver(access)


def _backend_engine(access: EndpointAccess) -> Engine:
    if access.endpoint.kubernetes is None:
        return DockerEngine(access)
    from dtnctl.providers.kubernetes.engine import KubernetesEngine

    return KubernetesEngine(access)
