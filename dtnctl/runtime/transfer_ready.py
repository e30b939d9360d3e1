"""Waits until both ends of a transfer let somebody log in: a service that has just started is not there at once."""

from __future__ import annotations

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.resources import ContainerSeen
from dtnctl.runtime.transfer_task import Task, seconds_between, time_text

READY_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.2
CONNECT_SECONDS = 3
SETTLED_SECONDS = 120.0  # who has run for so long has opened its port, or never will; asking would cost a command
CANNOT_BE_ASKED = (0, 126, 127)  # it answers, or the image has neither bash nor timeout to ask with
CONNECT = 'exec 3<>"/dev/tcp/$0/$1" && exec 4<>"/dev/tcp/$2/$3"'


def wait_until_ready(task: Task, services: tuple[ContainerSeen, ContainerSeen]) -> None:
    """Return when both control ports accept a connection from where the job will be; TransferError after a minute.

    Services that have run for a while are not asked.
    """
    now = time_text(task.clock.now())
    if all(seconds_between(service.started_at, now) > SETTLED_SECONDS for service in services):
        return
    ends = (task.source, task.destination)
    places = [text for end in ends for text in (end.host, str(end.port))]
    command = ("timeout", str(CONNECT_SECONDS), "bash", "-c", CONNECT, *places)
    deadline = task.clock.monotonic() + READY_SECONDS
    while True:
        try:
            exit_code = task.here.run(task.source.container, command).exit_code
        except EngineError:
            return
        if exit_code in CANNOT_BE_ASKED:
            return
        if task.clock.monotonic() >= deadline:
            where = " or ".join(f"{end.host}:{end.port} ({end.container} on {end.endpoint})" for end in ends)
            raise TransferError(f"{task.transfer}: from {task.source.container} no login is possible at {where}: is sshd running there?")
        task.clock.sleep(LOOK_EVERY_SECONDS)
