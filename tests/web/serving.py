"""The pages as browsers get them: a real server on a port of its own, in this process."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvicorn

from dtnctl.client.workplace import Workplace
from dtnctl.model.head import Head
from dtnctl.providers.base import Observer
from dtnctl.providers.secrets.source import SecretSource
from dtnctl.runtime.clock import Clock, SystemClock
from dtnctl.web.access import Access
from dtnctl.web.serve import access_of, listening, make_server
from dtnctl.web.view import View
from dtnctl.web.watch import Pace, Watch

LOOPBACK = "127.0.0.1"
SOON = Pace(every=0.2, timeout=2.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer of the server."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    port: int
    watch: Watch
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def show(self, view: View) -> None:
        """The next look, of pages that show one view."""
        cast("FixedWatch", self.watch).show(view)

    def end(self) -> None:
        """The server ends as it does after Ctrl-C, while pages are open."""
        self.watch.close()
        self.server.should_exit = True

    def get(self, path: str, method: str = "GET", **headers: str) -> Answered:
        """Ask it; header names with `_` for hyphens."""
        with contextlib.closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)) as connection:
            connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answered(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode())

    def events(self, path: str, count: int) -> list[str]:
        """The first events of a stream, each with its lines."""
        with contextlib.closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            found: list[str] = []
            lines: list[str] = []
            while len(found) < count:
                line = answer.readline().decode()
                assert line, "the stream has ended"
                if line.strip():
                    lines.append(line.strip())
                elif lines:
                    found += ["\n".join(lines)] * lines[0].startswith("event:")
                    lines = []
            return found


class FixedWatch:
    """Stands for a watch of which nothing changes but what a test shows next, and that has no endpoint to ask."""

    is_closed = False

    def __init__(self, view: View) -> None:
        self._view = view
        head: Future[Head] = Future()
        head.set_result(view.head)
        self.workplace = Workplace(view.root, view.site, head, SecretSource(), lambda _: None)

    def show(self, view: View) -> None:
        self._view = view

    def view(self) -> View:
        return self._view

    def newest(self) -> View:
        return self._view

    def clients(self) -> Mapping[str, Observer]:
        return {}

    def pause(self, seconds: float) -> bool:
        return True

    def close(self) -> None:
        self.is_closed = True


@contextlib.contextmanager
def served(root: Path, token: str = "", pace: Pace = SOON, port: int = 0) -> Iterator[Served]:
    """The pages of the site at `root`; 0: at a port that is free."""
    with _running(Watch(root, pace, SystemClock()), token, SystemClock(), port) as found:
        yield found


@contextlib.contextmanager
def served_view(view: View, clock: Clock) -> Iterator[Served]:
    """The pages of one view."""
    with _running(cast("Watch", FixedWatch(view)), "", clock) as found:
        yield found


@contextlib.contextmanager
def _running(watch: Watch, token: str, clock: Clock, port: int = 0) -> Iterator[Served]:
    listener = listening(LOOPBACK, port)
    port = listener.getsockname()[1]
    access: Access = access_of(LOOPBACK, port, (), token)
    server = make_server(watch, access, clock)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="serve")
    thread.start()
    found = Served(port, watch, server)
    try:
        yield found
    finally:
        found.end()
        thread.join()
        listener.close()
