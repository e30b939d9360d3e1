"""Looks at the endpoints by clients that cannot write: what is there, as rows of lists, and what apply would do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dtnctl.client.labels import checked, selected, selection_of
from dtnctl.client.paths import refuse_lost_providers, with_paths
from dtnctl.client.receipts import with_receipts
from dtnctl.client.workplace import Workplace, observers, path_observers, refuse_ssh_mistakes

if TYPE_CHECKING:
    from datetime import datetime

    from dtnctl.model.plan import Plan
    from dtnctl.model.report import EndpointRow, ServiceRow, SessionRow, TransferRow
    from dtnctl.model.resources import Snapshot
    from dtnctl.model.site import Site
    from dtnctl.planning.planner import Scope
    from dtnctl.planning.selection import Selection


@dataclass(frozen=True, slots=True)
class View:
    """What one look found: the site as declared, a snapshot of its endpoints, and when. With `selection`, those that it asks for."""

    workplace: Workplace
    site: Site
    snapshot: Snapshot
    now: datetime
    selection: Selection | None

    @property
    def of_sessions(self) -> Snapshot:
        """The snapshot without containers of sessions that the selection leaves out."""
        return self.snapshot if self.selection is None else self.selection.part_of(self.snapshot)

    def sessions(self) -> tuple[SessionRow, ...]:
        """Each session with the state of the whole."""
        from dtnctl.planning.report import session_rows

        return session_rows(self.site, self.of_sessions, self.now)

    def services(self) -> tuple[ServiceRow, ...]:
        """Each service of each session: the container on one endpoint, with its choices, its state and its errors."""
        from dtnctl.planning.report import service_rows

        return service_rows(self.site, self.of_sessions, self.now)

    def transfers(self) -> tuple[TransferRow, ...]:
        """Each transfer with its state, and what is recorded of its last attempt."""
        from dtnctl.planning.report import transfer_rows

        return transfer_rows(self.site, self.snapshot, self.now)

    def endpoints(self) -> tuple[EndpointRow, ...]:
        """Each endpoint: whether it answers, its engine, its lease."""
        from dtnctl.planning.report import endpoint_rows

        return endpoint_rows(self.site, self.snapshot)


def look(workplace: Workplace, timeout: float, *, inside_of: str = "", label: str = "", asks_paths: bool = False) -> View:
    """Look at all endpoints, `timeout` seconds for an answer; one that gives none is silent in the view, which is no error.

    `inside_of`: a session of whose endpoints the agents are also asked what its containers see of the network. `label`: a selector of
    the part of the site that is looked at. `asks_paths`: also at the providers of paths. ConfigError for what this machine lacks.
    """
    from dtnctl.planning.resolve import wanted_by_endpoint
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.observe import observe_all

    workplace = with_receipts(workplace)
    now = SystemClock().now()
    session = workplace.site.sessions.get(inside_of)
    wanted = dict(wanted_by_endpoint(workplace.site, now))
    wanted |= {name: replace(wanted[name], inside=True) for name in (session.value.endpoints if session is not None else ())}
    selection = selection_of(workplace, checked(label))
    workplace = workplace if selection is None else replace(workplace, near=selection.within(workplace.site))
    with observers(workplace, timeout) as clients:
        snapshot = observe_all(clients, wanted)
    if asks_paths:
        snapshot = with_paths(workplace, snapshot, timeout)
    refuse_ssh_mistakes(workplace, snapshot)
    return View(workplace, workplace.asked, snapshot, now, selection)


def make_plan(workplace: Workplace, scope: Scope, timeout: float) -> Plan:
    """What apply would do. ConfigError for what this machine lacks, UsageError for a scope that names nothing."""
    from dtnctl.runtime.clock import SystemClock
    from dtnctl.runtime.looking import look_with_progress

    workplace, scope = selected(with_receipts(workplace), scope)
    with observers(workplace, timeout) as clients, path_observers(workplace, timeout) as paths:
        plan, snapshot = look_with_progress(workplace.site, clients, SystemClock().now(), scope, paths)
        refuse_ssh_mistakes(workplace, snapshot)
        refuse_lost_providers(workplace, snapshot)
        return plan
