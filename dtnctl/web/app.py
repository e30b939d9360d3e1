"""The routes: each shows, none changes anything, and what a page needs beyond the newest view is asked for here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from dtnctl.client.run_record import runs_of
from dtnctl.client.workplace import STATE_FOLDER
from dtnctl.errors import DtnctlError
from dtnctl.model.history import History, history_of, standing_in
from dtnctl.model.report import TransferRow
from dtnctl.model.runs import RunRecord
from dtnctl.planning.commit_changes import commit_changes
from dtnctl.render.commit import CommitView
from dtnctl.render.html import element
from dtnctl.repository.runs import Read
from dtnctl.repository.state_at import descendants, read_commit, site_at
from dtnctl.runtime.clock import Clock
from dtnctl.web.access import METHODS, Access
from dtnctl.web.events import looks, rate_event
from dtnctl.web.files import static_files
from dtnctl.web.guard import Guard
from dtnctl.web.pages import endpoints, history, networks, overview, plan, sessions, transfers
from dtnctl.web.pages.frame import Page, render_page
from dtnctl.web.pages.lists import asked_of
from dtnctl.web.pages.plan import PlanOf
from dtnctl.web.plans import Plans, branches_of
from dtnctl.web.rates import Rates
from dtnctl.web.view import View
from dtnctl.web.watch import Watch

MOST_RUNS = 100  # of the history
STREAM = "text/event-stream"


class Pages:
    """What answers each route."""

    def __init__(self, watch: Watch, plans: Plans, rates: Rates, clock: Clock) -> None:
        self._watch, self._plans, self._rates, self._clock = watch, plans, rates, clock
        self._files = static_files()
        self._recorded: tuple[int, Read] | None = None

    def routes(self) -> list[Route]:
        """All of them; there are no others."""
        shown: Mapping[str, Callable[[Request, View, datetime], Page]] = {
            "/": lambda _, view, now: overview.overview(view, now),
            "/endpoints": lambda _, view, now: endpoints.endpoints(view, now),
            "/endpoints/{name}": self.endpoint,
            "/sessions": lambda request, view, now: sessions.sessions(view, asked_of(dict(request.query_params)), now),
            "/sessions/{name}": self.session,
            "/transfers": lambda request, view, now: transfers.transfers(view, asked_of(dict(request.query_params)), now),
            "/transfers/{name}": self.transfer,
            "/plan": self.plan,
            "/networks": lambda _, view, now: networks.networks(view, now),
            "/history": self.history,
            "/history/{commit}": self.commit,
        }
        return [
            *(Route(path, self._answering(act), methods=METHODS, name=path) for path, act in shown.items()),
            Route("/events", self.events, methods=METHODS),
            Route("/transfers/{name}/events", self.transfer_events, methods=METHODS),
            Route("/static/{name}", self.static, methods=METHODS),
        ]

    def _answering(self, act: Callable[[Request, View, datetime], Page]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            view = self._watch.view()
            now = self._clock.now()
            return HTMLResponse(render_page(act(request, view, now), view, now))

        return answer

    # --- pages of one object ----------------------------------------------------------------------------------

    def endpoint(self, request: Request, view: View, now: datetime) -> Page:
        """One endpoint."""
        name = _known(request, "name", view.site.endpoints)
        return endpoints.endpoint(view, name, now)

    def session(self, request: Request, view: View, now: datetime) -> Page:
        """One session with the runs about it."""
        name = _known(request, "name", {row.name: row for row in view.sessions})
        runs, _ = history_of(self._runs(view).records, name, MOST_RUNS)
        return sessions.session(view, name, runs, now)

    def transfer(self, request: Request, view: View, now: datetime) -> Page:
        """One transfer."""
        return transfers.transfer(view, _known(request, "name", _transfers(view)), now)

    # --- what Git knows ---------------------------------------------------------------------------------------

    def plan(self, request: Request, view: View, now: datetime) -> Page:
        """The plan of the files as they are, or of a commit."""
        name = request.query_params.get("commit", "").strip()
        shown = self._plans.of(name) if name else PlanOf("", view.head.text or "the files as they are", view.plan)
        return plan.plan_page(shown, branches_of(view.root), now)

    def history(self, request: Request, view: View, now: datetime) -> Page:
        """Runs, and what stands."""
        del request
        read = self._runs(view)
        runs, more = history_of(read.records, "", MOST_RUNS)
        silent = tuple((seen.name, seen.silence) for seen in view.snapshot.endpoints.values() if seen.is_silent)
        return history.history(History("", runs, more, standing_in(view.snapshot), silent), read.trouble, now)

    def commit(self, request: Request, view: View, now: datetime) -> Page:
        """What one commit changed."""
        try:
            found = read_commit(view.root, request.path_params["commit"])
            after = site_at(view.root, STATE_FOLDER, found.id)
            before = site_at(view.root, STATE_FOLDER, found.parent) if found.parent else None
        except DtnctlError as error:
            raise HTTPException(404, str(error)) from error
        own, later = self._applied(view, found.id)
        return history.commit(CommitView(found.id, found.author, found.when, found.subject, commit_changes(before, after), own, later), now)

    def _applied(self, view: View, commit: str) -> tuple[Mapping[str, RunRecord], bool]:
        """The runs of the commit, or the first one of a later commit that contains it."""
        records = self._runs(view).records
        own = {name: record for name, record in records.items() if record.commit == commit}
        if own or not records:
            return own, False
        try:
            containing = descendants(view.root, commit)
        except DtnctlError:
            return {}, False
        later = [(name, record) for name, record in records.items() if record.commit in containing]
        return dict(later[-1:]), bool(later)

    def _runs(self, view: View) -> Read:
        """The record of runs that this clone has, read once for each look."""
        kept = self._recorded
        if kept is None or kept[0] != view.number:
            kept = self._recorded = (view.number, runs_of(self._watch.workplace).read())
        return kept[1]

    # --- streams and files ------------------------------------------------------------------------------------

    async def events(self, request: Request) -> Response:
        """That there was another look."""
        return self._stream(request)

    async def transfer_events(self, request: Request) -> Response:
        """The same, and how far the transfer is."""
        name = request.path_params["name"]

        def rate() -> str:
            row = _transfers(self._watch.newest()).get(name)
            return rate_event(row, self._rates.curve(row)) if row is not None else ""

        return self._stream(request, rate)

    def _stream(self, request: Request, more: Callable[[], str] = lambda: "") -> Response:
        if request.method == "HEAD":
            return Response(media_type=STREAM)
        return StreamingResponse(looks(self._watch, more), media_type=STREAM)

    async def static(self, request: Request) -> Response:
        """A file that comes with the pages."""
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise HTTPException(404, "there is no such file")
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.kind, headers=headers)

    # --- what is not there ------------------------------------------------------------------------------------

    def missing(self, request: Request, error: Exception) -> Response:
        """A page that says so."""
        assert isinstance(error, HTTPException)
        view, now = self._watch.newest(), self._clock.now()
        words = error.detail if error.status_code != 404 or error.detail != "Not Found" else f"There is no page {request.url.path}."
        page = Page("", "Not found" if error.status_code == 404 else "Not shown", element("p", words))
        return HTMLResponse(render_page(page, view, now), error.status_code, headers=error.headers)


def _known(request: Request, parameter: str, names: Mapping[str, object]) -> str:
    name: str = request.path_params[parameter]
    if name not in names:
        raise HTTPException(404, f"There is no {name} here, or there is none any more.")
    return name


def _transfers(view: View) -> Mapping[str, TransferRow]:
    return {row.name: row for row in view.transfers}


def application(watch: Watch, access: Access, clock: Clock) -> Guard:
    """The pages behind their guard."""
    rates = Rates(watch.workplace.site.name, lambda endpoint: watch.clients().get(endpoint), watch.pause)
    pages = Pages(watch, Plans(watch, clock), rates, clock)
    return Guard(Starlette(routes=pages.routes(), exception_handlers={HTTPException: pages.missing}), access)
