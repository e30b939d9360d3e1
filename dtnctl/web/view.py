"""What all pages of one moment show: the site, what each endpoint answered last and when, and the rows that come of both. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from dtnctl.errors import Problem
from dtnctl.model.findings import Examination
from dtnctl.model.head import Head
from dtnctl.model.path_rows import PathRow
from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.plan import Plan
from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, TransferRow
from dtnctl.model.resources import EndpointSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.doctor import examine_endpoint
from dtnctl.planning.paths.report import path_rows
from dtnctl.planning.paths.vlans import with_chosen_vlans
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.report import endpoint_rows, service_rows, session_rows, transfer_rows

NOT_ASKED_YET = "it has not answered yet"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one endpoint answered last, and `at` what time; None: nothing yet, and it is as good as silent.

    `silent_since`: the first look of the silence that lasts. `answered_at`: when it answered last, None if it never did.
    """

    seen: EndpointSeen
    at: datetime | None = None
    silent_since: datetime | None = None
    answered_at: datetime | None = None

    def then(self, seen: EndpointSeen, now: datetime) -> Answer:
        """After its next answer, or its next silence."""
        if seen.is_silent:
            return Answer(seen, now, self.silent_since or now, self.answered_at)
        return Answer(seen, now, None, now)


def not_asked(name: str) -> Answer:
    """Of an endpoint that has not answered yet."""
    return Answer(EndpointSeen(name, silence=NOT_ASKED_YET))


@dataclass(frozen=True)
class View:
    """One moment. `number` grows with each look; 0: none is over yet.

    `problems` are those of the state files as they are now: what is shown is the site that they declared before.
    `trouble` is why the last look failed as a whole. `examined`: the answers with all that doctor wants to know, which are asked for
    more rarely, and when that was.
    """

    number: int
    root: Path
    site: Site
    head: Head
    now: datetime
    answers: Mapping[str, Answer]
    paths: Mapping[str, PathProviderSeen] = field(default_factory=dict)
    examined: Snapshot | None = None
    examined_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    trouble: str = ""

    @cached_property
    def snapshot(self) -> Snapshot:
        """The answers as planning reads them."""
        seen = {name: (self.answers.get(name) or not_asked(name)).seen for name in sorted(self.site.endpoints)}
        return Snapshot(seen, paths=self.paths)

    @cached_property
    def endpoints(self) -> tuple[EndpointRow, ...]:
        """Each declared endpoint."""
        return endpoint_rows(self.site, self.snapshot)

    @cached_property
    def sessions(self) -> tuple[SessionRow, ...]:
        """Each session, declared or live."""
        return session_rows(self.site, self.snapshot, self.now)

    @cached_property
    def services(self) -> tuple[ServiceRow, ...]:
        """Each service of each session."""
        return service_rows(self.site, self.snapshot, self.now)

    @cached_property
    def transfers(self) -> tuple[TransferRow, ...]:
        """Each declared transfer."""
        return transfer_rows(self.site, self.snapshot, self.now)

    @cached_property
    def plan(self) -> Plan:
        """What apply would do for the files as they are."""
        return make_plan(self.site, self.snapshot, now=self.now, scope=Scope())

    @cached_property
    def path_rows(self) -> tuple[PathRow, ...]:
        """Each path between sites."""
        return path_rows(with_chosen_vlans(self.site, self.snapshot), self.snapshot)

    @cached_property
    def examinations(self) -> Mapping[str, Examination]:
        """What doctor finds of each endpoint that declares an agent."""
        if self.examined is None:
            return {}
        declared = (name for name, item in self.site.endpoints.items() if item.value.agent is not None)
        return {
            name: examine_endpoint(self.site, name, self.examined, self.now) for name in sorted(declared) if name in self.examined.endpoints
        }

    def answer(self, endpoint: str) -> Answer:
        """The endpoint's last answer."""
        return self.answers.get(endpoint) or not_asked(endpoint)

    def computed(self) -> View:
        """The same, with what most pages show worked out: by the one who looks, for all who read."""
        _ = (self.endpoints, self.sessions, self.services, self.transfers, self.plan, self.examinations)
        return self
