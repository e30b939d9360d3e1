"""P12: `dtnctl check --all-refs` with 50 open branches of a repository with 100 sessions on each of 20 endpoints.

Half of the branches pin a port that another one pins too. The whole command is timed, start-up and Git included, with the cache of files
that were read before, and without it. Its processor seconds are in the detail: they hold on a busy machine, too.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.figures import Figure, Options, absolute, at_most

ENDPOINTS, SESSIONS, BRANCHES = 20, 100, 50
BLOCKED = 4
PROGRAM = (sys.executable, "-m", "dtnctl", "check", "--all-refs")


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(SESSIONS, SESSIONS // 10)
    with TemporaryDirectory() as folder:
        root, home = Path(folder) / "site", Path(folder) / "home"
        _make(root, sessions)
        cold = [_run(root, home / str(number)) for number in range(options.rounds_or(3))]
        warm = [_run(root, home / "0") for _ in range(options.rounds_or(3))]
    name = f"P12 check --all-refs, {BRANCHES} branches, {ENDPOINTS} endpoints x {sessions} sessions, s"
    yield _figure(name, warm)
    yield _figure(f"{name}, nothing read before", cold)


def _figure(name: str, runs: list[tuple[float, float]]) -> Figure:
    elapsed, busy = zip(*runs, strict=True)
    return absolute(name, elapsed, at_most(5.0), f"{statistics.median(busy):.2f} CPU s ({min(busy):.2f} to {max(busy):.2f})")


def _run(root: Path, cache: Path) -> tuple[float, float]:
    """Seconds, and processor seconds of the command and of git below it."""
    before, used = perf_counter(), _used()
    done = subprocess.run(PROGRAM, cwd=root, check=False, capture_output=True, text=True, env={**os.environ, "XDG_CACHE_HOME": str(cache)})
    elapsed, busy = perf_counter() - before, _used() - used
    if done.returncode != BLOCKED or f"{BRANCHES // 2} claims collide" not in done.stdout:
        raise RuntimeError(f"check does not find the collisions: {done.stdout[:500]}{done.stderr}")
    return elapsed, busy


def _used() -> float:
    """Processor seconds of all programs that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _make(root: Path, sessions: int) -> None:
    names = [f"dtn{number:02}" for number in range(ENDPOINTS)]
    files = {"site": "name: bench\n"}
    files |= {
        f"endpoints/{name}": f"docker: ssh://dtn@{name}.example.net\ninterfaces: {{data: eth1}}\nallow: {{mounts: [/data]}}\n"
        for name in names
    }
    files["networks/data"] = "driver: macvlan\nsubnet: 10.0.0.0/16\ngateway: 10.0.0.1\naddresses: 10.0.1.0-10.0.255.0\n"
    files["profiles/p"] = "data_nets: [data]\nctrl_port_range: [30000, 32000]\nvolumes: ['/data:/data']\n"
    files |= {f"sessions/s{number:03}": f"endpoints: [{', '.join(names)}]\nimage: dtn:1\nprofile: p\n" for number in range(sessions)}
    for path, text in files.items():
        _write(root, path, text)
    _git(root, "init", "--quiet", "--initial-branch", "main")
    _git(root, "add", "--all")
    _git(root, "commit", "--quiet", "--message", "main")
    for number in range(BRANCHES):
        _git(root, "checkout", "--quiet", "-b", f"b{number:02}", "main")
        _write(root, f"sessions/n{number:02}", _pinned(names[number % ENDPOINTS if number % 2 else (number + 1) % ENDPOINTS], number // 2))
        _git(root, "add", "--all")
        _git(root, "commit", "--quiet", "--message", f"b{number}")
    _git(root, "checkout", "--quiet", "main")


def _pinned(endpoint: str, number: int) -> str:
    return f"endpoints: [{endpoint}]\nimage: dtn:1\nprofile: p\nsettings: {{exposed_ports: [{40000 + number}]}}\n"


def _write(root: Path, path: str, text: str) -> None:
    file = root / "state" / f"{path}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def _git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), "-c", "user.name=bench", "-c", "user.email=bench@example.net", *words], check=True)
