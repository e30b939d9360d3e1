"""The steps and the change of one service: create, replace, update in place, start, stop, destroy. Pure.

A replacement stops the old container before the new one starts, since ports, addresses and pinned CPUs are exclusive; the
old one is kept under another name until the new one is healthy, and comes back if it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dtnctl.model.plan import (
    Action,
    Cause,
    Change,
    ConnectNetwork,
    CreateContainer,
    DisconnectNetwork,
    FieldChange,
    Mark,
    RemoveContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    Step,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.resources import LABEL_SPEC, RETIRED_SUFFIX, ContainerSeen, ContainerSpec, ImageSeen, Pairs
from dtnctl.planning.allocate import Allocation
from dtnctl.planning.compare import DECLARED_AS, Difference, compare_container, short_text
from dtnctl.planning.resolve import Service
from dtnctl.planning.specs import labels, spec_digest

SETTLE_SECONDS = 1.0  # a replacement without a health check must run for so long before the old container goes
RUNNING_STATES = frozenset({"running", "restarting"})


@dataclass(frozen=True, slots=True)
class Situation:
    """What a service should be, what is there, and which steps of others it waits for."""

    service: Service
    allocation: Allocation
    spec: ContainerSpec
    seen: ContainerSeen | None
    retired: ContainerSeen | None
    image: ImageSeen | None
    pulls: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    image_moves: str = ""
    rebuild: tuple[str, ...] = ()
    force_replace: bool = False

    @property
    def wants_running(self) -> bool:
        return self.service.session.value.state == "started"


@dataclass(slots=True)
class Chain:
    """Steps that follow each other on one container."""

    endpoint: str
    needs: tuple[str, ...]
    group: str = ""
    undo: RestoreContainer | None = None
    steps: list[Step] = field(default_factory=list)

    def add(self, verb: str, subject: str, action: Action, extra_needs: tuple[str, ...] = ()) -> str:
        """Append a step that needs the one before; returns its id."""
        before = (self.steps[-1].id,) if self.steps else self.needs
        step = Step(f"{self.endpoint}/{verb}/{subject}", self.endpoint, action, (*before, *extra_needs), self.group, self.undo)
        self.steps.append(step)
        return step.id


def plan_service(situation: Situation) -> tuple[Change | None, tuple[Step, ...]]:
    """The change of one service and its steps; None when nothing differs."""
    seen, retired = situation.seen, situation.retired
    if seen is None:
        return _replace_retired(situation, retired) if retired is not None else _create(situation)
    differences = _differences(situation, seen)
    if retired is not None:
        return _finish_replacement(situation, seen, retired, differences)
    if situation.rebuild or seen.state in ("dead", "removing") or any(difference.forces_replace for difference in differences):
        return _replace(situation, seen, differences)
    if differences:
        return _update(situation, seen, differences)
    return _change_state(situation, seen)


def _differences(situation: Situation, seen: ContainerSeen) -> tuple[Difference, ...]:
    differences = compare_container(situation.spec, seen, situation.image)
    if situation.image_moves and not any(difference.field == "image" for difference in differences):
        differences = (*differences, Difference("image", seen.spec.image, situation.image_moves, forces_replace=True))
    if situation.force_replace:
        differences = (*differences, Difference("container", "as wanted", "a new one, asked for by --replace", forces_replace=True))
    return differences


# --- create -------------------------------------------------------------------------------------------------


def _create(situation: Situation) -> tuple[Change, tuple[Step, ...]]:
    chain = Chain(situation.service.endpoint.name, situation.pulls)
    _make(situation, chain)
    if situation.service.profile.health_check is not None and situation.wants_running:
        _wait(situation, chain)
    cause = Cause("declared, not there", situation.service.session.file, situation.service.session.mark().line)
    return _change(situation, "create", cause, f"creates container {situation.service.container}", chain), tuple(chain.steps)


def _make(situation: Situation, chain: Chain) -> None:
    """Create, connect the further networks, start if it should run."""
    service, spec = situation.service, situation.spec
    pairs = labels(service.site.name, service.endpoint.name, "service", service.session.name, service.container, spec_digest(spec))
    chain.add("create", service.container, CreateContainer(service.container, spec, pairs), (*situation.pulls, *situation.networks))
    for attachment in spec.attachments:
        if attachment.network != spec.network:
            chain.add(f"connect.{attachment.network}", service.container, ConnectNetwork(service.container, attachment))
    if situation.wants_running:
        chain.add("start", service.container, StartContainer(service.container))


def _wait(situation: Situation, chain: Chain) -> None:
    check = situation.service.profile.health_check
    if check is None:
        action = WaitHealthy(situation.service.container, timeout=30.0, settle=SETTLE_SECONDS)
    else:
        timeout = check.start_period + (check.retries + 1) * (check.interval + check.timeout)
        action = WaitHealthy(situation.service.container, timeout=timeout, settle=0.0)
    chain.add("wait", situation.service.container, action)


# --- replace ------------------------------------------------------------------------------------------------


def _replace(situation: Situation, seen: ContainerSeen, differences: tuple[Difference, ...]) -> tuple[Change, tuple[Step, ...]]:
    service = situation.service
    chain = Chain(service.endpoint.name, situation.pulls)
    timeout = seen.spec.stop_timeout
    if situation.rebuild or not seen.started_at:
        # Nothing worth keeping (it never ran), or nothing to go back to (its network is made anew).
        if seen.state in RUNNING_STATES or seen.state == "paused":
            chain.add("stop", service.container, StopContainer(service.container, seen.id, timeout))
        chain.add("remove", service.container, RemoveContainer(service.container, seen.id))
        _make(situation, chain)
    else:
        chain.group = f"{service.endpoint.name}/{service.container}"
        chain.undo = RestoreContainer(service.container, seen.id, start=seen.state in RUNNING_STATES)
        if seen.state in RUNNING_STATES or seen.state == "paused":
            chain.add("stop", service.container, StopContainer(service.container, seen.id, timeout))
        chain.add("retire", service.container, RetireContainer(service.container, seen.id))
        _replacement(situation, chain, seen)
    fields = _field_changes(service, differences) + tuple(
        FieldChange(f"network {name}", "old", "made anew", True, service.cause("its network changes", "data_nets"))
        for name in situation.rebuild
    )
    cause = fields[0].cause if fields else Cause(f"it is {seen.state}", service.session.file, service.session.mark().line)
    summary = f"replaces container {service.container}"
    change = _change(situation, "replace", cause, summary, chain, fields, seen)
    return change, tuple(chain.steps)


def _replacement(situation: Situation, chain: Chain, old: ContainerSeen) -> None:
    """The new container, and the end of the old one once the new one is healthy."""
    _make(situation, chain)
    if situation.wants_running:
        _wait(situation, chain)
    name = situation.service.container
    chain.undo = None
    chain.add("remove", name + RETIRED_SUFFIX, RemoveContainer(name + RETIRED_SUFFIX, old.id))


def _replace_retired(situation: Situation, old: ContainerSeen) -> tuple[Change, tuple[Step, ...]]:
    """A replacement was cut off after the old container was set aside: go on, and back to it if that fails."""
    service = situation.service
    chain = Chain(
        service.endpoint.name,
        situation.pulls,
        group=f"{service.endpoint.name}/{service.container}",
        undo=RestoreContainer(service.container, old.id, start=situation.wants_running),
    )
    _replacement(situation, chain, old)
    cause = Cause("a replacement was cut off", service.session.file, service.session.mark().line)
    return _change(situation, "replace", cause, f"goes on to replace container {service.container}", chain, seen=old), tuple(chain.steps)


def _finish_replacement(
    situation: Situation, seen: ContainerSeen, old: ContainerSeen, differences: tuple[Difference, ...]
) -> tuple[Change, tuple[Step, ...]]:
    """Old and new are both there: make the new one right and healthy, then remove the old one."""
    service = situation.service
    chain = Chain(
        service.endpoint.name,
        situation.pulls,
        group=f"{service.endpoint.name}/{service.container}",
        undo=RestoreContainer(service.container, old.id, start=situation.wants_running),
    )
    is_fit = not differences and not situation.rebuild and (seen.state in RUNNING_STATES or not situation.wants_running)
    if is_fit:
        if situation.wants_running:
            _wait(situation, chain)
        chain.undo = None
        chain.add("remove", service.container + RETIRED_SUFFIX, RemoveContainer(service.container + RETIRED_SUFFIX, old.id))
    else:
        chain.add("remove", service.container, RemoveContainer(service.container, seen.id))
        _replacement(situation, chain, old)
    cause = Cause("a replacement was cut off", service.session.file, service.session.mark().line)
    mark: Mark = "update" if is_fit else "replace"
    summary = f"ends the replacement of container {service.container}"
    return _change(situation, mark, cause, summary, chain, _field_changes(service, differences), seen), tuple(chain.steps)


# --- in place -----------------------------------------------------------------------------------------------


def _update(situation: Situation, seen: ContainerSeen, differences: tuple[Difference, ...]) -> tuple[Change, tuple[Step, ...]]:
    service, spec = situation.service, situation.spec
    chain = Chain(service.endpoint.name, situation.pulls + situation.networks)
    changed = {difference.field for difference in differences}
    if changed - {"attachments"}:
        chain.add("update", service.container, _update_action(service.container, spec, changed))
    if "attachments" in changed:
        before = {attachment.network: attachment for attachment in seen.spec.attachments}
        after = {attachment.network: attachment for attachment in spec.attachments}
        for name in sorted(before.keys() | after.keys()):
            if name in before and before[name] != after.get(name):
                chain.add(f"disconnect.{name}", service.container, DisconnectNetwork(service.container, name))
            if name in after and after[name] != before.get(name):
                chain.add(f"connect.{name}", service.container, ConnectNetwork(service.container, after[name]))
    verb = _state_step(situation, seen, chain)
    fields = _field_changes(service, differences)
    summary = f"changes container {service.container} in place" + (f", {verb} it" if verb else "")
    return _change(situation, "update", fields[0].cause, summary, chain, fields, seen), tuple(chain.steps)


def _update_action(container: str, spec: ContainerSpec, changed: set[str]) -> UpdateContainer:
    return UpdateContainer(
        container,
        memory=spec.memory if "memory" in changed else None,
        cpus=spec.cpus if "cpus" in changed else None,
        cpu_set=spec.cpu_set if "cpu_set" in changed else None,
        memory_nodes=spec.memory_nodes if "memory_nodes" in changed else None,
        restart=spec.restart if "restart" in changed else None,
    )


def _change_state(situation: Situation, seen: ContainerSeen) -> tuple[Change | None, tuple[Step, ...]]:
    service = situation.service
    chain = Chain(service.endpoint.name, situation.pulls)
    verb = _state_step(situation, seen, chain)
    if not verb:
        return None, ()
    if verb == "starts" and service.profile.health_check is not None:
        _wait(situation, chain)
    state = seen.state + (f" (exit code {seen.exit_code})" if seen.state == "exited" else "")
    cause = service.cause(f"it is {state}, declared {service.session.value.state}", "state")
    mark = service.session.mark(("state",))
    cause = replace(cause, file=service.session.file, line=mark.line)
    fields = (FieldChange("state", state, service.session.value.state, False, cause),)
    return _change(situation, "update", cause, f"{verb} container {service.container}", chain, fields, seen), tuple(chain.steps)


def _state_step(situation: Situation, seen: ContainerSeen, chain: Chain) -> str:
    """Add the start or stop that is missing; the verb for the reader, or empty."""
    name = situation.service.container
    if situation.wants_running and seen.state not in RUNNING_STATES:
        chain.add("start", name, StartContainer(name))
        return "starts"
    if not situation.wants_running and (seen.state in RUNNING_STATES or seen.state == "paused"):
        chain.add("stop", name, StopContainer(name, seen.id, situation.spec.stop_timeout))
        return "stops"
    return ""


# --- destroy ------------------------------------------------------------------------------------------------


def plan_destroy(endpoint: str, seen: ContainerSeen, cause: Cause) -> tuple[Change, tuple[Step, ...]]:
    """Stop and remove a container that no file declares any more."""
    chain = Chain(endpoint, ())
    if seen.state in RUNNING_STATES or seen.state == "paused":
        chain.add("stop", seen.name, StopContainer(seen.name, seen.id, seen.spec.stop_timeout))
    chain.add("remove", seen.name, RemoveContainer(seen.name, seen.id))
    state = seen.state + (f" (exit code {seen.exit_code})" if seen.state == "exited" else "")
    change = Change(
        mark="destroy",
        kind="session",
        name=seen.owner,
        endpoint=endpoint,
        cause=cause,
        summary=f"removes container {seen.name}, {state}",
        steps=tuple(step.id for step in chain.steps),
        interrupts=f"{seen.owner} on {endpoint} ends" if seen.state in RUNNING_STATES else "",
    )
    return change, tuple(chain.steps)


# --- for the reader -----------------------------------------------------------------------------------------


def _change(
    situation: Situation,
    mark: Mark,
    cause: Cause,
    summary: str,
    chain: Chain,
    fields: tuple[FieldChange, ...] = (),
    seen: ContainerSeen | None = None,
) -> Change:
    service = situation.service
    choices = tuple(describe(service, situation.allocation, situation.spec))
    is_drift = seen is not None and seen.labels.get(LABEL_SPEC) == spec_digest(situation.spec)
    interrupts = f"{service.session.name} on {service.endpoint.name} is down from stop to start" if mark == "replace" else ""
    return Change(
        mark=mark,
        kind="session",
        name=service.session.name,
        endpoint=service.endpoint.name,
        cause=cause,
        summary=summary,
        fields=fields,
        allocations=choices if mark == "create" else (),
        kept=choices if mark == "replace" else (),
        notes=(f"image {situation.spec.image} is pulled first",) if situation.pulls and mark in ("create", "replace") else (),
        steps=tuple(step.id for step in chain.steps),
        is_drift=is_drift and mark != "create",
        interrupts=interrupts,
    )


def _field_changes(service: Service, differences: tuple[Difference, ...]) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(
            field=difference.field,
            before=difference.before,
            after=difference.after,
            forces_replace=difference.forces_replace,
            cause=_declared_cause(service, difference.field),
        )
        for difference in differences
    )


def _declared_cause(service: Service, field_name: str) -> Cause:
    head, _, key = field_name.partition(".")
    declared = DECLARED_AS.get(head, head)
    if declared == "env" and key in service.profile.env:
        return service.cause(f"{field_name} differs", "env", key)
    return service.cause(f"{field_name} differs", declared)


def describe(service: Service, allocation: Allocation, spec: ContainerSpec) -> Iterator[tuple[str, str]]:
    """Every concrete choice, as (label, value): what a person checks before saying yes."""
    yield "image", spec.image
    if allocation.ctrl_port:
        inside = service.profile.internal_port
        yield "ctrl_port", f"{allocation.ctrl_port}" + (f" → {inside} in the container" if inside else "")
    if allocation.serv_port:
        yield "serv_port", str(allocation.serv_port)
    data_ports = service.profile.data_port_range
    if data_ports is not None:
        yield "data_ports", f"{data_ports[0]}-{data_ports[1]}"
    if spec.network in ("host", "none"):
        yield "network", spec.network
    for attachment in spec.attachments:
        yield attachment.network, attachment.ipv4 or attachment.ipv6 or "address by the engine"
        if attachment.ipv4 and attachment.ipv6:
            yield attachment.network, attachment.ipv6
    if spec.cpu_set or spec.cpus:
        yield "cpus", spec.cpu_set or short_text(spec.cpus)
    if spec.memory:
        yield "memory", memory_text(spec.memory)


def memory_text(count: int) -> str:
    """Bytes in the largest binary unit that gives a whole number."""
    for unit, size in (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} B"


def holdings(spec: ContainerSpec) -> Pairs:
    """What the container holds exclusively while it runs, as (scope, item): ports of its endpoint, addresses of a network."""
    ports = [("port", f"{binding.host}/{binding.protocol}") for binding in spec.ports]
    addresses = [(item.network, address) for item in spec.attachments for address in (item.ipv4, item.ipv6) if address]
    return tuple(ports + addresses)
