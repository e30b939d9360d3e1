"""What happens to an engine from outside, at a chosen call: somebody prunes everything, or the engine restarts."""

from __future__ import annotations

from tests.fakes import containers, networks
from tests.fakes.core import Engine


def prune_everything(engine: Engine) -> None:
    """`docker system prune -a --volumes -f`: what no running container uses goes, whoever made it."""
    state = engine.state
    for container in [found for found in state.containers.values() if not found.running]:
        containers.delete(engine, container)
    for network in [found for found in state.networks.values() if found.name not in networks.PREDEFINED]:
        if not networks.attached(engine, network):
            del state.networks[network.id]
    mounted = {mount.name for container in state.containers.values() for mount in container.mounts}
    state.volumes = {name: volume for name, volume in state.volumes.items() if name in mounted or volume.options}
    used = {container.image_id for container in state.containers.values()}
    state.images = {key: image for key, image in state.images.items() if key in used}


def restart(engine: Engine) -> None:
    """The engine and all its containers end; those start again whose restart policy says so."""
    for container in [found for found in engine.state.containers.values() if found.running and not found.restarting]:
        engine.processes.release(container, 137)
    engine.processes.restart_due()
