"""One look after the other, by one thread, for all who have a page open; none while no page is. The newest view is there at any moment."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from dtnctl.client.receipts import with_receipts
from dtnctl.client.workplace import STATE_FOLDER, Workplace, open_workplace
from dtnctl.errors import ConfigError, DtnctlError, Problem
from dtnctl.model.paths import PathProviderSeen
from dtnctl.model.resources import EndpointSeen, Snapshot, Wanted
from dtnctl.planning.planner import Scope
from dtnctl.planning.resolve import wanted_by_endpoint
from dtnctl.planning.secret_uses import secret_uses, with_secrets
from dtnctl.providers.base import Observer
from dtnctl.repository.git import read_head
from dtnctl.runtime.clock import Clock
from dtnctl.web.asking import Asking
from dtnctl.web.view import Answer, View, not_asked

PATIENCE = 2.0  # seconds that a look waits for those who are slow; what they answer is in a later one
GRACE = 20.0  # seconds after which a page that asked for nothing counts as closed
EXAMINED_EVERY = 60.0  # seconds between the looks that ask for what doctor wants to know, and for receipts of others
FIRST = 4.0  # seconds that the first page waits for the first look
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks, and until an endpoint counts as silent."""

    every: float = 5.0
    timeout: float = 10.0


@dataclass(slots=True)
class _Known:
    """What the looking thread remembers from look to look."""

    workplace: Workplace
    stamp: Stamp
    answers: dict[str, Answer] = field(default_factory=dict)
    paths: dict[str, PathProviderSeen] = field(default_factory=dict)
    examined: dict[str, EndpointSeen] = field(default_factory=dict)
    examined_at: datetime | None = None
    examined_when: float = float("-inf")
    problems: tuple[Problem, ...] = ()
    trouble: str = ""
    number: int = 0


class Watch:
    """Looks at the site of the repository at `root`. ConfigError if its files are not valid now; later mistakes are shown."""

    def __init__(self, root: Path, pace: Pace, clock: Clock, say: Callable[[str], None] = lambda _: None) -> None:
        self._root, self._pace, self._clock, self._say = root, pace, clock, say
        stamp = stamp_of(root)
        self._known = _Known(open_workplace(root, say), stamp)
        self._asking: Asking | None = None
        self._changed = threading.Condition()
        self._asked_at = float("-inf")
        self._is_closed = False
        self._view = self._made()
        self._thread = threading.Thread(target=self._run, name="look", daemon=True)
        self._thread.start()

    # --- what pages ask ---------------------------------------------------------------------------------------

    def view(self) -> View:
        """The newest view. Who asks has a page open, so the looks go on; after a pause the first one waits for a look."""
        with self._changed:
            number, was_watched = self._view.number, self._has_viewers()
            self._note_viewer()
            if number == 0 or not was_watched:
                self._changed.wait_for(lambda: self._view.number > number or self._is_closed, FIRST)
            return self._view

    def newest(self) -> View:
        """The same for one whose page is open already, without a wait."""
        with self._changed:
            self._note_viewer()
            return self._view

    def _note_viewer(self) -> None:
        self._asked_at = self._clock.monotonic()
        self._changed.notify_all()

    @property
    def is_closed(self) -> bool:
        """Whether it has ended."""
        return self._is_closed

    def pause(self, seconds: float) -> bool:
        """Wait, not longer than it is open; whether it has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closed, seconds)

    @property
    def workplace(self) -> Workplace:
        """The site that is shown, as it was loaded."""
        return self._known.workplace

    def clients(self) -> Mapping[str, Observer]:
        """Clients of its endpoints, which cannot write; none while no look goes on. They may be closed at any moment."""
        asking = self._asking
        return {} if asking is None else asking.clients

    def close(self) -> None:
        """End the looks and close the clients."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    # --- the thread that looks --------------------------------------------------------------------------------

    def _run(self) -> None:
        while self._is_watched():
            self._try(self._look)
            self._try(self._publish)
        self._close_clients()

    def _try(self, act: Callable[[], None]) -> None:
        """Do it; what goes wrong is shown on the pages, and tried again: they must not show an old view as if it were new."""
        try:
            act()
        except DtnctlError as error:
            self._known.trouble = str(error)
            self._close_clients()
        except Exception as error:  # noqa: BLE001  # a defect
            sys.stderr.write(self._known.workplace.secrets.hidden_in(traceback.format_exc()))
            self._known.trouble = f"a defect of dtnctl ({type(error).__name__})"
            self._close_clients()

    def _is_watched(self) -> bool:
        """Wait for the time of the next look, and until a page is open. False when this is closed."""
        with self._changed:
            if self._known.number:
                self._changed.wait_for(lambda: self._is_closed, self._pace.every)
            if not self._has_viewers():
                self._close_clients()
                self._changed.wait_for(lambda: self._is_closed or self._has_viewers())
            return not self._is_closed

    def _has_viewers(self) -> bool:
        return self._clock.monotonic() - self._asked_at < max(GRACE, 2 * self._pace.every)

    def _close_clients(self) -> None:
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.close()

    def _look(self) -> None:
        known = self._known
        self._reload()
        if self._asking is None:
            self._asking = Asking(known.workplace, self._pace.timeout, self._clock)
        is_due = self._clock.monotonic() - known.examined_when >= EXAMINED_EVERY
        if is_due:
            known.workplace = with_receipts(known.workplace)
        now = self._clock.now()
        seen, paths = self._asking.ask(self._wanted(now, inside=is_due), PATIENCE)
        now = self._clock.now()
        for name, item in seen.items():
            known.answers[name] = known.answers.get(name, not_asked(name)).then(item, now)
        known.paths |= paths
        if is_due:
            known.examined, known.examined_at, known.examined_when = {}, now, self._clock.monotonic()
        known.examined |= {name: item for name, item in seen.items() if name not in known.examined}
        known.trouble = ""

    def _reload(self) -> None:
        """The site again, if a file of it has changed: the clients belong to the one before."""
        known = self._known
        stamp = stamp_of(self._root)
        if stamp == known.stamp:
            return
        known.stamp = stamp
        try:
            workplace = open_workplace(self._root, self._say)
        except ConfigError as error:
            known.problems = tuple(error.problems)
            return
        known.workplace, known.problems, known.examined_when = workplace, (), float("-inf")
        known.answers = {name: answer for name, answer in known.answers.items() if name in workplace.site.endpoints}
        self._close_clients()

    def _wanted(self, now: datetime, *, inside: bool) -> Mapping[str, Wanted]:
        """What the plan asks endpoints for, so that the plan that pages show is the one that `dtnctl plan` would."""
        site = self._known.workplace.site
        wanted = with_secrets(wanted_by_endpoint(site, now), secret_uses(site, now, Scope()))
        return {name: replace(item, inside=True) for name, item in wanted.items()} if inside else wanted

    # --- what comes of it -------------------------------------------------------------------------------------

    def _publish(self) -> None:
        self._known.number += 1
        view = self._made().computed()
        with self._changed:
            self._view = view
            self._changed.notify_all()

    def _made(self) -> View:
        known = self._known
        site = known.workplace.site
        examined = (
            Snapshot({name: known.examined.get(name) or not_asked(name).seen for name in sorted(site.endpoints)})
            if known.examined
            else None
        )
        return View(
            number=known.number,
            root=self._root,
            site=site,
            head=read_head(self._root, STATE_FOLDER),
            now=self._clock.now(),
            answers=dict(known.answers),
            paths=dict(known.paths),
            examined=examined,
            examined_at=known.examined_at,
            problems=known.problems,
            trouble=known.trouble,
        )


def stamp_of(root: Path) -> Stamp:
    """What differs when a state file is written, comes or goes."""
    found = []
    for path in sorted((root / STATE_FOLDER).rglob("*.yaml")):
        try:
            status = path.stat()
        except OSError:
            continue  # it went while we looked: the next stamp is without it
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
