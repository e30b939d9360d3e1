"""P2: whole commands with their start-up, against docker-compose 1.29 and docker compose 2 doing the same on both endpoints at once."""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from bench.figures import Figure, Goal, Options, Pairs, absolute, at_least, at_most, figure_of, in_turn, not_measured, seconds
from bench.place import Place, commit_all, dtnctl, environment, place, time_of, write_tiny_sessions
from lab.layout import LabError, default_cache
from lab.releases import unpacked

SECOND_SUITE = "forky"  # whose docker-compose is 2.40
SECOND = "usr/libexec/docker/cli-plugins/docker-compose"
APPLY = at_least(1.0)
PROCESSOR = at_most(0.3)


@dataclass(frozen=True, slots=True)
class Compose:
    """One release of compose. `first_port` is beyond those of dtnctl and of the others: their containers are there at once."""

    name: str
    first_port: int
    nothing: Goal
    program: str = ""
    missing: str = ""

    @property
    def project(self) -> str:
        return f"bench{self.first_port}"

    def file(self, here: Place, endpoint: str) -> Path:
        return here.root / f"{self.project}-{endpoint}.yaml"

    def write_files(self, here: Place, sessions: int) -> None:
        services = {f"s{number:03}": _compose_service(self.first_port + number) for number in range(sessions)}
        for name in here.names:
            self.file(here, name).write_text(yaml.safe_dump({"version": "2.4", "services": services}))

    def up(self, here: Place) -> float:
        """Seconds of one compose per endpoint, both at once; it has no notion of two."""
        programs = [
            [self.program, "--project-name", self.project, "--file", str(self.file(here, name)), "up", "--detach"] for name in here.names
        ]
        envs = [environment(DOCKER_HOST=here.lab.endpoint(name).unix_url) for name in here.names]
        return time_of(*programs, cwd=here.root, envs=envs)


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(25, 5)
    composes = (_first(), _second())
    there = [compose for compose in composes if compose.program]
    with place(2, "tiny") as here:
        write_tiny_sessions(here.root, here.names, sessions)
        commit_all(here.root)
        for compose in there:
            compose.write_files(here, sessions)
        runs = [partial(_dtnctl, here), *(partial(compose.up, here) for compose in there)]
        _warm_up(here, runs)
        applied = in_turn(options.rounds_or(5), *(partial(_cleared, here, run) for run in runs))
        for run in runs:
            run()
        idle = in_turn(options.rounds_or(21), *(partial(_with_processor, run) for run in runs))
    yield from _ratios(composes, f"apply 2 x {sessions}", applied, [APPLY for _ in composes])
    yield from _ratios(composes, f"nothing to do in 2 x {sessions}", _column(idle, 0), [compose.nothing for compose in composes])
    yield _processor(there, sessions, _column(idle, 1))


def _first() -> Compose:
    name = "docker-compose"
    missing = "" if shutil.which(name) else f"{name} is missing; `hack/system-packages.sh --bench` installs it"
    return Compose(name, 32000, at_least(1.1), shutil.which(name) or "", missing)


def _second() -> Compose:
    """From a folder of the cache: what Debian has of it since then runs on this machine's own C library."""
    compose = partial(Compose, "docker compose 2", 33000, at_least(1 / 1.5))
    try:
        program = unpacked(SECOND_SUITE, "docker-compose", default_cache(), lambda line: print(line, file=sys.stderr)) / SECOND
        subprocess.run([program, "version"], capture_output=True, check=True)
    except (LabError, OSError, subprocess.CalledProcessError) as error:
        return compose(missing=str(error).splitlines()[0])
    return compose(str(program))


def _ratios(composes: Sequence[Compose], what: str, series: Sequence[tuple[float, ...]], goals: Sequence[Goal]) -> Iterator[Figure]:
    """One line a compose, in their order; `series` has dtnctl first, then those that are there."""
    mine, *others = series
    for compose, goal in zip(composes, goals, strict=True):
        name = f"P2 {compose.name} / dtnctl, {what}"
        if compose.missing:
            yield not_measured(name, goal, compose.missing)
        else:
            pairs = Pairs(others.pop(0), mine)
            yield figure_of(name, pairs, goal, seconds(compose.name, "dtnctl", pairs))


def _processor(there: Sequence[Compose], sessions: int, series: Sequence[tuple[float, ...]]) -> Figure:
    mine, *others = series
    detail = ", ".join(f"{compose.name} {statistics.median(values):.3f} s" for compose, values in zip(there, others, strict=True))
    return absolute(f"P2 dtnctl, nothing to do in 2 x {sessions}, processor seconds", mine, PROCESSOR, f"best {min(mine):.3f} s; {detail}")


def _column(series: Sequence[tuple[tuple[float, float], ...]], number: int) -> list[tuple[float, ...]]:
    return [tuple(row[number] for row in rows) for rows in series]


def _warm_up(here: Place, runs: Sequence[partial[float]]) -> None:
    """Once each, so that caches and compiled modules are there for all."""
    for run in runs:
        _cleared(here, run)


def _cleared(here: Place, run: partial[float]) -> float:
    elapsed = run()
    here.clear()
    return elapsed


def _with_processor(run: partial[float]) -> tuple[float, float]:
    """Seconds on the clock, and of processors in the programs."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    elapsed = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _dtnctl(here: Place) -> float:
    return dtnctl(here.root, "apply", "--yes")


def _compose_service(port: int) -> dict[str, Any]:
    """What write_tiny_sessions declares, in compose's words."""
    return {
        "image": "tiny:1",
        "command": ["sleep", "1000000"],
        "network_mode": "bridge",
        "ports": [f"{port}:{port}"],
        "init": True,
        "mem_limit": "64m",
        "restart": "unless-stopped",
        "stop_grace_period": "1s",
    }
