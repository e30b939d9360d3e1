"""Plans the declared transfers: what starts, waits, is recorded, or why nothing of it can be. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from dtnctl.model.resources import EndpointSeen
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.containers.services import RUNNING_STATES
from dtnctl.planning.draft import Draft
from dtnctl.planning.refusal import Refusal, blocked
from dtnctl.planning.resolve import Key, ResolvedTransfer, Service
from dtnctl.planning.step_ids import ledger_id
from dtnctl.planning.strangers import refuse_ledger
from dtnctl.planning.study import Study
from dtnctl.planning.transfers.admission import Admission
from dtnctl.planning.transfers.declared import End, TransferPlan, needs_hand, plan_ledger, plan_transfer, silent_source
from dtnctl.planning.transfers.in_time import in_its_time
from dtnctl.planning.transfers.order import Standings, in_turn
from dtnctl.planning.transfers.ports import PromisedPorts
from dtnctl.planning.twins import refuse_twin


class TransferPlanner:
    """`ready` are the steps after which a service that this plan changes runs."""

    def __init__(self, found: Study, draft: Draft, ready: Mapping[Key, tuple[str, ...]]) -> None:
        self.found = found
        self.draft = draft
        self.ready = ready
        self.frozen = found.frozen
        self.silent = found.snapshot.silent
        self.writing: dict[str, list[str]] = {}
        self.promised = PromisedPorts(draft.added)

    def plan(self) -> None:
        """Add them to the draft, in the order in which they take their turn."""
        by_key = {service.key: service for service in self.found.services}
        declared = {item.transfer.name: item for item in self.found.declared_transfers}
        standings = Standings(self.found.history, declared)
        admission = Admission(by_key, self.found.site.endpoints)
        admission.occupy(self.found.history, declared)
        for resolved in in_turn(self.found.resolved_transfers):
            if not self.found.scope.covers("transfer", resolved.transfer.name, resolved.source_endpoint):
                continue
            seen = self.found.answering.get(resolved.source_endpoint)
            refusal = self._refusal_of_record(resolved, seen)
            if refusal is not None:
                self.draft.changes.append(blocked("transfer", resolved.transfer.name, resolved.source_endpoint, refusal))
                standings.note_wait(resolved, "is blocked")
                continue
            if seen is None:
                note = silent_source(resolved, self.found.history)
                self.draft.transfers.append(note)
                if note.is_unseen:
                    standings.note_wait(resolved, f"is not known to have succeeded while {resolved.source_endpoint} does not answer")
                else:
                    standings.note(resolved, TransferPlan(note=note))
                continue
            source, destination = (self._end(by_key[key]) for key in resolved.keys)
            started_on = self.found.history.started_elsewhere(resolved, self.found.snapshot.endpoints)
            result = plan_transfer(resolved, source, destination, seen, self.found.history, started_on)
            result = in_its_time(resolved, result, self.found.now)
            result = admission.admit(resolved, standings.follow(resolved, result))
            standings.note(resolved, result)
            self._add_transfer(resolved, result, seen)
        self._plan_ledgers()

    def _add_transfer(self, resolved: ResolvedTransfer, result: TransferPlan, seen: EndpointSeen) -> None:
        if result.starts and self.silent:
            silent = ", ".join(sorted(self.silent))
            self.draft.notes.add(
                f"transfer {resolved.transfer.name} starts while {silent} does not answer: if `from` ever named that endpoint, "
                "look there first for a copy of this generation"
            )
        if result.note is not None:
            self.draft.transfers.append(result.note)
        if result.change is not None:
            self.draft.add(result.change, result.steps)
            if result.steps and needs_hand(seen) and ledger_id(resolved.source_endpoint) not in self.draft.steps:
                self.writing.setdefault(resolved.source_endpoint, []).append(resolved.transfer.name)

    def _plan_ledgers(self) -> None:
        """The placeholders over the records that the transfers of this plan write."""
        for endpoint, names in self.writing.items():
            backend = self.found.site.endpoints[endpoint].value.backend(self.found.answering[endpoint].backend)
            change, step = plan_ledger(self.found.site.name, endpoint, backend, tuple(sorted(names)))
            self.draft.add(change, (step,))

    def _refusal_of_record(self, resolved: ResolvedTransfer, seen: EndpointSeen | None) -> Refusal | None:
        """Why the transfer's record can be neither read nor kept."""
        if resolved.source_endpoint in self.found.twins:
            return refuse_twin(self.found.site, self.found.twins[resolved.source_endpoint])
        return refuse_ledger(self.found.site, resolved, seen) if seen is not None else None

    def _end(self, service: Service) -> End:
        allocation = self.found.allocations.chosen.get(service.key, Allocation())
        seen = self.found.answering.get(service.endpoint.name)
        return End(
            service=service,
            allocation=allocation,
            seen=seen,
            promised=self.promised.at(service.endpoint.name),
            ready_after=self.ready.get(service.key, ()),
            obstacle=self._obstacle(service, allocation),
            clock_ahead=seen.clock_ahead if seen is not None else None,
        )

    def _obstacle(self, service: Service, allocation: Allocation) -> str:
        endpoint, session = service.key
        is_frozen = session in self.frozen
        if session in self.found.blocked and not is_frozen:
            return f"session {session} is blocked"
        if endpoint not in self.found.answering:
            return f"{endpoint} does not answer"
        if not service.wants_running:
            return f"session {session} is declared {service.session.value.state}"
        if not service.profile.user:
            return f"session {session} has no `user` to log in as"
        if not allocation.ctrl_port:
            return f"session {session} has no control port"
        if (is_frozen or not self.found.covers(service)) and not self._runs_as_chosen(service, allocation):
            return f"{service} is not as declared, and this run leaves it alone"
        return ""

    def _runs_as_chosen(self, service: Service, allocation: Allocation) -> bool:
        """Whether a service that this plan does not touch can carry a transfer: it runs, where we think it is."""
        seen = self.found.live.get((service.endpoint.name, service.container))
        if seen is None or seen.state not in RUNNING_STATES:
            return False
        is_at_port = dict(seen.spec.env).get("CTRL_PORT") == str(allocation.ctrl_port)
        return is_at_port and seen.spec.attachments == allocation.attachments
