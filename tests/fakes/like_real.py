"""Preparing both kinds of engine for the scenes, and recording what a real one says.

`python -m tests.fakes.like_real SOCKET` records a real engine that holds the image tiny:1 (any program that runs until
SIGTERM and then ends with 0, and the commands true, false and echo) and has an unused interface eth1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.fakes.programs import Behaviour
from tests.fakes.raw_client import Engine
from tests.fakes.scenes import SCENES
from tests.fakes.stage import clean
from tests.fakes.world import World

RECORDED = Path(__file__).parent / "recorded"
FACTS = RECORDED / "machine.json"
IMAGE_FILES = {"/bin/busybox": b"", "/etc/": b"", "/tmp/": b""}


def facts_of(engine: Engine) -> dict[str, Any]:
    """What the in-memory engine must know to answer like this one."""
    return {
        "cpus": engine.ask("GET", "/info")["NCPU"],
        "image": engine.ask("GET", "/images/tiny:1/json")["Config"],
    }


def make_alike(world: World, endpoint: str, facts: dict[str, Any]) -> None:
    """Give an in-memory engine the machine and the image of a real one."""
    engine = world.engine(endpoint)
    engine.machine.cpus = facts["cpus"]
    for image in world.add_image("tiny:1", facts["image"], IMAGE_FILES):
        image.comment = "Imported from -"
    world.programs.register(Behaviour(exit_on_signal=0), image="tiny:1")


def play(engine: Engine, scene: str) -> list[dict[str, Any]]:
    """The normal form of every answer of this engine in a scene; it is clean before and after."""
    clean(engine)
    engine.answers.clear()
    try:
        SCENES[scene](engine)
        return list(engine.answers)
    finally:
        clean(engine)


def recorded(scene: str) -> list[dict[str, Any]]:
    """What the real engine said."""
    return [json.loads(line) for line in (RECORDED / f"{scene}.jsonl").read_text().splitlines()]


def record(socket: str) -> None:
    """Write down what the engine at this socket says in every scene."""
    engine = Engine(socket)
    RECORDED.mkdir(exist_ok=True)
    FACTS.write_text(json.dumps(facts_of(engine), indent=1, sort_keys=True) + "\n")
    for scene in SCENES:
        lines = [json.dumps(answer, sort_keys=True) for answer in play(engine, scene)]
        (RECORDED / f"{scene}.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    record(sys.argv[1])
