"""What happens to an engine from outside, at a chosen call: somebody prunes everything, or the engine restarts."""

from __future__ import annotations

from tests.fakes import containers, images, networks
from tests.fakes.core import Engine


def prune_everything(engine: Engine) -> None:
    """`docker system prune -a --volumes -f`: what no running container uses goes, whoever made it."""
    containers.prune(engine, {})
    networks.prune(engine, {})
    containers.prune_volumes(engine, {})
    images.prune(engine, everything=True)


def restart(engine: Engine) -> None:
    """The engine and all its containers end; those start again whose restart policy says so."""
    for container in [found for found in engine.state.containers.values() if found.running and not found.restarting]:
        engine.processes.release(container, 137)
    engine.processes.restart_due()
