"""What a plan does for a volume over NVMe-oF at either end, as values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from dtnctl.model.nvme_volumes import NvmeVolume
from dtnctl.model.plan import FieldChange
from dtnctl.model.resources import ContainerSeen, EndpointSeen
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.planning.choices.volumes import VolumeUse, host_nqn
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Key, Service
from dtnctl.planning.scope import Scope
from dtnctl.planning.step_ids import volume_step_id

if TYPE_CHECKING:
    from dtn_agent.protocol import Host
    from dtn_agent.protocol.volumes import ConnectVolume, ExportVolume, HeldExport, HeldVolume, MountVolume, WithdrawVolume

Task = Literal["unmount-volume", "disconnect-volume", "connect-volume", "mount-volume"]
TAKING_DOWN: tuple[Task, ...] = ("unmount-volume", "disconnect-volume")
MAKING: tuple[Task, ...] = ("connect-volume", "mount-volume")
EXPORT, WITHDRAW = "export-volume", "withdraw-volume"


@dataclass(frozen=True, slots=True)
class VolumesAsked:
    """What decides about volumes. `workable` are the services that this plan may touch, `stays` the containers that no step may.

    `freeze` says why nothing of an endpoint may be changed now.
    """

    site: Site
    scope: Scope
    services: tuple[Service, ...]
    workable: frozenset[Key]
    answering: Mapping[str, EndpointSeen]
    stays: frozenset[Key]
    may_remove: bool
    freeze: Callable[[str], Refusal | None]

    def host(self, endpoint: str) -> Host | None:
        """What its agent reported; None if it did not answer, or the endpoint did not."""
        seen = self.answering.get(endpoint)
        return seen.host if seen is not None else None

    @property
    def hosts(self) -> Iterator[tuple[Document[Endpoint], Host]]:
        """Every endpoint whose agent answered."""
        for name, document in self.site.endpoints.items():
            if (host := self.host(name)) is not None:
                yield document, host

    @property
    def unheard(self) -> tuple[str, ...]:
        """Endpoints with an agent that did not answer."""
        return tuple(name for name, item in self.site.endpoints.items() if item.value.agent is not None and self.host(name) is None)

    def is_meant(self, name: str, endpoint: str, uses: tuple[VolumeUse, ...]) -> bool:
        """Whether this run is about the volume there: it is covered, or a service that is touched needs it."""
        if self.scope.leaves("volume", name, endpoint):
            return False
        return self.scope.covers("volume", name, endpoint) or any(use.service.key in self.workable for use in uses)


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """A volume on an endpoint that has it, or should have it.

    `document` is None when no file declares it any more. `tasks` are its steps there, in order; `needs` are those of other endpoints that
    come before it is connected or mounted. `active` are containers that have it now; `stops`: they must not run while this is done.
    `refusal` is why it cannot be as declared; then there are no tasks.
    """

    name: str
    endpoint: str
    document: Document[NvmeVolume] | None
    uses: tuple[VolumeUse, ...] = ()
    held: HeldVolume | None = None
    connection: ConnectVolume | None = None
    mount: MountVolume | None = None
    tasks: tuple[Task, ...] = ()
    needs: tuple[str, ...] = ()
    active: tuple[ContainerSeen, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    refusal: Refusal | None = None
    notes: tuple[str, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether what has the volume now must let go of it for this."""
        is_new_device = self.held is not None and self.held.state == "gone" and "connect-volume" in self.tasks
        return bool(self.active) and (is_new_device or any(task != "connect-volume" for task in self.tasks))

    @property
    def mode(self) -> Literal["ro", "rw"]:
        """What its services do there."""
        return "rw" if any(use.mount.mode == "rw" for use in self.uses) else "ro"

    @property
    def held_mode(self) -> Literal["ro", "rw"]:
        """What the host may do with it now; a device that no service declares any more may have been written."""
        if self.held is not None and self.held.mount is not None:
            return self.held.mount.mode
        return self.mode if self.uses else "rw"

    @property
    def last_step(self) -> str:
        """After which it is as it should be."""
        return volume_step_id(self.endpoint, self.tasks[-1], self.name)

    @property
    def disconnects(self) -> bool:
        return "disconnect-volume" in self.tasks


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """A volume on an endpoint that exports it, or should.

    `request` is its step there; None: nothing is done. `cuts`: who has it connected loses it meanwhile. `needs` are steps of others before.
    """

    name: str
    endpoint: str
    document: Document[NvmeVolume] | None
    held: HeldExport | None = None
    request: ExportVolume | WithdrawVolume | None = None
    hosts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    refusal: Refusal | None = None
    notes: tuple[str, ...] = ()
    cuts: bool = False

    @property
    def step(self) -> str:
        return volume_step_id(self.endpoint, self.request.do, self.name) if self.request is not None else ""


@dataclass(frozen=True, slots=True)
class VolumePlans:
    """Both ends of all volumes, in the order of their names. `notes` say what is not known; `hosts` are those whose agents answered."""

    connected: tuple[VolumePlan, ...] = ()
    exported: tuple[ExportPlan, ...] = ()
    notes: tuple[str, ...] = ()
    hosts: Mapping[str, Host] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """Endpoints by their host NQN."""
        return {host_nqn(host): name for name, host in self.hosts.items()}

    def target_host(self, plan: VolumePlan) -> Host | None:
        """The host that exports it, if that is one of ours and answers."""
        endpoint = plan.document.value.target.endpoint if plan.document is not None else None
        return self.hosts.get(endpoint or "")

    def of_service(self, service: Service) -> Iterator[VolumePlan]:
        """The volumes that a service mounts."""
        names = {mount.nvme for mount in service.profile.volumes if mount.nvme}
        return (plan for plan in self.connected if plan.endpoint == service.endpoint.name and plan.name in names)
