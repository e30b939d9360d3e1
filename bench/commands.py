"""P2: whole commands with their start-up, against docker-compose 1.29 doing the same work on both endpoints at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bench.figures import Figure, Goal, Options, Pairs, at_least, figure_of, in_turn, not_measured, seconds
from bench.place import Place, commit_all, dtnctl, environment, place, time_of, write_tiny_sessions

COMPOSE = "docker-compose"
FIRST_PORT = 32000  # beyond those of dtnctl: for the nothing-to-do runs both tools' containers are there at once
APPLY, NOTHING = at_least(1.0), at_least(1.1)


def measure(options: Options) -> Iterator[Figure]:
    sessions = options.size(25, 5)
    names = (f"P2 docker-compose / dtnctl, apply 2 x {sessions}", f"P2 docker-compose / dtnctl, nothing to do in 2 x {sessions}")
    if shutil.which(COMPOSE) is None:
        yield from _without_compose(names)
        return
    with place(2, "tiny") as here:
        write_tiny_sessions(here.root, here.names, sessions)
        commit_all(here.root)
        _write_compose_files(here, sessions)
        _warm_up(here)
        mine, theirs = in_turn(options.rounds_or(5), lambda: _cleared(here, _dtnctl(here)), lambda: _cleared(here, _compose(here)))
        applying = Pairs(theirs, mine)
        yield figure_of(names[0], applying, APPLY, seconds("docker-compose", "dtnctl", applying))
        _warm_up(here, keep=True)
        mine, theirs = in_turn(options.rounds_or(21), lambda: _dtnctl(here), lambda: _compose(here))
        idle = Pairs(theirs, mine)
        yield figure_of(names[1], idle, NOTHING, seconds("docker-compose", "dtnctl", idle))


def _without_compose(names: tuple[str, str]) -> Iterator[Figure]:
    goals: tuple[Goal, Goal] = (APPLY, NOTHING)
    for name, goal in zip(names, goals, strict=True):
        yield not_measured(name, goal, f"{COMPOSE} is missing; `hack/system-packages.sh --bench` installs it")


def _warm_up(here: Place, *, keep: bool = False) -> None:
    """Once each, so that caches and compiled modules are there for both."""
    for run in (_dtnctl, _compose):
        run(here)
        if not keep:
            here.clear()


def _cleared(here: Place, elapsed: float) -> float:
    here.clear()
    return elapsed


def _dtnctl(here: Place) -> float:
    return dtnctl(here.root, "apply", "--yes")


def _compose(here: Place) -> float:
    """One docker-compose per endpoint, both at once; it has no notion of two."""
    programs = [[COMPOSE, "--project-name", "bench", "--file", str(_compose_file(here, name)), "up", "--detach"] for name in here.names]
    envs = [environment(DOCKER_HOST=here.lab.endpoint(name).unix_url) for name in here.names]
    return time_of(*programs, cwd=here.root, envs=envs)


def _compose_file(here: Place, endpoint: str) -> Path:
    return here.root / f"compose-{endpoint}.yaml"


def _write_compose_files(here: Place, sessions: int) -> None:
    services = {f"s{number:03}": _compose_service(FIRST_PORT + number) for number in range(sessions)}
    for name in here.names:
        _compose_file(here, name).write_text(yaml.safe_dump({"version": "2.4", "services": services}))


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
