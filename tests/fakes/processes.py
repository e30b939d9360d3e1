"""The lives of main processes: starting, signals, ending, restart policies. Containers change state only here."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.fakes import attachments, configs, files, mounts
from tests.fakes.checks import signal_number
from tests.fakes.core import Engine
from tests.fakes.errors import EngineError, NotModified
from tests.fakes.programs import Behaviour, Orphaned, Program, Programs, Run
from tests.fakes.state import Container, LogLine

KILLED = 128 + signal.SIGKILL


@dataclass(slots=True)
class Process:
    """A main process that runs now. `thread` is None for a declared behaviour."""

    behaviour: Behaviour
    run: Run
    thread: threading.Thread | None = None


class Processes:
    """The main processes of one engine, by container id."""

    def __init__(self, engine: Engine, programs: Programs, count_start: Callable[[Container], None]) -> None:
        self._engine = engine
        self._programs = programs
        self._count_start = count_start
        self._alive: dict[str, Process] = {}

    def start(self, container: Container) -> None:
        """Take addresses and ports and begin. A refusal leaves the container as it was, with the error noted."""
        if container.running and not container.restarting:
            raise NotModified
        container.host_config["Runtime"] = container.host_config.get("Runtime") or "runc"
        try:
            attachments.attach_all(self._engine, container)
        except EngineError as error:
            attachments.detach_all(container)
            container.error, container.exit_code = error.message, 128
            raise
        self._begin(container)

    def _begin(self, container: Container) -> None:
        container.running, container.restarting, container.stopped_by_user = True, False, False
        container.error, container.exit_code = "", 0
        container.started_at = self._engine.clock()
        container.pid = self._engine.new_pid()
        container.tmpfs = {path: files.empty_tree() for path in mounts.tmpfs_paths(container)}
        # The runtime makes the mount points in the container's own layer, where the archive API then sees them.
        for path in [*container.tmpfs, *(mount.destination for mount in container.mounts)]:
            files.make_folders(container.files, path, container.started_at)
        self._count_start(container)
        program = self._programs.choose(self._engine, container)
        run = Run(self._engine, container, configs.command_of(container.config))
        if isinstance(program, Behaviour):
            self._behave(container, program, run)
        else:
            self._execute(container, program, run)

    def _behave(self, container: Container, behaviour: Behaviour, run: Run) -> None:
        self._alive[container.id] = Process(behaviour, run)
        self._set_health(container, behaviour)
        now = self._engine.clock()
        for stream, lines in ((1, behaviour.stdout), (2, behaviour.stderr)):
            container.logs += [LogLine(stream, (line + "\n").encode(), now) for line in lines]
        for path, text in behaviour.writes.items():
            run.files.write(path, text.encode())
        if behaviour.ends:
            self._end(container, behaviour.exit_code)

    def _set_health(self, container: Container, behaviour: Behaviour) -> None:
        check = (container.config.get("Healthcheck") or {}).get("Test") or ["NONE"]
        watched = check != ["NONE"]
        container.health = behaviour.health if watched else ""
        container.checks_until_healthy = behaviour.checks_until_healthy if watched else 0
        container.check_output = behaviour.check_output if watched else ""

    def _execute(self, container: Container, program: Program, run: Run) -> None:
        process = Process(Behaviour(), run)
        self._alive[container.id] = process
        self._set_health(container, process.behaviour)
        if program.inline:
            self._end(container, _result(program, run))
            return
        process.thread = threading.Thread(target=self._thread_main, args=(container, program, run), daemon=True)
        process.thread.start()

    def _thread_main(self, container: Container, program: Program, run: Run) -> None:
        try:
            code = _result(program, run)
        except Orphaned:
            return
        with self._engine.changed:
            if not run.orphaned:
                self._end(container, code)

    def _end(self, container: Container, exit_code: int) -> None:
        self._alive.pop(container.id, None)
        container.running, container.restarting, container.pid = False, False, 0
        container.exit_code = exit_code
        container.finished_at = self._engine.clock()
        container.tmpfs = {}
        container.health = "unhealthy" if container.health else ""
        attachments.detach_all(container)
        self._engine.changed.notify_all()
        if self._restarts(container):
            # The real engine waits 100 ms and more here; this one until `restart_due`.
            container.running = container.restarting = True
            container.restart_count += 1

    def _restarts(self, container: Container) -> bool:
        policy = container.host_config["RestartPolicy"]
        if container.stopped_by_user:
            return False
        if policy["Name"] == "on-failure":
            limit = policy["MaximumRetryCount"]
            return container.exit_code != 0 and (not limit or container.restart_count < limit)
        return policy["Name"] in ("always", "unless-stopped")

    def restart_due(self) -> None:
        """Start every container that its restart policy holds in `restarting`."""
        for container in [found for found in self._engine.state.containers.values() if found.restarting]:
            self.start(container)

    def stop(self, container: Container, seconds: float) -> None:
        """Stop signal, then SIGKILL when the program has not ended after `seconds`."""
        if not container.running:
            raise NotModified
        container.stopped_by_user = True
        if not container.restarting:
            self._signal(container, signal_number(container.config.get("StopSignal") or "SIGTERM"))
            process = self._alive.get(container.id)
            if process is not None and process.thread is not None:
                epoch = self._engine.epoch
                self._engine.changed.wait_for(lambda: not container.running or self._engine.epoch != epoch, timeout=seconds)
                self._engine.require_epoch(epoch)
        if container.running:
            self._force_end(container)

    def release(self, container: Container, exit_code: int) -> None:
        """Let a process that runs until it is told end now, by itself."""
        self._orphan(container.id)
        self._end(container, exit_code)

    def end_for_removal(self, container: Container) -> None:
        """End by force for a removal."""
        container.stopped_by_user = True
        self._force_end(container)

    def _signal(self, container: Container, number: int) -> None:
        process = self._alive.get(container.id)
        if number == signal.SIGKILL:
            self._force_end(container)
        elif process is not None and process.thread is not None:
            process.run.signals.append(number)
            process.run.stop_requested = True
            self._engine.changed.notify_all()
        else:
            self._end(container, 128 + number)

    def _force_end(self, container: Container) -> None:
        self._orphan(container.id)
        self._end(container, container.exit_code if container.restarting else KILLED)

    def _orphan(self, container_id: str) -> None:
        process = self._alive.pop(container_id, None)
        if process is not None:
            process.run.orphaned = process.run.stop_requested = True
            self._engine.changed.notify_all()

    def abandon(self) -> list[threading.Thread]:
        """Let go of every process, because the state they belong to is gone; returns the threads that still end."""
        threads = [process.thread for process in self._alive.values() if process.thread is not None]
        for container_id in list(self._alive):
            self._orphan(container_id)
        return threads

    def adopt(self) -> None:
        """Give every running container of a restored state a process again, without counting a start.

        A Python program starts over; a declared behaviour goes on running.
        """
        for container in self._engine.state.containers.values():
            if not container.running or container.restarting:
                continue
            program = self._programs.choose(self._engine, container)
            run = Run(self._engine, container, configs.command_of(container.config))
            if isinstance(program, Behaviour):
                self._alive[container.id] = Process(program, run)
            else:
                self._execute(container, program, run)


def _result(program: Program, run: Run) -> int:
    """The exit code. A program that breaks is a container that fails, with the reason in its log."""
    try:
        return program.function(run)
    except Exception as error:  # noqa: BLE001  # whatever a test's program raises must not end the engine
        run.stderr(f"{type(error).__name__}: {error}\n")
        return 1
