"""Attempts of transfers in the model: started once, claimed, served, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dtnctl.model.actions import FinishTransfer, RecordCancel, RecordEnd, StartTransfer
from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import server_labels, server_name, server_ports, transfer_labels
from dtnctl.model.resources import (
    ContainerSeen,
    ContainerSpec,
    ledger_name,
    transfer_name,
)
from tests.properties.host import ACTIVE, MOMENT, Host, doors_of

if TYPE_CHECKING:
    from tests.properties.world import World


def start_transfer(world: World, host: Host, action: StartTransfer) -> None:
    """Create, claim, start: three effects, so that a kill can fall between them."""
    key = (action.transfer, action.generation, action.attempt)
    assert host.by_name(ledger_name(world.site)) is not None, "a transfer starts without a ledger"
    source, destination = _service(world, action.source), _service(world, action.destination)
    assert action.destination.port in doors_of(destination.spec), "the job would knock at the wrong port"
    claim = host.records.get(key)
    if claim is not None and (claim.verdict is not None or claim.container not in host.containers):
        return
    name = transfer_name(world.site, *key)
    job = host.by_name(name)
    if job is None:
        spec = ContainerSpec(action.image, network=f"container:{source.id}")
        labels = dict(transfer_labels(world.site, host.name, *key))
        job = replace(world._owned(host, name, "transfer", action.transfer, spec), labels=labels)
        world._put(host, job)
    if claim is None:
        world._effect()
        host.records[key] = Attempt(*key, container=job.id, claimed_at=MOMENT)
    if action.destination.listens:
        _serve(world, action, destination)
    if not job.started_at:
        world._put(host, replace(job, state="running", started_at=MOMENT))
        world.starts[host.name, *key] = world.starts.get((host.name, *key), 0) + 1


def _serve(world: World, action: StartTransfer, destination: ContainerSeen) -> None:
    """The attempt's server runs beside the destination's service, on ports that no other one has."""
    host, key = world.hosts[action.destination.endpoint], (action.transfer, action.generation, action.attempt)
    name, ports = server_name(world.site, *key), action.destination.listens
    others = [item for item in host.containers.values() if item.kind == "server" and item.name != name]
    assert not any({*ports} & {*server_ports(item.labels)} for item in others), "two servers on one port"
    if host.by_name(name) is None:
        spec = ContainerSpec(action.image, network=f"container:{destination.id}")
        made = world._owned(host, name, "server", action.transfer, spec)
        labels = dict(server_labels(world.site, host.name, *key, ports))
        world._put(host, replace(made, labels=labels, state="running", started_at=MOMENT))


def _service(world: World, end: object) -> ContainerSeen:
    endpoint, container = getattr(end, "endpoint"), getattr(end, "container")  # noqa: B009  both are a JobEnd's
    assert not world.hosts[endpoint].silence, f"a transfer touches {endpoint}, which does not answer"
    seen = world._named(world.hosts[endpoint], container)
    assert seen.state == "running", f"a transfer uses {container} on {endpoint}, which is {seen.state}"
    return seen


def finish_transfer(world: World, host: Host, action: FinishTransfer) -> None:
    key = (action.transfer, action.generation, action.attempt)
    job = host.by_name(transfer_name(world.site, *key))
    if job is None:
        claimed = host.records.get(key)
        if claimed is not None and claimed.verdict is None:
            world._effect()
            host.records[key] = replace(claimed, verdict="unknown", cause="its container and its result are gone; it may have run")
        return
    claim = host.records.get(key) or Attempt(*key, container=job.id, claimed_at=MOMENT)
    if job.state in ACTIVE:
        job = replace(job, state="exited", exit_code=0)
        world._put(host, job)
    if claim.verdict is None:
        world._effect()
        host.records[key] = world.verdicts(claim)
    server = world.hosts[action.destination.endpoint].by_name(server_name(world.site, *key))
    if server is not None:
        world._effect()
        del world.hosts[action.destination.endpoint].containers[server.id]
    world._effect()
    del host.containers[job.id]


def record_cancel(world: World, host: Host, action: RecordCancel) -> None:
    key = (action.transfer, action.generation, action.attempt)
    job, claim = host.containers[action.id], host.records.get(key)
    assert job.state in ACTIVE, "what is to be stopped does not run"
    world._effect()
    claim = claim or Attempt(*key, container=job.id, claimed_at=MOMENT)
    if claim.verdict is None:
        host.records[key] = replace(claim, cause=action.cause)


def record_end(world: World, host: Host, action: RecordEnd) -> None:
    key = (action.transfer, action.generation, action.attempt)
    job, claim = host.containers[action.id], host.records.get(key)
    assert job.state not in ACTIVE, "the end of a job that runs is recorded"
    assert claim is None or claim.verdict is None, "a receipt is written over another one"
    world._effect()
    claim = claim or Attempt(*key, container=job.id, claimed_at=MOMENT)
    host.records[key] = replace(
        claim, verdict="cancelled" if action.is_stopped or claim.is_being_cancelled else "unknown", cause=action.cause
    )
