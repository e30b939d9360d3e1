"""Plans of other commits than the one that is checked out, for whoever asks: made beside, kept for a moment.

A branch is what others wrote. Its plan is made by the clients of the site that is checked out: an endpoint that the branch reaches in
another way is not asked, and no secret is looked up that the checked-out site does not use.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from dtnctl.client.receipts import receipts_of
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import DtnctlError
from dtnctl.model.plan import Plan
from dtnctl.model.resources import EndpointSeen, Snapshot, Wanted
from dtnctl.model.site import Endpoint, Site
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.planning.secret_uses import secret_uses, with_secrets
from dtnctl.repository.branches import label_of
from dtnctl.repository.git_objects import run_git
from dtnctl.repository.state_at import Commit, read_commit, site_at
from dtnctl.runtime.clock import Clock
from dtnctl.web.asking import seen_by
from dtnctl.web.pages.plan import PlanOf
from dtnctl.web.watch import Watch

REACH = ("docker", "kubernetes", "tls", "portainer", "agent", "agent_tls", "agent_token", "agent_token_file", "agent_token_env")
OTHERWISE = "it is reached otherwise than the checked-out files say, so it is not asked"
KEPT = 8  # plans
FRESH = 15.0  # seconds that a plan is shown again without being made again
PATIENCE = 3.0  # seconds that a page waits for its plan
MOST_BRANCHES = 200
SHORT = 7
REFS = ("refs/heads", "refs/remotes", "refs/pull", "refs/merge-requests")


@dataclass(frozen=True, slots=True)
class _Making:
    """A plan that is made, or was."""

    begun: float
    result: Future[PlanOf]


class Plans:
    """Makes one plan after the other, by the clients of a watch."""

    def __init__(self, watch: Watch, clock: Clock) -> None:
        self._watch, self._clock = watch, clock
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="plan")
        self._lock = threading.Lock()
        self._makings: OrderedDict[str, _Making] = OrderedDict()

    def of(self, name: str) -> PlanOf:
        """The plan of the commit that a name stands for, as far as it is made."""
        root = self._watch.workplace.root
        try:
            commit = read_commit(root, name)
        except DtnctlError as error:
            return PlanOf(name, "", troubles=error.lines)
        try:
            return replace(self._making(commit).result(PATIENCE), subject=name)
        except NotYet:
            return PlanOf(name, _of(commit))

    def _making(self, commit: Commit) -> Future[PlanOf]:
        """The one that is under way or still fresh, else a new one."""
        now = self._clock.monotonic()
        with self._lock:
            found = self._makings.pop(commit.id, None)
            if found is None or (found.result.done() and now - found.begun > FRESH):
                found = _Making(now, self._pool.submit(self._make, commit))
            self._makings[commit.id] = found
            while len(self._makings) > KEPT:
                self._makings.popitem(last=False)[1].result.cancel()
            return found.result

    def _make(self, commit: Commit) -> PlanOf:
        try:
            site = site_at(self._watch.workplace.root, STATE_FOLDER, commit.id)
            if site is None:
                return PlanOf(commit.id, _of(commit), troubles=("it has no state files",))
            plan, notes = self._planned(site, self._clock.now())
            return PlanOf(commit.id, _of(commit), plan, notes)
        except DtnctlError as error:
            return PlanOf(commit.id, _of(commit), troubles=error.lines)

    def _planned(self, site: Site, now: datetime) -> tuple[Plan, tuple[str, ...]]:
        view, workplace = self._watch.newest(), self._watch.workplace
        here = workplace.site
        same = frozenset(name for name in site.endpoints if name in here.endpoints and is_reached_alike(site, here, name))
        wanted = _with_known_secrets(site, here, now)
        mirror = receipts_of(replace(workplace, site=site)).read({name: item.value.generation for name, item in site.transfers.items()})
        paths = {name: seen for name, seen in view.paths.items() if _provider(site, name) == _provider(here, name)}
        snapshot = Snapshot(self._seen(site, same, wanted), paths=paths)
        return make_plan(replace(site, receipts=mirror.attempts), snapshot, now=now, scope=Scope()), tuple(_notes(site, same))

    def _seen(self, site: Site, same: frozenset[str], wanted: Mapping[str, Wanted]) -> dict[str, EndpointSeen]:
        """One that is silent in the newest view is not waited for once more."""
        view, clients = self._watch.newest(), self._watch.clients()
        asked = [name for name in sorted(same) if name in clients and not view.answer(name).seen.is_silent]
        with ThreadPoolExecutor(max(1, len(asked)), thread_name_prefix="plan") as pool:
            seen = dict(zip(asked, pool.map(lambda name: seen_by(clients[name], name, wanted[name]), asked), strict=True))
        silences = {name: view.answer(name).seen.silence or "it was not asked" if name in same else OTHERWISE for name in site.endpoints}
        return {name: seen.get(name) or EndpointSeen(name, silence=silences[name]) for name in sorted(site.endpoints)}


def is_reached_alike(one: Site, other: Site, endpoint: str) -> bool:
    """Whether both sites reach the endpoint in the same way and own the same objects there."""
    values: tuple[Endpoint, Endpoint] = (one.endpoints[endpoint].value, other.endpoints[endpoint].value)
    is_same_site = (one.name, one.repository, one.counts_unlabelled) == (other.name, other.repository, other.counts_unlabelled)
    return is_same_site and all(getattr(values[0], field) == getattr(values[1], field) for field in REACH)


def _with_known_secrets(site: Site, here: Site, now: datetime) -> Mapping[str, Wanted]:
    """What the plan wants to know of each endpoint, with only those secrets looked up that the checked-out site uses as well."""
    known = {use.reference for use in secret_uses(here, now, Scope())}
    uses = tuple(use for use in secret_uses(site, now, Scope()) if use.reference in known)
    return with_secrets(wanted_by_endpoint(site, now), uses)


def _provider(site: Site, name: str) -> object:
    return site.settings.value.path_providers.get(name)


def _notes(site: Site, same: frozenset[str]) -> Iterator[str]:
    others = [name for name in sorted(site.endpoints) if name not in same]
    if others:
        yield f"{', '.join(others)}: {OTHERWISE}"


def _of(commit: Commit) -> str:
    return f"commit {commit.id[:SHORT]} of {commit.author}, {commit.when}: {commit.subject}"


def branches_of(root: Path) -> tuple[tuple[str, str], ...]:
    """(name, label) of the branches and pull requests that were fetched, the newest first."""
    try:
        lines = run_git(root, "for-each-ref", "--sort=-committerdate", "--format=%(refname)", *REFS, codes=(0, 128)).splitlines()
    except DtnctlError:
        return ()
    named = ((name.removeprefix("refs/heads/").removeprefix("refs/remotes/"), label_of(name)) for name in lines)
    return tuple((name, label[0]) for name, label in named if label is not None)[:MOST_BRANCHES]
