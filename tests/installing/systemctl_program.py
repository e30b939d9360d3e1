"""A stand-in for `systemctl` on a machine without systemd: reads the unit, runs its program, waits until that says that it is ready.

Knows `daemon-reload`, `enable`, `start`, `restart` and `stop` of one unit, as its folder (the first argument) has room for one process.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNIT = Path("/etc/systemd/system/dtn-agent.service")


def main(folder: Path, words: list[str]) -> int:
    verb = next(word for word in words if not word.startswith("-"))
    with (folder / "calls").open("a") as calls:
        calls.write(f"{verb}\n")
    match verb:
        case "start" if process_of(folder):
            return 0
        case "start" | "restart":
            stop(folder)
            return start(folder)
        case "stop":
            stop(folder)
    return 0


def process_of(folder: Path) -> int:
    """The running process, or 0."""
    try:
        number = int((folder / "pid").read_text())
        os.kill(number, 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return number


def stop(folder: Path) -> None:
    number = process_of(folder)
    if number:
        os.kill(number, signal.SIGTERM)
        while process_of(folder):  # it is nobody's child here, so it cannot be waited for
            time.sleep(0.05)


def start(folder: Path) -> int:
    command = command_of(UNIT.read_text())
    (folder / "notify").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready, (folder / "journal").open("ab") as journal:
        ready.bind(str(folder / "notify"))
        ready.settimeout(0.2)
        process = subprocess.Popen(
            command,
            env={**os.environ, "NOTIFY_SOCKET": str(folder / "notify")},
            stdin=subprocess.DEVNULL,
            stdout=journal,
            stderr=journal,
            start_new_session=True,
        )
        (folder / "pid").write_text(str(process.pid))
        while process.poll() is None:
            try:
                return 0 if ready.recv(100) == b"READY=1" else 1
            except TimeoutError:
                continue
    return 1


def command_of(unit: str) -> list[str]:
    """ExecStart, with the words of its variables in their place."""
    settings = [line.partition("=")[::2] for line in unit.splitlines() if "=" in line and not line.startswith("#")]
    assigned = [value.strip('"') for name, value in settings if name == "Environment"]
    for file in (Path(value.removeprefix("-")) for name, value in settings if name == "EnvironmentFile"):
        assigned += file.read_text().splitlines() if file.exists() else []
    variables = {f"${name}": value for name, _, value in (item.partition("=") for item in assigned)}
    (start,) = [value for name, value in settings if name == "ExecStart"]
    return [part for word in shlex.split(start) for part in (shlex.split(variables.get(word, "")) if word.startswith("$") else [word])]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
