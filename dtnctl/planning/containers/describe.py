"""What a person reads of a service's steps: the change with its cause, what differs, and every concrete choice. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    DisconnectNetwork,
    PromoteContainer,
    RemoveContainer,
    ReplaceContainer,
    StartContainer,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.drivers import HOST_NETWORK, NO_NETWORK
from dtnctl.model.impact import Cut
from dtnctl.model.plan import Cause, Change, FieldChange, Mark, Step
from dtnctl.model.resources import ContainerSeen, ContainerSpec
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.choices.hardware import Hardware
from dtnctl.planning.choices.holdings import ACTIVE_STATES, port_number
from dtnctl.planning.containers.compare import DECLARED_AS, Difference, short_text, size_text
from dtnctl.planning.containers.powers import powers_of
from dtnctl.planning.containers.services import Situation
from dtnctl.planning.resolve import Service

TAKING = (DisconnectNetwork, RemoveContainer, StopContainer)
CHANGING = (ConnectNetwork, DisconnectNetwork, StartContainer, StopContainer, UpdateContainer, RemoveContainer)


def service_change(situation: Situation, steps: tuple[Step, ...]) -> Change:
    """The change that the steps of one service are."""
    service, mark = situation.service, _mark(situation, steps)
    fields = tuple(_fields(situation))
    choices = tuple(describe(service, situation.allocation, situation.spec))
    before = _choices_before(situation)
    kept = tuple(choice for choice in choices if choice in before)
    is_pulled = bool(situation.pulls) and mark in ("create", "replace")
    interrupts = _interrupts(situation, steps)
    return Change(
        mark=mark,
        kind="session",
        name=service.session.name,
        endpoint=service.endpoint.name,
        cause=_cause(situation, fields),
        summary=_summary(situation, mark, steps),
        fields=fields,
        allocations=choices if mark == "create" else tuple(choice for choice in choices if mark == "replace" and _is_new(choice, kept)),
        kept=kept if mark == "replace" else (),
        notes=(
            *((f"image {situation.spec.image} is pulled first",) if is_pulled else ()),
            *_left_behind(situation),
            *_readiness(situation, steps),
            *_lost_with_it(situation, steps),
            *situation.allocation.hardware.notes,
        ),
        steps=tuple(step.id for step in steps),
        is_drift=situation.is_drift,
        may_be_drift=situation.may_be_drift,
        interrupts=interrupts,
        powers=powers_of(service, situation.allocation, situation.spec) if _gives_something(situation, steps) else (),
        cuts=situation.jobs if interrupts else (),
    )


def _gives_something(situation: Situation, steps: tuple[Step, ...]) -> bool:
    """Whether a container is made, changed or started; what is only stopped or cleaned up is given nothing."""
    released = [step.action for step in situation.host.to_release]
    return not all(isinstance(step.action, TAKING) or step.action in released for step in steps)


def _mark(situation: Situation, steps: tuple[Step, ...]) -> Mark:
    if not _creates(steps):
        return "update"
    return "replace" if situation.old else "create"


def _summary(situation: Situation, mark: Mark, steps: tuple[Step, ...]) -> str:
    container = situation.service.container
    if situation.retired is not None:
        return f"resumes replacing container {container}" if mark == "replace" else f"completes the replacement of container {container}"
    starts = _starts(steps)
    if mark != "update":
        return f"{mark}s container {container}" + (
            "" if starts else f" without starting it: it is declared {situation.service.session.value.state}"
        )
    if situation.prepared is not None and all(_is_of_prepared(situation, step) for step in steps):
        return f"removes container {situation.prepared.name}"
    if not situation.host.to_set and not any(isinstance(step.action, CHANGING) for step in steps):
        return f"releases virtual functions that container {container} does not use"
    verbs = [f"changes container {container} in place"] if situation.differences else []
    stops = any(isinstance(step.action, StopContainer) for step in steps)
    if starts or stops:
        verb = {(True, True): "restarts", (True, False): "starts", (False, True): "stops"}[starts, stops]
        verbs.append(f"{verb} it" if verbs else f"{verb} container {container}")
    return ", ".join(verbs)


def _cause(situation: Situation, fields: tuple[FieldChange, ...]) -> Cause:
    session = situation.service.session
    place = session.file, session.mark().line
    if situation.retired is not None:
        return Cause("a replacement was cut off", *place)
    if fields:
        return fields[0].cause
    return Cause("declared, not there" if situation.seen is None else "a replacement was cut off", *place)


def _left_behind(situation: Situation) -> Iterator[str]:
    """What a replacement left that was cut off before it interrupted anything."""
    if situation.prepared is not None:
        yield f"container {situation.prepared.name}, left by a replacement that was cut off, is removed first"


def _readiness(situation: Situation, steps: tuple[Step, ...]) -> Iterator[str]:
    """How long it is waited for, and by which check."""
    waits = [step.action for step in steps if isinstance(step.action, WaitHealthy)]
    check = situation.check(is_new=_creates(steps))
    for action in waits:
        if action.timeout is None:
            yield f"waits until healthy if the image that is pulled has a health check, else until it has run for {action.settle:g} s"
        elif check.health is not None:
            yield f"waits until healthy (check of the {check.written_in}), {action.timeout:g} s at most"


def _lost_with_it(situation: Situation, steps: tuple[Step, ...]) -> Iterator[str]:
    """Volumes without a name are removed with the container that they were made for."""
    if _creates(steps):
        for target in sorted({target for item in situation.old if item.started_at for target in item.anonymous_volumes}):
            yield f"anonymous volume {target}: its content does not survive the replacement"


def _is_of_prepared(situation: Situation, step: Step) -> bool:
    """Whether the step only clears what such a replacement left."""
    is_clearing = isinstance(step.action, (StopContainer, RemoveContainer))
    return is_clearing and situation.prepared is not None and getattr(step.action, "id", "") == situation.prepared.id


def _interrupts(situation: Situation, steps: tuple[Step, ...]) -> str:
    """What stops working meanwhile, and which running transfers do for good."""
    service = situation.service
    stopped = any(_stops(situation, step) for step in steps)
    left = [step.action.network for step in steps if isinstance(step.action, DisconnectNetwork)]
    if stopped and any(item.state != "paused" for item in situation.old):
        text = f"{service.session.name} on {service.endpoint.name} {_how_it_stops(steps)}"
    elif left and situation.seen is not None and situation.seen.state in ACTIVE_STATES:
        text = f"connections of {service.session.name} on {service.endpoint.name} over {', '.join(left)} end"
    else:
        return ""
    return "; ".join([text, *cut_off(situation.jobs)])


def _stops(situation: Situation, step: Step) -> bool:
    if isinstance(step.action, ReplaceContainer):
        return situation.seen is not None and situation.seen.state in ACTIVE_STATES
    return isinstance(step.action, StopContainer) and not _is_of_prepared(situation, step)


def _how_it_stops(steps: tuple[Step, ...]) -> str:
    if not _starts(steps):
        return "stops"
    if any(isinstance(step.action, PromoteContainer) for step in steps):
        return "is down while the old container stops and the new one, created before, starts"
    return "is down while its container is recreated" if _creates(steps) else "is down while it restarts"


def _starts(steps: tuple[Step, ...]) -> bool:
    actions = (step.action for step in steps)
    return any(isinstance(action, StartContainer) or (isinstance(action, ReplaceContainer) and action.start) for action in actions)


def _creates(steps: tuple[Step, ...]) -> bool:
    return any(isinstance(step.action, (CreateContainer, ReplaceContainer)) for step in steps)


def cut_off(cuts: tuple[Cut, ...]) -> tuple[str, ...]:
    """How running transfers are named that do not survive."""
    return tuple(f"the running transfer {cut.transfer} is cut off{_state_of(cut)}" for cut in cuts)


def impact_text(cut: Cut) -> str:
    """`transfer run14 at 62 %, resumable`."""
    return f"transfer {cut.transfer}{_state_of(cut)}"


def _state_of(cut: Cut) -> str:
    percent = cut.progress.percent if cut.progress is not None else None
    return ("" if percent is None else f" at {percent} %") + (", resumable" if cut.is_resumable else ", not resumable")


# --- what differs -------------------------------------------------------------------------------------------


def _fields(situation: Situation) -> Iterator[FieldChange]:
    service, seen = situation.service, situation.seen
    for difference in situation.differences:
        yield _field(service, difference)
    for item in situation.rebuild:
        yield FieldChange(f"network {item.network}", "there", item.after, True, item.cause)
    yield from (_field(service, difference) for difference in situation.host.lost)
    if seen is not None and not situation.is_in_state(seen):
        declared = service.session.value.state
        mark = service.session.mark(("state",))
        cause = Cause(f"it is {state_text(seen)}, declared {declared}", service.session.file, mark.line, "state")
        yield FieldChange("state", state_text(seen), declared, False, cause)


def _field(service: Service, difference: Difference) -> FieldChange:
    cause = difference.cause or _declared_cause(service, difference.field)
    return FieldChange(difference.field, difference.before, difference.after, difference.forces_replace, cause)


def state_text(seen: ContainerSeen) -> str:
    return seen.state + (f" (exit code {seen.exit_code})" if seen.state == "exited" else "")


def _declared_cause(service: Service, field_name: str) -> Cause:
    head, _, key = field_name.partition(".")
    declared = DECLARED_AS.get(head, head)
    if declared in ("data_nets", "mgmt_net"):
        declared = "data_nets" if service.profile.data_nets else "mgmt_net"
    if declared in ("cpu_set", "memory_nodes") and service.profile.near is not None:
        declared = "cpus"  # chosen, not written
    if declared == "container":
        return Cause("asked for by --replace")
    if declared in ("placement", "rollout"):
        endpoint = service.endpoint
        return Cause(f"{declared} differs", endpoint.file, endpoint.mark((endpoint.value.address_field, "node")).line, "node")
    if declared == "env" and key in service.profile.env:
        return service.cause(f"{field_name} differs", "env", key)
    return service.cause(f"{field_name} differs", declared)


# --- concrete choices ---------------------------------------------------------------------------------------


def _is_new(choice: tuple[str, str], kept: tuple[tuple[str, str], ...]) -> bool:
    """Whether a replacement changes it; what is declared itself stands among the fields that differ."""
    return choice not in kept and choice[0] not in ("image", "memory", "cpus")


def _choices_before(situation: Situation) -> frozenset[tuple[str, str]]:
    """What the container that is to be replaced was made with, as far as it stays."""
    changed = {difference.field for difference in situation.differences}
    moved = {label for label, field in (("image", "image"), ("data_ports", "env.DATA_PORTS")) if field in changed}
    found: set[tuple[str, str]] = set()
    for old in situation.old[:1]:
        env = dict(old.spec.env)
        ports = port_number(env.get("CTRL_PORT", "")), port_number(env.get("SERV_PORT", ""))
        allocation = Allocation(*ports, hardware=_hardware_before(situation, old))
        found |= {choice for choice in describe(situation.service, allocation, old.spec) if choice[0] not in moved}
    return frozenset(found)


def _hardware_before(situation: Situation, old: ContainerSeen) -> Hardware:
    """What a container had of the host, as far as that is what it gets now."""
    hardware, devices = situation.allocation.hardware, {device.host for device in old.spec.devices}
    set_now = [step.action.request for step in situation.host.to_set]
    vfs = tuple(choice for choice in hardware.vfs if choice.settings not in set_now)
    return Hardware(vfs=vfs, verbs=hardware.verbs if devices.issuperset(hardware.verbs) else ())


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
    if spec.network in (HOST_NETWORK, NO_NETWORK):
        yield "network", spec.network
    for attachment in spec.attachments:
        addresses = [address for address in (attachment.ipv4, attachment.ipv6) if address] or ["address by the engine"]
        yield from ((attachment.network, address) for address in addresses)
    yield from _functions(allocation)
    if spec.cpu_set or spec.cpus:
        yield "cpus", (spec.cpu_set or short_text(spec.cpus)) + (f" (node {spec.memory_nodes})" if spec.memory_nodes else "")
    if spec.memory:
        yield "memory", size_text(spec.memory)


def _functions(allocation: Allocation) -> Iterator[tuple[str, str]]:
    """Virtual functions and verbs devices."""
    for choice in allocation.hardware.vfs:
        settings = choice.settings
        node = f", node {choice.node}" if choice.node is not None else ""
        yield f"{choice.network} vf", f"{choice.pci} ({settings.pf} vf {settings.index}{node})"
        for name, value in (("mac", settings.mac), ("vlan", settings.vlan), ("mtu", settings.mtu)):
            if value is not None:
                yield f"{choice.network} {name}", str(value)
    if allocation.hardware.verbs:
        yield "verbs", ", ".join(allocation.hardware.verbs)
