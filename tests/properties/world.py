"""A pure in-memory model of endpoints: what the actions of a plan do to them, and what an engine would refuse.

Small on purpose: no images' contents, no time, no network traffic. Everything that two containers cannot both have is checked here,
independently of the planner. `budget` counts effects down and ends the run in the middle, as a kill would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from dtn_agent.protocol import Owner
from dtn_agent.protocol.vlans import RemoveVlan

from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    DisconnectNetwork,
    EnsureLedger,
    FinishTransfer,
    HostRequest,
    PromoteContainer,
    PullImage,
    RecordCancel,
    RecordEnd,
    RemoveContainer,
    RemoveNetwork,
    ReplaceContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StartTransfer,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.ledger import Attempt
from dtnctl.model.path_actions import ModifyPath, PathAction, ReleasePath, RequestPath
from dtnctl.model.paths import PathProviderSeen, PathSeen, PathSpec
from dtnctl.model.plan import Plan, Step
from dtnctl.model.protection import LABEL_PROTECTED, MARKER_KIND, RecordProtection, marker_name
from dtnctl.model.resources import (
    LABEL_KIND,
    LABEL_NAME,
    LABEL_SELF,
    LABEL_SITE,
    LABEL_SPEC,
    NO_HEALTH,
    PREPARED_SUFFIX,
    RETIRED_SUFFIX,
    Attachment,
    ContainerSeen,
    ContainerSpec,
    ImageSeen,
    NetworkSeen,
    Pairs,
    Snapshot,
    VolumeSeen,
    ledger_name,
)
from tests.properties.agent import AgentRefusedError
from tests.properties.always import check_hosts
from tests.properties.attempts import finish_transfer, record_cancel, record_end, start_transfer
from tests.properties.host import ACTIVE, ENGINE_NETWORKS, MOMENT, Host, addresses_of, functions_of, image, ports_of, shared_with
from tests.properties.observed import endpoint_seen
from tests.properties.vf_addresses import check_subject
from tests.properties.volumes import VolumeRequests, check_started, perform_volume


class RefusedError(Exception):
    """An engine would answer no."""


class KilledError(Exception):
    """The budget is spent."""


class World:
    """Endpoints, a registry that has version `registry[reference]` of every image, and a script of how transfers end."""

    def __init__(self, names: tuple[str, ...], site: str = "lab", verdicts: Callable[[Attempt], Attempt] | None = None) -> None:
        self.site = site
        self.hosts = {name: Host(name) for name in names}
        self.registry: dict[str, int] = {}
        self.starts: dict[tuple[str, str, int, int], int] = {}  # by endpoint: docs/transfers.md says what a changed `from` can miss
        self.paths: dict[str, dict[str, PathSpec]] = {}  # of providers that are asked, by name
        self.budget: int | None = None
        self.verdicts = verdicts or (lambda claim: replace(claim, verdict="succeeded", bytes=1000, seconds=1.0, finished_at=MOMENT))
        self._counter = 0

    def observe(self) -> Snapshot:
        hosts = {name: endpoint_seen(host, self.site, self.registry) for name, host in sorted(self.hosts.items())}
        return Snapshot(hosts, paths={name: self._provider(name) for name in sorted(self.paths)})

    def _provider(self, name: str) -> PathProviderSeen:
        return PathProviderSeen(name, paths=tuple(PathSeen(path, "active", spec) for path, spec in sorted(self.paths[name].items())))

    # --- carrying out ---

    def apply(self, plan: Plan, order: Callable[[list[Step]], int] = lambda ready: 0) -> None:
        """Carry out every step; `order` chooses among those whose needs are met. RefusedError passes through: a plan must not be."""
        done: set[str] = set()
        waiting = list(plan.steps)
        while waiting:
            ready = [step for step in waiting if done.issuperset(step.needs)]
            assert ready, f"these steps wait for each other: {[step.id for step in waiting]}"
            step = ready[order(ready) % len(ready)]
            try:
                self.perform(step)
            except RefusedError as refusal:
                raise RefusedError(f"{step.id}: {refusal}") from refusal
            done.add(step.id)
            waiting.remove(step)

    def perform(self, step: Step) -> None:  # noqa: C901  one line for each of a closed set
        if isinstance(step.action, PathAction):
            self._change_path(step.action)
            return
        host, action = self.hosts[step.endpoint], step.action
        assert not host.silence, f"{step.id} touches an endpoint that does not answer"
        match action:
            case PullImage():
                assert host.row.pulls, f"{host.name} pulls by itself"
                self._effect()
                host.images[action.image] = image(action.image, self.registry.get(action.image, 1))
            case CreateNetwork():
                self._create_network(host, action)
            case RemoveNetwork():
                self._remove_network(host, action)
            case CreateContainer():
                self._create(host, action.container, action.spec, action.labels)
            case ConnectNetwork():
                assert host.row.connects, f"{host.name} connects nothing to a network"
                self._connect(host, action)
            case DisconnectNetwork():
                self._disconnect(host, action)
            case StartContainer():
                self._start(host, self._named(host, action.container))
            case StopContainer():
                self._stop(host, action.id)
            case RetireContainer():
                assert host.row.renames, f"{host.name} renames nothing"
                self._rename(host, action.id, action.container + RETIRED_SUFFIX)
            case PromoteContainer():
                prepared = self._named(host, action.container + PREPARED_SUFFIX)
                self._rename(host, prepared.id, action.container)
            case DiscardContainer():
                self._discard(host, action.container)
            case RestoreContainer():
                self._restore(host, action)
            case ReplaceContainer():
                self._replace(host, action)
            case RemoveContainer():
                self._effect()
                host.containers.pop(action.id, None)
            case UpdateContainer():
                self._update(host, action)
            case WaitHealthy():
                if self._named(host, action.container).state != "running":
                    raise RefusedError(f"{action.container} does not run")
            case RecordProtection():
                self._record_protection(host, action)
            case EnsureLedger():
                self._ensure_ledger(host)
            case StartTransfer():
                start_transfer(self, host, action)
            case FinishTransfer():
                finish_transfer(self, host, action)
            case RecordCancel():
                record_cancel(self, host, action)
            case RecordEnd():
                record_end(self, host, action)
            case HostRequest():
                self._ask_agent(host, action)
            case _:
                assert_never(action)

    def _change_path(self, action: PathAction) -> None:
        """A provider that does everything at once: what it is asked for is active."""
        self._effect()
        there = self.paths[action.path.provider]
        match action:
            case RequestPath():
                if action.path.name in there:
                    raise RefusedError(f"{action.path.provider} has {action.path.name} already")
                there[action.path.name] = action.path
            case ModifyPath():
                there[action.path.name] = action.path
            case ReleasePath():
                there.pop(action.path.name, None)
            case _:
                pass

    def _effect(self) -> None:
        if self.budget is not None:
            if self.budget == 0:
                raise KilledError
            self.budget -= 1

    def _new_id(self) -> str:
        self._counter += 1
        return f"id{self._counter:04d}"

    def _ask_agent(self, host: Host, action: HostRequest) -> None:
        assert host.agent is not None, f"{host.name} has no agent to do {action}"
        assert not host.agent.silence, f"the agent of {host.name} does not answer"
        request = action.request
        check_subject(action, host.agent.interface)
        if isinstance(request, RemoveVlan):
            name = f"{request.parent}.{request.vlan}"
            users = [item.name for item in (*host.networks.values(), *host.foreign_networks) if item.spec.parent == name]
            assert not users, f"{name} goes from under {users}"
        host.agent.only(functions_of(host))
        try:
            if isinstance(request, VolumeRequests):
                perform_volume(self.hosts.values(), host, request, self._effect)
            else:
                host.agent.perform(request, self._effect)
        except AgentRefusedError as refusal:
            raise RefusedError(str(refusal)) from refusal

    # --- containers ---

    def _named(self, host: Host, name: str) -> ContainerSeen:
        found = host.by_name(name)
        if found is None:
            raise RefusedError(f"there is no container {name}")
        return found

    def _put(self, host: Host, seen: ContainerSeen) -> None:
        self._effect()
        host.containers[seen.id] = seen

    def _create(self, host: Host, name: str, spec: ContainerSpec, labels: Pairs) -> ContainerSeen:
        there = host.by_name(name)
        if there is not None:
            if there.state == "created" and there.labels.get(LABEL_SPEC) == dict(labels)[LABEL_SPEC]:
                return there
            raise RefusedError(f"the name {name} is taken")
        if any(item.name == name for item in host.foreign):
            raise RefusedError(f"the name {name} is somebody else's")
        live, image_id = self._live_spec(host, spec)
        seen = ContainerSeen(name, self._new_id(), dict(labels), live, image_id, "created")
        self._put(host, seen)
        return seen

    def _live_spec(self, host: Host, spec: ContainerSpec) -> tuple[ContainerSpec, str]:
        """The spec as the backend shows it, and the image's id. Where the backend pulls by itself, an image's own values are not seen."""
        found = host.images.get(spec.image) if host.row.pulls else ImageSeen(spec.image)
        if found is None:
            raise RefusedError(f"there is no image {spec.image}")
        for network in (spec.network, *(item.network for item in spec.attachments if not host.row.connects)):
            self._check_network(host, network)
        for mount in (item for item in spec.mounts if item.kind == "volume"):
            wanted = VolumeSeen(mount.source, mount.driver or "local", mount.driver_opts, is_ours=True)
            if host.volumes.setdefault(mount.source, wanted) != wanted:
                raise RefusedError(f"a volume {mount.source} is there that is not as declared")
        live = replace(
            spec,
            command=spec.command if spec.command is not None else found.command if spec.entrypoint is None else (),
            entrypoint=spec.entrypoint if spec.entrypoint is not None else found.entrypoint,
            env=tuple(sorted((dict(found.env) | dict(spec.env)).items())),
            health=None if spec.health == NO_HEALTH else spec.health or found.health,
            stop_signal=spec.stop_signal or found.stop_signal,
            attachments=tuple(item for item in spec.attachments if item.network == spec.network or not host.row.connects),
        )
        return live, found.id

    def _replace(self, host: Host, action: ReplaceContainer) -> None:
        """One object, another spec: what ran stops, what should runs."""
        assert not host.row.renames, f"{host.name} keeps the old container under another name"
        seen = host.containers.get(action.id)
        if seen is None or seen.name != action.container:
            raise RefusedError(f"there is no container {action.container} with id {action.id}")
        live, image_id = self._live_spec(host, action.spec)
        at_rest = replace(seen, labels=dict(action.labels), spec=live, image_id=image_id, state="exited", addresses=())
        self._put(host, at_rest)
        if action.start:
            self._start(host, at_rest)

    def _check_network(self, host: Host, name: str) -> None:
        known = name in ENGINE_NETWORKS or name.startswith("container:") or host.network(name) is not None
        if not known and not any(item.name == name for item in host.foreign_networks):
            raise RefusedError(f"there is no network {name}")

    def _start(self, host: Host, seen: ContainerSeen) -> None:
        if seen.state == "paused":
            raise RefusedError("a paused container cannot be started")
        if seen.state == "running":
            return
        for item in seen.spec.attachments:
            self._check_network(host, item.network)
        self._check_free(host, seen, ports_of(seen.spec), dict(addresses_of(seen.spec.attachments)))
        for item in seen.spec.attachments:
            self._join(host, seen, item)
        check_started(host, seen.spec)
        self._put(host, replace(seen, state="running", started_at=MOMENT, addresses=self._live_addresses(host, seen)))

    def _join(self, host: Host, seen: ContainerSeen, item: Attachment) -> None:
        """The engine asks the network's driver for the interface."""
        network = host.network(item.network)
        parent = network.spec.parent if network is not None else ""
        if host.agent is None or network is None:
            return
        if host.agent.makes_vlans and not host.agent.has_below(parent):  # else nobody can know before
            raise RefusedError(f"{item.network} has lost its interface {parent}")
        if network.spec.driver != "sriov":
            return
        if host.agent.silence:
            raise RefusedError(f"{seen.name} cannot start on {item.network} while the agent does not answer")
        host.agent.only(functions_of(host))
        try:
            host.agent.join(seen.name, Owner(site=self.site, session=seen.owner, network=item.network), item.vf)
        except AgentRefusedError as refusal:
            raise RefusedError(str(refusal)) from refusal

    def _live_addresses(self, host: Host, seen: ContainerSeen) -> tuple[Attachment, ...]:
        """The asked-for addresses; where there are none, the engine's choice."""
        return tuple(item if item.ipv4 or item.ipv6 else replace(item, ipv4=f"engine.{seen.id}") for item in seen.spec.attachments)

    def _check_free(self, host: Host, seen: ContainerSeen, ports: set[tuple[int, str]], addresses: Mapping[tuple[str, str], None]) -> None:
        for other in host.active:
            if other.id != seen.id and (both := ports & ports_of(other.spec)):
                raise RefusedError(f"ports {sorted(both)} of {seen.name} are {other.name}'s")
        taken = {port: item.name for item in host.foreign for port in item.host_ports}
        if both := ports & taken.keys():
            raise RefusedError(f"ports {sorted(both)} of {seen.name} are taken")
        for everywhere in self.hosts.values():  # the same network name is the same layer 2
            for other in everywhere.active:
                if other.id != seen.id and (shared := addresses.keys() & dict(addresses_of(other.addresses)).keys()):
                    raise RefusedError(f"addresses {sorted(shared)} of {seen.name} are {other.name}'s on {everywhere.name}")
            for stranger in everywhere.foreign:
                if shared := addresses.keys() & dict(addresses_of(stranger.addresses)).keys():
                    raise RefusedError(f"addresses {sorted(shared)} of {seen.name} are {stranger.name}'s")

    def _stop(self, host: Host, container_id: str) -> None:
        seen = host.containers.get(container_id)
        if seen is not None and seen.state in ACTIVE:
            self._put(host, replace(seen, state="exited", addresses=(), exit_code=0))

    def _rename(self, host: Host, container_id: str, name: str) -> None:
        seen = host.containers[container_id]
        if seen.name == name:
            return
        if host.by_name(name) is not None:
            raise RefusedError(f"the name {name} is taken")
        self._put(host, replace(seen, name=name))

    def _discard(self, host: Host, name: str) -> None:
        found = host.by_name(name)
        if found is not None:
            self._effect()
            del host.containers[found.id]

    def _restore(self, host: Host, action: RestoreContainer) -> None:
        self._discard(host, action.container + PREPARED_SUFFIX)
        failed = host.by_name(action.container)
        if failed is not None and failed.id != action.id:
            self._effect()
            del host.containers[failed.id]
        self._rename(host, action.id, action.container)
        if action.start:
            self._start(host, host.containers[action.id])

    def _update(self, host: Host, action: UpdateContainer) -> None:
        seen = self._named(host, action.container)
        values = {name: getattr(action, name) for name in ("memory", "cpus", "cpu_set", "memory_nodes", "restart")}
        for name, value in values.items():
            if value is not None and not value:
                raise RefusedError(f"{name} cannot be lifted in place")
        spec = replace(seen.spec, **{name: value for name, value in values.items() if value is not None})
        self._put(host, replace(seen, spec=spec))

    # --- networks ---

    def _create_network(self, host: Host, action: CreateNetwork) -> None:
        there = host.network(action.network)
        if there is not None:
            if there.labels.get(LABEL_SPEC) == dict(action.labels)[LABEL_SPEC]:
                return
            raise RefusedError(f"the network name {action.network} is taken")
        if any(item.name == action.network for item in host.foreign_networks):
            raise RefusedError(f"the network name {action.network} is somebody else's")
        for other in (*host.networks.values(), *host.foreign_networks):
            if shared := shared_with(action.spec, other.spec):
                raise RefusedError(f"network {action.network} needs {shared}, which {other.name} has")
        self._effect()
        parent = action.spec.parent
        if host.agent is not None and not host.agent.has_below(parent):
            assert not host.agent.makes_vlans, "the engine would have to make the sub-interface itself"
            host.agent.make_for_engine(parent)
        seen = NetworkSeen(action.network, self._new_id(), dict(action.labels), action.spec)
        host.networks[seen.id] = seen

    def _remove_network(self, host: Host, action: RemoveNetwork) -> None:
        """Also a stopped container is in the way: it could not start any more."""
        users = [item.name for item in host.containers.values() if any(net.network == action.network for net in item.spec.attachments)]
        users += [item.name for item in host.foreign if any(net.network == action.network for net in item.addresses)]
        if users:
            raise RefusedError(f"network {action.network} is used by {users}")
        self._effect()
        gone = host.networks.pop(action.id, None)
        if host.agent is not None and gone is not None:
            host.agent.remove_for_engine(gone.spec.parent)

    def _connect(self, host: Host, action: ConnectNetwork) -> None:
        seen, item = self._named(host, action.container), action.attachment
        if item in seen.spec.attachments:
            return
        if any(other.network == item.network for other in seen.spec.attachments):
            raise RefusedError(f"{seen.name} is on {item.network} already")
        self._check_network(host, item.network)
        seen = replace(seen, spec=replace(seen.spec, attachments=tuple(sorted((*seen.spec.attachments, item)))))
        if seen.state in ACTIVE:
            self._check_free(host, seen, set(), dict(addresses_of((item,))))
            self._join(host, seen, item)
            seen = replace(seen, addresses=self._live_addresses(host, seen))
        self._put(host, seen)

    def _disconnect(self, host: Host, action: DisconnectNetwork) -> None:
        seen = self._named(host, action.container)
        attachments = tuple(item for item in seen.spec.attachments if item.network != action.network)
        seen = replace(seen, spec=replace(seen.spec, attachments=attachments))
        self._put(host, replace(seen, addresses=tuple(item for item in seen.addresses if item.network != action.network)))

    # --- transfers ---

    def _ensure_ledger(self, host: Host) -> None:
        name = ledger_name(self.site)
        if host.by_name(name) is None:
            self._put(host, self._owned(host, name, "ledger", "control", ContainerSpec("dtnctl/empty:1", network="none")))

    def _record_protection(self, host: Host, action: RecordProtection) -> None:
        name = marker_name(self.site, action.session)
        before = host.by_name(name)
        if before is not None:
            del host.containers[before.id]
        seen = self._owned(host, name, MARKER_KIND, action.session, ContainerSpec("dtnctl/empty:1", network="none"))
        self._put(host, replace(seen, labels={**seen.labels, LABEL_PROTECTED: action.record}))

    def _owned(self, host: Host, name: str, kind: str, owner: str, spec: ContainerSpec) -> ContainerSeen:
        labels = {LABEL_SITE: self.site, LABEL_KIND: kind, LABEL_NAME: owner, LABEL_SELF: f"{host.name}/{name}"}
        return ContainerSeen(name, self._new_id(), labels, spec, f"sha256:{spec.image}", "created")

    def check(self) -> None:
        check_hosts(self.site, self.hosts.values())
