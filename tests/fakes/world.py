"""Several engines that share one lock, one order of calls and one set of programs."""

from __future__ import annotations

import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from tests.fakes import accidents, control, images, networks, registry, snapshots
from tests.fakes.core import Engine, Shuffler
from tests.fakes.errors import Dropped, EngineError
from tests.fakes.execs import BUILT_IN, ExecFunction
from tests.fakes.faults import Call, Fault, Journal, Peer, kill_client, signal_client
from tests.fakes.machine import Machine
from tests.fakes.messages import Request, Response, refusal
from tests.fakes.processes import Processes
from tests.fakes.programs import Files, Programs
from tests.fakes.routes import Route, Routes
from tests.fakes.server import SocketServer
from tests.fakes.state import Container, EngineState, Image, Json

T = TypeVar("T")
START = "start"
"""The snapshot that `reset` goes back to, if it was taken."""


class Beside(Protocol):
    """What stands beside the engines and goes back in time together with them: an agent, say."""

    def freeze(self) -> bytes: ...
    def thaw(self, frozen: bytes) -> None: ...
    def view(self) -> Json: ...
    def tell(self, words: Json) -> None:
        """What a test wants of it, over the control endpoint."""

    def close(self) -> None: ...


class World:
    """Engines by name, each behind its own unix socket while the world is open (`with World([...]) as world`)."""

    def __init__(self, names: Iterable[str], machines: Mapping[str, Machine] | None = None) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.journal: Journal = Journal()
        self.programs = Programs()
        self.exec_programs: dict[str, ExecFunction] = dict(BUILT_IN)
        self.shuffler: Shuffler = Shuffler()
        self.sockets: dict[str, str] = {}
        self.beside: dict[str, Beside] = {}
        self._routes = Routes(self.exec_programs)
        self._snapshots: dict[str, dict[str, bytes]] = {}
        self._frozen: dict[str, dict[str, bytes]] = {}
        self._silent: set[str] = set()
        self._down: set[str] = set()
        self._servers: dict[str, SocketServer] = {}
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.engines = {name: self._make_engine(name, (machines or {}).get(name) or Machine()) for name in names}

    def _make_engine(self, name: str, machine: Machine) -> Engine:
        engine = Engine(name, machine, changed=self.changed, shuffler=self.shuffler)

        def count(container: Container) -> None:
            self.journal.count_start(name, container.name, container.config["Labels"])

        engine.processes = Processes(engine, self.programs, count)
        self._begin_state(engine, EngineState(host=machine.first_files()))
        networks.add_predefined(engine)
        return engine

    # -- opening and closing

    def __enter__(self) -> Self:
        self._directory = tempfile.TemporaryDirectory(prefix="fake-engines-")
        return self.serve(Path(self._directory.name))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def serve(self, directory: Path) -> Self:
        """Listen at `directory`/NAME.sock for every engine, and at control.sock for the test's own questions."""
        for name in self.engines:
            self.listen(name, directory / f"{name}.sock")
        self.listen("", directory / "control.sock")
        return self

    def listen(self, name: str, path: Path) -> None:
        """Serve one engine (or, with an empty name, only the control endpoint) at this path."""
        self.sockets[name or "control"] = str(path)
        self._servers[name] = SocketServer(path, lambda request, peer: self.handle(name, request, peer), lambda: self._time_of(name))

    def _time_of(self, name: str) -> float:
        """The engine's own time; the control endpoint has the test's."""
        return time.time() + (self.engines[name].machine.clock_ahead if name else 0.0)

    def close(self) -> None:
        """End every program and all that stands beside, cut every connection, remove the sockets."""
        for other in self.beside.values():
            other.close()
        with self.changed:
            threads = [thread for engine in self.engines.values() for thread in self._leave_state(engine)]
        for server in self._servers.values():
            server.close()
        for thread in threads:
            thread.join()
        if self._directory is not None:
            self._directory.cleanup()

    # -- what tests prepare and ask

    def engine(self, name: str) -> Engine:
        return self.engines[name]

    def container(self, endpoint: str, name: str) -> Container:
        with self.changed:
            return self.engines[endpoint].container(name)

    def files(self, endpoint: str, name: str) -> Files:
        """The files that a program in this container sees."""
        return Files(self.engines[endpoint], self.container(endpoint, name))

    def add_image(self, reference: str, config: Json | None = None, files: Mapping[str, bytes] | None = None) -> list[Image]:
        """Put the same image on every engine."""
        with self.changed:
            return [images.add_from_files(engine, reference, config or {}, files or {}) for engine in self.engines.values()]

    def registry_digest(self, endpoint: str, reference: str) -> str:
        """The digest under which this endpoint's registry serves an image."""
        return registry.digest_of(reference, self.engines[endpoint].machine.registry[reference])

    def plan_faults(self, *faults: Fault) -> None:
        """Replace the planned faults."""
        with self.changed:
            self.journal.faults = list(faults)

    def calls(self) -> list[str]:
        """Every call so far, as "dtn1 POST /containers/x/start", in the order in which the engines took them."""
        with self.changed:
            return [f"{call.endpoint} {call.method} {call.path}" for call in self.journal.calls]

    def starts(self) -> list[Json]:
        with self.changed:
            return self.journal.starts()

    def set_mode(self, endpoint: str, mode: str) -> None:
        """Make an engine `up`, `silent` (accepts and never answers), `down` (cuts every connection) or `absent` (no socket)."""
        if mode not in ("up", "silent", "down", "absent"):
            raise ValueError(f"mode is {mode!r}; expected up, silent, down or absent")
        path = Path(self.sockets[endpoint])
        with self.changed:
            for name, engines in (("silent", self._silent), ("down", self._down)):
                engines.discard(endpoint)
                if mode == name:
                    engines.add(endpoint)
            self.changed.notify_all()
        if mode == "absent" and endpoint in self._servers:
            self._servers.pop(endpoint).close()
        elif mode != "absent" and endpoint not in self._servers:
            self.listen(endpoint, path)

    # -- states as values

    def snapshot(self, name: str = START) -> None:
        """Remember the state of all engines under a name."""
        with self.changed:
            self._snapshots[name] = {key: snapshots.freeze(engine) for key, engine in self.engines.items()}
            self._frozen[name] = {key: other.freeze() for key, other in self.beside.items()}

    def restore(self, name: str = START) -> None:
        """Go back to a snapshot; calls, starts and planned faults are forgotten."""
        with self.changed:
            self._replace({key: snapshots.thaw(frozen) for key, frozen in self._snapshots[name].items()})
            for key, frozen in self._frozen[name].items():
                self.beside[key].thaw(frozen)

    def reset(self) -> None:
        """Go back to the snapshot "start", or to new engines if there is none."""
        if START in self._snapshots:
            self.restore()
            return
        with self.changed:
            self._replace({key: EngineState(host=engine.machine.first_files()) for key, engine in self.engines.items()})
            for engine in self.engines.values():
                networks.add_predefined(engine)

    def view(self) -> Json:
        """All engines in the form that is equal for equal outcomes."""
        with self.changed:
            return {name: snapshots.view(engine) for name, engine in self.engines.items()}

    def _replace(self, states: Mapping[str, EngineState]) -> None:
        self.journal.clear()
        for name, state in states.items():
            engine = self.engines[name]
            self._leave_state(engine)
            self._begin_state(engine, state)
            engine.processes.adopt()
        self.changed.notify_all()

    def _begin_state(self, engine: Engine, state: EngineState) -> None:
        engine.state = state

    def _leave_state(self, engine: Engine) -> list[threading.Thread]:
        engine.epoch += 1
        self.changed.notify_all()
        return engine.processes.abandon()

    # -- requests

    def handle(self, name: str, request: Request, peer: Peer) -> Response:
        """Answer one request to the engine `name`, with the fault that is planned for it."""
        if request.path.startswith("/_fake/"):
            return control.handle(self, request)
        if name not in self.engines:
            raise Dropped
        engine = self.engines[name]
        epoch = engine.epoch
        with self.changed:
            self.changed.wait_for(lambda: name not in self._silent or engine.epoch != epoch)
            engine.require_epoch(epoch)
            if peer in self.journal.killed or name in self._down:
                raise Dropped
            return self._handle_call(engine, request, peer)

    def _handle_call(self, engine: Engine, request: Request, peer: Peer) -> Response:
        try:
            route = self._routes.find(request.method, request.path)
        except EngineError as error:
            return refusal(error)
        request.target = route.target
        path = route.label(self._name_of(engine, route))
        authenticated = "x-registry-auth" in request.headers
        call = Call(0, engine.name, request.method, path, request.query, peer, authenticated)
        self.journal.client = peer
        fault = self.journal.begin(call)
        self.changed.notify_all()
        spoiled = self._strike(fault, call) if fault and fault.when == "before" else None
        response = spoiled or self._answer(engine, route, request)
        call.status = response.status
        if fault and fault.when == "after":
            response = self._strike(fault, call) or response
        return response

    def call_beside(self, endpoint: str, path: str, answer: Callable[[], T]) -> T:
        """A call to something beside an engine: it counts as the engine's do, and the fault that is planned for it strikes.

        The client is the one that called an engine last, for these come over no unix socket that would tell. Dropped: it gets no
        answer. EngineError: the answer is to be a refusal.
        """
        engine = self.engines[endpoint]
        epoch = engine.epoch
        with self.changed:
            engine.require_epoch(epoch)
            if self.journal.client in self.journal.killed:
                raise Dropped
            call = Call(0, endpoint, "POST", path, {}, self.journal.client)
            fault = self.journal.begin(call)
            self.changed.notify_all()
            if fault and fault.when == "before":
                self._strike_beside(fault, call)
            answered = answer()
            if fault and fault.when == "after":
                self._strike_beside(fault, call)
            return answered

    def _strike_beside(self, fault: Fault, call: Call) -> None:
        if self._strike(fault, call) is not None:
            raise EngineError(fault.status, fault.message)

    def _name_of(self, engine: Engine, route: Route) -> str:
        try:
            match route.kind:
                case "containers":
                    return engine.container(route.target).name
                case "networks":
                    return engine.network(route.target).name
                case "exec":
                    return engine.container(engine.state.execs[route.target].container_id).name
        except (EngineError, KeyError):
            pass
        return route.target

    def _answer(self, engine: Engine, route: Route, request: Request) -> Response:
        try:
            return route.handler(engine, request)
        except EngineError as error:
            return refusal(error)
        except Dropped:
            raise
        except Exception:  # noqa: BLE001  # a mistake of this engine must be seen as one, not as a lost connection
            return refusal(EngineError(500, f"the in-memory engine is broken: {traceback.format_exc()}"))

    def _strike(self, fault: Fault, call: Call) -> Response | None:
        """Do what the fault says: None lets the call go on."""
        call.fault = f"{fault.do} {fault.when}"
        match fault.do:
            case "status":
                return refusal(EngineError(fault.status, fault.message))
            case "prune":
                accidents.prune_everything(self.engines[call.endpoint])
                return None
            case "signal-client":
                signal_client(call.peer.pid, fault.signal)
                return None
            case "down":
                self._down.add(call.endpoint)
            case "restart":
                accidents.restart(self.engines[call.endpoint])
            case "stall":
                engine = self.engines[call.endpoint]
                epoch = engine.epoch
                self.changed.wait_for(lambda: engine.epoch != epoch, timeout=fault.seconds)
                engine.require_epoch(epoch)
                return None
            case "kill-client" if not kill_client(call.peer.pid):
                call.fault = "kill-client refused: the client is the engine's own process or gone"
                return None
            case "kill-client":
                # What this client sent before it died and nobody has taken yet is lost: the log ends at this call.
                self.journal.killed.add(call.peer)
        raise Dropped
