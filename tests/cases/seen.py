"""What `seen.yaml` of a case says, and the Snapshot that it stands for. README.md beside this file describes the form."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from dtnctl.model.impact import Progress
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.ownership import labels, spec_digest
from dtnctl.model.protection import LABEL_PROTECTED, MARKER_KIND, marker_name, protected_label
from dtnctl.model.resources import (
    LABEL_SPEC,
    Attachment,
    ContainerSeen,
    ContainerSpec,
    EndpointSeen,
    ForeignSeen,
    ImageSeen,
    Kind,
    LeaseSeen,
    NetworkSeen,
    NetworkSpec,
    Pairs,
    PortBinding,
    Snapshot,
    Subnet,
    ledger_name,
    service_name,
)
from dtnctl.model.site import Site
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.choices.hardware import Hardware
from dtnctl.planning.containers.compare import fill_in
from dtnctl.planning.containers.specs import container_spec, network_spec
from dtnctl.planning.resolve import resolve_services
from dtnctl.planning.scope import Scope
from tests.cases.form import Endpoint, Job, Live, LiveNetwork, Record, Seen
from tests.cases.told import machine_of, memory_nodes

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STARTED = "2026-05-31T12:00:00Z"


def read_seen(path: Path) -> Seen:
    return Seen.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def scope_of(seen: Seen) -> Scope:
    asked = seen.asked
    lists = tuple(asked.targets), tuple(asked.excludes), tuple(asked.replace)
    more = {"override_freeze": asked.override_freeze, "interrupt": tuple(asked.interrupt), "defer": asked.defer}
    return Scope(*lists, asked.prune, asked.destroy, **more)  # type: ignore[arg-type]  # of different types


def snapshot_of(site: Site, seen: Seen) -> Snapshot:
    jobs = ((key.partition(".")[0], job) for endpoint in seen.endpoints.values() for key, job in endpoint.jobs.items())
    progress = {transfer: Progress(job.moved, job.total) for transfer, job in jobs if job.moved is not None}
    return Snapshot({name: _endpoint(site, name, seen.endpoints[name]) for name in sorted(seen.endpoints)}, progress)


def image_of(reference: str, version: int) -> ImageSeen:
    return ImageSeen(
        id=f"sha256:{reference}.{version}",
        digests=(f"repo@sha256:{version:012d}",),
        env=(("PATH", "/usr/bin"),),
        command=("serve",),
    )


def _endpoint(site: Site, name: str, seen: Endpoint) -> EndpointSeen:
    if seen.silent:
        return EndpointSeen(name, silence=seen.silent)
    row = site.endpoints[name].value.backend()
    images = {reference: image_of(reference, version) for reference, version in seen.images.items()}
    images = images if row.pulls else {reference: ImageSeen(reference) for reference in _image_names(site, name, seen)}
    by_id = {image.id: image for image in images.values()}
    containers = [_container(site, name, key, live, images) for key, live in seen.containers.items()]
    containers += [_job(site, name, key, job) for key, job in seen.jobs.items()]
    containers += [_marker(site, name, session, record) for session, record in seen.markers.items()]
    if seen.ledger is not None:
        containers.append(_owned(site, name, ledger_name(site.name), "ledger", "control", ContainerSpec("dtnctl/empty:1")))
    return EndpointSeen(
        name=name,
        backend=row.name if not row.pulls else "",
        containers=tuple(containers),
        networks=tuple(_network(site, name, key, network) for key, network in seen.networks.items()),
        foreign=tuple(
            ForeignSeen(key, f"id-{key}", tuple((port, "tcp") for port in item.ports), _attachments(item.addresses))
            for key, item in seen.foreign.items()
        ),
        foreign_networks=tuple(NetworkSeen(key, f"id-{key}", {}, _plain_network(item)) for key, item in seen.foreign_networks.items()),
        images={**{item.image_id: by_id.get(item.image_id) for item in containers}, **images},
        remote_digests={reference: f"sha256:{version:012d}" for reference, version in seen.registry.items()},
        ledger=LedgerSeen(True, tuple(_attempt(item) for item in seen.ledger)) if seen.ledger is not None else LedgerSeen(),
        lease=LeaseSeen("id-lease", seen.lease) if seen.lease else None,
        host=machine_of(site, name, seen.host) if seen.host is not None else None,
        agent_silence=seen.agent_silent,
    )


def _image_names(site: Site, name: str, seen: Endpoint) -> set[str]:
    """Those that a backend which pulls by itself is asked for, or has."""
    wanted = {item.image for item in resolve_services(site, NOW) if item.endpoint.name == name}
    return wanted | {live.image for live in seen.containers.values() if live.image}


def _attachments(addresses: dict[str, str]) -> tuple[Attachment, ...]:
    found = ((network, *(address.split() or [""])) for network, address in addresses.items())
    return tuple(sorted(Attachment(network, *_families(texts)) for network, *texts in found))


def _families(texts: list[str]) -> tuple[str, str]:
    return next((text for text in texts if "." in text), ""), next((text for text in texts if ":" in text), "")


def _container(site: Site, endpoint: str, key: str, live: Live, images: dict[str, ImageSeen]) -> ContainerSeen:
    session = key.removesuffix("..old")
    attachments = tuple(replace(item, vf=live.functions.get(item.network, "")) for item in _attachments(live.addresses))
    hardware = Hardware(cpu_set=live.cpus, memory_nodes=memory_nodes(live.cpus), verbs=tuple(live.verbs))
    allocation = Allocation(live.ctrl_port, live.serv_port, attachments, hardware=hardware)
    services = (item for item in resolve_services(site, NOW) if item.key == (endpoint, session))
    declared = next((container_spec(item, allocation) for item in services), None)
    spec = declared if declared is not None else _plain_container(live, allocation)
    digest = spec_digest(spec) if live.git == "same" else "another"
    reference = live.image or spec.image
    image = images.get(reference, image_of(reference, 1))
    spec = replace(fill_in(spec, image), image=reference, **live.change)  # type: ignore[arg-type]  # strange values make strange plans
    spec = replace(spec, env=tuple(sorted({**dict(spec.env), **live.env}.items())))
    seen = _owned(site, endpoint, service_name(site.name, key), "service", session, spec)
    is_active = live.state in ("running", "paused", "restarting")
    return replace(
        seen,
        labels={**seen.labels, LABEL_SPEC: digest, **dict(protected_label(live.protected))},
        image_id=image.id,
        state=live.state,
        exit_code=live.exit_code,
        health=live.health,
        started_at="" if live.state == "created" else STARTED,
        addresses=attachments if is_active else (),
    )


def _marker(site: Site, endpoint: str, session: str, record: str) -> ContainerSeen:
    seen = _owned(site, endpoint, marker_name(site.name, session), MARKER_KIND, session, ContainerSpec("dtnctl/empty:1"))
    return replace(seen, labels={**seen.labels, LABEL_PROTECTED: record})


def _plain_container(live: Live, allocation: Allocation) -> ContainerSpec:
    """Of a session that the state does not declare on the endpoint (any more)."""
    ports = (PortBinding(live.ctrl_port, live.ctrl_port),) if live.ctrl_port else ()
    env: Pairs = (("CTRL_PORT", str(live.ctrl_port or "")),)
    primary = allocation.attachments[0].network if allocation.attachments else "bridge"
    hardware = allocation.hardware
    return ContainerSpec(
        live.image or "dtn:1",
        env=env,
        cpu_set=hardware.cpu_set,
        memory_nodes=hardware.memory_nodes,
        network=primary,
        attachments=allocation.attachments,
        ports=ports,
    )


def _owned(site: Site, endpoint: str, name: str, kind: Kind, owner: str, spec: ContainerSpec) -> ContainerSeen:
    pairs = labels(site.name, endpoint, kind, owner, name.removesuffix("..old"))
    return ContainerSeen(name, f"id-{name}", dict(pairs), spec, f"sha256:{spec.image}", "created")


def _job(site: Site, endpoint: str, key: str, job: Job) -> ContainerSeen:
    spec = ContainerSpec("dtn:1", network=f"container:id-{service_name(site.name, job.session)}")
    seen = _owned(site, endpoint, f"{site.name}.{key}", "transfer", key.partition(".")[0], spec)
    return replace(seen, state=job.state, exit_code=job.exit_code, started_at="" if job.state == "created" else STARTED)


def _network(site: Site, endpoint: str, key: str, network: LiveNetwork) -> NetworkSeen:
    declared = network_spec(key, site.networks[key].value, site.endpoints[endpoint].value) if key in site.networks else None
    spec = _plain_network(network) if declared is None or network.driver else declared
    digest = spec_digest(declared) if declared is not None and network.git == "same" else "another"
    return NetworkSeen(key, f"id-{key}", dict(labels(site.name, endpoint, "network", key, key, digest)), replace(spec, **network.options))


def _plain_network(network: LiveNetwork) -> NetworkSpec:
    subnets = tuple(Subnet(subnet) for subnet in network.subnets)
    return NetworkSpec(network.driver or "bridge", subnets=subnets)


def _attempt(record: Record) -> Attempt:
    return Attempt(
        record.transfer,
        record.generation,
        record.attempt,
        container=record.container,
        claimed_at=STARTED,
        released=record.released,
        verdict=record.verdict,
        cause=record.cause,
        retryable=record.retryable,
        bytes=record.bytes,
        seconds=record.seconds,
        finished_at=STARTED if record.verdict else "",
        verified=record.verified,
    )
