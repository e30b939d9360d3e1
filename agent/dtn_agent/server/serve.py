"""The agent as a service: what was changed before is so again, the network driver is up, then it answers until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn

from dtn_agent.audit import Audit
from dtn_agent.host_resource import AnyResource
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines, LogLines
from dtn_agent.server.access import Access, Credentials, UnsafeError, open_access
from dtn_agent.server.app import Working, make_app
from dtn_agent.server.limits import ServerLimits
from dtn_agent.server.listener import BoundedListener, Connection, HttpConnection
from dtn_agent.server.unix_socket import DEFAULT_GROUP, group_number, unix_listener
from dtn_agent.work import Work

UNSAFE = 78  # EX_CONFIG
WATCH_PAUSE = 5.0  # seconds until a watcher that failed begins again


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line asks for. `listen`: a port with TLS; `socket`: a unix socket, for root and `group`. One of them, or both."""

    credentials: Credentials
    ledger: Path
    engine_socket: Path
    plugin_socket: Path
    listen: str | None = None
    socket: Path | None = None
    group: str = DEFAULT_GROUP


OpenWork = Callable[[ServeOptions, Lines], AbstractContextManager[Working]]


def serve(settings: ServeOptions, open_work: OpenWork | None = None) -> int:
    """Until SIGTERM, which is success. Refuses to start where it would be open to others. `open_work` is this host's, if none is given."""
    lines = Lines(sys.stdout)
    try:
        access = Access() if settings.listen is None else open_access(settings.credentials)
        places = tuple(_places(settings))
    except (UnsafeError, ValueError) as error:
        for problem in getattr(error, "problems", (str(error),)):
            sys.stderr.write(f"dtn-agent: not started: {problem}\n")
        return UNSAFE
    logging.basicConfig(handlers=[LogLines(lines)])
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    with (open_work or work_beside_driver)(settings, lines) as work, contextlib.ExitStack() as stack:
        listeners = []
        for name, listening_there in places:
            try:
                listeners.append(stack.enter_context(listening_there()))
            except OSError as error:
                sys.stderr.write(f"dtn-agent: cannot listen on {name}: {error.strerror}\n")
                return 1
            lines.write("listening", address=name, ledger=str(settings.ledger))
        make_server(listeners, work, access, lines, ServerLimits(), tell_systemd).run()
    return 0


Listen = Callable[[], AbstractContextManager[socket.socket]]


def _places(settings: ServeOptions) -> Iterator[tuple[str, Listen]]:
    """Where to listen. ValueError says what is wrong with it."""
    if settings.listen is not None:
        yield settings.listen, partial(listening, parse_listen(settings.listen), ServerLimits().queue)
    if settings.socket is not None:
        yield str(settings.socket), partial(unix_listener, settings.socket, group_number(settings.group), ServerLimits().queue)


def _end(number: int, frame: FrameType | None) -> None:
    """While starting: end at once, the ledger is whole at every moment. Afterwards uvicorn has its own way of ending."""
    del number, frame
    raise SystemExit(0)


# --- what runs beside the server --------------------------------------------------------------------------------------


@contextlib.contextmanager
def work_beside_driver(settings: ServeOptions, lines: Lines) -> Iterator[Work]:
    """This host's work: everything of the host is restored, then the network driver and the watchers run, and end with the block."""
    from dtn_agent.engine.driver import NetworkDriver
    from dtn_agent.engine.driver_socket import DriverSocket
    from dtn_agent.probe import HostRoot, probe
    from dtn_agent.resources import resources_of_this_host
    from dtn_agent.vf.virtual_functions import VirtualFunctions

    running = threading.Event()
    ledger = Ledger(settings.ledger)
    resources = resources_of_this_host(ledger, settings.engine_socket, Audit(lines, "agent"))
    (vfs,) = (resource for resource in resources if isinstance(resource, VirtualFunctions))
    driver = NetworkDriver(ledger, vfs, Audit(lines, "engine", str(settings.plugin_socket)))
    restore(resources, lines)
    with DriverSocket(driver.answer, settings.plugin_socket), contextlib.ExitStack() as watchers:
        for resource in resources:
            watchers.enter_context(watching(resource, lines))
        running.set()
        root = HostRoot(state=settings.ledger.parent)
        yield Work(ledger, lambda held: probe(root, held), resources, running.is_set)


@contextlib.contextmanager
def watching(resource: AnyResource, lines: Lines, pause: float = WATCH_PAUSE) -> Iterator[None]:
    """The resource's watcher runs in a thread of its own for as long as the block lasts; one that fails begins again after the pause."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                resource.watch(stop)
                break
            except Exception:  # noqa: BLE001  # what fails once, such as one question to the kernel, ends no watch for good
                lines.exception(f"watching {resource.name} failed; it begins again in {pause:.0f} s")
                stop.wait(pause)

    thread = threading.Thread(target=run, name=f"watching {resource.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(ServerLimits().ending)


def restore(resources: Sequence[AnyResource], lines: Lines) -> None:
    """After a reboot or a crash, the host is made what was asked for again. What fails is logged, and the rest is done."""
    for resource in resources:
        _attempt(resource.restore, f"restoring {resource.name}", lines)
    for resource in resources:
        _attempt(resource.restore_rest, f"restoring the rest of {resource.name}", lines)


def _attempt(act: Callable[[], None], what: str, lines: Lines) -> None:
    try:
        act()
    except Exception:  # noqa: BLE001  # an agent that does not start could not even be asked what is wrong
        lines.exception(what)


# --- the server -------------------------------------------------------------------------------------------------------


def parse_listen(text: str) -> tuple[str, int]:
    """Address and port of `0.0.0.0:5050` or `[::]:5050`. ValueError says what is wrong."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"--listen {text}: expected ADDRESS:PORT, such as 0.0.0.0:5050")
    return host.strip("[]"), int(port)


def listening(address: tuple[str, int], queue: int) -> socket.socket:
    """A listening socket; `::` takes IPv4, too."""
    is_six = ":" in address[0]
    family = socket.AF_INET6 if is_six else socket.AF_INET
    return socket.create_server(address, family=family, backlog=queue, dualstack_ipv6=is_six and address[0] == "::")


class AgentServer(uvicorn.Server):
    """uvicorn's server behind our own listeners: its loop, its end by signals, its HTTP; not its way of accepting."""

    def __init__(self, config: uvicorn.Config, listeners: Sequence[socket.socket], accepting: Accepting, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._listeners = listeners
        self._make_accepting = accepting
        self._ready = ready
        self._accepting: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        del sockets
        await super().startup(sockets=[])
        for listener in self._listeners:
            task = asyncio.get_running_loop().create_task(self._make_accepting(self, listener).accept(listener))
            task.add_done_callback(self._accepting_ended)
            self._accepting.append(task)
        self._ready()

    def _accepting_ended(self, task: asyncio.Task[None]) -> None:
        self.should_exit = True
        if not task.cancelled() and task.exception() is not None:
            raise RuntimeError("the agent accepts no more connections") from task.exception()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in self._accepting:
            task.cancel()
        await asyncio.wait(self._accepting)
        await super().shutdown(sockets)


Accepting = Callable[[AgentServer, socket.socket], BoundedListener]


def make_server(
    listeners: Sequence[socket.socket],
    work: Working,
    access: Access,
    lines: Lines,
    limits: ServerLimits,
    ready: Callable[[], None] = lambda: None,
) -> AgentServer:
    """The server; `run()` serves until a signal, or until `should_exit` is set from another thread. `ready` is called once it accepts."""
    config = uvicorn.Config(
        make_app(work, access, lines, limits),
        interface="asgi3",
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # the middleware writes the lines
        proxy_headers=False,  # no client may claim another address
        server_header=False,
        timeout_keep_alive=round(limits.waiting),
        timeout_graceful_shutdown=round(limits.ending),
        h11_max_incomplete_event_size=limits.headers,
    )
    config.load()

    def make_accepting(server: AgentServer, listener: socket.socket) -> BoundedListener:
        def make_protocol(connection: Connection) -> HttpConnection:
            return HttpConnection(connection, limits, config=config, server_state=server.server_state, app_state={})

        return BoundedListener(access.context if listener.family != socket.AF_UNIX else None, limits, lines, make_protocol)

    return AgentServer(config, listeners, make_accepting, ready)


def tell_systemd() -> None:
    """READY=1 to the program that started us, if it asked for that: units that come after us wait for it (sd_notify)."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
        notify.connect("\0" + path[1:] if path.startswith("@") else path)
        notify.sendall(b"READY=1")
