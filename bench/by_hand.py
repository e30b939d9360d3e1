"""A declared transfer's own command line, run by `docker exec` in the same services as people would run it, without dtnctl."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from secrets import token_urlsafe

from bench.place import Place
from bench.services import in_service
from dtnctl.model.actions import StartTransfer
from dtnctl.model.tools import Side
from dtnctl.movers.base import Access, JobFile, Login
from dtnctl.movers.gridftp import copy_command
from dtnctl.providers.base import EndpointAccess, Engine, FileEntry
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.timeouts import Timeouts
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.transfers import keys
from dtnctl.runtime.transfers.attempt import USER_FOLDER, Task, key_places, task_of

USER = "dtnaas"
PID = "/tmp/by-hand.pid"  # noqa: S108  in a container of the lab
KEPT_PID = f'echo $$ >{PID}; exec "$@"'
ENDED = f"kill $(cat {PID}) 2>/dev/null; rm -f {PID}"


@contextlib.contextmanager
def engines_of(here: Place) -> Iterator[Mapping[str, Engine]]:
    """A client for each endpoint, for what is prepared and not measured."""
    site = here.site()
    with contextlib.ExitStack() as stack:
        clients: dict[str, Engine] = {}
        for name, document in site.endpoints.items():
            engine = DockerEngine(EndpointAccess(name, document.value, site.name, {}, here.root, Timeouts()))
            stack.callback(engine.close)
            clients[name] = engine
        yield clients


@dataclass(slots=True)
class ByHand:
    """The same as `action`, prepared once and run as often as wanted. The tool's files and a key lie in the source's service."""

    here: Place
    session: str
    action: StartTransfer
    _client: tuple[str, ...] = ()
    _server: tuple[str, ...] = ()
    _listening: tuple[str, ...] = ()
    _as: Mapping[str, str] = field(default_factory=dict)

    def prepare(self) -> None:
        with engines_of(self.here) as engines:
            task = task_of(self.action, engines, "bench", SystemClock())
            self._as = {"user": USER} if task.copies_files else {}
            if task.tool == "gridftp":
                self._client = copy_command(task.source, task.destination, task.options)
                self._let_user_in()
                return
            request, home = task.request(), ("env", f"HOME={USER_FOLDER}")
            self._client = (*(home if task.copies_files else ()), *task.mover.client(request))
            if task.row.has_server:
                self._server, self._listening = task.mover.server(request), task.mover.listening(request)
            access = _let_in(task)
            _put(task.here, task.source.container, task.mover.client_files(request, access))
            _put(task.there, task.destination.container, task.mover.server_files(request, access))

    def run(self) -> float:
        """Seconds of the command line; where the tool has a server, from that one's start."""
        began = time.perf_counter()
        with self._serving():
            subprocess.run(self._in(self.action.source.endpoint, *self._client, **self._as), check=True, capture_output=True)
            return time.perf_counter() - began

    @contextlib.contextmanager
    def _serving(self) -> Iterator[None]:
        if not self._server:
            yield
            return
        there = self.action.destination.endpoint
        command = self._in(there, "sh", "-c", KEPT_PID, "server", *self._server, **self._as)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            while subprocess.run(self._in(there, *self._listening), check=False, capture_output=True).returncode:
                if server.poll() is not None:
                    raise RuntimeError(f"the server ended: {command}")
            yield
            subprocess.run(self._in(there, "sh", "-c", ENDED), check=False, capture_output=True)

    def _in(self, endpoint: str, *command: str, user: str = "") -> list[str]:
        return in_service(self.here, endpoint, self.session, *command, user=user)

    def _let_user_in(self) -> None:
        """A key of the user's own, let in at both ends, as people have it for copies by hand."""
        make = "mkdir -p -m 700 ~/.ssh && rm -f ~/.ssh/id_ed25519 && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519"
        trust = "echo 'StrictHostKeyChecking accept-new' >~/.ssh/config"
        source, destination = self.action.source.endpoint, self.action.destination.endpoint
        public = self._as_user(source, f"{make} && {trust} && cat ~/.ssh/id_ed25519.pub").strip()
        for endpoint in (source, destination):
            self._as_user(
                endpoint, f"mkdir -p -m 700 ~/.ssh && echo '{public}' >>~/.ssh/authorized_keys && chmod 600 ~/.ssh/authorized_keys"
            )

    def _as_user(self, endpoint: str, script: str) -> str:
        return subprocess.run(self._in(endpoint, "sh", "-c", script, user=USER), check=True, capture_output=True, text=True).stdout


def _let_in(task: Task) -> Access:
    """A key of its own at each end that the tool logs in to, under a name that no transfer has."""
    pairs = {side: keys.make_key_pair() for side, _, _ in task.logins}
    accounts: dict[Side, keys.Account] = {side: keys.find_account(engine, end.container, end.user) for side, engine, end in task.logins}
    for place in key_places(task, accounts):
        lines = [keys.authorized_line(pairs[side].public, "by hand", task.clock.now(), None) for side in place.sides]
        keys.authorize(place.engine, place.end.container, place.account, lines, "bench", "by-hand")
    logins = {side: Login(end, pairs[side].private, keys.read_host_key(engine, end.container)) for side, engine, end in task.logins}
    return Access(logins, token_urlsafe(24))


def _put(engine: Engine, container: str, files: tuple[JobFile, ...]) -> None:
    if files:
        account = keys.find_account(engine, container, USER)
        owner = (account.uid, account.gid)
        engine.write_files(container, tuple(FileEntry(file.path, file.content, file.mode, *owner, folder_mode=0o700) for file in files))
