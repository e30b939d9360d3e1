"""The provider of an endpoint: its engine alone, or engine and agent together. Does no I/O, and imports the agent's client only for one."""

from __future__ import annotations

from dtnctl.providers.base import EndpointAccess, Engine, Observer
from dtnctl.providers.docker.engine import DockerEngine, DockerObserver


def observer_of(access: EndpointAccess) -> Observer:
    """A client that cannot write."""
    observer = DockerObserver(access)
    if access.endpoint.agent is None:
        return observer
    from dtnctl.providers.agent.client import connect_agent
    from dtnctl.providers.with_agent import ObserverWithAgent

    agent = connect_agent(access.name, access.endpoint, read_only=True, root=access.root, timeouts=access.timeouts, secrets=access.secrets)
    return ObserverWithAgent(observer, agent, access)


def engine_of(access: EndpointAccess) -> Engine:
    """A client that can."""
    engine = DockerEngine(access)
    if access.endpoint.agent is None:
        return engine
    from dtnctl.providers.agent.client import connect_agent
    from dtnctl.providers.with_agent import EngineWithAgent

    agent = connect_agent(access.name, access.endpoint, read_only=False, root=access.root, timeouts=access.timeouts, secrets=access.secrets)
    return EngineWithAgent(engine, agent, access)
