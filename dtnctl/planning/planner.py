"""Makes the Plan: everything that should be, against everything that was seen. Pure and deterministic to the byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase

from dtnctl.model.plan import (
    Cause,
    Change,
    CreateContainer,
    DisconnectNetwork,
    EndpointSummary,
    Plan,
    PullImage,
    RemoveContainer,
    StartContainer,
    Step,
    StopContainer,
    TransferNote,
)
from dtnctl.model.resources import RETIRED_SUFFIX, ContainerSeen, ContainerSpec, EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.allocate import Allocation, Allocations, Refusal, allocate
from dtnctl.planning.compare import compare_container
from dtnctl.planning.guard import prune_limit, refuse_service
from dtnctl.planning.networks import NetworkPlan, create_step_id, plan_present, plan_unused, study_networks
from dtnctl.planning.resolve import Route, Service, is_expired, resolve_routes, resolve_services
from dtnctl.planning.services import RUNNING_STATES, Situation, holdings, plan_destroy, plan_service
from dtnctl.planning.specs import container_spec
from dtnctl.planning.transfers import End, plan_ledger, plan_leftover, plan_transfer


@dataclass(frozen=True, slots=True)
class Scope:
    """What the person asked to look at. Patterns are NAME or KIND/NAME (session, transfer, network, endpoint), `*` matches.

    `prune` None: the site's limit. `destroy`: everything that is ours goes, declared or not.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    prune: int | str | None = None
    destroy: bool = False

    def covers(self, kind: str, name: str, endpoint: str) -> bool:
        """Whether the object is meant: named by a target (or there is none), and not excluded."""
        wanted = not self.targets or any(_matches(pattern, kind, name, endpoint) for pattern in self.targets)
        return wanted and not any(_matches(pattern, kind, name, endpoint) for pattern in self.excludes)


def _matches(pattern: str, kind: str, name: str, endpoint: str) -> bool:
    pattern_kind, slash, pattern_name = pattern.rpartition("/")
    if pattern_kind == "endpoint":
        return fnmatchcase(endpoint, pattern_name)
    return fnmatchcase(name, pattern_name) and (not slash or pattern_kind == kind)


def make_plan(site: Site, snapshot: Snapshot, *, now: datetime, scope: Scope | None = None) -> Plan:
    """Everything that apply would do. The time decides only which sessions have expired."""
    return _Planner(site, snapshot, now, scope or Scope()).plan()


@dataclass(slots=True)
class _Draft:
    changes: list[Change] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    transfers: list[TransferNote] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def add(self, change: Change, steps: Iterable[Step]) -> None:
        self.changes.append(change)
        self.steps |= {step.id: step for step in steps}


class _Planner:
    def __init__(self, site: Site, snapshot: Snapshot, now: datetime, scope: Scope) -> None:
        self.site = site
        self.snapshot = snapshot
        self.now = now
        self.scope = scope
        self.answering = {name: seen for name, seen in sorted(snapshot.endpoints.items()) if not seen.is_silent}
        self.services = () if scope.destroy else resolve_services(site, now)
        self.live = {(name, item.name): item for name, seen in self.answering.items() for item in seen.containers}
        self.draft = _Draft()
        self.refused: dict[str, Change] = {}
        self.networks: dict[str, NetworkPlan] = {}
        self.allocations = Allocations()

    def plan(self) -> Plan:
        self.allocations = allocate(self.site, self.services, self.snapshot)
        self._study_networks()
        self._refuse()
        self._plan_services()
        self._plan_orphans()
        self._plan_networks()
        self._plan_transfers()
        self._guard_prune()
        steps = _with_handovers(tuple(self.draft.steps.values()), self.live)
        return Plan(
            site=self.site.name,
            changes=tuple(sorted(self.draft.changes, key=lambda change: change.sort_key)),
            steps=_in_order(steps),
            endpoints=tuple(self._summaries()),
            transfers=tuple(sorted(self.draft.transfers, key=lambda note: note.name)),
            notes=tuple(sorted(set(self.draft.notes))),
            owned=sum(item.kind == "service" for item in self.live.values()),
            unchanged=tuple(sorted(self.draft.unchanged)),
        )

    # --- what may be done at all ---

    def _study_networks(self) -> None:
        for name, seen in self.answering.items():
            here = tuple(service for service in self.services if service.endpoint.name == name)
            self.networks[name] = study_networks(self.site, self.site.endpoints[name], here, seen)

    def _refuse(self) -> None:
        """One refused service blocks its whole session: half a session across two endpoints is of no use."""
        for service in self.services:
            refusal = self._refusal(service)
            if refusal is not None and self._is_covered(service):
                change = _blocked(service, refusal)
                self.draft.changes.append(change)
                self.refused.setdefault(service.session.name, change)

    def _refusal(self, service: Service) -> Refusal | None:
        seen = self.answering.get(service.endpoint.name)
        if service.key in self.allocations.refused:
            return self.allocations.refused[service.key]
        if seen is None:
            return None
        for net in service.nets:
            if net.name in self.networks[seen.name].refused:
                return self.networks[seen.name].refused[net.name]
        return refuse_service(service, self.allocations.chosen[service.key], seen)

    def _is_covered(self, service: Service) -> bool:
        return self.scope.covers("session", service.session.name, service.endpoint.name)

    def _workable(self) -> Iterator[Service]:
        """Services that this plan may touch: covered, not blocked, on endpoints that answered."""
        for service in self.services:
            if self._is_covered(service) and service.session.name not in self.refused and service.endpoint.name in self.answering:
                yield service

    # --- services ---

    def _plan_services(self) -> None:
        situations = [self._situation(service) for service in self._workable()]
        pulls = self._pulls(situations)
        for situation in situations:
            service = situation.service
            change, steps = plan_service(replace(situation, pulls=pulls.get(service.session.name, ())))
            if change is None:
                self.draft.unchanged.append(f"session/{service.session.name} @ {service.endpoint.name}")
                self._note_health(service)
            else:
                self.draft.add(change, steps)

    def _situation(self, service: Service) -> Situation:
        endpoint = service.endpoint.name
        seen = self.live.get((endpoint, service.container))
        networks = self.networks[endpoint]
        touched = {item.network for item in seen.spec.attachments} if seen is not None else set()
        wanted = {net.name for net in service.nets}
        return Situation(
            service=service,
            allocation=self.allocations.chosen[service.key],
            spec=container_spec(service, self.allocations.chosen[service.key]),
            seen=seen,
            retired=self.live.get((endpoint, service.container + RETIRED_SUFFIX)),
            image=self.answering[endpoint].images.get(service.image),
            networks=tuple(create_step_id(endpoint, name) for name in sorted(wanted & (networks.missing | set(networks.rebuilt)))),
            image_moves=self._image_moves(service),
            rebuild=tuple(sorted(set(networks.rebuilt) & (wanted | touched))) if seen is not None else (),
            force_replace=any(_matches(pattern, "session", service.session.name, endpoint) for pattern in self.scope.replace),
        )

    def _image_moves(self, service: Service) -> str:
        """The registry's new digest of a tag that is pulled always; empty if it is what is here, or the registry did not say."""
        seen = self.answering[service.endpoint.name]
        digest = seen.remote_digests.get(service.image, "")
        image = seen.images.get(service.image)
        if service.profile.pull == "always" and not digest and image is not None:
            self.draft.notes.append(
                f"the registry did not say what {service.image} is now; {service.endpoint.name} keeps the image that it has"
            )
        if not digest or image is None or any(item.endswith(digest) for item in image.digests):
            return ""
        return f"{service.image} ({digest.removeprefix('sha256:')[:12]} in the registry)"

    def _pulls(self, situations: list[Situation]) -> Mapping[str, tuple[str, ...]]:
        """Pull steps by session: a session's images are on all its endpoints before the first of its containers is touched."""
        by_session: dict[str, set[str]] = {}
        for situation in situations:
            service = situation.service
            may_pull = situation.image is None or service.profile.pull == "always"
            if situation.image_moves or (may_pull and _will_make(situation)):
                step = Step(f"{service.endpoint.name}/pull/{service.image}", service.endpoint.name, PullImage(service.image))
                self.draft.steps[step.id] = step
                by_session.setdefault(service.session.name, set()).add(step.id)
        return {name: tuple(sorted(ids)) for name, ids in by_session.items()}

    def _note_health(self, service: Service) -> None:
        seen = self.live[service.endpoint.name, service.container]
        if seen.health == "unhealthy" or seen.state == "restarting":
            what = "unhealthy" if seen.health == "unhealthy" else f"restarting again and again (exit code {seen.exit_code})"
            self.draft.notes.append(f"session {service.session.name} on {service.endpoint.name} is as declared but {what}")

    # --- what nobody declares any more ---

    def _plan_orphans(self) -> None:
        wanted = {(service.endpoint.name, service.container) for service in self.services}
        for (endpoint, name), seen in sorted(self.live.items()):
            is_orphan = seen.kind == "service" and (endpoint, name.removesuffix(RETIRED_SUFFIX)) not in wanted
            if is_orphan and self.scope.covers("session", seen.owner, endpoint):
                self.draft.add(*plan_destroy(endpoint, seen, self._why_gone(seen)))
            elif self.scope.destroy and seen.kind == "ledger" and self.scope.covers("ledger", seen.name, endpoint):
                self.draft.add(*plan_leftover(endpoint, seen, Cause("destroy was asked for; the record itself stays")))

    def _why_gone(self, seen: ContainerSeen) -> Cause:
        document = self.site.sessions.get(seen.owner)
        if self.scope.destroy:
            return Cause("destroy was asked for")
        if document is None:
            return Cause(f"no file state/sessions/{seen.owner}.yaml any more")
        if is_expired(document.value, self.now):
            return Cause("the session has expired", document.file, document.mark(("expires",)).line, "expires")
        return Cause("the session does not name this endpoint any more", document.file, document.mark(("endpoints",)).line, "endpoints")

    # --- networks ---

    def _plan_networks(self) -> None:
        for name, seen in self.answering.items():
            plan = self.networks[name]
            creating = {step.action.spec.network for step in self._steps_of(name) if isinstance(step.action, CreateContainer)}
            creating |= {
                item.network
                for step in self._steps_of(name)
                if isinstance(step.action, CreateContainer)
                for item in step.action.spec.attachments
            }
            needed = creating | {
                step_id.rpartition("/")[2] for step in self._steps_of(name) for step_id in step.needs if "/network/" in step_id
            }
            leavers, staying = self._leavers(name, seen)
            for change, steps in plan_present(self.site, plan, needed, leavers):
                self.draft.add(change, steps)
            for result in plan_unused(plan, seen, staying, leavers):
                if isinstance(result, str):
                    self.draft.notes.append(result)
                elif self.scope.covers("network", result[0].name, name) or self.scope.targets == ():
                    self.draft.add(*result)

    def _steps_of(self, endpoint: str) -> list[Step]:
        return [step for step in self.draft.steps.values() if step.endpoint == endpoint]

    def _leavers(self, endpoint: str, seen: EndpointSeen) -> tuple[Mapping[str, tuple[str, ...]], set[str]]:
        """By network, the steps that take our containers off it; and the networks that some container stays on."""
        off: dict[tuple[str, str], str] = {}
        for step in self._steps_of(endpoint):
            if isinstance(step.action, RemoveContainer):
                off[step.action.id, "*"] = step.id
            elif isinstance(step.action, DisconnectNetwork):
                live = self.live[endpoint, step.action.container]
                off[live.id, step.action.network] = step.id
        leavers: dict[str, set[str]] = {}
        staying: set[str] = set()
        for container in seen.containers:
            for network in {item.network for item in (*container.spec.attachments, *container.addresses)}:
                step_id = off.get((container.id, "*")) or off.get((container.id, network))
                if step_id is None:
                    staying.add(network)
                else:
                    leavers.setdefault(network, set()).add(step_id)
        return {network: tuple(sorted(ids)) for network, ids in leavers.items()}, staying

    # --- transfers ---

    def _plan_transfers(self) -> None:
        routes = () if self.scope.destroy else resolve_routes(self.site, self.now)
        by_key = {service.key: service for service in self.services}
        starting: dict[str, list[str]] = {}
        for route in routes:
            if route.source_endpoint not in self.answering or not self.scope.covers("transfer", route.transfer.name, route.source_endpoint):
                continue
            source = self._end(by_key[route.source_endpoint, route.session])
            destination = self._end(by_key[route.destination_endpoint, route.session])
            seen = self.answering[route.source_endpoint]
            result = plan_transfer(route, source, destination, seen)
            if result.note is not None:
                self.draft.transfers.append(result.note)
            if result.change is not None:
                self.draft.add(result.change, result.steps)
                if not seen.ledger.readable and len(result.steps) > 1:
                    starting.setdefault(route.source_endpoint, []).append(route.transfer.name)
        for endpoint, names in starting.items():
            change, step = plan_ledger(self.site.name, endpoint, tuple(names))
            self.draft.add(change, (step,))
        self._plan_leftovers(routes)

    def _end(self, service: Service) -> End:
        endpoint, _ = service.key
        steps = tuple(
            step.id
            for step in self.draft.steps.values()
            if step.endpoint == endpoint and step.id.endswith(f"/{service.container}") and not step.id.startswith(f"{endpoint}/stop/")
        )
        allocation = self.allocations.chosen.get(service.key, Allocation())
        return End(service, allocation, steps[-1:], self._obstacle(service))

    def _obstacle(self, service: Service) -> str:
        endpoint, session = service.key
        if endpoint not in self.answering:
            return f"{endpoint} does not answer"
        if session in self.refused:
            return f"session {session} is blocked"
        if service.session.value.state != "started":
            return f"session {session} is declared {service.session.value.state}"
        if not service.profile.user:
            return f"session {session} has no `user` to log in as"
        if not self.allocations.chosen[service.key].ctrl_port:
            return f"session {session} has no control port"
        if not self._is_covered(service) and (endpoint, service.container) not in self.live:
            return f"session {session} is not there and not targeted"
        return ""

    def _plan_leftovers(self, routes: tuple[Route, ...]) -> None:
        """Job containers of removed transfers, and ended ones of other generations."""
        current = {route.transfer.name: f".g{route.transfer.value.generation}a" for route in routes}
        for (endpoint, name), seen in sorted(self.live.items()):
            if seen.kind != "transfer" or not self.scope.covers("transfer", seen.owner, endpoint):
                continue
            if seen.owner not in current:
                self.draft.add(*plan_leftover(endpoint, seen, Cause(f"no file state/transfers/{seen.owner}.yaml any more")))
            elif current[seen.owner] not in name and seen.state not in RUNNING_STATES:
                self.draft.add(*plan_leftover(endpoint, seen, Cause("it belongs to an earlier generation")))

    # --- guard ---

    def _guard_prune(self) -> None:
        """More removals than the budget allows are blocked, all of them: a wrong folder must not empty a site."""
        if self.scope.destroy:
            return
        doomed = {change.name for change in self.draft.changes if change.mark == "destroy" and change.kind == "session"}
        owned = {seen.owner for seen in self.live.values() if seen.kind == "service"}
        limits = self.site.settings.value.limits
        limit = prune_limit(self.scope.prune if self.scope.prune is not None else limits.max_prune, len(owned))
        if len(doomed) <= limit:
            return
        mark = self.site.settings.mark(("limits", "max_prune"))
        text = f"{len(doomed)} of {len(owned)} sessions would be removed, the limit is {limit}"
        cause = Cause(text, self.site.settings.file, mark.line, "limits.max_prune")
        for index, change in enumerate(self.draft.changes):
            if change.mark == "destroy":
                self._drop_steps(change)
                self.draft.changes[index] = replace(
                    change,
                    mark="blocked",
                    cause=cause,
                    code="E0440",
                    steps=(),
                    interrupts="",
                    fix=f"--max-prune {len(doomed)} if it is meant",
                )

    def _drop_steps(self, change: Change) -> None:
        for step_id in change.steps:
            self.draft.steps.pop(step_id, None)

    # --- the table ---

    def _summaries(self) -> Iterator[EndpointSummary]:
        gone = {(change.endpoint, change.name) for change in self.draft.changes if change.mark == "destroy" and change.kind == "session"}
        made = {(change.endpoint, change.name) for change in self.draft.changes if change.mark == "create" and change.kind == "session"}
        for name, seen in sorted(self.snapshot.endpoints.items()):
            here = [item for item in seen.containers if item.kind == "service" and not item.is_retired]
            ports = {item.name: len(item.spec.ports) for item in here}
            after = {item.name: ports[item.name] for item in here if (name, item.owner) not in gone}
            for step in self._steps_of(name):
                if isinstance(step.action, CreateContainer) and step.action.container.count(".") == 1:
                    after[step.action.container] = len(step.action.spec.ports)
            yield EndpointSummary(
                name=name,
                silence=seen.silence,
                lock=seen.lease.holder if seen.lease is not None else "",
                sessions_before=len(here),
                sessions_after=len(here) - sum(endpoint == name for endpoint, _ in gone) + sum(endpoint == name for endpoint, _ in made),
                ports_before=sum(ports.values()),
                ports_after=sum(after.values()),
            )


def _will_make(situation: Situation) -> bool:
    """Whether a new container will be created, for which the image must be there."""
    if situation.seen is None:
        return True
    differences = compare_container(situation.spec, situation.seen, situation.image)
    return situation.force_replace or bool(situation.rebuild) or any(item.forces_replace for item in differences)


def _blocked(service: Service, refusal: Refusal) -> Change:
    return Change(
        mark="blocked",
        kind="session",
        name=service.session.name,
        endpoint=service.endpoint.name,
        cause=refusal.cause,
        summary=refusal.cause.text,
        code=refusal.code,
        fix=refusal.fix,
    )


def _with_handovers(steps: tuple[Step, ...], live: Mapping[tuple[str, str], ContainerSeen]) -> tuple[Step, ...]:
    """A container that gets a port or an address from one that goes in the same plan starts after that one has stopped."""
    released: dict[tuple[str, str, str], tuple[str, str]] = {}
    for step in steps:
        if isinstance(step.action, (StopContainer, RemoveContainer)):
            seen = live.get((step.endpoint, step.action.container))
            for scope, item in holdings(seen.spec) if seen is not None else ():
                place = step.endpoint if scope == "port" else ""
                released.setdefault((place, scope, item), (step.id, step.action.container))
    specs = {(step.endpoint, step.action.container): step.action.spec for step in steps if isinstance(step.action, CreateContainer)}
    return tuple(_after_release(step, specs, released) for step in steps)


def _after_release(
    step: Step, specs: Mapping[tuple[str, str], ContainerSpec], released: Mapping[tuple[str, str, str], tuple[str, str]]
) -> Step:
    if not isinstance(step.action, StartContainer) or not released:
        return step
    spec = specs.get((step.endpoint, step.action.container))
    if spec is None:
        return step
    places = [((step.endpoint if scope == "port" else ""), scope, item) for scope, item in holdings(spec)]
    further = sorted({released[place][0] for place in places if place in released and released[place][1] != step.action.container})
    return replace(step, needs=(*step.needs, *(item for item in further if item not in step.needs)))


def _in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Steps by endpoint and id, each after those that it needs; needs that are not steps of this plan are dropped."""
    known = {step.id: step for step in steps}
    ordered: dict[str, Step] = {}

    def visit(step: Step) -> None:
        if step.id in ordered:
            return
        needs = tuple(dict.fromkeys(item for item in step.needs if item in known))
        for item in needs:
            visit(known[item])
        ordered[step.id] = replace(step, needs=needs)

    for step in sorted(steps, key=lambda item: (item.endpoint, item.id)):
        visit(step)
    return tuple(ordered.values())
