"""What an endpoint of the model shows to whoever looks at it."""

from __future__ import annotations

from collections.abc import Mapping

from dtn_agent.protocol import Host as Machine

from dtnctl.model.ledger import LedgerSeen
from dtnctl.model.resources import EndpointSeen, ImageSeen, ledger_name
from tests.properties.host import Host, functions_of


def endpoint_seen(host: Host, site: str, registry: Mapping[str, int]) -> EndpointSeen:
    """All of it; nothing of an endpoint that is silent. `registry` has the version of each image there."""
    if host.silence:
        return EndpointSeen(host.name, silence=host.silence)
    records = tuple(item for _, item in sorted(host.records.items()))
    machine, agent_silence = _answer_of_agent(host)
    return EndpointSeen(
        name=host.name,
        backend=host.backend,
        containers=tuple(sorted(host.containers.values(), key=lambda item: (item.name, item.id))),
        networks=tuple(sorted(host.networks.values(), key=lambda item: (item.name, item.id))),
        foreign=tuple(host.foreign),
        foreign_networks=tuple(host.foreign_networks),
        images=_images(host),
        volumes=dict(host.volumes),
        remote_digests={reference: f"sha256:{reference}{version}" for reference, version in sorted(registry.items())},
        ledger=LedgerSeen(True, records) if host.by_name(ledger_name(site)) is not None else LedgerSeen(),
        host=machine,
        agent_silence=agent_silence,
        engine_id=host.engine_id or f"engine of {host.name}",
        cpus=host.cpus,
        clock_ahead=host.clock_ahead,
    )


def _images(host: Host) -> Mapping[str, ImageSeen | None]:
    """Those that are there; where the backend pulls by itself, of those in use no more than their ids."""
    if not host.row.pulls:
        return {item.image_id: ImageSeen(item.image_id) for item in host.containers.values()}
    by_id = {item.id: item for item in host.images.values()}
    return {**{item.image_id: by_id.get(item.image_id) for item in host.containers.values()}, **host.images}


def _answer_of_agent(host: Host) -> tuple[Machine | None, str]:
    """What the endpoint's agent reports, or why it does not."""
    if host.agent is None:
        return None, ""
    host.agent.only(functions_of(host))
    return (None, host.agent.silence) if host.agent.silence else (host.agent.host(), "")
