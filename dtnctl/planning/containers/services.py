"""The steps of one service: create, replace, change in place, start, stop, destroy. Pure.

A replacement is created while the old container runs, so that what the engine refuses interrupts nothing. The old one stops before the
new one starts, since ports, addresses and pinned CPUs are exclusive; it is kept under another name until the new one works, and comes
back if that does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    DiscardContainer,
    DisconnectNetwork,
    PromoteContainer,
    RemoveContainer,
    ReplaceContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.impact import Cut
from dtnctl.model.ownership import labels, spec_digest
from dtnctl.model.plan import Cause, Step
from dtnctl.model.protection import protected_label
from dtnctl.model.resources import LABEL_SPEC, PREPARED_SUFFIX, RETIRED_SUFFIX, ContainerSeen, ContainerSpec, Health, ImageSeen, Pairs
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.choices.holdings import ACTIVE_STATES, lets_go
from dtnctl.planning.containers.chain import Chain
from dtnctl.planning.containers.compare import Difference
from dtnctl.planning.containers.host_part import NO_PART, HostPart, HostStep
from dtnctl.planning.resolve import Service

RUNNING_STATES = frozenset({"running", "restarting"})
MAKING = (
    *(CreateContainer, PromoteContainer, ReplaceContainer, UpdateContainer, StartContainer),
    *(ConnectNetwork, DisconnectNetwork, WaitHealthy),
)
BROKEN_STATES = frozenset({"dead", "removing"})  # the engine gave the container up


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A network that is removed while the service uses it, and why."""

    network: str
    after: str
    cause: Cause
    is_drift: bool


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    """The health check that a container has, and where it was written. Not known: its image is pulled in this run."""

    health: Health | None
    written_in: Literal["profile", "image"]
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """What a service should be, what is there and how that differs, and which steps of others it waits for.

    `image` is what a new container is made from, as far as it is here and not pulled in this run.
    `as_it_is` is the spec of what is there, as far as it differs.
    `retired` and `prepared` were left by a replacement that was cut off, after and before the old container was set aside.

    `networks` are the steps that make networks which it wants. `jobs` are running transfers that go through it, `waits` those
    of them that it must not cut off. `host` is what the endpoint's agent does for it.
    """

    service: Service
    allocation: Allocation
    spec: ContainerSpec
    seen: ContainerSeen | None
    as_it_is: ContainerSpec
    retired: ContainerSeen | None
    prepared: ContainerSeen | None = None
    image: ImageSeen | None = None
    differences: tuple[Difference, ...] = ()
    pulls: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    image_moves: bool = False
    rebuild: tuple[Rebuild, ...] = ()
    force_replace: bool = False
    jobs: tuple[Cut, ...] = ()
    waits: tuple[Cut, ...] = ()
    host: HostPart = NO_PART

    @property
    def must_stop(self) -> bool:
        """Whether a live container cannot go on running while this is done."""
        return self.host.must_stop

    @property
    def needs_new_container(self) -> bool:
        """Whether a container will be created, for which the image must be there."""
        if self.seen is None or self.rebuild or self.seen.state in BROKEN_STATES:
            return True
        return any(difference.forces_replace for difference in self.differences)

    def is_in_state(self, seen: ContainerSeen) -> bool:
        """Whether the container runs, or does not, as declared."""
        return seen.state in RUNNING_STATES if self.service.wants_running else seen.state not in ACTIVE_STATES

    @property
    def leaves_its_network(self) -> bool:
        """Whether the running container's virtual function changes to another VLAN, where its peers are not."""
        is_active = self.seen is not None and self.seen.state in ACTIVE_STATES
        return is_active and any(difference.field.endswith(".vlan") for difference in self.differences)

    @property
    def gets_less_memory(self) -> bool:
        """Whether the running container's limit becomes smaller: the kernel ends what has more."""
        before, after = self.as_it_is.memory, self.spec.memory
        is_active = self.seen is not None and self.seen.state in ACTIVE_STATES
        return is_active and after > 0 and (not before or after < before)

    @property
    def old(self) -> tuple[ContainerSeen, ...]:
        """Everything of the service that lives."""
        return tuple(item for item in (self.seen, self.retired) if item is not None)

    def check(self, *, is_new: bool) -> ReadinessCheck:
        """The health check of the service's container once it is as declared; `is_new`: it is created in this plan."""
        declared = self.spec.health
        if declared is not None:
            return ReadinessCheck(None if declared.test[:1] == ("NONE",) else declared, "profile")
        if not is_new and self.seen is not None:
            return ReadinessCheck(self.seen.spec.health, "image")
        return ReadinessCheck(self.image.health, "image") if self.image is not None else ReadinessCheck(None, "image", is_known=False)

    @property
    def is_drift(self) -> bool:
        """Whether Git says what was applied last, so that something else changed: the container is as it says, or was when it was made."""
        if self.seen is None or not self._is_comparable:
            return False
        is_applied = not self.differences or self.seen.labels.get(LABEL_SPEC) == spec_digest(self.spec)
        found = bool(self.differences or self.rebuild or self.host.lost)
        is_same = is_applied and self.host.is_drift and all(item.is_drift for item in self.rebuild)
        return is_same and (found or self._stopped_by_itself)

    @property
    def may_be_drift(self) -> bool:
        """Whether it is not recorded who changed what differs: the container is neither as Git says nor as it was made.

        It was changed in place since, and its label is that of its creation. One that is as it was made differs because Git changed.
        """
        if self.seen is None or not self._is_comparable or self.is_drift or self.as_it_is == self.spec:
            return False
        return self.seen.labels.get(LABEL_SPEC) != spec_digest(self.as_it_is)

    @property
    def _is_comparable(self) -> bool:
        """Whether the container is the one that was applied last, and nothing was asked for that has nothing to do with what it is."""
        is_of_older_file = self.seen is not None and self.seen.is_of_older_file
        return not (self.force_replace or self.image_moves or is_of_older_file or self.retired is not None or self.prepared is not None)

    @property
    def _stopped_by_itself(self) -> bool:
        """Nothing on the endpoint records the declared state. One that runs too long, or never ran, is likely Git's doing."""
        return self.service.wants_running and self.seen is not None and self.seen.state != "created"


def service_steps(situation: Situation) -> tuple[Step, ...]:
    """Everything that makes the service what it should be; nothing if it is."""
    seen, retired = situation.seen, situation.retired
    chain = Chain(situation.service.endpoint.name, situation.pulls)
    if situation.service.wants_running or situation.needs_new_container:  # nothing stops to be started again on what cannot be made
        chain.needs += situation.host.before
    if situation.prepared is not None:
        chain.clear(situation.prepared)
    if situation.rebuild:
        _recreate(situation, chain)
    elif retired is not None:
        _finish_replacement(situation, chain, retired)
    elif seen is None:
        _create(situation, chain)
    elif not situation.needs_new_container:
        _change_in_place(situation, chain, seen)
    elif _is_worthless(seen):
        _recreate(situation, chain)
    elif situation.service.backend.renames:
        _replace(situation, chain, seen)
    else:
        _rewrite(situation, chain, seen)
    return tuple(chain.steps)


def _is_worthless(seen: ContainerSeen) -> bool:
    """Whether it is not kept while another one is made: it never ran, or the engine gave it up."""
    return not seen.started_at or seen.state in BROKEN_STATES


# --- new containers -----------------------------------------------------------------------------------------


def _create(situation: Situation, chain: Chain) -> None:
    _make(situation, chain)
    if situation.service.wants_running:
        _wait(situation, chain, is_new=True)
    _release(situation, chain)


def _recreate(situation: Situation, chain: Chain) -> None:
    for item in situation.old:
        chain.clear(item)
    _create(situation, chain)


def _make(situation: Situation, chain: Chain) -> None:
    """Create under its own name, start if it should run."""
    _configure(situation, chain)
    _create_as(situation, chain, situation.service.container)
    _start(situation, chain)


def _create_as(situation: Situation, chain: Chain, name: str) -> None:
    """Create under that name and connect the further networks."""
    service, spec = situation.service, situation.spec
    chain.add("create", name, CreateContainer(name, spec, _labels(service, spec)), (*situation.pulls, *situation.networks))
    for attachment in spec.attachments:
        if service.backend.connects and attachment.network != spec.network:
            chain.add(f"connect.{attachment.network}", name, ConnectNetwork(name, attachment))


def _labels(service: Service, spec: ContainerSpec) -> Pairs:
    pairs = labels(service.site.name, service.endpoint.name, "service", service.session.name, service.container, spec_digest(spec))
    return tuple(sorted((*pairs, *protected_label(service.protection))))


def _start(situation: Situation, chain: Chain) -> None:
    """Start a new container if it should run."""
    service = situation.service
    if service.wants_running:
        chain.add("start", service.container, StartContainer(service.container), situation.host.between)
    _once_running(situation, chain)


def _once_running(situation: Situation, chain: Chain) -> None:
    """What needs its interface in its network namespace; the agent does so again at each later start."""
    for step in situation.host.running:
        chain.add_host_step(step)


def _configure(situation: Situation, chain: Chain) -> None:
    """Take and set what it gets of the host, while no process uses it."""
    for step in situation.host.to_set:
        chain.add_host_step(step)


def _release(situation: Situation, chain: Chain) -> None:
    """Release what it had of the host and does not get any more; its old container is gone by now."""
    for step in situation.host.to_release:
        chain.add_host_step(step)


def _wait(situation: Situation, chain: Chain, *, is_new: bool) -> None:
    """Whatever is started settles, by the check that it has, wherever that was written."""
    check, name = situation.check(is_new=is_new), situation.service.container
    settle = situation.service.profile.settle
    timeout = settle if check.health is None else check.health.verdict_seconds
    chain.add("wait", name, WaitHealthy(name, timeout=timeout if check.is_known else None, settle=settle))


# --- replacements -------------------------------------------------------------------------------------------


def _replace(situation: Situation, chain: Chain, seen: ContainerSeen) -> None:
    """Create the new one first: what the engine refuses at creation leaves the old one as it is."""
    chain.needs += situation.networks
    prepared = seen.name + PREPARED_SUFFIX
    chain.group = f"{situation.service.endpoint.name}/{seen.name}"
    chain.undo = DiscardContainer(prepared)
    _create_as(situation, chain, prepared)
    _can_go_back(situation, chain, seen, start=seen.state in RUNNING_STATES)
    chain.stop(seen)
    _configure(situation, chain)
    chain.add("retire", seen.name, RetireContainer(seen.name, seen.id))
    chain.add("promote", seen.name, PromoteContainer(seen.name))
    _start(situation, chain)
    _prove_and_remove(situation, chain, seen, is_new=True)


def _rewrite(situation: Situation, chain: Chain, seen: ContainerSeen) -> None:
    """Replace it in one step, where nothing can be kept under another name: the backend stops the old one and starts the new one.

    It stops in a step before where others wait for what it lets go of, or its host is set up while it is at rest.
    """
    service, spec = situation.service, situation.spec
    chain.needs += situation.networks
    chain.group = f"{service.endpoint.name}/{seen.name}"
    was_running, settle = seen.state in RUNNING_STATES, service.profile.settle
    before = tuple(sorted(seen.labels.items()))
    chain.undo = ReplaceContainer(seen.name, seen.id, situation.as_it_is, before, start=was_running, settle=settle)
    if situation.host.to_set or not service.wants_running or lets_go(seen, spec):
        chain.stop(seen)
    _configure(situation, chain)
    action = ReplaceContainer(seen.name, seen.id, spec, _labels(service, spec), start=service.wants_running, settle=settle)
    chain.add("replace", seen.name, action)
    _once_running(situation, chain)
    if service.wants_running:
        _wait(situation, chain, is_new=True)
    chain.undo = None
    _release(situation, chain)


def _finish_replacement(situation: Situation, chain: Chain, old: ContainerSeen) -> None:
    """A replacement was cut off after the old container was set aside: make the new one right, then remove the old one."""
    seen = situation.seen
    chain.needs += situation.networks
    _can_go_back(situation, chain, old, start=situation.service.wants_running)
    chain.stop(old)  # a restart of the engine may have started it again
    is_new = seen is None or situation.needs_new_container
    if seen is not None and not is_new:
        _adapt(situation, chain, seen)
        _once_running(situation, chain)
    else:
        if seen is not None:
            chain.clear(seen)
        _make(situation, chain)
    _prove_and_remove(situation, chain, old, is_new=is_new)


def _can_go_back(situation: Situation, chain: Chain, old: ContainerSeen, *, start: bool) -> None:
    chain.group = f"{situation.service.endpoint.name}/{situation.service.container}"
    chain.undo = RestoreContainer(situation.service.container, old.id, start=start, settle=situation.service.profile.settle)


def _prove_and_remove(situation: Situation, chain: Chain, old: ContainerSeen, *, is_new: bool) -> None:
    """The old container goes once the new one has shown that it works."""
    if situation.service.wants_running:
        _wait(situation, chain, is_new=is_new)
    chain.undo = None
    name = situation.service.container + RETIRED_SUFFIX
    chain.add("remove", name, RemoveContainer(name, old.id))
    _release(situation, chain)


# --- in place -----------------------------------------------------------------------------------------------


def _change_in_place(situation: Situation, chain: Chain, seen: ContainerSeen) -> None:
    chain.needs += situation.networks
    keeps_networks = all(difference.field != "attachments" for difference in situation.differences)
    was_right = keeps_networks and seen.state in RUNNING_STATES and situation.service.wants_running  # a start brings back what was
    if situation.must_stop and was_right:
        _can_go_back(situation, chain, seen, start=True)
    is_started = _adapt(situation, chain, seen)
    chain.undo = None
    _once_running(situation, chain)
    if is_started:
        _wait(situation, chain, is_new=False)
    _release(situation, chain)


def _adapt(situation: Situation, chain: Chain, seen: ContainerSeen) -> bool:
    """Make a live container what it should be, at rest where it must be; whether it is started.

    What it lets go of comes first: others may wait for that, while it waits for theirs.
    """
    if situation.must_stop:
        chain.stop(seen)
    before = {attachment.network: attachment for attachment in seen.spec.attachments}
    after = {attachment.network: attachment for attachment in situation.spec.attachments}
    for network in sorted(before):
        if before[network] != after.get(network):
            chain.add(f"disconnect.{network}", seen.name, DisconnectNetwork(seen.name, network))
    _configure(situation, chain)
    _update(situation, chain)
    for network in sorted(after):
        if after[network] != before.get(network):
            chain.add(f"connect.{network}", seen.name, ConnectNetwork(seen.name, after[network]))
    return _bring_to_state(situation, chain, seen)


def _update(situation: Situation, chain: Chain) -> None:
    """What the engine changes in a live container."""
    service, changed = situation.service, {difference.field for difference in situation.differences}
    if changed & service.backend.updates:
        chain.add("update", service.container, _update_action(service.container, situation.spec, changed))


def _update_action(container: str, spec: ContainerSpec, changed: set[str]) -> UpdateContainer:
    return UpdateContainer(
        container,
        memory=spec.memory if "memory" in changed else None,
        cpus=spec.cpus if "cpus" in changed else None,
        cpu_set=spec.cpu_set if "cpu_set" in changed else None,
        memory_nodes=spec.memory_nodes if "memory_nodes" in changed else None,
        restart=spec.restart if "restart" in changed else None,
    )


def _bring_to_state(situation: Situation, chain: Chain, seen: ContainerSeen) -> bool:
    """Start or stop it as declared; whether it is started. A paused one that should run is stopped first: then a start is enough."""
    if situation.is_in_state(seen) and not situation.must_stop:
        return False
    chain.stop(seen)
    if situation.service.wants_running:
        chain.add("start", seen.name, StartContainer(seen.name), situation.host.between)
    return situation.service.wants_running


# --- for others ---------------------------------------------------------------------------------------------


def destroy_steps(
    endpoint: str, seen: ContainerSeen, given_back: tuple[HostStep, ...] = (), after: tuple[str, ...] = ()
) -> tuple[Step, ...]:
    """Stop and remove a container that no file declares any more, then release what the agent keeps for its session.

    `after` are the steps that remove the session's other containers here.
    """
    chain = Chain(endpoint, ())
    chain.clear(seen)
    for step in given_back:
        chain.add_host_step(step, after)
    return tuple(chain.steps)


def ready_after(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The step of a service after which it is as it should be; none if only something goes."""
    return tuple(step.id for step in steps if isinstance(step.action, MAKING))[-1:]
