"""What a plan was made from, in short facts without secrets: what of it moved since explains why a plan has changed. Frozen values, no I/O.

Values of environment variables, arguments and options are left out: they may be secret, and a container with other ones has another id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import LABEL_COMMIT
from dtnctl.model.resources import ContainerSeen, EndpointSeen, ForeignSeen, NetworkSeen, Pairs, Snapshot

SHORT = 12  # characters of an id


@dataclass(frozen=True, slots=True)
class SeenObject:
    """One thing on an endpoint. `kind` is a word for people; `facts` are (label, value), in order. `owner`: the session or transfer."""

    endpoint: str
    kind: str
    name: str
    facts: Pairs = ()
    owner: str = ""


def basis_of(snapshot: Snapshot) -> tuple[SeenObject, ...]:
    """Everything that plans depend on, as far as it can be named, in the order of endpoints, kinds and names."""
    found = (item for _, seen in sorted(snapshot.endpoints.items()) for item in _on(seen))
    return tuple(sorted(found, key=lambda item: (item.endpoint, item.kind, item.name, item.facts)))


def _on(seen: EndpointSeen) -> Iterator[SeenObject]:
    here = seen.name
    yield SeenObject(here, "engine", "", _said(("id", seen.identity), ("silence", seen.silence), ("CPUs", str(seen.cpus or ""))))
    if seen.is_silent:
        return
    yield from (_container(here, item) for item in seen.containers)
    yield from (_network(here, "network", item) for item in seen.networks)
    yield from (_network(here, "network of others", item) for item in seen.foreign_networks)
    yield from (_foreign(here, item) for item in seen.foreign)
    for reference, image in seen.images.items():
        digest = seen.remote_digests.get(reference, "")
        yield SeenObject(here, "image", reference, _said(("id", image.id if image is not None else "not there"), ("registry", digest)))
    yield from (SeenObject(here, "image", f"{name} (refused by the engine)") for name in seen.image_troubles)
    yield from (SeenObject(here, "volume", item.name, _said(("driver", item.driver))) for item in seen.volumes.values())
    yield SeenObject(here, "record of transfers", "", (("readable", "yes" if seen.ledger.readable else "no"),))
    yield from (_attempt(here, item) for item in seen.ledger.attempts)
    yield from _on_host(seen)


def _said(*facts: tuple[str, str]) -> Pairs:
    return tuple((label, value) for label, value in facts if value)


def _container(endpoint: str, seen: ContainerSeen) -> SeenObject:
    kinds = {"service": "container", "transfer": "job", "server": "server"}
    spec = seen.spec
    addresses = ", ".join(f"{item.network} {item.ipv4 or item.ipv6}".strip() for item in spec.attachments)
    facts = _said(
        ("id", seen.id[:SHORT]),
        ("state", seen.state),
        ("health", seen.health),
        ("image", seen.image_id),
        ("memory", str(spec.memory or "")),
        ("cpus", f"{spec.cpus:g}" if spec.cpus else ""),
        ("cpu_set", spec.cpu_set),
        ("restart", spec.restart),
        ("network", spec.network),
        ("addresses", addresses),
        ("commit", seen.labels.get(LABEL_COMMIT, "")),
    )
    return SeenObject(endpoint, kinds.get(seen.kind, "container of the site"), seen.name, facts, seen.owner)


def _network(endpoint: str, kind: str, seen: NetworkSeen) -> SeenObject:
    spec = seen.spec
    facts = _said(
        ("id", seen.id[:SHORT]),
        ("driver", spec.driver),
        ("subnets", ", ".join(item.subnet for item in spec.subnets)),
        ("parent", spec.parent or spec.pf),
        ("mtu", str(spec.mtu or "")),
    )
    return SeenObject(endpoint, kind, seen.name, facts, seen.name)


def _foreign(endpoint: str, seen: ForeignSeen) -> SeenObject:
    ports = ", ".join(f"{port}/{protocol}" for port, protocol in sorted(seen.host_ports))
    addresses = ", ".join(f"{item.network} {item.ipv4 or item.ipv6}".strip() for item in seen.addresses)
    return SeenObject(
        endpoint, "container of others", seen.name, _said(("id", seen.id[:SHORT]), ("ports", ports), ("addresses", addresses))
    )


def _attempt(endpoint: str, item: Attempt) -> SeenObject:
    name = f"{item.transfer}, generation {item.generation}, try {item.attempt}"
    result = "released" if item.released else item.verdict or "started"
    facts = _said(("result", result), ("by", item.who), ("commit", item.commit), ("notified", item.notified))
    return SeenObject(endpoint, "record", name, facts, item.transfer)


def _on_host(seen: EndpointSeen) -> Iterator[SeenObject]:
    here, host = seen.name, seen.host
    if seen.agent_silence:
        yield SeenObject(here, "agent", "", (("silence", seen.agent_silence),))
    if host is None:
        return
    yield from (SeenObject(here, "setting", key, (("value", value or "(none)"),)) for key, value in host.readings.items())
    for interface in host.facts.interfaces:
        functions = str(interface.sriov.current) if interface.sriov is not None else ""
        shown = _said(("mtu", str(interface.mtu)), ("addresses", ", ".join(interface.addresses)), ("virtual functions", functions))
        yield SeenObject(here, "interface", interface.name, shown)
        for vf in interface.sriov.vfs if interface.sriov is not None else ():
            held = _said(("driver", vf.driver or "none"), ("holder", vf.holder), ("vlan", str(vf.vlan or "")), ("mac", vf.mac))
            yield SeenObject(here, "virtual function", vf.pci, held)
    for listener in host.facts.listeners:
        yield SeenObject(here, "port", f"{listener.address}:{listener.port}/{listener.protocol}", _said(("process", listener.process)))
    for vf_held in host.held.vfs:
        owner = vf_held.owner
        yield SeenObject(here, "held function", vf_held.pci, (("session", f"{owner.site}/{owner.session}"),), owner.session)
    yield from (SeenObject(here, "held setting", item.key, (("wanted", item.wanted),)) for item in host.held.tuning)
    yield from (SeenObject(here, "held VLAN", item.name, (("mtu", str(item.mtu or "")),)) for item in host.held.vlans)
