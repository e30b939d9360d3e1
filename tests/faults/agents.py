"""An agent beside each engine of the stage: the real server over TLS, the real work and ledger, on a host in memory.

Its changes are calls like the engine's, so dtnctl can be killed at each. The agent itself can die as well: at any of its writes, or
before it answers. Then nobody listens until it is told to start again.
"""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from dtn_agent import protocol as p
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.log import Lines, LogLines
from dtn_agent.protocol.driver import NETWORK_DRIVER
from dtn_agent.server.access import Access, Credentials, open_access
from dtn_agent.server.limits import ServerLimits
from dtn_agent.server.serve import AgentServer, make_server, restore
from dtn_agent.work import Work

from tests.fakes.errors import Dropped, EngineError
from tests.fakes.state import Json
from tests.fakes.world import World
from tests.faults.memory_host import MemoryHost
from tests.providers.certificates import SERVER, Pair, authority, issue

TOKEN = "0123456789abcdef0123456789abcdef"
SECONDS = 30.0  # for a server to start or to end


class AgentDiedError(Exception):
    """kill -9 of the agent's process, as its own code sees it."""


@dataclass(frozen=True)
class Words:
    """How an agent is told to be: to die at the moment with this number, to tell nothing any more after it, not to run, to tell its facts
    so late (in seconds), or to be a stranger: to show a certificate that nobody whom dtnctl trusts has signed."""

    dies_at: int = 0
    silent_after: int = 0
    absent: bool = False
    late: float = 0.0
    stranger: bool = False


@dataclass(frozen=True)
class Doors:
    """The right certificate and a stranger's, both with the right token."""

    right: Access
    stranger: Access


class StageAgent:
    """The agent of one endpoint. `effects` counts the moments at which it could die."""

    def __init__(self, world: World, endpoint: str, machine: p.Host, values: dict[str, str], folder: Path, doors: Doors) -> None:
        self.world = world
        self.endpoint = endpoint
        self.doors = doors
        self.words = Words()
        self.is_dead = False
        self.hurry = threading.Event()
        self.effects = 0
        self.output = io.StringIO()
        engine = world.engine(endpoint)
        self.host_in_memory = MemoryHost(engine, machine, values, Ledger(folder / endpoint / "ledger.json"), self._effect)
        host = self.host_in_memory
        self.work = Work(host.ledger, lambda held: host.facts(), host.resources, lambda: True)
        engine.machine.drivers[NETWORK_DRIVER] = self.host_in_memory
        self.port = 0
        self._begin()

    # --- what the server serves ---

    def host(self, readings: Collection[str], /, *, inside: bool = False) -> p.Host:
        if self.is_dead or 0 < self.words.silent_after <= self.effects:
            self._cut()
            raise AgentDiedError
        if self.words.late:
            self.hurry.wait(self.words.late)
        return self.work.host(readings, inside=inside)

    def perform(self, request: p.Request, /) -> p.Done:
        """One call of the world; whoever gets no answer sees its connection cut."""
        try:
            return self.world.call_beside(self.endpoint, f"/v1/perform/{request.do}", lambda: self._perform(request))
        except EngineError as error:
            raise RefusedError("failed", error.message) from error
        except (Dropped, AgentDiedError):
            self._cut()
            raise

    def _perform(self, request: p.Request) -> p.Done:
        if self.is_dead:
            raise AgentDiedError
        done = self.work.perform(request)
        self._effect()  # done, and not answered yet
        return done

    def _effect(self) -> None:
        self.effects += 1
        if self.effects == self.words.dies_at:
            self._die()
            raise AgentDiedError

    def _die(self) -> None:
        """The engine has no network driver then, either."""
        self.is_dead = True
        self.world.engine(self.endpoint).machine.drivers.pop(NETWORK_DRIVER)

    # --- its process ---

    def _begin(self) -> None:
        """Start, and make so again what the ledger says."""
        self.is_dead = False
        self.effects = 0
        self.world.engine(self.endpoint).machine.drivers[NETWORK_DRIVER] = self.host_in_memory
        lines = Lines(self.output)
        restore(self.work.resources, lines)
        listener = socket.create_server(("127.0.0.1", self.port), backlog=ServerLimits().queue)
        self.port = listener.getsockname()[1]
        accepting = threading.Event()
        access = self.doors.stranger if self.words.stranger else self.doors.right
        self.hurry.clear()
        self.server: AgentServer = make_server([listener], self, access, lines, ServerLimits(), lambda: self._accepts(accepting))
        self.thread = threading.Thread(target=self._serve, args=(listener, self.server), daemon=True)
        self.thread.start()
        assert accepting.wait(SECONDS), "the agent does not start"

    def _accepts(self, accepting: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        accepting.set()

    @staticmethod
    def _serve(listener: socket.socket, server: AgentServer) -> None:
        with listener:
            server.run()

    def _cut(self) -> None:
        """Cut every connection; a dead agent's server ends as well."""
        done = threading.Event()

        def cut() -> None:
            for connection in list(self.server.server_state.connections):
                connection.transport.abort()
            self.server.should_exit = self.server.force_exit = self.is_dead
            done.set()

        self.loop.call_soon_threadsafe(cut)
        assert done.wait(SECONDS), "the agent's connections cannot be cut"

    def _end(self) -> None:
        self.hurry.set()
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(SECONDS)
        assert not self.thread.is_alive(), "the agent does not end"

    # --- what the stage wants of it ---

    def freeze(self) -> bytes:
        return self.host_in_memory.freeze()

    def thaw(self, frozen: bytes) -> None:
        """As it was, with nothing planned."""
        assert not self.is_dead, "start it again first: a server cannot end while the world is held"
        self.host_in_memory.thaw(frozen)
        self.effects, self.words = 0, replace(self.words, dies_at=0)

    def view(self) -> Json:
        return {**self.host_in_memory.view(), "effects": self.effects, "is_dead": self.is_dead}

    def tell(self, words: Json) -> None:
        """How it is from now on: the fields of Words. With none, it is as it should be, started again if it has to be."""
        before, self.words, self.effects = self.words, Words(**words), 0
        if self.is_dead or replace(before, dies_at=0) != replace(self.words, dies_at=0):
            self._end()
            if self.words.absent:
                self._die()
            else:
                self._begin()

    def close(self) -> None:
        self._end()


def open_agents(world: World, machines: dict[str, p.Host], values: dict[str, str], folder: Path) -> None:
    """One beside each engine. Where they are, and the CA and the token that they want, stand among the world's sockets."""
    logging.basicConfig(handlers=[LogLines(Lines(io.StringIO()))])  # as the agent does; what dies here says so loudly
    ca = authority()
    token = folder / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    doors = Doors(_open(folder, "server", ca, token), _open(folder, "stranger", authority("another"), token))
    for name, machine in machines.items():
        agent = StageAgent(world, name, machine, values, folder, doors)
        world.beside[name] = agent
        world.sockets[f"agent {name}"] = f"https://127.0.0.1:{agent.port}"
    world.sockets |= {"agents_ca": str(ca.write(folder, "ca")[0]), "agents_token": str(token)}


def _open(folder: Path, name: str, ca: Pair, token: Path) -> Access:
    cert, key = issue(ca, name="dtn", uses=(SERVER,)).write(folder, name)
    key.chmod(0o600)
    return open_access(Credentials(cert, key, token_file=token))
