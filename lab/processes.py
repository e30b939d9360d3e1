"""Finds and ends the processes of a lab by a mark in their environment, so no pid file can be stale or missing."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lab.layout import LabError

IDENTITY = "DTN_LAB_ID"
ROLE = "DTN_LAB_ROLE"
PROC = Path("/proc")
EXECVE_READS, EXECVE_PAUSE = 20, 0.001  # as long as a program of no environment at all costs, at each look


def marked_environment(identity: str, role: str, **extra: str) -> dict[str, str]:
    """The caller's environment with the lab's mark on it."""
    return {**os.environ, IDENTITY: identity, ROLE: role, **extra}


def start_until_ready(
    command: Sequence[str], what: str, log: Path, environment: Mapping[str, str], stdin: int = subprocess.DEVNULL
) -> None:
    """Start a program that goes its own way (setsid --fork) and return when it has written "ready" on its output.

    An error shows its log.
    """
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=errors, env=environment) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
    if line != b"ready\n":
        raise LabError(f"{what} did not start: {log.read_text(errors='replace').strip()}")


def find_marked(identity: str, role: str | None = None) -> list[int]:
    """Pids, as seen from here, of the processes that were started for this lab (and this role)."""
    return [pid for pid, environment in _environments() if _matches(environment, identity, role)]


def find_init(identity: str, role: str) -> int | None:
    """The pid, as seen from here, of PID 1 of the lab's or the endpoint's process namespace."""
    return next((pid for pid in find_marked(identity, role) if _is_init(pid)), None)


def end_all(identity: str) -> None:
    """Kill every process of the lab, except the caller and its parents, and return when all are gone."""
    spared = set(_own_line())
    while remaining := [pid for pid in find_marked(identity) if pid not in spared]:
        if not end(remaining, signal.SIGKILL):
            raise LabError(f"some of the processes {remaining} do not end, not even by SIGKILL; see what they wait for")


def end(pids: Iterable[int], number: signal.Signals, timeout: float = 60.0) -> bool:
    """Signal the processes and wait for them; False when some are still there after the timeout."""
    handles = [handle for pid in pids if (handle := _handle(pid)) is not None]
    try:
        for handle in handles:
            _signal(handle, number)
        return _wait(handles, timeout)
    finally:
        for handle in handles:
            os.close(handle)


def _signal(handle: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return


def _wait(handles: list[int], timeout: float) -> bool:
    poll, deadline = select.poll(), time.monotonic() + timeout
    waiting = set(handles)
    for handle in handles:
        poll.register(handle, select.POLLIN)
    while waiting and (left := deadline - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            poll.unregister(handle)
            waiting.discard(handle)
    return not waiting


def _handle(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _environments() -> Iterator[tuple[int, Mapping[bytes, bytes]]]:
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            raw = _environment(folder)
        except OSError:  # it ended meanwhile
            continue
        pairs = (item.partition(b"=") for item in raw.split(b"\0"))
        yield int(folder.name), {name: value for name, _, value in pairs}


def _environment(folder: Path) -> bytes:
    """What the process has; one that is just becoming another program (execve) shows nothing for a moment, and is read again."""
    for _ in range(EXECVE_READS):
        raw = (folder / "environ").read_bytes()
        if raw or not _status_field(int(folder.name), "VmSize"):  # the kernel's own threads have neither
            break
        time.sleep(EXECVE_PAUSE)
    return raw


def _matches(environment: Mapping[bytes, bytes], identity: str, role: str | None) -> bool:
    if environment.get(IDENTITY.encode()) != identity.encode():
        return False
    return role is None or environment.get(ROLE.encode()) == role.encode()


def _is_init(pid: int) -> bool:
    numbers = _status_field(pid, "NSpid").split()
    return len(numbers) > 1 and numbers[-1] == "1"


def _own_line() -> Iterator[int]:
    pid = os.getpid()
    while pid > 0:
        yield pid
        pid = int(_status_field(pid, "PPid") or 0)


def _status_field(pid: int, name: str) -> str:
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")
