"""The same accidents around transfers on real engines: kills, two applies at once, prunes, a host that loses power.

Starts are counted from what the engines themselves report: their events, followed while they run.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import docker
import requests

import lab
from tests.e2e.playground import Playground
from tests.faults.measured import Measured, Task
from tests.faults.once import Trial, counted

SIZE = 256 * 1024**2  # long enough that a copy is met while it runs
SECONDS = 6.0  # about as long as an apply runs that waits for it
APPLY = ("apply", "--yes")
PROFILE: Mapping[str, Any] = {
    "volumes": ["/data:/data"],
    "init": True,
    "memory": None,
    "user": "dtnaas",
    "data_nets": ["data"],
    "data_port_range": [50100, 50199],
    "stop_timeout": "2s",
}


@dataclass(slots=True)
class Events:
    """Follows the starts of containers on one engine, over its restarts."""

    url: str
    counts: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    seen: set[tuple[str, int]] = field(default_factory=set)

    def follow(self) -> None:
        since = int(time.time())
        while not self.stop.is_set():
            with contextlib.suppress(docker.errors.DockerException, requests.RequestException, OSError):
                client = docker.APIClient(base_url=self.url, version="1.41", timeout=5)
                wanted = {"type": ["container"], "event": ["start"]}
                for event in client.events(since=since, until=int(time.time()) + 2, filters=wanted, decode=True):
                    self._note(event)
                    since = int(event["time"])
            self.stop.wait(0.05)

    def _note(self, event: Mapping[str, Any]) -> None:
        """Once: the next question begins in the second of the last event."""
        key = event["id"], event["timeNano"]
        if key not in self.seen:
            self.seen.add(key)
            self.counts[event["Actor"]["Attributes"]["name"]] += 1


class RealStage:
    """A session on two real endpoints, and the events of their engines."""

    def __init__(self, running: lab.Lab, root: Path) -> None:
        self.play = Playground(running, root)
        self.play.data_network()
        self.play.write("profiles/dtn", PROFILE)
        self.play.write("sessions/pair", {"endpoints": ["dtn1", "dtn2"], "image": "dtn:1", "profile": "dtn"})
        running.exec("dtn1", ["sh", "-c", f"head -c {SIZE} /dev/urandom > /data/file && chmod 1777 /data"])
        running.exec("dtn2", ["chmod", "1777", "/data"])
        self.play.apply().expect(0)
        self.events = [Events(endpoint.unix_url) for endpoint in running.endpoints]
        self.threads = [threading.Thread(target=events.follow, daemon=True) for events in self.events]
        for thread in self.threads:
            thread.start()

    def starts(self, transfer: str) -> int:
        return sum(count for events in self.events for name, count in events.counts.items() if name.startswith(f"play.{transfer}.g1a"))

    def close(self) -> None:
        for events in self.events:
            events.stop.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def real_stage() -> Iterator[RealStage]:
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, lab.Lab(Path(folder) / "lab", 2, image="both") as running:
        root = Path(folder) / "site"
        root.mkdir()
        stage = RealStage(running, root)
        try:
            yield stage
        finally:
            stage.close()


# --- what happens while the first apply runs ----------------------------------------------------------------


def kill(stage: RealStage, rng: Random) -> None:
    _run(stage, rng, kills=1, applies=1)


def two_at_once(stage: RealStage, rng: Random) -> None:
    _run(stage, rng, kills=rng.randint(0, 1), applies=2)


def prune(stage: RealStage, rng: Random) -> None:
    _run(stage, rng, kills=rng.randint(0, 1), applies=1, meanwhile=lambda: _prune(stage))


def cut_power(stage: RealStage, rng: Random) -> None:
    endpoint = rng.choice(("dtn1", "dtn2"))

    def off_and_on() -> None:
        stage.play.lab.kill_engine(endpoint)
        stage.play.lab.start_engine(endpoint)

    _run(stage, rng, kills=0, applies=1, meanwhile=off_and_on)


def _run(stage: RealStage, rng: Random, *, kills: int, applies: int, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Applies, of which some are killed at a moment of their own; `meanwhile` happens at another one."""
    pause = threading.Event()
    running = [stage.play.start(*APPLY) for _ in range(applies)]
    pause.wait(rng.uniform(0.3, SECONDS))
    meanwhile()
    pause.wait(rng.uniform(0.0, SECONDS / 2))
    for process in running[:kills]:
        process.kill()
    for process in running:
        process.communicate(timeout=300)


def _prune(stage: RealStage) -> None:
    """`docker system prune -a --volumes -f` on both engines."""
    for engine in stage.play.engines.values():
        engine.prune_containers()
        engine.prune_networks()
        engine.prune_volumes()
        engine.prune_images({"dangling": False})


KINDS: Mapping[str, Callable[[RealStage, Random], None]] = {
    "a kill at any moment": kill,
    "two applies at once": two_at_once,
    "prunes": prune,
    "a host loses power": cut_power,
}


def try_real(stage: RealStage, kind: str, number: int) -> Trial:
    """One trial: a transfer of its own, an accident, and up to three further applies."""
    rng, name = Random(f"{kind} {number}"), f"once{number}"
    fields = {"from": "dtn1:/data/file", "to": f"dtn2:/data/{name}", "tool": "gridftp", "verify": "size"}
    stage.play.write(f"transfers/{name}", fields)
    KINDS[kind](stage, rng)
    texts = []
    for _ in range(3):
        ran = stage.play.apply()
        texts.append(ran.out + ran.err)
        if ran.code in (0, 9):
            break
    threading.Event().wait(1.5)  # the last events arrive
    trial = Trial(kind, number, {1: stage.starts(name)}, tuple(text for text in texts if "Traceback" in text))
    stage.play.remove(f"transfers/{name}")
    stage.play.lab.exec("dtn2", ["rm", "-f", f"/data/{name}"])
    return trial


def measure(task: Task) -> Measured:
    """R6 on real engines: trials of each kind in turn; none where there can be no lab."""
    if reason := lab.unavailable():
        return Measured(0, note=f"not measured: {reason}")
    with real_stage() as stage:
        return counted([try_real(stage, tuple(KINDS)[number % len(KINDS)], number) for number in task.numbers()])
