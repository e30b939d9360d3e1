"""The provider of an endpoint: its engine alone, or engine and agent together. Does no I/O, and imports the agent's client only for one."""

from __future__ import annotations

from dtnctl.providers.docker.engine import DockerEngine, DockerObserver, Place


def observer_of(place: Place) -> DockerObserver:
    """A client that cannot write."""
    if place.endpoint.agent is None:
        return DockerObserver(place)
    from dtnctl.providers.with_agent import ObserverWithAgent

    return ObserverWithAgent(place)


def engine_of(place: Place) -> DockerEngine:
    """A client that can."""
    if place.endpoint.agent is None:
        return DockerEngine(place)
    from dtnctl.providers.with_agent import EngineWithAgent

    return EngineWithAgent(place)
