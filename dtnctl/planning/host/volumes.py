"""Volumes over NVMe-oF: exported by the agent of one endpoint, connected and mounted by those of others; volume_study.py decided what.

Order: target exported, connected, mounted, then the services; the reverse where no file declares it any more. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, assert_never

from dtnctl.model.actions import HostRequest, RemoveContainer, StopContainer
from dtnctl.model.hardware import cpu_numbers, nodes_of
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.plan import Cause, Change, Step
from dtnctl.model.resources import main_name
from dtnctl.model.secrets import SecretVariables
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.planning.choices.volume_ends import backing_text, hosts_text, portal_text
from dtnctl.planning.choices.volume_plans import MAKING, ExportPlan, Task, VolumePlan
from dtnctl.planning.choices.volumes import mount_folder
from dtnctl.planning.containers.compare import Difference
from dtnctl.planning.containers.host_part import NO_PART, HostPart
from dtnctl.planning.host.resource import HostResource, Planned, PlannedHost, PlannedService
from dtnctl.planning.refusal import blocked
from dtnctl.planning.step_ids import volume_step_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host, Interface
    from dtn_agent.protocol.volumes import ConnectVolume, ExportVolume, WithdrawVolume

WORDS: Mapping[Task, str] = {
    "unmount-volume": "unmounts",
    "disconnect-volume": "disconnects",
    "connect-volume": "connects",
    "mount-volume": "mounts",
}


class Volumes(HostResource):
    """Those that services of the endpoint mount, and those that it exports."""

    plural = "volumes over NVMe-oF"

    def names(self, site: Site, endpoint: Document[Endpoint], held: Held | None) -> Iterable[tuple[ChangeKind, str]]:
        del endpoint
        if held is not None:
            yield from (("volume", item.volume) for item in held.volumes if item.site == site.name)
            yield from (("volume", item.volume) for item in held.exports if item.site == site.name)

    def for_service(self, here: PlannedHost, planned: PlannedService) -> HostPart:
        plans = [plan for plan in here.volumes.of_service(planned.service) if plan.tasks]
        if not plans:
            return NO_PART
        name = planned.service.container
        held = [plan for plan in plans if plan.stops and any(main_name(item.name) == name for item in plan.active)]
        return HostPart(
            before=tuple(plan.last_step for plan in plans if plan not in held),
            between=tuple(plan.last_step for plan in held),
            lost=tuple(_lost(plan) for plan in held),
            is_drift=all(_is_drift(plan) for plan in held),
        )

    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        for export in here.volumes.exported:
            if export.endpoint == here.name:
                yield from _plan_export(here, export)
        for plan in here.volumes.connected:
            if plan.endpoint == here.name:
                yield from _plan_volume(here, plan, steps)


def _lost(plan: VolumePlan) -> Difference:
    """What a service must stop for: a mount reaches a container when it starts."""
    for found in plan.fields:
        return Difference(f"{plan.name}.{found.field}", found.before, found.after, forces_replace=False, cause=found.cause)
    return Difference(f"volume {plan.name}", "as it was", "connected again", forces_replace=False, cause=_other_target(plan))


def _other_target(plan: VolumePlan) -> Cause:
    assert plan.document is not None
    return Cause(f"volume {plan.name} gets another target", plan.document.file, plan.document.mark(("target",)).line, "target")


# --- the target ---------------------------------------------------------------------------------------------


def _plan_export(here: PlannedHost, plan: ExportPlan) -> Iterator[Planned]:
    if plan.refusal is not None and here.covers("volume", plan.name):
        yield blocked("volume", plan.name, here.name, plan.refusal), ()
    request = plan.request
    if request is None:
        return
    subject = f"volume {plan.name}"
    verb = "export" if request.do == "export-volume" else "withdraw"
    step = Step(plan.step, here.name, HostRequest(request, verb, subject, _secrets(plan.document, request)), plan.needs)
    if request.do == "withdraw-volume":
        assert plan.held is not None
        yield _withdrawal(here, plan, step, backing_text(plan.held.backing)), (step,)
        return
    assert plan.document is not None
    place = plan.document.file, plan.document.mark(("target",)).line, "target"
    backing, is_new = backing_text(request.backing), plan.held is None
    cause = plan.fields[0].cause if plan.fields else Cause("a session mounts it", *place)
    hosts = hosts_text(request.hosts, here.volumes.names)
    listens = ("listens at", portal_text(request.portal))
    yield (
        Change(
            mark="create" if is_new else "update",
            kind="volume",
            name=plan.name,
            endpoint=here.name,
            cause=cause,
            summary=f"exports {backing} to {hosts}" if is_new else f"changes the export of {backing} to {hosts}",
            fields=plan.fields,
            allocations=(("device", backing), listens, *_by(here.host, request.portal.address, backing)) if is_new else (),
            notes=tuple(_far_disk(here, request.portal.address, backing)),
            steps=(step.id,),
            is_drift=plan.held is not None and bool(plan.held.fault) and len(plan.fields) == 1,
            interrupts=_cut_text(here, plan),
        ),
        (step,),
    )


def _secrets(document: Document[NvmeVolume] | None, request: ExportVolume | WithdrawVolume | ConnectVolume) -> SecretVariables:
    """The keys that are sent with it."""
    if document is None or document.value.auth is None or request.do == "withdraw-volume":
        return ()
    return document.value.auth.variables(request.fingerprint)


def _withdrawal(here: PlannedHost, plan: ExportPlan, step: Step, backing: str) -> Change:
    return Change(
        mark="destroy",
        kind="volume",
        name=plan.name,
        endpoint=here.name,
        cause=Cause("no session mounts it any more"),
        summary=f"exports {backing} no more; what is on it stays",
        steps=(step.id,),
    )


def _cut_text(here: PlannedHost, plan: ExportPlan) -> str:
    """Whose volume is gone while it is exported otherwise."""
    users = [item for item in here.volumes.connected if item.name == plan.name and item.active]
    if not plan.cuts or not users:
        return ""
    names = [f"{seen.owner} on {item.endpoint}" for item in users for seen in item.active]
    return f"volume {plan.name} is gone for {', '.join(names)} while it is exported otherwise"


# --- who uses it --------------------------------------------------------------------------------------------


def _plan_volume(here: PlannedHost, plan: VolumePlan, steps: tuple[Step, ...]) -> Iterator[Planned]:
    if plan.refusal is not None and _is_meant(here, plan) and _is_running(plan):
        yield blocked("volume", plan.name, here.name, plan.refusal), ()
    if not plan.tasks:
        return
    made = _steps(here, plan, steps)
    yield _change(here, plan, made), made


def _is_meant(here: PlannedHost, plan: VolumePlan) -> bool:
    """Whether this run is about it, or about a service that has it: what cannot be done for that would look like nothing to do."""
    workable = {service.key for service in here.workable}
    return here.covers("volume", plan.name) or any(use.service.key in workable for use in plan.uses)


def _is_running(plan: VolumePlan) -> bool:
    """Whether no service says why it cannot be: all that use it run, or none does any more."""
    running = {main_name(item.name) for item in plan.active}
    return all(use.service.container in running for use in plan.uses)


def _steps(here: PlannedHost, plan: VolumePlan, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """One after the other; what is taken down waits for the containers that have it, what is made for the other end."""
    made: list[Step] = []
    released = _released(plan, steps)
    waits_for_target = True
    for task in plan.tasks:
        needs = (made[-1].id,) if made else released
        if task in MAKING and waits_for_target:
            needs, waits_for_target = (*needs, *plan.needs), False
        made.append(Step(volume_step_id(here.name, task, plan.name), here.name, _request(here, plan, task), tuple(dict.fromkeys(needs))))
    return tuple(made)


def _released(plan: VolumePlan, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The steps after which no container has the volume: they stop where they start again with it, else they are removed."""
    if not plan.stops:
        return ()
    names = {main_name(item.name) for item in plan.active}
    kind = StopContainer if plan.uses else RemoveContainer
    return tuple(sorted(step.id for step in steps if isinstance(step.action, kind) and main_name(step.action.container) in names))


def _request(here: PlannedHost, plan: VolumePlan, task: Task) -> HostRequest:
    from dtn_agent.protocol.volumes import DisconnectVolume, UnmountVolume

    site, name = here.site.name, plan.name
    match task:
        case "unmount-volume":
            return HostRequest(UnmountVolume(site=site, volume=name), "unmount", f"volume {name}")
        case "disconnect-volume":
            return HostRequest(DisconnectVolume(site=site, volume=name), "disconnect", f"volume {name}")
        case "connect-volume":
            assert plan.connection is not None
            return HostRequest(plan.connection, "connect", f"volume {name}", _secrets(plan.document, plan.connection))
        case "mount-volume":
            assert plan.mount is not None
            return HostRequest(plan.mount, "mount", f"volume {name}")
        case _:
            assert_never(task)


def _change(here: PlannedHost, plan: VolumePlan, steps: tuple[Step, ...]) -> Change:
    is_new, is_leaving = plan.held is None, not plan.uses
    place = (plan.document.file, plan.document.mark().line) if plan.document is not None else ("", 0)
    if is_leaving:
        cause = Cause("no session mounts it here any more", *place)
    elif is_new:
        cause = plan.uses[0].cause(f"session {plan.uses[0].service.session.name} mounts it")
    else:
        cause = plan.fields[0].cause if plan.fields else _other_target(plan)
    words = [WORDS[task] for task in plan.tasks]
    return Change(
        mark="create" if is_new else "destroy" if is_leaving else "update",
        kind="volume",
        name=plan.name,
        endpoint=here.name,
        cause=cause,
        summary=f"{' and '.join([', '.join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]} volume {plan.name}",
        fields=plan.fields,
        allocations=tuple(_choices(here, plan)) if is_new else (),
        notes=tuple(_notes(here, plan)),
        steps=tuple(step.id for step in steps),
        is_drift=_is_drift(plan),
        interrupts=_interrupts(plan),
    )


def _is_drift(plan: VolumePlan) -> bool:
    """Whether Git says what it said: only the kernel has it otherwise."""
    return plan.held is not None and bool(plan.fields) and all(item.field in ("connection", "mount") for item in plan.fields)


def _interrupts(plan: VolumePlan) -> str:
    if not plan.stops:
        return ""
    owners = sorted({item.owner for item in plan.active})
    return f"volume {plan.name} is gone for {', '.join(owners)} on {plan.endpoint} meanwhile"


def _choices(here: PlannedHost, plan: VolumePlan) -> Iterator[tuple[str, str]]:
    """Both ends: NIC, NUMA node and MTU stand in the plan."""
    assert plan.connection is not None
    portal = plan.connection.portal
    yield "target", portal_text(portal)
    if plan.connection.host_address is not None:
        yield from _by(here.host, plan.connection.host_address, "")
    if (there := here.volumes.target_host(plan)) is not None:
        yield from (("at the target", text) for _, text in _by(there, portal.address, ""))
    if plan.document is not None and plan.document.value.auth is not None:
        yield "auth", "DH-HMAC-CHAP, of both ends" if plan.document.value.auth.controller_key is not None else "DH-HMAC-CHAP, of the host"
    if plan.mount is not None:
        mode = "read-only" if plan.mount.mode == "ro" else "read-write"
        yield "file system", f"{plan.mount.file_system}, {mode}" + (", made if it is empty" if plan.mount.format else "")
        yield "mounted at", mount_folder(here.site, plan.name)
    yield (
        "direction",
        f"{plan.endpoint} writes to the target (push)" if plan.mode == "rw" else f"{plan.endpoint} reads from the target (pull)",
    )


def _notes(here: PlannedHost, plan: VolumePlan) -> Iterator[str]:
    if plan.connection is None or "connect-volume" not in plan.tasks:
        return
    writers = sorted({use.service.session.name for use in plan.uses if use.mount.mode == "rw"})
    if writers:
        yield (
            f"{', '.join(writers)} writes to it over the network: over a distance reading is faster than writing, so a target where the "
            "data is and `mode: ro` where it goes to is the better way round"
        )
    yield from _different_mtu(here, plan)
    yield from _far_cpus(here, plan)


# --- where it runs ------------------------------------------------------------------------------------------


def _with_address(host: Host, address: str) -> Interface | None:
    return next((item for item in host.facts.interfaces if any(text.partition("/")[0] == address for text in item.addresses)), None)


def _by(host: Host, address: str, backing: str) -> Iterator[tuple[str, str]]:
    """`ens1f0, node 1, mtu 9000`, and the disk's node where it is known."""
    nic = _with_address(host, address)
    assert nic is not None, f"{address} was read off an interface"
    node = f"node {nic.numa_node}, " if nic.numa_node is not None else ""
    yield "interface", f"{nic.name}, {node}mtu {nic.mtu}"
    if (node_of_disk := _node_of_disk(host, backing)) is not None:
        yield "disk", f"node {node_of_disk}"


def _node_of_disk(host: Host, backing: str) -> int | None:
    return next((disk.numa_node for disk in host.facts.block_devices if backing == f"/dev/{disk.name}"), None)


def _far_disk(here: PlannedHost, address: str, backing: str) -> Iterator[str]:
    nic, node = _with_address(here.host, address), _node_of_disk(here.host, backing)
    if nic is not None and None not in (nic.numa_node, node) and nic.numa_node != node:
        yield f"{backing} is on node {node}, interface {nic.name} is on node {nic.numa_node} (cross-socket)"


def _different_mtu(here: PlannedHost, plan: VolumePlan) -> Iterator[str]:
    """Over TCP the smaller one decides the size of packets; over RDMA also whether reads arrive at all."""
    assert plan.connection is not None
    there = here.volumes.target_host(plan)
    own = _with_address(here.host, plan.connection.host_address or "")
    other = _with_address(there, plan.connection.portal.address) if there is not None else None
    if own is not None and other is not None and own.mtu != other.mtu:
        yield f"interface {own.name} has mtu {own.mtu}, {other.name} at the target {other.mtu}: packets are as large as the smaller one"


def _far_cpus(here: PlannedHost, plan: VolumePlan) -> Iterator[str]:
    """Services that are pinned to CPUs of another socket than the interface."""
    assert plan.connection is not None
    nic = _with_address(here.host, plan.connection.host_address or "")
    for use in plan.uses:
        nodes = nodes_of(here.host, cpu_numbers(use.service.profile.cpu_set or ""))
        if nic is not None and nic.numa_node is not None and nodes and nic.numa_node not in nodes:
            on = " and ".join(map(str, nodes))
            yield f"CPUs of {use.service.session.name} are on node {on}, interface {nic.name} is on node {nic.numa_node} (cross-socket)"
