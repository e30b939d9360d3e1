"""What the planner asks of each kind of thing that an endpoint's agent makes; it knows of no single kind. Pure.

A new kind is a module beside this one and an entry in resources.py: the study, the planner and `--target` loop over that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtnctl.model.impact import Cut
from dtnctl.model.kinds import ChangeKind
from dtnctl.model.plan import Change, Step
from dtnctl.model.resources import ContainerSeen, EndpointSeen
from dtnctl.model.site import Document, Endpoint, Site
from dtnctl.planning.choices.allocate import Allocation
from dtnctl.planning.choices.physical_functions import PfPlan
from dtnctl.planning.choices.volume_plans import VolumePlans
from dtnctl.planning.containers.host_part import NO_PART, HostPart, HostStep
from dtnctl.planning.refusal import Refusal
from dtnctl.planning.resolve import Service
from dtnctl.planning.scope import Scope

if TYPE_CHECKING:
    from dtn_agent.protocol import Held, Host, Owner

Planned = tuple[Change, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class PlannedHost:
    """A host with an agent, and what this plan is about there.

    `services` are all that are declared for it, `workable` those that the plan may touch. `forgotten` are sessions for which the agent
    keeps something although nothing else of them is there. `may_remove`: not more sessions would go than one apply may remove.
    `pfs` and `refused_pfs` are the choices for its physical functions, by name. `waits` are the running transfers that nothing there may
    cut off, by the session that they go through. `volumes` are the decisions about volumes of all endpoints, whose ends wait for each
    other.
    """

    site: Site
    scope: Scope
    document: Document[Endpoint]
    seen: EndpointSeen
    host: Host
    services: tuple[Service, ...]
    workable: tuple[Service, ...]
    forgotten: frozenset[str]
    may_remove: bool
    pfs: Mapping[str, PfPlan]
    refused_pfs: Mapping[str, Refusal]
    waits: Mapping[str, tuple[Cut, ...]] = field(default_factory=dict)
    volumes: VolumePlans = field(default_factory=VolumePlans)

    @property
    def name(self) -> str:
        return self.document.name

    def covers(self, kind: ChangeKind, name: str) -> bool:
        return self.scope.covers(kind, name, self.name)

    def is_forgotten(self, owner: Owner) -> bool:
        """Whether what the owner has is kept for a session of ours of which nothing else is there."""
        return owner.site == self.site.name and owner.session in self.forgotten


@dataclass(frozen=True, slots=True)
class PlannedService:
    """A service with its choices and its live container. `is_new`: that is created in this plan."""

    service: Service
    allocation: Allocation
    seen: ContainerSeen | None
    is_new: bool


class HostResource(ABC):
    """One kind. Answers but the last have a default: nothing. `plural`: how the note of a silent agent calls what is unknown then."""

    plural = ""

    def names(self, site: Site, endpoint: Document[Endpoint], held: Held | None) -> Iterable[tuple[ChangeKind, str]]:
        """What `--target` can name on an endpoint: the objects that its files declare, and those of the site that its agent holds."""
        del site, endpoint, held
        return ()

    def owners(self, held: Held) -> Iterable[Owner]:
        """For whom the agent holds something that goes with its session."""
        del held
        return ()

    def for_service(self, here: PlannedHost, planned: PlannedService) -> HostPart:
        """What one service needs of it."""
        del here, planned
        return NO_PART

    def release(self, here: PlannedHost, session: str, container: str) -> Iterable[HostStep]:
        """What goes with the last container of a session that no file declares any more."""
        del here, session, container
        return ()

    def below_networks(self, here: PlannedHost) -> Iterable[tuple[str, Planned]]:
        """What must be there before a network is made, with the network's name."""
        del here
        return ()

    def deferred(self, here: PlannedHost) -> Iterable[str]:
        """Steps that others wait for, and that a run which is about something else leaves for later."""
        del here
        return ()

    @abstractmethod
    def beside(self, here: PlannedHost, steps: tuple[Step, ...]) -> Iterable[Planned]:
        """What is done, or blocked, beside services and networks; `steps` are theirs, and those of the kinds before this one."""
