"""Volumes over NVMe-oF on all endpoints together: their steps wait for each other, and one host writes at a time. Pure.

A target is made before hosts connect and withdrawn after they have let go. Where one end cannot be known, the other one is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.plan import Cause
from dtnctl.model.resources import ContainerSeen
from dtnctl.model.site import Document
from dtnctl.planning.choices.shared_keys import refused_for_keys
from dtnctl.planning.choices.volume_ends import (
    all_tasks,
    connection_fields,
    connection_of,
    cuts_others,
    export_fields,
    export_of,
    leaving_tasks,
    mount_of,
    refuse_lacking,
    refuse_unheard_target,
    tasks_for,
)
from dtnctl.planning.choices.volume_plans import ExportPlan, VolumePlan, VolumePlans, VolumesAsked
from dtnctl.planning.choices.volumes import VolumeUse, containers_with, host_nqn, mount_folder, volume_uses
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.step_ids import volume_step_id
from dtnctl.printable import plural

if TYPE_CHECKING:
    from dtn_agent.protocol.volumes import HeldExport, HeldVolume

Uses = Mapping[str, Mapping[str, tuple[VolumeUse, ...]]]  # by volume and endpoint
Plans = dict[str, VolumePlan]  # of one volume, by endpoint


def study_volumes(asked: VolumesAsked) -> VolumePlans:
    """Both ends of all volumes that are declared for a service, or that agents have for the site."""
    uses = volume_uses(asked.services)
    connected, exported = _study(asked, uses, {})
    hosts = {document.name: host for document, host in asked.hosts}
    return VolumePlans(connected, exported, tuple(_notes(asked, connected, exported)), hosts)


def _study(asked: VolumesAsked, uses: Uses, refused: Mapping[str, Refusal]) -> tuple[tuple[VolumePlan, ...], tuple[ExportPlan, ...]]:
    """With as many refused as would change the keys of others; each that is refused may be one of those others."""
    names = sorted({*uses, *_held_names(asked)})
    studied = [_Volume(asked, name, uses.get(name, {}), refused.get(name)).study() for name in names]
    connected = tuple(plan for plans, _ in studied for plan in plans)
    exported = tuple(plan for _, plans in studied for plan in plans)
    more = refused_for_keys(exported, uses, {host_nqn(host): document.name for document, host in asked.hosts})
    return _study(asked, uses, {**refused, **more}) if more else (connected, exported)


def _notes(asked: VolumesAsked, connected: tuple[VolumePlan, ...], exported: tuple[ExportPlan, ...]) -> Iterator[str]:
    """Sentences about targets that do not answer, and what is left as it is for that; about keys that were not looked at."""
    yield from dict.fromkeys(text for plan in connected for text in _unseen_keys(asked, plan))
    for export in exported:
        yield from export.notes
        users = [plan.endpoint for plan in connected if plan.name == export.name and plan.held is not None]
        if asked.host(export.endpoint) is None and users:
            who = f"the agent of {export.endpoint}" if export.endpoint in asked.answering else export.endpoint
            yield f"{who} does not answer: whether it exports volume {export.name} to {' and '.join(users)} is unknown, and left alone"


def _unseen_keys(asked: VolumesAsked, plan: VolumePlan) -> Iterator[str]:
    """Whether such a key has changed is unknown."""
    auth = plan.document.value.auth if plan.document is not None else None
    seen = asked.answering.get(plan.endpoint)
    if auth is None or seen is None or not plan.uses:
        return
    then = "taken as unchanged" if plan.held is not None and plan.held.fingerprint else "apply will need it"
    for name, reference in auth.references.items():
        if reference not in seen.secrets:
            yield f"auth.{name} of volume {plan.name} ({reference}): (secret, not looked at), {then}"


def _held_names(asked: VolumesAsked) -> Iterator[str]:
    for _, host in asked.hosts:
        yield from (item.volume for item in host.held.volumes if item.site == asked.site.name)
        yield from (item.volume for item in host.held.exports if item.site == asked.site.name)


@dataclass(slots=True)
class _Volume:
    asked: VolumesAsked
    name: str
    uses: Mapping[str, tuple[VolumeUse, ...]]
    refusal: Refusal | None = None  # to export it otherwise

    @property
    def document(self) -> Document[NvmeVolume] | None:
        return self.asked.site.volumes.get(self.name)

    def study(self) -> tuple[tuple[VolumePlan, ...], tuple[ExportPlan, ...]]:
        plans: Plans = {endpoint: self._own(endpoint) for endpoint in sorted({*self.uses, *self._held()})}
        exports = {endpoint: self._export(endpoint) for endpoint in sorted(self._exporters())}
        plans = self._with_target(plans, exports)
        plans = {endpoint: self._after_others(plan, plans) for endpoint, plan in plans.items()}
        exports = {endpoint: self._after_leavers(self._with_hosts(export, plans), plans) for endpoint, export in exports.items()}
        plans = self._without_refused({endpoint: self._waiting(plan, exports) for endpoint, plan in plans.items()})
        return tuple(plans.values()), tuple(exports.values())

    # --- who has what ---

    def _held(self) -> Mapping[str, HeldVolume]:
        return {
            document.name: item
            for document, host in self.asked.hosts
            for item in host.held.volumes
            if (item.site, item.volume) == (self.asked.site.name, self.name)
        }

    def _held_exports(self) -> Mapping[str, HeldExport]:
        return {
            document.name: item
            for document, host in self.asked.hosts
            for item in host.held.exports
            if (item.site, item.volume) == (self.asked.site.name, self.name)
        }

    def _exporters(self) -> set[str]:
        target = self.document.value.target.endpoint if self.document is not None and self.uses else None
        return {*self._held_exports(), *([target] if target is not None else [])}

    def _nqn(self, endpoint: str) -> str:
        host = self.asked.host(endpoint)
        return host_nqn(host) if host is not None else ""

    @property
    def _names(self) -> dict[str, str]:
        return {host_nqn(host): document.name for document, host in self.asked.hosts}

    # --- the host that uses it, by itself ---

    def _own(self, endpoint: str) -> VolumePlan:
        uses, held = self.uses.get(endpoint, ()), self._held().get(endpoint)
        document = self.document
        plan = VolumePlan(self.name, endpoint, document, uses, held, active=self._active(endpoint, held))
        if not uses or document is None:
            return self._leaving(plan)
        connection = connection_of(self.asked, document, endpoint, held)
        if isinstance(connection, Refusal):
            return replace(plan, refusal=connection)
        mount = mount_of(self.asked, document, uses)
        tasks = tasks_for(held, connection, mount)
        plan = replace(plan, connection=connection, mount=mount, tasks=tasks)
        if held is not None:
            plan = replace(plan, fields=tuple(connection_fields(document, held, connection, mount)))
        if "connect-volume" in tasks and (refusal := self._cannot_connect(plan, document)) is not None:
            return _refused(plan, refusal)
        return self._allowed_now(plan)

    def _active(self, endpoint: str, held: HeldVolume | None) -> tuple[ContainerSeen, ...]:
        if held is None:
            return ()
        folder = held.mount.path if held.mount is not None else mount_folder(self.asked.site, self.name)
        return tuple(containers_with(self.asked.answering[endpoint].containers, folder, held.uuid))

    def _leaving(self, plan: VolumePlan) -> VolumePlan:
        """No service names it any more."""
        assert plan.held is not None
        if not self.asked.may_remove:
            return plan
        return self._allowed_now(replace(plan, tasks=leaving_tasks(plan.held)))

    def _cannot_connect(self, plan: VolumePlan, document: Document[NvmeVolume]) -> Refusal | None:
        host, volume = self.asked.host(plan.endpoint), document.value
        assert host is not None
        lacks = refuse_lacking(document, plan.endpoint, host, f"connect-{volume.transport}")
        if lacks is None and volume.filesystem is not None:
            lacks = refuse_lacking(document, plan.endpoint, host, f"mount-{volume.filesystem}")
        return lacks or self._same_host(plan, document, host_nqn(host))

    def _same_host(self, plan: VolumePlan, document: Document[NvmeVolume], nqn: str) -> Refusal | None:
        """Two hosts of one name are one to a target, which ends the connection of the first when the second comes."""
        others = [item.name for item, host in self.asked.hosts if nqn and host_nqn(host) == nqn and item.name != plan.endpoint]
        if not others:
            return None
        text = f"{plan.endpoint} and {others[0]} have one NVMe host NQN, {nqn}: images of one machine have it in common"
        cause = Cause(text, document.file, document.mark().line)
        return Refusal("E0453", cause, f"remove /etc/nvme/hostnqn and hostid on {plan.endpoint}: the agent then makes its own")

    def _allowed_now(self, plan: VolumePlan) -> VolumePlan:
        """Without its tasks where this run leaves it, where the endpoint is frozen, or where what uses it may not be touched."""
        if not plan.tasks:
            return plan
        if not self.asked.is_meant(self.name, plan.endpoint, plan.uses):
            return replace(plan, tasks=(), fields=())
        if (frozen := self.asked.freeze(plan.endpoint)) is not None:
            return _refused(plan, frozen)
        kept = [item for item in plan.active if (plan.endpoint, item.name) in self.asked.stays]
        if kept and plan.stops:
            return _refused(plan, self._busy(plan, kept[0].owner))
        return plan

    def _busy(self, plan: VolumePlan, session: str) -> Refusal:
        text = f"volume {self.name} on {plan.endpoint} stays as it is: session {session} uses it, and nothing of that is changed now"
        if plan.document is None:
            return Refusal("E0452", Cause(text), f"remove or to stop session {session} first")
        return Refusal(
            "E0452", Cause(text, plan.document.file, plan.document.mark().line), f"apply again when session {session} can be changed"
        )

    # --- the target ---

    def _export(self, endpoint: str) -> ExportPlan:
        held, document = self._held_exports().get(endpoint), self.document
        plan = ExportPlan(self.name, endpoint, document, held)
        if document is None or not self.uses or document.value.target.endpoint != endpoint:
            return plan
        if self.refusal is not None:
            return replace(plan, refusal=self.refusal)
        if self.asked.host(endpoint) is None:
            return replace(plan, refusal=refuse_unheard_target(self.asked, document))
        found = export_of(self.asked, self.asked.site.endpoints[endpoint], document, held)
        if isinstance(found, Refusal):
            return replace(plan, refusal=found)
        cuts = held is not None and cuts_others(held, found)
        return replace(plan, request=found, cuts=cuts)

    def _with_target(self, plans: Plans, exports: Mapping[str, ExportPlan]) -> Plans:
        """Those that a new target would cut off let go first; those that need one that cannot be made are refused."""
        target = self.document.value.target.endpoint if self.document is not None else None
        export = exports.get(target or "")
        if export is None:
            return plans
        if export.cuts:
            plans = {endpoint: self._all_over(plan) for endpoint, plan in plans.items()}
        if export.refusal is None:
            return plans
        return {endpoint: _refused(plan, export.refusal) if "connect-volume" in plan.tasks else plan for endpoint, plan in plans.items()}

    def _all_over(self, plan: VolumePlan) -> VolumePlan:
        if plan.held is None or plan.connection is None or plan.refusal is not None:
            return plan
        return self._allowed_now(replace(plan, tasks=all_tasks(plan.held, plan.mount)))

    def _with_hosts(self, plan: ExportPlan, plans: Plans) -> ExportPlan:
        """With exactly the hosts that use it; of hosts that do not answer those stay that it has."""
        if plan.request is None or plan.request.do != "export-volume" or plan.document is None:
            return self._withdrawn(plan, plans)
        kept = [item.endpoint for item in plans.values() if item.refusal is None or item.held is not None]
        staying = [name for name in kept if plans[name].uses or (plans[name].held is not None and not plans[name].tasks)]
        hosts = tuple(sorted({*filter(None, map(self._nqn, staying)), *self._unknown(plan.held)}))
        request = plan.request.model_copy(update={"hosts": hosts})
        held = plan.held
        fields = tuple(export_fields(plan.document, held, request, self._names)) if held is not None else ()
        if not hosts:
            return replace(plan, request=None, cuts=False)
        if held is not None and not fields:
            return replace(plan, request=None, hosts=hosts)
        uses = tuple(use for found in self.uses.values() for use in found)
        if not self.asked.is_meant(self.name, plan.endpoint, uses):
            return replace(plan, request=None, hosts=hosts, cuts=False, refusal=self._left(plan))
        plan = replace(plan, request=request, hosts=hosts, fields=fields)
        if (frozen := self.asked.freeze(plan.endpoint)) is not None:
            return replace(plan, request=None, refusal=frozen, cuts=False)
        return self._unless_cut(plan, plans)

    def _left(self, plan: ExportPlan) -> Refusal:
        text = f"{plan.endpoint} does not export volume {self.name} as it is needed, and this run leaves it as it is"
        assert plan.document is not None
        cause = Cause(text, plan.document.file, plan.document.mark(("target",)).line, "target")
        return Refusal("E0455", cause, f"include volume/{self.name} in this run")

    def _unless_cut(self, plan: ExportPlan, plans: Plans) -> ExportPlan:
        """Refused where somebody has it connected who does not let go in this run."""
        holders = [item.endpoint for item in plans.values() if item.held is not None and not item.disconnects]
        silent = self._unknown(plan.held)
        if not plan.cuts or not (holders or silent):
            return plan
        return replace(plan, request=None, cuts=False, refusal=self._still_used(plan, holders))

    def _withdrawn(self, plan: ExportPlan, plans: Plans) -> ExportPlan:
        """No more exported, if no host has it or may have it."""
        held = plan.held
        is_wanted = plan.refusal is not None or held is None
        if held is None or is_wanted or not self.asked.may_remove or not self.asked.is_meant(self.name, plan.endpoint, ()):
            return plan
        if (frozen := self.asked.freeze(plan.endpoint)) is not None:
            return replace(plan, refusal=frozen)
        if silent := self._unknown(held):
            unheard = " and ".join(self.asked.unheard)
            hosts = plural(len(silent), "host")
            note = f"{plan.endpoint} goes on exporting volume {self.name} to {hosts}: {unheard} may use it, and does not answer"
            return replace(plan, notes=(note,))
        holders = [
            item.endpoint for item in plans.values() if item.held is not None and item.held.portal == held.portal and not item.disconnects
        ]
        if holders:
            return replace(plan, refusal=self._still_used(plan, holders))
        from dtn_agent.protocol.volumes import WithdrawVolume

        return replace(plan, request=WithdrawVolume(site=self.asked.site.name, volume=self.name))

    def _unknown(self, held: HeldExport | None) -> tuple[str, ...]:
        """Hosts to which it is exported and that are none of those which answered, as long as some did not."""
        if held is None or not self.asked.unheard:
            return ()
        return tuple(nqn for nqn in held.hosts if nqn not in self._names)

    def _still_used(self, plan: ExportPlan, holders: list[str]) -> Refusal:
        who = " and ".join(holders) or " or ".join(self.asked.unheard)
        how = "has it connected, and this run does not disconnect it" if holders else "may use it, and does not answer"
        text = f"{plan.endpoint} exports volume {self.name} as before: {who} {how}"
        document = plan.document
        cause = Cause(text, document.file, document.mark(("target",)).line, "target") if document is not None else Cause(text)
        return Refusal("E0455", cause, f"apply again when {who} can be changed, too")

    def _after_leavers(self, plan: ExportPlan, plans: Plans) -> ExportPlan:
        """It waits for hosts that let go of it: the target ends their connections otherwise."""
        if plan.request is None:
            return plan
        is_whole = plan.cuts or plan.request.do == "withdraw-volume"
        leaving = [item for item in plans.values() if item.disconnects and (is_whole or not item.uses)]
        return replace(plan, needs=tuple(volume_step_id(item.endpoint, "disconnect-volume", self.name) for item in leaving))

    # --- together ---

    def _after_others(self, plan: VolumePlan, plans: Plans) -> VolumePlan:
        """A host that gets it, or gets to write it, waits until others have let go; refused where they do not."""
        if not plan.uses or not plan.tasks:
            return plan
        clashing = [other for other in plans.values() if other.endpoint != plan.endpoint and _clash(other, plan)]
        staying = [other for other in clashing if not other.tasks]
        if staying:
            return _refused(plan, self._second_writer(plan, staying[0]))
        if self._may_be_held_unseen(plan):
            return _refused(plan, self._unseen_holder(plan))
        return replace(plan, needs=tuple(other.last_step for other in clashing))

    def _second_writer(self, plan: VolumePlan, other: VolumePlan) -> Refusal:
        what = "writes" if other.held_mode == "rw" else "reads"
        asks = (
            ", ".join(f"session {use.service.session.name} ({use.where})" for use in other.uses)
            or "a session that no file declares any more"
        )
        text = (
            f"volume {self.name} has one writer: {other.endpoint} {what} it for {asks} and keeps it, and {plan.uses[0].service} asks for it"
        )
        text += f" at {plan.uses[0].where}"
        return Refusal("E0457", plan.uses[0].cause(text), _end_of(other))

    def _may_be_held_unseen(self, plan: VolumePlan) -> bool:
        """Whether a host that does not answer may have it in a way that does not go with this one."""
        unknown = any(self._unknown(held) for held in self._held_exports().values())
        reads = [use for endpoint in self.asked.unheard for use in self.uses.get(endpoint, ()) if use.mount.mode == "ro"]
        return plan.held is None and unknown and (plan.mode == "rw" or not reads)

    def _unseen_holder(self, plan: VolumePlan) -> Refusal:
        who = " or ".join(self.asked.unheard)
        text = f"volume {self.name} has one writer, and {who}, to which it is exported, may write it and does not answer"
        files = " or ".join(self.asked.site.endpoints[name].file for name in self.asked.unheard)
        fix = f"apply again when {who} answers; one that never will: remove {files} and what names it, then the target refuses it"
        return Refusal("E0457", plan.uses[0].cause(text), fix)

    def _waiting(self, plan: VolumePlan, exports: Mapping[str, ExportPlan]) -> VolumePlan:
        """After the step that exports it; refused where that cannot be."""
        target = self.document.value.target.endpoint if self.document is not None else None
        export = exports.get(target or "")
        if export is None or "connect-volume" not in plan.tasks:
            return plan
        if export.refusal is not None:
            return _refused(plan, export.refusal)
        return replace(plan, needs=(*plan.needs, *([export.step] if export.step else [])))

    def _without_refused(self, plans: Plans) -> Plans:
        """Who would wait for a step that is refused is refused as well."""
        done = {volume_step_id(plan.endpoint, task, self.name) for plan in plans.values() for task in plan.tasks}
        lost = {
            plan.endpoint: step
            for plan in plans.values()
            for step in plan.needs
            if plan.tasks and step.split("/")[0] in plans and step not in done
        }
        if not lost:
            return plans
        holders = {endpoint: plans[step.split("/")[0]] for endpoint, step in lost.items()}
        refused = {endpoint: _refused(plans[endpoint], self._second_writer(plans[endpoint], other)) for endpoint, other in holders.items()}
        return self._without_refused({**plans, **refused})


def _end_of(other: VolumePlan) -> str:
    """What ends another host's use of it."""
    sessions = " and ".join(sorted({use.service.session.name for use in other.uses}))
    first = f"stop session {sessions} on {other.endpoint}, or " if sessions else ""
    return f"{first}apply again when {other.endpoint} has unmounted and disconnected volume {other.name}"


def _clash(other: VolumePlan, plan: VolumePlan) -> bool:
    """Whether the one has what the other may not have at the same time."""
    return other.held is not None and "rw" in (other.held_mode, plan.mode)


def _refused(plan: VolumePlan, refusal: Refusal) -> VolumePlan:
    return replace(plan, tasks=(), fields=(), needs=(), refusal=refusal)
