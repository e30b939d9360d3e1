"""Waits until both ends of a transfer accept logins: a service that has just started is not there at once.

A name that cannot be looked up is not waited for: no time makes it right.
"""

from __future__ import annotations

from dtnctl.errors import EngineError, TransferError
from dtnctl.model.hosts import is_address
from dtnctl.model.resources import ContainerSeen
from dtnctl.runtime.transfers.attempt import Task, seconds_between, time_text

READY_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.2
CONNECT_SECONDS = 3
SETTLED_SECONDS = 120.0  # who has run for so long has opened its port, or never will; asking would cost a command
LOOK_UP_SECONDS = 10
NOT_FOUND, NO_ANSWER = 2, 124  # of getent, and of timeout
CANNOT_BE_ASKED = (0, 126, 127)  # it answers, or the image has neither bash nor timeout to ask with
CONNECT = 'exec 3<>"/dev/tcp/$0/$1" || exit 11; exec 4<>"/dev/tcp/$2/$3" || exit 12'
FIRST, SECOND = 11, 12


def wait_until_ready(task: Task, services: tuple[ContainerSeen, ContainerSeen]) -> None:
    """Return when the control ports that it logs in at accept a connection from where the job will be; TransferError after a minute.

    TransferError at once for a name that cannot be looked up there. Services that have run for a while are not asked to connect.
    """
    _look_up(task)
    if not task.logins:
        return
    now = time_text(task.clock.now())
    if all(seconds_between(service.started_at, now) > SETTLED_SECONDS for service in services):
        return
    ends = tuple(end for _, _, end in task.logins)
    ends = (ends[0], ends[-1])
    places = [text for end in ends for text in (end.host, str(end.port))]
    login = (*((service.id, service.started_at) for service in services), *places)
    if login in task.calls.answered:
        return
    command = ("timeout", str(CONNECT_SECONDS), "bash", "-c", CONNECT, *places)
    deadline = task.clock.monotonic() + READY_SECONDS
    while True:
        try:
            exit_code = task.here.run(task.source.container, command).exit_code
        except EngineError:
            return
        if exit_code in CANNOT_BE_ASKED:
            task.calls.answered.add(login)
            return
        if task.clock.monotonic() >= deadline:
            silent = {FIRST: ends[:1], SECOND: ends[1:]}.get(exit_code, ends)
            where = " or ".join(f"{end.host}:{end.port} ({end.container} on {end.endpoint})" for end in silent)
            raise TransferError(f"{task.transfer}: from {task.source.container} no login is possible at {where}: is sshd running there?")
        task.clock.sleep(LOOK_EVERY_SECONDS)


def look_up_command(task: Task) -> tuple[str, ...]:
    """Looks the destination's host up; empty if it is an address."""
    host = _host(task)
    return () if is_address(host) else ("timeout", str(LOOK_UP_SECONDS), "getent", "ahosts", host)


def _host(task: Task) -> str:
    there = task.destination
    return there.host if task.logins else there.data_host or there.host


def _look_up(task: Task) -> None:
    """TransferError if the source's container, whose network and name servers the job has, cannot look up the destination's host."""
    here, there, host = task.source, task.destination, _host(task)
    command = look_up_command(task)
    if not command:
        return
    try:
        exit_code = task.here.run(here.container, command, user=here.user).exit_code
    except EngineError:
        return  # it is asked for more, and whoever needs the answer says what is wrong
    reasons = {NOT_FOUND: "there is no such name", NO_ANSWER: f"its name servers did not answer within {LOOK_UP_SECONDS} s"}
    if exit_code in reasons:
        where = f"{here.container} on {here.endpoint} cannot look up {host}, the `host:` of {there.endpoint}"
        raise TransferError(f"{task.transfer}: {where}: {reasons[exit_code]}; try an address there, or `dns:` in the session's profile")
