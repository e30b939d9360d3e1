"""Makes the Plan: everything that should be, against everything that was seen. Pure and deterministic to the byte.

What lives on an endpoint whose file is gone from the state is not seen, and so not planned for: remove its sessions first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from dtnctl.model.actions import PullImage
from dtnctl.model.plan import Change, Plan, Step
from dtnctl.model.resources import ContainerSeen, ImageSeen, Snapshot, main_name
from dtnctl.model.site import Site
from dtnctl.planning.clocks import clock_notes
from dtnctl.planning.containers.describe import service_change
from dtnctl.planning.containers.host_part import HostStep
from dtnctl.planning.containers.services import Situation, destroy_steps, ready_after, service_steps
from dtnctl.planning.containers.unseen_secrets import unseen_secret_notes
from dtnctl.planning.draft import Draft
from dtnctl.planning.engine_versions import old_engine_notes
from dtnctl.planning.host.resource import Planned
from dtnctl.planning.host.resources import RESOURCES
from dtnctl.planning.leaving import leaving_steps
from dtnctl.planning.networks import plan_present, plan_unused
from dtnctl.planning.ordering import in_order, with_handovers
from dtnctl.planning.orphans import end_text, ended_copies, removal_text
from dtnctl.planning.paths.bandwidth import promised_bandwidth
from dtnctl.planning.paths.changes import path_change, releases
from dtnctl.planning.paths.handover import Holder, Stuck, after_releases, stuck_requests
from dtnctl.planning.paths.report import path_notes, path_rows, silent_providers
from dtnctl.planning.paths.wanted import declared_paths
from dtnctl.planning.rails.expiry import expiry_notes
from dtnctl.planning.rails.freezing import edge_notes, override_notes
from dtnctl.planning.rails.records import Here, plan_records
from dtnctl.planning.rails.suspension import suspension_notes, suspensions
from dtnctl.planning.refusal import Refusal, blocked
from dtnctl.planning.resolve import Key, Service
from dtnctl.planning.restarts import ends_again
from dtnctl.planning.scope import Scope as Scope  # what make_plan is asked with
from dtnctl.planning.selection import selection_notes
from dtnctl.planning.step_ids import pull_id, remove_id
from dtnctl.planning.strangers import plan_adoption, stranger_notes
from dtnctl.planning.study import Study
from dtnctl.planning.studying import study
from dtnctl.planning.summaries import silence_notes, summary_rows
from dtnctl.planning.transfer_planner import TransferPlanner
from dtnctl.planning.transfers.jobs import leftover_servers, leftovers, plan_ledger_removal, plan_leftover, why_left
from dtnctl.planning.transfers.receipts import with_receipt
from dtnctl.planning.transfers.running_copies import unseen_copies, unseen_sources
from dtnctl.planning.under_copies import parted


def make_plan(site: Site, snapshot: Snapshot, *, now: datetime, scope: Scope | None = None) -> Plan:
    """Everything that apply would do.

    The time decides which sessions have expired, which windows are open, and whether a service ends again and again.
    """
    asked = scope or Scope()
    plan = _planned(site, snapshot, now, asked)
    held = () if asked.sees_suspended else suspensions(site, now, asked)
    if not held:
        return plan
    whole = _planned(site, snapshot, now, replace(asked, sees_suspended=True))
    return replace(plan, notes=tuple(sorted((*plan.notes, *suspension_notes(held, whole)))))


def _planned(site: Site, snapshot: Snapshot, now: datetime, scope: Scope) -> Plan:
    """Drafted again without the paths that do not get their VLAN in it, until there is none: each draft holds at least one more back."""
    stuck: Mapping[str, Stuck] = {}
    while True:
        planner = _Planner(study(site, snapshot, now, scope, stuck))
        planner.draft_all()
        if not (further := planner.stuck()):
            return planner.plan()
        stuck = {**stuck, **further}


class _Planner:
    def __init__(self, found: Study) -> None:
        self.found = found
        self.draft = Draft()
        self.ready: dict[Key, tuple[str, ...]] = {}
        self.waiting: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        self.silent = found.snapshot.silent
        self.unseen = unseen_sources(found.resolved_transfers, frozenset(self.silent))

    def draft_all(self) -> None:
        """Every change with its steps; what is made of them depends on each other."""
        self._plan_blocked()
        self._plan_paths()
        self._plan_services()
        self._plan_orphans()
        self._plan_networks()
        self._plan_releases()
        self._plan_hosts()
        self._plan_records()
        self._plan_adoptions()
        TransferPlanner(self.found, self.draft, self.ready).plan()
        self._plan_leftovers()
        self._note_strangers()
        self.draft.notes.update(silence_notes(self.found))
        self.draft.notes.update(self.found.volumes.notes)
        self.draft.notes.update(path_notes(self.found.path_view))
        self.draft.notes.update(clock_notes(self.found.answering))
        self.draft.notes.update(old_engine_notes(self.found.written, self.found.answering))
        self.draft.notes.update(edge_notes(self.found.written, self.found.answering, self.found.now))
        self.draft.notes.update(expiry_notes(self.found.written, self.found.now))
        self.draft.notes.update(override_notes(self.found.written, self.found.now, self.found.scope.override_freeze))
        self.draft.notes.update(unseen_secret_notes(self.found.situations, self.found.answering))
        self.draft.notes.update(selection_notes(self.found.written, self.found.scope.selection, self.draft.added))

    def stuck(self) -> Mapping[str, Stuck]:
        """The steps of the draft that ask for a path whose VLAN is not free by then, with the reason."""
        waits = self._vlan_waits
        return stuck_requests(with_handovers(tuple(self._steps()), self.found.live), waits) if waits else {}

    def plan(self) -> Plan:
        """All that was drafted, in order."""
        return Plan(
            site=self.found.site.name,
            changes=tuple(sorted(self.draft.changes, key=lambda change: change.sort_key)),
            steps=in_order(self._steps(), self.found.live),
            endpoints=tuple(summary_rows(self.found, self.draft.by_endpoint)),
            transfers=tuple(sorted(self.draft.transfers, key=lambda note: note.name)),
            notes=tuple(sorted(self.draft.notes)),
            owned=sum(item.kind == "service" and not item.is_aside for item in self.found.live.values()),
            unchanged=tuple(self.draft.unchanged),
            failing=tuple(sorted(self.draft.failing)),
            paths=path_rows(self.found.site, self.found.snapshot),
            promised=promised_bandwidth(declared_paths(self.found.site), self.found.snapshot),
            silent_providers=silent_providers(self.found.site, self.found.snapshot),
            snapshot=self.found.snapshot,
        )

    @property
    def _vlan_waits(self) -> Mapping[str, tuple[Holder, ...]]:
        return {found.request_step: found.after for found in self.found.paths.values() if found.refusal is None and found.after}

    def _steps(self) -> Iterator[Step]:
        """All of them. A run that is about something else leaves some for later: the agent then refuses what cannot be without them."""
        hosts = self.found.hosts.values()
        later = {step_id for here in hosts for resource in RESOURCES for step_id in resource.deferred(here)} - self.draft.steps.keys()
        for step in after_releases(self.draft.steps.values(), self._vlan_waits):
            yield step if later.isdisjoint(step.needs) else replace(step, needs=tuple(item for item in step.needs if item not in later))

    def _add(self, change: Change, steps: tuple[Step, ...]) -> bool:
        """A change beside those of sessions and transfers; held back, and False, while its endpoint or session is frozen."""
        session = change.name if change.kind == "protection" else ""
        frozen = self.found.freeze(change.endpoint, session)
        if frozen is None:
            self.draft.add(change, steps)
        else:
            self.draft.changes.append(blocked(change.kind, change.name, change.endpoint, frozen))
        return frozen is None

    # --- services ---

    def _plan_blocked(self) -> None:
        for (endpoint, session), refusals in self.found.refusals.items():
            self.draft.changes += [blocked("session", session, endpoint, refusal) for refusal in refusals]
        for plan in self.found.networks.values():
            for name, refusal in plan.refused.items():  # asked for by name: sessions that want it would be blocked themselves
                self.draft.changes.append(blocked("network", name, plan.endpoint, refusal))
        self.draft.notes.update(self.found.allocations.hardware.notes)

    def _plan_services(self) -> None:
        pulls = self._pulls()
        for known in self.found.situations:
            service = known.service
            pulled = pulls.get(service.session.name)
            situation = known if pulled is None else replace(known, pulls=pulled, image=self._image_after(known, pulled))
            steps = service_steps(situation)
            if situation.allocation.guess and steps:
                guess = situation.allocation.guess
                self.draft.notes.add(f"{service} gets new addresses while others do not answer, who hold presumably {guess}")
            if steps:
                change = service_change(situation, steps)
                self.draft.add(change, steps)
                self.draft.notes.update(unseen_copies(change, self.unseen.get(service.key, ())))
                self.ready[service.key] = ready_after(steps)
                for net in service.nets:
                    self.waiting.setdefault((service.endpoint.name, net.name), []).append(situation.pulls)
            else:
                self.draft.unchanged.append(f"session/{service.session.name} @ {service.endpoint.name}")
                self._note_health(service)

    def _pulls(self) -> Mapping[str, tuple[str, ...]]:
        """Pull steps by session: a session's images are on all its endpoints before the first of its containers is touched."""
        by_session: dict[str, set[str]] = {}
        for situation in self.found.situations:
            service, endpoint = situation.service, situation.service.endpoint.name
            seen = self.found.answering[endpoint]
            is_unsure = service.profile.pull == "always" and not seen.remote_digests.get(service.image)
            is_here = seen.images.get(service.image) is not None
            if not service.backend.pulls:
                continue
            if situation.needs_new_container and (is_unsure or situation.image_moves or not is_here):
                step = Step(pull_id(endpoint, service.image), endpoint, PullImage(service.image))
                self.draft.add_step(step)
                by_session.setdefault(service.session.name, set()).add(step.id)
            elif is_unsure and is_here:
                self.draft.notes.add(f"the registry did not say what {service.image} is now; {endpoint} keeps the image that it has")
        return {name: tuple(sorted(ids)) for name, ids in by_session.items()}

    @staticmethod
    def _image_after(situation: Situation, pulled: tuple[str, ...]) -> ImageSeen | None:
        """The image that a new container will be made from; unknown if it is pulled in this run."""
        return None if pull_id(situation.service.endpoint.name, situation.service.image) in pulled else situation.image

    def _note_health(self, service: Service) -> None:
        seen = self.found.live[service.endpoint.name, service.container]
        if not service.wants_running:
            return
        where = self.found.answering[service.endpoint.name]
        if what := "unhealthy" if seen.health == "unhealthy" else ends_again(seen, where, self.found.now):
            text = f"session {service.session.name} on {service.endpoint.name} is as declared but {what}"
            self.draft.failing.append(text)
            self.draft.notes.add(text)

    # --- what is no longer declared ---

    def _plan_orphans(self) -> None:
        names: dict[Key, list[str]] = {}
        for endpoint, name in self.found.orphans:
            names.setdefault((endpoint, self.found.live[endpoint, name].owner), []).append(name)
        for endpoint, name in self.found.orphans:
            seen = self.found.live[endpoint, name]
            if self.found.scope.covers("session", seen.owner, endpoint) and seen.owner not in self.found.blocked:
                given_back, after = self._given_back(endpoint, seen, names[endpoint, seen.owner])
                cuts = ended_copies(self.found.jobs, endpoint, seen)
                change = Change(
                    mark="destroy",
                    kind="session",
                    name=seen.owner,
                    endpoint=endpoint,
                    cause=self.found.why_gone(seen),
                    summary=removal_text(seen),
                    notes=(
                        *(f"anonymous volume {target} is removed with its content" for target in seen.anonymous_volumes),
                        *(step.note for step in given_back if step.note),
                    ),
                    interrupts=end_text(endpoint, seen, cuts),
                    cuts=cuts,
                )
                self._remove(change, destroy_steps(endpoint, seen, given_back, after), self.found.doubted.get((endpoint, name), ()))

    def _remove(self, change: Change, steps: tuple[Step, ...], doubts: tuple[Refusal, ...] = ()) -> None:
        """A removal, or why it is not one: over the budget none is carried out, of whatever kind."""
        refusals = doubts if self.found.overdrawn is None else (self.found.overdrawn, *doubts)
        if not refusals:
            self.draft.add(replace(change, steps=tuple(step.id for step in steps)), steps)
        self.draft.changes += [blocked(change.kind, change.name, change.endpoint, refusal) for refusal in refusals]

    def _given_back(self, endpoint: str, seen: ContainerSeen, names: list[str]) -> tuple[tuple[HostStep, ...], tuple[str, ...]]:
        """What is released with the first of a session's containers, and the steps that remove the others: a replacement was cut off."""
        here = self.found.hosts.get(endpoint)
        if here is None or seen.name != min(names):
            return (), ()
        released = (step for resource in RESOURCES for step in resource.release(here, seen.owner, main_name(seen.name)))
        return tuple(released), tuple(remove_id(endpoint, name) for name in names if name != seen.name)

    def _plan_hosts(self) -> None:
        """What the endpoints' agents do beside the services' own steps."""
        for name, here in self.found.hosts.items():
            for resource in RESOURCES:
                for planned in resource.beside(here, tuple(self.draft.on(name))):
                    self._add_of_host(name, planned)

    def _add_of_host(self, endpoint: str, planned: Planned) -> bool:
        """What can be done now of a change of the host; the rest waits for running transfers. Whether anything is done."""
        now, held = parted(endpoint, planned, self.found.held_steps)
        if held is not None:
            self.draft.changes.append(held)
        return now is not None and self._add(*now)

    def _plan_records(self) -> None:
        """What endpoints record of `protect:`."""
        for name, seen in self.found.answering.items():
            services = {item.session.name: item for item in self.found.by_endpoint[name]}
            owners = (*services, *(self.found.records[name].keys() - services.keys()))
            meant = frozenset(owner for owner in owners if self.found.scope.covers("session", owner, name))
            workable = frozenset(owner for owner, item in services.items() if self.found.is_workable(item))
            here = Here(seen, self.found.records[name], services, meant, workable, tuple(self.draft.on(name)))
            for change, steps in plan_records(here):
                self._add(change, steps)

    # --- paths between sites ---

    def _plan_paths(self) -> None:
        """What is asked of providers, before the networks that go over it are made."""
        for found in self.found.paths.values():
            planned = path_change(found)
            if planned is not None:
                self.draft.add(*planned)
            elif found.refusal is None and found.seen is not None:
                self.draft.unchanged.append(f"path/{found.path.name} @ {found.path.provider}")

    def _plan_releases(self) -> None:
        """Paths that are released, after the networks over them are gone."""
        declared = (found.path for found in self.found.paths.values())
        for change, steps in releases(self.found.path_view, declared, self.found.written, tuple(self.draft.added)):
            self.draft.add(change, steps)

    # --- networks ---

    def _plan_networks(self) -> None:
        for name, seen in self.found.answering.items():
            plan = self.found.networks[name]
            leavers = leaving_steps(seen, self.draft.on(name))
            below = self._over_paths(self._below_networks(name))
            pulls = {net: _in_all(self.waiting[name, net]) for net in plan.missing if (name, net) in self.waiting}
            for change, steps in (*plan_present(self.found.site, plan, pulls, leavers, below), *plan_unused(plan, leavers)):
                self._add(change, steps)
            self.draft.notes.update(plan.kept)

    def _below_networks(self, endpoint: str) -> Mapping[str, tuple[str, ...]]:
        """By network, the steps that make what it is on top of."""
        made: dict[str, tuple[str, ...]] = {}
        if (here := self.found.hosts.get(endpoint)) is None:
            return made
        for network, (change, steps) in (item for resource in RESOURCES for item in resource.below_networks(here)):
            if self._add_of_host(endpoint, (change, steps)):
                made[network] = (*made.get(network, ()), *(step.id for step in steps if step.id in self.draft.steps))
        return made

    def _over_paths(self, below: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        """The same with the steps after which the paths that networks go over carry packets."""
        made = dict(below)
        for network, document in self.found.site.networks.items():
            found = self.found.paths.get(document.value.path or "")
            if found is not None and found.last_step:
                made[network] = (*made.get(network, ()), *found.last_step)
        return made

    def _plan_adoptions(self) -> None:
        """What is there from before the repository had an id."""
        for endpoint, seen in self.found.answering.items():
            adoption = None if self.found.scope.destroy else plan_adoption(self.found.site, seen)
            if adoption is not None and self.found.scope.covers("ledger", adoption[0].name, endpoint):
                self._add(adoption[0], (adoption[1],))

    def _plan_leftovers(self) -> None:
        """Containers of jobs that nothing waits for; with destroy also the ledger's placeholder."""
        scope, resolved_transfers = self.found.scope, {resolved.transfer.name: resolved for resolved in self.found.resolved_transfers}
        history = self.found.history
        for endpoint, transfer in (*history.containers, *history.servers):
            if scope.covers("transfer", transfer, endpoint) and transfer not in self.found.doubted_transfers:
                resolved = resolved_transfers.get(transfer)
                servers = leftover_servers(resolved, history, endpoint, transfer, self.found.answering)
                for job in (*leftovers(resolved, history, endpoint, transfer), *servers):
                    cause = why_left(self.found.site, transfer, resolved, job, destroy=scope.destroy)
                    removal = plan_leftover(endpoint, job.seen, cause, self.found.snapshot.progress.get(transfer))
                    change, steps = with_receipt(self.found.answering[endpoint], history, job, removal)
                    self._remove(change, steps, self.found.held_job(transfer, change))
        for (endpoint, name), seen in self.found.live.items():
            if scope.destroy and seen.kind == "ledger" and scope.covers("ledger", name, endpoint):
                self._remove(*plan_ledger_removal(self.found.site.name, endpoint, seen, tuple(self.draft.steps.values())))

    # --- what is not known ---

    def _note_strangers(self) -> None:
        for seen in self.found.answering.values():
            self.draft.notes.update(stranger_notes(self.found.site, seen))


def _in_all(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    """What is in every group: a network is made after the pulls that all its users wait for."""
    return tuple(item for item in groups[0] if all(item in group for group in groups))
