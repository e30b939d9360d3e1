"""Two in-memory endpoints whose containers have an iperf3 that prints what the real one printed once."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cli.small_site import PROGRAM, environment, run
from tests.fakes.engine import World
from tests.fakes.execs import ExecRun

SAMPLES = Path(__file__).parents[1] / "benchmarks" / "samples"
COUNTERS = "cpu  100 0 200 1000 50 10 40 0 7 0"
BENCH = "small.dtnctl-bench"
RESULT, REFUSED = ((SAMPLES / f"iperf3-{name}.json").read_text() for name in ("P4", "refused"))


@dataclass
class BenchWorld:
    """The site `small` on endpoints a and b. `clients` are the scripts that clients ran; `result` is what they print."""

    root: Path
    world: World
    result: str = RESULT
    listens: bool = True
    clients: list[str] = field(default_factory=list)
    during: Callable[[ExecRun], None] = lambda run: None

    def write(self, path: str, value: Mapping[str, Any]) -> None:
        file = self.root / "state" / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(dict(value)))

    def bench(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(self.root, "bench", "network", "a", "b", "--rounds", "2", "--duration", "1", *arguments)

    def rows(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The JSON document's rows by network."""
        ran = self.bench("-o", "json", *arguments)
        assert ran.returncode == code, ran.stderr
        document = json.loads(ran.stdout)
        return {"document": document, **{row["network"]: row for row in document.get("rows", ())}}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*PROGRAM, "bench", "network", "a", "b", *arguments],
            cwd=self.root,
            env=environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def left(self) -> set[str]:
        """Names of all containers and networks of ours, on either endpoint."""
        found = {name for engine in self.world.engines.values() for name in _names(engine.state.containers)}
        return found | {name for engine in self.world.engines.values() for name in _names(engine.state.networks)} - {
            "bridge",
            "host",
            "none",
        }

    def shell(self, found: ExecRun) -> int:
        """`sh -c` of the scripts that benchmarks run."""
        script = found.argv[2]
        if "/proc/net/tcp" in script:
            return 0 if self.listens else 1
        if script.startswith("echo kernel="):
            found.stdout("kernel=Linux 6.1.0\ncpus=2\nmemory=1024\n")
            return 0
        if "iperf3 -s" in script:
            found.stdout(f"{COUNTERS}\n{{}}\n\n{COUNTERS}\n")
            return 0
        self.clients.append(script)
        self.during(found)
        found.stdout(f"{COUNTERS}\n{self.result}\n\n{COUNTERS}\n")
        return 0


def _names(objects: Mapping[str, Any]) -> set[str]:
    return {item.name for item in objects.values()}


@contextlib.contextmanager
def bench_world(root: Path) -> Iterator[BenchWorld]:
    """The endpoints with image app:1; session `s` is declared on both and not applied. Network `data` is a macvlan of both."""
    with World(["a", "b"]) as world:
        world.add_image("app:1", {"Cmd": ["serve"]})
        found = BenchWorld(root, world)
        world.exec_programs["sh"] = found.shell
        found.write("site", {"name": "small"})
        for name in ("a", "b"):
            found.write(
                f"endpoints/{name}",
                {"docker": f"unix://{world.sockets[name]}", "host": f"{name}.example.net", "interfaces": {"data": "eth1"}},
            )
        found.write("networks/data", {"driver": "macvlan", "subnet": "10.20.0.0/24"})
        found.write("sessions/s", {"endpoints": ["a", "b"], "image": "app:1"})
        yield found
